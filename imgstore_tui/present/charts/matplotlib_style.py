"""Gives methods their colours and marks on charts drawn by matplotlib; readable in grey."""

from __future__ import annotations

from typing import Any

from imgstore_tui.present.charts.colours import ON_LIGHT
from imgstore_tui.present.charts.figures import SOURCE_INDEX

QUIET = "#646b73"
"""Colour of what is said in small print."""
_MARKS = "os^DXP"
_FILLS = ("full", "none", "left", "bottom")

SETTINGS: dict[Any, Any] = {
    "text.parse_math": False,  # a dollar in a name is a dollar
    "pdf.fonttype": 42,
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#d9dde1",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


def mark_style(index: int) -> dict[str, Any]:
    """Return colour, mark and its filling by the index of a method: six colours, and again with other fillings."""
    if index == SOURCE_INDEX:
        return {"color": "#212529", "marker": "*", "fillstyle": "full"}
    filling = _FILLS[min(max(0, index) // len(ON_LIGHT), len(_FILLS) - 1)]
    return {"color": ON_LIGHT[index % len(ON_LIGHT)], "marker": _MARKS[index % len(_MARKS)], "fillstyle": filling}
