"""Makes text from the user's data and from drivers harmless for terminals, widgets and files."""

from __future__ import annotations

import unicodedata

# Control, format (bidirectional marks among them), surrogate, private, unassigned, line and paragraph separators.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def escaped_text(text: str) -> str:
    r"""Return ``text`` with control characters written as ``\uXXXX``, which JSON and TOML read back.

    Lone surrogates stay: they stand for bytes that are not UTF-8, and TOML has no escape for them.
    """
    return "".join(
        (f"\\u{ord(letter):04X}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08X}")
        if unicodedata.category(letter) in _UNSAFE - {"Cs"}
        else letter
        for letter in text
    )


def safe_text(text: str) -> str:
    r"""Return ``text`` with every control character written as ``<U+XXXX>``.

    Letters of all scripts and spaces stay. Markup of Rich and Textual stays too: hand the result over as
    ``Text``/``Content`` or with ``markup=False``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"<U+{ord(character):04X}>" if unicodedata.category(character) in _UNSAFE else character for character in text
    )


def first_line(error: Exception) -> str:
    """Return the first line of an error's message without unprintable characters, or the name of its class."""
    message = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = (message.strip().splitlines() or [type(error).__name__])[0][:200].rstrip(". ")
    return "".join(letter if letter.isprintable() else "?" for letter in line)
