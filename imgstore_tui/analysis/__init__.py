"""Meaning from measurements: summaries and verdicts."""
