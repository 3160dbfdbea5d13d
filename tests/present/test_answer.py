"""Which to take: named where there is a verdict, and nothing where there is none."""

from dataclasses import replace

from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.present.answer import answer_lines
from imgstore_tui.present.sections import digest
from imgstore_tui.testing.runs import fake_run

BOTH = [Operation.WRITE_MANY, Operation.READ_MANY]


def exact(run: Run, **seconds: float) -> Run:
    return replace(run, measurements=tuple(replace(trial, seconds=seconds[trial.spec]) for trial in run.measurements))


def test_the_first_of_each_operation_at_the_most_images_and_what_it_weighs() -> None:
    run = exact(fake_run(cutoffs=[10, 100], operations=BOTH), disk=3.0, lmdb=2.0, hdf5=2.0)
    assert answer_lines(digest(run)) == [
        "Fastest at 100 images - write-many: hdf5 or lmdb (tie); read-many: hdf5 or lmdb (tie).",
        "On disk: hdf5 305 KiB, lmdb 416 KiB.",
    ]


def test_no_verdict_no_answer() -> None:
    assert answer_lines(digest(fake_run(rounds=3, operations=BOTH))) == []
    assert answer_lines(digest(fake_run(["lmdb"], operations=BOTH))) == []


def test_what_is_lossy_is_named() -> None:
    run = exact(fake_run(cutoffs=[10], operations=BOTH), disk=1.0, lmdb=2.0, hdf5=2.0)
    lossy = tuple(
        replace(trial, psnr_db=38.4) if trial.spec == "disk" and trial.operation.writes else trial
        for trial in run.measurements
    )
    first, second = answer_lines(digest(replace(run, measurements=lossy)))
    assert first == "Fastest at 10 images - write-many: disk; read-many: disk."
    assert second.endswith("Lossy: disk (38 dB).")
