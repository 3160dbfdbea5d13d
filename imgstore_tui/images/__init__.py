"""Decodes, encodes and resizes pictures, and reads their headers."""
