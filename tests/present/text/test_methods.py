"""Tests the descriptions of storage methods, their numbers, and the article's claims about them."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.plugins import registry
from imgstore_tui.present.full_report import full_report
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.report_tables import methods_table
from imgstore_tui.present.text.methods import claim_lines, measured_lines, method_summaries, methods_text
from imgstore_tui.present.text.narrative import verdict_text
from imgstore_tui.testing.fake_runs import fake_article_run, fake_run

EVIL = "[red]x[/] \x1b[31m\u202e"


def test_every_method_has_its_own_words_and_what_was_measured_for_it() -> None:
    results = build_results(fake_run(cache=[CacheState.HOT, CacheState.COLD]))
    notes = {note.spec.label: note for note in method_summaries(results)}
    assert list(notes) == ["disk", "lmdb", "hdf5"]
    backend = registry.backends.get("lmdb")
    assert (notes["lmdb"].when_to_choose, notes["lmdb"].caveats) == (backend.when_to_choose, backend.caveats)
    lines = measured_lines(notes["lmdb"])
    assert [line.partition(":")[0] for line in lines] == [
        "write-one buffered, 1 image", "write-many buffered, 1,000 images", "read-one hot, 1,000 images",
        "read-one cold, 1,000 images", "read-many hot, 1,000 images", "read-many cold, 1,000 images",
        "read-random hot, 1,000 images", "read-random cold, 1,000 images", "disk, 1,000 images",
    ]  # fmt: skip
    assert lines[4].endswith(", the fastest of 3")
    assert "as long as lmdb" in measured_lines(notes["disk"])[4]
    assert lines[-1] == "disk, 1,000 images: 3.92 MiB in 1 file, 1.34x the bare pixels"


def test_ties_failures_and_too_few_rounds_are_said() -> None:
    run = fake_run(["disk", "lmdb", "hdf5"], [10], operations=[Operation.READ_MANY], failures={"hdf5": EVIL})
    same = tuple(replace(trial, seconds=0.1) if trial.seconds else trial for trial in run.measurements)
    notes = {note.spec.label: note for note in method_summaries(build_results(replace(run, measurements=same)))}
    assert measured_lines(notes["disk"]) == ["read-many hot, 10 images: 100 ms, tied with or too close to lmdb"]
    assert measured_lines(notes["hdf5"]) == ["read-many hot, 10 images: failed"]
    few = method_summaries(build_results(fake_run(["disk", "lmdb"], [10], 3, operations=[Operation.READ_MANY])))
    assert measured_lines(few[0])[0].endswith(", no verdict")


def test_the_article_s_claims_stand_with_the_method_that_they_are_about() -> None:
    notes = {note.spec.backend: note for note in method_summaries(build_results(fake_article_run((1, 10, 100, 1000))))}
    claims_of = {backend: {claim for claim, _, _ in claim_lines(note)} for backend, note in notes.items()}
    assert "Stored by the thousand, PNG files are slowest by far" in claims_of["disk"]
    assert "So storing again ends in MapFullError" in claims_of["lmdb"]
    assert "That is because its overflow pages waste more of the disk as images grow" in claims_of["lmdb"]
    assert "So storing again ends in MapFullError" not in claims_of["hdf5"]
    assert not any("whatever the method" in claim for claims in claims_of.values() for claim in claims)
    assert "The data type of HDF5 decides what it takes in time and space" in claims_of["hdf5"]
    assert all(finding != "not measured" for note in notes.values() for _, finding, _ in claim_lines(note))


def test_a_method_whose_backend_is_gone_keeps_its_numbers() -> None:
    run = fake_run(["lmdb"], [10], operations=[Operation.READ_MANY])
    gone = replace(run, plan=replace(run.plan, specs=(replace(run.plan.specs[0], backend="gone"),)))
    (note,) = method_summaries(build_results(gone))
    assert "not installed here" in note.when_to_choose
    assert len(measured_lines(note)) == 1


def test_nothing_measured_has_no_notes() -> None:
    empty = build_results(replace(fake_run(), measurements=()))
    assert not methods_table(empty).rows
    assert "Nothing measured yet" in methods_text(empty).plain
    assert "Nothing measured yet" in methods_text(None).plain


def test_verdicts_of_one_number_of_images_alone() -> None:
    results = build_results(fake_run(operations=[Operation.READ_MANY]))
    assert "N=10  " in verdict_text(results).plain
    assert "N=10  " not in verdict_text(results, 1000).plain
    assert "N=1k  lmdb is fastest" in verdict_text(results, 1000).plain
    assert "Nothing was measured at 77 images." in verdict_text(results, 77).plain


def test_the_whole_report_has_the_article_s_eight_items_and_fits() -> None:
    run = fake_article_run((1, 10, 100))
    run = replace(run, warnings=(EVIL,))
    for width in (70, 110):
        console = Console(width=width, file=StringIO(), color_system=None)
        console.print(full_report(build_results(run), width, ascii_only=True))
        assert isinstance(console.file, StringIO)
        text = console.file.getvalue()
        for number in range(1, 9):
            assert f"\n{number}. " in f"\n{text}", number
        for heading in ("What the article says", "As published", "Ranking at", "Verdicts", "Storage methods"):
            assert heading in text
        assert max(len(line) for line in text.splitlines()) <= width
        assert "\x1b" not in text


@pytest.mark.parametrize("width", [10, 30, 41, 76])
def test_what_is_long_goes_on_below_its_own_beginning(width: int) -> None:
    results = build_results(fake_run(["disk", "lmdb"], [10, 1000], rounds=6))
    for tell in (verdict_text, methods_text):
        plain, folded = tell(results).plain, tell(results, width=width).plain
        assert folded.split() == plain.split()
    lines = verdict_text(results, width=width).plain.split("\n")
    lines = [line for line in lines if not line.startswith("    imgstore-tui ")]  # commands are never folded
    if width > 40:
        assert max(map(len, lines)) <= width
        machine = next(number for number, line in enumerate(lines) if line.startswith("Data "))
        goes_on = [line for line in lines[machine:] if line.startswith(" ")]
        assert all(line.startswith(" " * 9) for line in goes_on)
