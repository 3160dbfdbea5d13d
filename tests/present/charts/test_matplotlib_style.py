"""Marks on matplotlib's charts tell as many methods apart as there are series on a chart of all systems."""

from __future__ import annotations

import pytest

from imgstore_tui.present.charts.matplotlib_style import mark_style

METHODS = 15


def test_marks_of_methods_differ_where_their_colours_do_not() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra plot)")
    from matplotlib.markers import MarkerStyle

    # A mark that cannot be filled looks the same with every filling.
    looks = {
        (style["color"], style["marker"], style["fillstyle"] if style["marker"] in MarkerStyle.filled_markers else "")
        for style in map(mark_style, range(METHODS))
    }
    assert len(looks) == METHODS
