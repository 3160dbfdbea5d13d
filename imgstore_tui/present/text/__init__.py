"""Writes sentences and lines of text: recommendation, verdicts, captions, log lines."""
