"""Tests what every exporter must do; a test class inherits the suite and names its exporter, nothing else."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import ClassVar

import pytest

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import SYNC_LEVELS, CacheState, Operation, Status
from imgstore_tui.testing.fake_runs import fake_run

HOSTILE_TEXTS = (
    "[red]x[/]", "[/]", "[@click=app.quit]q[/]", "\x1b[31mred", "\x1b]0;title\x07", "\x9b31m", "a\r\nb\tc",
    "\u202egnp.exe", "\udcff", "=1+1", "@SUM(A1)", "a|b`c`", "<script>alert(1)</script>",
    "https://example.org/x.png", "\\end{document}", "$x_1$ & 50 % #~^{}", "]]>", "--><b>", "\u2028", "\x00",
)  # fmt: skip
"""Texts that some reader might interpret: terminals, spreadsheets, Markdown, HTML, LaTeX, Rich."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")
_NOT_FINITE = re.compile(r"\b(nan|inf|infinity)\b", re.IGNORECASE)


def hostile_run() -> Run:
    """Return a run in which every text that a user's data can reach is hostile."""
    run = fake_run(["disk", "lmdb"], [1, 10], 6)
    texts = [HOSTILE_TEXTS[index % len(HOSTILE_TEXTS)] for index in range(len(run.measurements))]
    failing = fake_run(["disk", "lmdb"], [1, 10], 6, failures={"lmdb/read-many": "x", "disk/read-random": "x"})
    return replace(
        run,
        id="".join(HOSTILE_TEXTS[:4]),
        datasets=tuple(replace(facts, text=facts.text, summary=" ".join(HOSTILE_TEXTS)) for facts in run.datasets),
        environment=replace(
            run.environment,
            cpu=HOSTILE_TEXTS[0],
            scratch="/scratch/" + HOSTILE_TEXTS[3] + HOSTILE_TEXTS[12],
            notes=HOSTILE_TEXTS,
        ),
        measurements=tuple(
            replace(
                trial,
                reason=None if trial.reason is None else text,
                warnings=(text,),
                options={"note": text},
                cache_proof=text,
            )
            for trial, text in zip(failing.measurements, texts, strict=True)
        ),
        warnings=HOSTILE_TEXTS,
    )


UNUSUAL_RUNS = {
    "nothing yet": replace(fake_run(), measurements=(), status="running", finished_at=None),
    "no data": replace(fake_run(), measurements=(), datasets=()),
    "one trial": fake_run(rounds=1, cutoffs=[1]),
    "unverified": fake_run(verified=False),
    "all failed": fake_run(failures={"disk": "x", "lmdb": "x", "hdf5": "x"}),
    "all levels": fake_run(operations=list(Operation), sync=SYNC_LEVELS, cache=list(CacheState), rounds=2),
    "forty specs": fake_run([f"lmdb:number={number}" for number in range(40)], cutoffs=[1, 10], rounds=1),
}


class ExporterConformance:
    """The conformance suite of an exporter: inherit it and set ``exporter``."""

    exporter: ClassVar[type[Exporter]]

    def export(self, run: Run) -> bytes:
        """Return the run in the format under test."""
        return self.exporter().export(run)

    def test_it_declares_itself(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9]*", self.exporter.name)
        assert self.exporter.title
        assert re.fullmatch(r"\.[a-z0-9.]+", self.exporter.suffix)

    def test_a_run_gives_bytes_and_stays_as_it_is(self) -> None:
        run = fake_run(failures={"hdf5/write-many/100": "the disk is full"})
        data = self.export(run)
        assert isinstance(data, bytes)
        assert data
        assert run == fake_run(failures={"hdf5/write-many/100": "the disk is full"})

    def test_the_same_run_gives_the_same_bytes(self) -> None:
        assert self.export(fake_run()) == self.export(fake_run())

    def test_text_is_utf8_and_says_what_was_measured(self) -> None:
        if self.exporter.binary:
            pytest.skip(f"{self.exporter.name} is no text")
        text = self.export(fake_run()).decode()
        for word in ("synthetic", "disk", "lmdb", "hdf5"):
            assert word in text
        assert text.endswith("\n")

    @pytest.mark.parametrize("run", UNUSUAL_RUNS.values(), ids=UNUSUAL_RUNS)
    def test_unusual_runs(self, run: Run) -> None:
        data = self.export(run)
        assert data
        assert data == self.export(run)
        if not self.exporter.binary:
            text = data.decode()
            assert text.endswith("\n")
            assert _CONTROL.search(text) is None
            assert _NOT_FINITE.search(text) is None
        measured = {trial.spec for trial in run.measurements if trial.status is Status.OK and trial.verified}
        if measured:
            assert data != self.export(replace(run, measurements=()))
            if not self.exporter.binary:
                assert [label for label in measured if label not in text] == []

    def test_numbers_that_are_none_do_no_harm(self) -> None:
        run = fake_run(["disk"], [10], 2)
        trials = tuple(replace(trial, psnr_db=math.inf, drain_s=1e-300) for trial in run.measurements)
        data = self.export(replace(run, measurements=trials))
        if not self.exporter.binary:
            assert "Infinity" not in data.decode()

    def test_nothing_in_the_data_can_act(self) -> None:
        data = self.export(hostile_run())
        if not self.exporter.binary:
            text = data.decode()
            assert _CONTROL.search(text) is None
