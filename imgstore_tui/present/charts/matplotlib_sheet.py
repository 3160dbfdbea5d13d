"""Draws charts as PNG and PDF with matplotlib (extra ``plot``): all of a run on one sheet, with its caption."""

from __future__ import annotations

import contextlib
import io
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from imgstore_tui.core.model import Run
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.charts.figure_size import FigureSize
from imgstore_tui.present.charts.matplotlib_panels import draw_panel, panel_inches, paper_inches
from imgstore_tui.present.charts.matplotlib_style import QUIET, SETTINGS
from imgstore_tui.present.charts.sheet import sheet_caption, sheet_charts
from imgstore_tui.present.results import build_results

_MILLIMETRES = 25.4
"""Millimetres of an inch."""
_METADATA = {"pdf": {"CreationDate": None}, "png": {}}
_WIDTH = 10.0
"""Width of a sheet, inches."""
_MARGINS = 1.1
"""Inches of a sheet for legend and caption."""


def draw_sheet(run: Run, file_format: str) -> bytes:
    """Return all charts of a run on one sheet; the same run gives the same bytes.

    Args:
        run: What to draw.
        file_format: ``png`` or ``pdf``.
    """
    return _saved(compose_sheet(run), file_format, 150)


def draw_chart(chart: Chart, run: Run, file_format: str, *, size: FigureSize | None = None) -> bytes:
    """Return one chart of a run.

    Args:
        chart: The chart.
        run: Its run.
        file_format: ``png`` or ``pdf``.
        size: The place in a paper it is drawn for, without title and caption, which the paper has; None for a sheet.
    """
    return _saved(compose_chart(chart, run, size=size), file_format, 150 if size is None else 300)


def compose_sheet(run: Run) -> Any:
    """Return matplotlib's ``Figure`` with all charts of a run, two in a row.

    The figure is ``Figure`` itself: pyplot keeps global state and wants a screen.
    """
    results = build_results(run)
    return _composed(sheet_charts(results), 2, _WIDTH, sheet_caption(results))


def compose_chart(chart: Chart, run: Run, *, size: FigureSize | None = None) -> Any:
    """Return matplotlib's ``Figure`` with one chart; see ``draw_chart``."""
    if size is None:
        return _composed([chart], 1, _WIDTH, sheet_caption(build_results(run)))
    return _composed([chart], 1, size.millimetres / _MILLIMETRES, None)


def _composed(charts: Sequence[Chart], columns: int, width: float, caption: str | None) -> Any:
    """Return a figure of charts; those without a caption are for a paper, and have no titles either."""
    from matplotlib.figure import Figure as Sheet

    rows = [charts[start : start + columns] for start in range(0, len(charts), columns)] or [()]
    if caption is None:
        heights = [paper_inches(charts[0], width)]
    else:
        heights = [max((panel_inches(chart) for chart in row), default=1.0) for row in rows]
    with _settings():
        inches = sum(heights) + (_MARGINS if caption is not None else 0.3)
        sheet: Any = Sheet(figsize=(width, inches), layout="constrained")
        sheet.get_layout_engine().set(w_pad=0.08, h_pad=0.06)
        grid = sheet.subplots(len(rows), columns, squeeze=False, gridspec_kw={"height_ratios": heights})
        panels = list(grid.flat)
        for number, chart in enumerate(charts):
            draw_panel(panels[number], chart, width / columns, heights[number // columns])
            if caption is None:
                panels[number].set(title="")
        for panel in panels[len(charts) :]:
            panel.axis("off")
        _legend(sheet, panels, columns=max(2, int(width)) if caption is None else 6)
        if caption:
            folded = "\n".join(textwrap.wrap(caption, 165))
            sheet.supxlabel(folded, fontsize=7, x=0.01, ha="left", color=QUIET)
    return sheet


def _legend(sheet: Any, panels: Sequence[Any], *, columns: int) -> None:
    """Draw one legend for all panels: a method looks the same in each. Lines with names at their ends need none."""
    handles: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    if handles:
        sheet.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=min(columns, len(handles)))


def _saved(sheet: Any, file_format: str, dots: int) -> bytes:
    data = io.BytesIO()
    with _settings():
        sheet.savefig(data, format=file_format, dpi=dots, metadata=_METADATA[file_format])
    return data.getvalue()


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """Keep the user's settings of matplotlib away, and its warnings off the screen."""
    import matplotlib
    import matplotlib.style

    with warnings.catch_warnings(), matplotlib.style.context("default"), matplotlib.rc_context(SETTINGS):
        warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box; stderr may be the screen
        yield
