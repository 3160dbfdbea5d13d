"""A journal of hundreds of thousands of measurements: the work grows with their number, and by little for each.

Work is counted in calls, which are the same on every machine; ``tests.benchmarks.long_journal`` prints CPU seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imgstore_tui.bench.results.journal import read_journal
from imgstore_tui.bench.results.journal_reader import JournalReader
from imgstore_tui.cli import show
from imgstore_tui.core.model import Run
from imgstore_tui.present import exports
from imgstore_tui.present.results import build_results
from imgstore_tui.stats.signed_rank import signed_rank_ratio
from tests.benchmarks.long_journal import write_journal


def calls(action: Callable[[], object]) -> int:
    """Return how many functions are called meanwhile, in Python and in C."""
    count = 0

    def count_call(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(count_call)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the journals of two runs, of which one has a thousand measurements more, and as many cells."""
    folder = tmp_path_factory.mktemp("runs")
    return write_journal(folder, 500), write_journal(folder, 1500)


def calls_for_each(action: Callable[[Path], object] | Callable[[Run], object], short: object, long: object) -> float:
    """Return how many calls each of the thousand measurements costs."""
    do: Callable[[object], object] = action  # type: ignore[assignment]
    do(short)  # what is done once
    return (calls(lambda: do(long)) - calls(lambda: do(short))) / 1000


def test_each_measurement_costs_few_calls(journals: tuple[Path, Path]) -> None:
    assert calls_for_each(read_journal, *journals) < 200  # 1,100 where the kind of each value is looked at anew
    short, long = map(read_journal, journals)
    assert calls_for_each(build_results, short, long) < 250  # more where each trial looks through all cells
    assert calls_for_each(exports.get("csv").export, short, long) < 300  # 740 where what is told is made twice
    assert calls_for_each(exports.get("json").export, short, long) < 300


def test_show_reads_and_summarises_each_measurement_once(journals: tuple[Path, Path]) -> None:
    once = calls_for_each(lambda path: build_results(read_journal(path)), *journals)
    assert calls_for_each(lambda path: show.main([str(path)]), *journals) < once + 50


def test_averages_of_all_pairs_of_rounds_are_not_made_one_by_one() -> None:
    ratios = [1 + number / 200 for number in range(200)]
    signed_rank_ratio(ratios, 0.95)
    assert calls(lambda: signed_rank_ratio(ratios, 0.95)) < 1000  # of 20,100 averages


def test_a_line_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = write_journal(tmp_path, 300)
    whole = path.read_bytes()
    growing = tmp_path / "growing.jsonl"
    growing.write_bytes(whole[:-400])
    reader = JournalReader(growing)
    first = len(reader.read())
    assert reader.run.status == "interrupted"
    for size in range(399, -1, -100):
        growing.write_bytes(whole[: len(whole) - size])
        first += len(reader.read())
    growing.write_bytes(whole)
    first += len(reader.read())
    assert first == 300
    assert reader.run == read_journal(path)
