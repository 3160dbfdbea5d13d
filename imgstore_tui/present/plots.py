"""Charts for papers and slides, by matplotlib (extra ``plot``): all of a run on one sheet, with its caption."""

from __future__ import annotations

import io
import textwrap
import warnings
from typing import Any

from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes, format_count_short
from imgstore_tui.present.axes import decade_label, drawable, make_axis
from imgstore_tui.present.digest import digest
from imgstore_tui.present.figures import SOURCE_RANK, Figure, Series, chart_kinds, make_figure
from imgstore_tui.present.words import fact_pairs, interval_words

_COLOURS = ("#0b7285", "#a61e8c", "#2b8a3e", "#b35c00", "#364fc7", "#c92a2a")
_MARKS = "os^DxP"
_SETTINGS = {
    "text.parse_math": False,  # a dollar in a name is a dollar
    "svg.hashsalt": "imgstore-tui",  # else every file differs
    "svg.fonttype": "none",
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
_METADATA = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


def draw_sheet(run: Run, kind: str) -> bytes:
    """Return all charts of a run on one sheet; the same run gives the same bytes.

    The figure is matplotlib's ``Figure`` itself: pyplot keeps global state and wants a screen.

    Args:
        run: What to draw.
        kind: ``svg``, ``png`` or ``pdf``.
    """
    import matplotlib
    import matplotlib.style
    from matplotlib.figure import Figure as Sheet

    figures = [figure for figure in (make_figure(run, kind) for kind in chart_kinds(run)) if not figure.empty]
    rows = max(1, (len(figures) + 1) // 2)
    data = io.BytesIO()
    with warnings.catch_warnings(), matplotlib.style.context("default"), matplotlib.rc_context(_SETTINGS):
        warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box; stderr may be the screen
        sheet = Sheet(figsize=(10.0, 3.4 * rows + 1.1), layout="constrained")
        panels = list(sheet.subplots(rows, 2, squeeze=False).flat)
        for panel, figure in zip(panels, figures, strict=False):
            _bars(panel, figure) if figure.bars else _lines(panel, figure)
        for panel in panels[len(figures) :]:
            panel.axis("off")
        _legend(sheet, panels)
        sheet.supxlabel(_caption(run), fontsize=7, x=0.01, ha="left", color="#646b73")
        sheet.savefig(data, format=kind, dpi=150, metadata=_METADATA[kind])
    return data.getvalue()


def _lines(panel: Any, figure: Figure) -> None:
    for line in figure.series:
        style = _style(line)
        for number, run in enumerate(line.segments()):
            values = [point.value for point in run]
            panel.errorbar(
                [point.n for point in run],
                values,
                yerr=[
                    [max(0.0, point.value - point.low) for point in run],
                    [max(0.0, point.high - point.value) for point in run],
                ],
                label=None if number or line.dotted else line.name,
                **style,
            )
    known = [point for line in figure.series for run in line.segments() for point in run]
    axis = make_axis([point.value for point in known], 9, decade_label, log=True)
    title = figure.title
    if any(line.dotted for line in figure.series):
        title += "\nsolid: write, dotted: read"
    panel.set(xscale="log", yscale="log", xlabel="images", title=title)
    panel.set_ylim(10**axis.low, 10**axis.high)
    panel.set_yticks([10**position for position, _ in axis.ticks], [words for _, words in axis.ticks])
    counts = sorted({point.n for point in known})
    panel.set_xticks(counts, [format_count_short(round(count)) for count in counts])
    panel.minorticks_off()


def _style(line: Series) -> dict[str, Any]:
    own = line.rank < len(_MARKS)
    return {
        "color": _colour(line.rank),
        "marker": "*" if line.rank == SOURCE_RANK else _MARKS[line.rank] if own else "o",
        "linestyle": ":" if line.dotted else "-",
        "markersize": 4,
        "linewidth": 1.2,
        "elinewidth": 0.8,
    }


def _colour(rank: int) -> str:
    if rank == SOURCE_RANK:
        return "#212529"
    return _COLOURS[rank] if rank < len(_COLOURS) else "#9aa2aa"


def _bars(panel: Any, figure: Figure) -> None:
    bars = [bar for bar in figure.bars if drawable(bar.value)]
    groups = sorted({bar.group for bar in bars})
    names = list(dict.fromkeys(bar.name for bar in sorted(bars, key=lambda bar: bar.rank)))
    width = 0.8 / len(names)
    for index, name in enumerate(names):
        own = [bar for bar in bars if bar.name == name]
        rank = own[0].rank
        panel.bar(
            [groups.index(bar.group) + (index - (len(names) - 1) / 2) * width for bar in own],
            [bar.value for bar in own],
            width,
            label=name,
            color=_colour(rank),
        )
    panel.set(yscale="log", xlabel="images", title=f"{figure.title}, log scale")
    values = [bar.value for bar in bars]
    low, high = min(values) / 3, max(values) * 1.3
    panel.set_ylim(low, high)
    sizes = [16.0**power for power in range(2, 14) if low <= 16.0**power <= high]
    panel.set_yticks(sizes, [_size(size) for size in sizes])
    panel.set_xticks(range(len(groups)), [format_count_short(group) for group in groups])
    panel.grid(visible=False, axis="x")
    panel.minorticks_off()


def _size(size: float) -> str:
    """Return a power of 16 without needless digits: ``64 KiB``, ``1 MiB``."""
    return format_bytes(size).replace(".00", "").replace(".0", "")


def _legend(sheet: Any, panels: list[Any]) -> None:
    """Draw one legend for all panels: a method looks the same in each."""
    handles: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    if handles:
        sheet.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=min(6, len(handles)))


def _caption(run: Run) -> str:
    facts = dict(fact_pairs(run))
    kept = [f"{name}: {facts[name]}." for name in ("Data", "Machine", "Scratch", "Levels", "Plan")]
    intervals = interval_words(digest(run).summaries)
    text = " ".join([*kept, f"Bars: {intervals}." if intervals else ""])
    return "\n".join(textwrap.wrap(safe_text(text), 190))
