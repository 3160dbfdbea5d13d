"""Sentences and lines of text: verdicts, recommendations, captions, log lines."""
