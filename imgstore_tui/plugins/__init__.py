"""Finds, loads and describes backends, codecs, datasets and exporters; imports no driver."""
