"""What stood on a terminal as a picture: SVG, and PNG where ``rsvg-convert`` is.

Frames, bars and half blocks are drawn as shapes and not as letters: whatever font the reader has, lines meet, bars are
solid and pictures made of blocks have no seams.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

from rich.cells import cell_len
from rich.color import Color, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme

from tests.walk.terminal import Screen

LETTER, LINE = 8.43, 17.0
"""Width and height of a cell, pixels: what a letter of 14 pixels takes in DejaVu Sans Mono."""
FONT = "DejaVu Sans Mono,Menlo,Consolas,monospace"
FONT_SIZE = 14
BASE = 13.0
"""From the top of a cell to the line that letters stand on."""
EDGE, BAR = 12.0, 30.0
"""Free pixels around the terminal, and the height of the window's title."""
PNG_ZOOM = 1.35
_CONSOLE = Console(color_system="truecolor", force_terminal=True, width=1000)
_LIGHTS = ("#ff5f57", "#febc2e", "#28c840")

_ARMS = {
    "─": "lr", "│": "ud", "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu",
    "├": "udr", "┤": "udl", "┬": "lrd", "┴": "lru", "┼": "lrud", "━": "LR", "╸": "L", "╺": "R",
}  # fmt: skip
"""Which sides of its cell a line touches, beginning in the middle; capitals for thick ones."""
_ROUND = "╭╮╰╯"
_BRAILLE = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of each dot, in the order of its bit."""
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_EIGHTHS_LEFT, _EIGHTHS_UP = "▏▎▍▌▋▊▉█", "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Run:
    """Cells of one look beside each other."""

    row: int
    column: int
    width: int
    text: str
    style: Style


def svg_of(screen: Screen, columns: int, rows: int, title: str, theme: TerminalTheme) -> str:
    """Return a picture of a terminal in its window.

    Args:
        screen: What stood there.
        columns: How wide the terminal was.
        rows: How high it was.
        title: Title of the window.
        theme: What the terminal's own colours are.
    """
    width, height = columns * LETTER + 2 * EDGE, rows * LINE + BAR + EDGE
    ground, ink = theme.background_color.hex, theme.foreground_color.hex
    back, shapes, words = [], [], []
    for run in _runs(screen, rows):
        front, behind = _colours(run.style, theme)
        x, y = EDGE + run.column * LETTER, BAR + run.row * LINE
        if behind != ground:
            back.append(_box(x, y, run.width * LETTER, LINE, behind))
        text = []
        for place, sign in enumerate(run.text):
            shape = _shape(sign, x + place * LETTER, y, front) if len(run.text) == run.width else ""
            shapes += [shape] if shape else []
            text.append(" " if shape else sign)
        words += _letters("".join(text), run, x, y, front)
    lights = [f'<circle cx="{18 + 18 * n}" cy="{BAR / 2:g}" r="5.5" fill="{c}"/>' for n, c in enumerate(_LIGHTS)]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="{ground}"/>',
        *lights,
        f'<text x="{width / 2:g}" y="{BAR / 2 + 5:g}" font-family="{FONT}" font-size="12" fill="{ink}" '
        f'fill-opacity=".6" text-anchor="middle">{escape(title)}</text>',
        f'<g shape-rendering="crispEdges">{"".join(back)}</g>',
        f'<g fill="none" stroke-width="1.2">{"".join(shapes)}</g>',
        f'<g font-family="{FONT}" font-size="{FONT_SIZE}">',
        *words,
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _runs(screen: Screen, rows: int) -> Iterator[Run]:
    """Yield what stands there, by rows; the window's own empty cells are not among it."""
    for number, row in enumerate(screen.rows[:rows]):
        column = 0
        segments = [Segment(text, style or Style.null()) for text, style, _ in row.render(_CONSOLE) if text != "\n"]
        for style, same in groupby(segments, key=lambda segment: segment.style or Style.null()):
            text = "".join(segment.text for segment in same)
            yield Run(number, column, cell_len(text), text, style)
            column += cell_len(text)


def _colours(style: Style, theme: TerminalTheme) -> tuple[str, str]:
    """Return the colours of letters and of what is behind them."""
    front, behind = _rgb(style.color, theme, front=True), _rgb(style.bgcolor, theme, front=False)
    if style.reverse:
        front, behind = behind, front
    if style.dim:
        front = blend_rgb(front, behind, 0.4)
    return front.hex, behind.hex


