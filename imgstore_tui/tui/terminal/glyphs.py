"""The few characters drawn by hand, for terminals with and without Unicode."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The few characters that are drawn by hand."""

    dot: str
    """Between the parts of a line."""
    done: str
    """What is behind in a progress bar."""
    ahead: str
    """What is ahead."""


UNICODE = Glyphs(dot="·", done="━", ahead="─")
ASCII = Glyphs(dot="|", done="=", ahead="-")


def glyphs(ascii_only: bool) -> Glyphs:
    """Return the glyphs that may be drawn."""
    return ASCII if ascii_only else UNICODE
