"""Pixels: decoding and encoding picture files, raw bytes, resizing, headers."""