def _rgb(color: Color | None, theme: TerminalTheme, *, front: bool) -> ColorTriplet:
    if color is None or color.is_default:
        return theme.foreground_color if front else theme.background_color
    return color.get_truecolor(theme, foreground=front)


def _letters(text: str, run: Run, x: float, y: float, front: str) -> list[str]:
    """Return the words of a run, each at its place, so that no font moves them."""
    look = f'fill="{front}"'
    look += ' font-weight="bold"' if run.style.bold else ""
    look += ' font-style="italic"' if run.style.italic else ""
    look += ' text-decoration="underline"' if run.style.underline else ""
    drawn, column = [], 0
    for blank, signs in groupby(text, key=str.isspace):
        word = "".join(signs)
        if not blank:
            left, long = x + column * LETTER, cell_len(word) * LETTER
            drawn.append(f'<text x="{left:.2f}" y="{y + BASE:g}" textLength="{long:.2f}" {look}>{escape(word)}</text>')
        column += cell_len(word)
    return drawn


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{colour}"/>'


def _shape(sign: str, x: float, y: float, colour: str) -> str:
    """Return a sign that is made of lines or blocks as a shape; empty for any other."""
    if sign in _ARMS:
        return _lines(sign, x, y, colour)
    if "\u2800" < sign <= "\u28ff":
        return _dots(ord(sign) - 0x2800, x, y, colour)
    part: tuple[float, float, float, float] | None = None
    if sign in _EIGHTHS_LEFT:
        part = (0, 0, (_EIGHTHS_LEFT.index(sign) + 1) / 8, 1)
    elif sign in _EIGHTHS_UP:
        share = (_EIGHTHS_UP.index(sign) + 1) / 8
        part = (0, 1 - share, 1, share)
    elif sign == "▀":
        part = (0, 0, 1, 0.5)
    elif sign == "▐":
        part = (0.5, 0, 0.5, 1)
    elif sign in _SHADES:
        part = (0, 0, 1, 1)
    if part is None:
        return ""
    left, top, wide, high = part
    box = _box(x + left * LETTER, y + top * LINE, wide * LETTER, high * LINE, colour)
    solid = "" if sign not in _SHADES else f' fill-opacity="{_SHADES[sign]}"'
    return box.replace("/>", f'{solid} shape-rendering="crispEdges"/>')


def _dots(pattern: int, x: float, y: float, colour: str) -> str:
    """Return the eight dots of a braille sign, as far as they are there."""
    path = ""
    for bit, (column, row) in enumerate(_BRAILLE):
        if pattern >> bit & 1:
            path += f"M{x + (0.25 + 0.5 * column) * LETTER:.1f} {y + (0.125 + 0.25 * row) * LINE:.1f}h0"
    return f'<path d="{path}" stroke="{colour}" stroke-width="2" stroke-linecap="round"/>'


def _lines(sign: str, x: float, y: float, colour: str) -> str:
    middle, centre = x + LETTER / 2, y + LINE / 2
    ends = {"l": (x, centre), "r": (x + LETTER, centre), "u": (middle, y), "d": (middle, y + LINE)}
    arms = _ARMS[sign]
    if sign in _ROUND:
        (x0, y0), (x1, y1) = (ends[arm] for arm in arms)
        path = f"M{x0:.2f} {y0:.2f}Q{middle:.2f} {centre:.2f} {x1:.2f} {y1:.2f}"
    else:
        path = "".join(f"M{middle:.2f} {centre:.2f}L{a:.2f} {b:.2f}" for a, b in (ends[arm.lower()] for arm in arms))
    thick = ' stroke-width="3"' if arms.isupper() else ""
    return f'<path d="{path}" stroke="{colour}"{thick}/>'


def write_picture(path: Path, screen: Screen, columns: int, rows: int, theme: TerminalTheme) -> None:
    """Write a picture as SVG, and beside it as PNG where that can be made.

    Args:
        path: Of the SVG.
        screen: What stood on the terminal.
        columns: How wide it was.
        rows: How high it was.
        theme: What the terminal's own colours are.
    """
    path.write_text(svg_of(screen, columns, rows, "imgstore-tui", theme), encoding="utf-8")
    if shutil.which("rsvg-convert"):
        words = ["--zoom", str(PNG_ZOOM), "-o", str(path.with_suffix(".png")), str(path)]
        subprocess.run(["rsvg-convert", *words], check=True)
