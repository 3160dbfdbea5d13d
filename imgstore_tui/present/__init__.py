"""A run made readable: tables, charts, exports. No Textual here."""
