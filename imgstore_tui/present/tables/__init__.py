"""Builds tables as data, filters and sorts them, and renders them with Rich."""
