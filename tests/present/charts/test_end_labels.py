"""Names at the ends of lines: apart from each other, in order, and near."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest

from imgstore_tui.core.operations import Operation
from imgstore_tui.present.charts.end_labels import MOST_IN_LEGEND, shortened, spread
from imgstore_tui.present.charts.svg import WIDTH, sheet_svg
from imgstore_tui.testing.fake_runs import fake_run


def test_names_that_are_apart_stay_where_they_are() -> None:
    assert spread([10.0, 50.0, 30.0], 12.0, 0.0, 100.0) == [10.0, 50.0, 30.0]
    assert spread([], 12.0, 0.0, 100.0) == []


def test_names_that_would_cover_each_other_move_as_little_as_need_be() -> None:
    assert spread([50.0, 50.0], 10.0, 0.0, 100.0) == [45.0, 55.0]
    assert spread([0.0, 1.0], 10.0, 0.0, 100.0) == [0.0, 10.0]


@pytest.mark.parametrize("count", [1, 7, 16, 40])
def test_names_are_in_order_and_within(count: int) -> None:
    source = random.Random(count)
    ends = [source.choice([20.0, source.uniform(-5, 105)]) for _ in range(count)]
    places = spread(ends, 6.0, 0.0, 100.0)
    gap = min(6.0, 100.0 / max(1, count - 1))
    in_order = sorted(places)
    assert all(second - first >= gap - 1e-9 for first, second in pairwise(in_order))
    assert in_order[0] >= -1e-9
    assert in_order[-1] <= 100.0 + 1e-9
    for first, second in zip(*[iter(sorted(zip(ends, places, strict=True)))] * 2, strict=False):
        assert first[0] == second[0] or first[1] < second[1]


def test_every_method_of_many_has_its_name_at_its_line() -> None:
    specs = [f"disk:x={number}" for number in range(MOST_IN_LEGEND + 10)]
    for shown, ends in ((specs, True), (specs[:MOST_IN_LEGEND], False)):
        svg = sheet_svg(fake_run(shown, [1, 100], operations=[Operation.READ_MANY]))
        places = {
            name: float(left) for left, name in re.findall(r'<text x="([\d.]+)" y="[\d.]+">(disk[^<]+)</text>', svg)
        }
        assert set(places) == set(shown)
        assert (min(places.values()) > WIDTH / 2) == ends


def test_long_names_keep_the_end_in_which_methods_differ() -> None:
    assert shortened("lmdb", 4) == "lmdb"
    names = {shortened(f"hdf5:chunks=64,filter=gzip,level={level}", 16) for level in range(9)}
    assert len(names) == 9
    assert {len(name) for name in names} == {16}
    assert shortened("lmdb", 1) == "l…"
