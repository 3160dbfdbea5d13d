"""Results held against the ceilings of their run: made-up measurements whose shares are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from imgstore_tui.analysis.ceilings import Headroom, ceiling_rates, headrooms
from imgstore_tui.core.ceiling import Ceiling, CeilingKind
from imgstore_tui.core.model import Measurement, Run
from imgstore_tui.core.operations import CacheState, Operation, Payload, Status, SyncLevel
from imgstore_tui.present.results import build_results
from imgstore_tui.testing.fake_runs import IMAGE_BYTES, fake_run

IMAGES = 1000
PIXELS = IMAGES * IMAGE_BYTES
COPY_RATE, READ_RATE, COLD_RATE, WRITE_RATE = 8e9, 4e9, 5e8, 1e9
DECODE_RATE, ENCODE_RATE = 2e8, 5e7
READ_S, STORE_BYTES = 0.040, 2_000_000
DECODE_S = PIXELS / DECODE_RATE


def made_up_ceilings(rounds: int = 3) -> Iterator[Ceiling]:
    for number in range(rounds):
        # The middle round is the truth; the others are as far above as below.
        factor = (0.5, 1.0, 2.0)[number % 3]

        def trial(
            kind: CeilingKind, rate: float, factor: float = factor, number: int = number, **more: object
        ) -> Ceiling:
            seconds = PIXELS / rate * factor
            return Ceiling(
                "synthetic",
                kind,
                number,
                seconds=seconds,
                samples=(seconds,),
                bytes=PIXELS,
                **more,  # type: ignore[arg-type]
            )

        yield trial(CeilingKind.COPY, COPY_RATE)
        yield trial(CeilingKind.FILE_READ, READ_RATE, cache=CacheState.HOT)
        yield trial(CeilingKind.FILE_READ, COLD_RATE, cache=CacheState.COLD)
        yield trial(CeilingKind.FILE_WRITE, WRITE_RATE, sync=SyncLevel.BUFFERED)
        yield trial(CeilingKind.DECODE, DECODE_RATE, codec="png", images=IMAGES)
        yield trial(CeilingKind.ENCODE, ENCODE_RATE, codec="png", images=IMAGES)


def made_up_run(**changes: object) -> Run:
    """Return a run in which reading with disk takes READ_S, of which DECODE_S is the codec."""
    run = fake_run(
        ("disk", "lmdb"), (10, IMAGES), 6, operations=(Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_ONE),
        cache=(CacheState.HOT, CacheState.COLD),
    )  # fmt: skip

    def fixed(trial: Measurement) -> Measurement:
        if trial.operation is not Operation.READ_MANY or trial.spec != "disk" or trial.cutoff != IMAGES:
            return replace(trial, apparent_bytes=trial.apparent_bytes and STORE_BYTES)
        trial = replace(
            trial, seconds=READ_S, samples=(READ_S,), codec_s=None, storage_s=None, open_s=None, close_s=None
        )
        return replace(trial, **changes)  # type: ignore[arg-type]

    return replace(run, measurements=tuple(map(fixed, run.measurements)), ceilings=tuple(made_up_ceilings()))


def headroom_of(run: Run, spec: str, operation: Operation, cache: CacheState | None = None) -> Headroom | None:
    result = headrooms(run, build_results(run).summaries)
    key = spec, operation, cache, IMAGES
    rows = ((entry, entry.row) for entry in result)
    return next((entry for entry, row in rows if (row.spec, row.operation, row.cache, row.cutoff) == key), None)


@pytest.mark.parametrize(
    ("cache", "rate"), [(CacheState.HOT, COPY_RATE), (CacheState.COLD, COLD_RATE)], ids=["copy is faster", "device"]
)
def test_shares_and_distance_follow_from_the_medians(cache: CacheState, rate: float) -> None:
    entry = headroom_of(made_up_run(), "disk", Operation.READ_MANY, cache)
    assert entry is not None
    assert entry.codec_s == pytest.approx(DECODE_S)
    assert entry.storage == pytest.approx(1 - DECODE_S / READ_S)
    assert not entry.is_measured
    assert entry.file_s == pytest.approx(STORE_BYTES / rate)
    assert entry.distance == pytest.approx(READ_S / (DECODE_S + STORE_BYTES / rate))
    assert entry.most_gain == pytest.approx(READ_S / DECODE_S)


def test_a_share_that_the_phases_tell_comes_before_one_by_subtraction() -> None:
    run = made_up_run(codec_s=0.030, storage_s=0.010)
    entry = headroom_of(run, "disk", Operation.READ_MANY, CacheState.HOT)
    assert entry is not None
    assert entry.storage == pytest.approx(0.25)
    assert entry.is_measured


def test_what_keeps_raw_pixels_is_storage_altogether() -> None:
    run = made_up_run()
    entry = headroom_of(run, "lmdb", Operation.READ_MANY, CacheState.HOT)
    assert entry is not None
    assert (entry.codec_s, entry.storage, entry.is_measured) == (0.0, 1.0, True)
    assert entry.ceiling_s == entry.file_s


def test_writes_are_held_against_encoding_and_a_file_written_at_their_level() -> None:
    entry = headroom_of(made_up_run(), "disk", Operation.WRITE_MANY)
    assert entry is not None
    assert entry.codec_s == pytest.approx(PIXELS / ENCODE_RATE)
    assert entry.file_s == pytest.approx(STORE_BYTES / WRITE_RATE)


def test_single_reads_have_no_share() -> None:
    run = made_up_run()
    result = {entry.row.operation for entry in headrooms(run, build_results(run).summaries)}
    assert result == {Operation.WRITE_MANY, Operation.READ_MANY}


def test_a_codec_that_was_not_measured_gives_no_share() -> None:
    run = made_up_run()
    without = tuple(entry for entry in run.ceilings if entry.kind is not CeilingKind.DECODE)
    assert headroom_of(replace(run, ceilings=without), "disk", Operation.READ_MANY, CacheState.HOT) is None


def test_a_codec_that_is_not_on_the_clock_has_no_part() -> None:
    run = made_up_run(payload=Payload.ENCODED)
    entry = headroom_of(run, "disk", Operation.READ_MANY, CacheState.HOT)
    assert entry is not None
    assert (entry.codec_s, entry.storage) == (0.0, 1.0)


def test_a_run_of_before_has_none() -> None:
    run = replace(made_up_run(), ceilings=())
    assert ceiling_rates(run) == ()
    assert headrooms(run, build_results(run).summaries) == ()


def test_a_ceiling_that_failed_in_all_rounds_says_why() -> None:
    run = made_up_run()
    failed = replace(run.ceilings[2], status=Status.SKIPPED, seconds=None, samples=(), reason="It is not cold.")
    (rate,) = ceiling_rates(replace(run, ceilings=(failed,)))
    assert (rate.bytes_per_s, rate.reason) == (None, "It is not cold.")


def test_ceilings_are_never_ranked() -> None:
    with_them, without = made_up_run(), replace(made_up_run(), ceilings=())
    assert build_results(with_them).verdicts == build_results(without).verdicts
    assert build_results(with_them).summaries == build_results(without).summaries
