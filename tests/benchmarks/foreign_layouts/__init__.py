"""Layouts of other programs by property, each with a writer and with the reader of its own ecosystem."""
