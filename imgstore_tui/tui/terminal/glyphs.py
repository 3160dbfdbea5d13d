"""Defines the glyphs of the title bar and the progress bar, with and without Unicode."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A set of glyphs."""

    dot: str
    """Separates the parts of a line."""
    done: str
    """The done part of a progress bar."""
    ahead: str
    """The remaining part."""


UNICODE = Glyphs(dot="·", done="━", ahead="─")
ASCII = Glyphs(dot="|", done="=", ahead="-")


def glyphs(ascii_only: bool) -> Glyphs:
    """Return the glyphs that the terminal can draw."""
    return ASCII if ascii_only else UNICODE
