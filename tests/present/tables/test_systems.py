"""The tables of the plan ``systems``, with more methods than colours, on a narrow terminal."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from imgstore_tui.core.model import Run, ServerFacts
from imgstore_tui.core.operations import Operation
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.report_tables import answer_tables
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.tables.systems import systems_tables
from imgstore_tui.present.text.narrative import operation_verdicts_text, verdict_lines
from imgstore_tui.testing.fake_runs import fake_run

EMULATED = {"gcs": ("fake-gcs-server", "unknown"), "azure": ("Azurite", "3.35.0")}
SERVERS = {
    "mysql": ("MySQL", "8.0.33"), "postgres": ("PostgreSQL", "15.18"), "mongodb": ("MongoDB", "6.0.5"),
    "cassandra": ("Apache Cassandra", "5.0.9"), "s3": ("S3 API (SeaweedFS)", "4.48"), **EMULATED,
}  # fmt: skip
OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)


def run_of(name: str = "systems") -> Run:
    """Return a run of eleven systems, and of a second preset of four of them."""
    more = [f"{backend}:preset=plain" for backend in list(SERVERS)[:4]]
    run = fake_run(["disk", "lmdb", "hdf5", "tfrecord", *SERVERS, *more], [1, 10_000], operations=OPERATIONS)
    servers = tuple(
        ServerFacts(backend, product, version, f"{backend}://h/d", True, emulator=backend in EMULATED)
        for backend, (product, version) in SERVERS.items()
    )
    trials = tuple(
        replace(trial, allocated_bytes=None) if trial.backend in ("s3", *EMULATED) else trial
        for trial in run.measurements
    )
    environment = replace(run.environment, servers=servers)
    return replace(run, plan=replace(run.plan, name=name), environment=environment, measurements=trials)


def test_figures_and_words_are_tables_of_their_own_that_fit_80_columns() -> None:
    figures, words = systems_tables(build_results(run_of()))
    assert [row[0].text for row in words.rows][:3] == ["PNG files", "LMDB", "HDF5"]
    assert len(words.rows) == 11
    here = {row[0].text: row[1].text for row in figures.rows}
    assert here["Amazon S3"] == "S3 API (SeaweedFS) 4.48"
    assert here["Google Cloud Storage"] == "fake-gcs-server of unknown version, an emulator"
    sizes = {row[0].text: row[-1].text for row in figures.rows}
    assert sizes["Amazon S3"].endswith("MiB+")
    assert sizes["PostgreSQL"].endswith("MiB ")
    assert systems_tables(build_results(run_of("quick"))) == ()


@pytest.mark.parametrize("width", [80, 160])
def test_fifteen_methods_fit_the_width(width: int) -> None:
    console = Console(width=width, file=StringIO(), color_system=None)
    for table in answer_tables(build_results(run_of())):
        console.print(rich_table(table, width))
        assert console.measure(rich_table(table, width)).minimum <= width
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert all(cell_len(line.rstrip()) <= width for line in text.splitlines())
    assert "…" not in text
    assert "Google Cloud Storage" in text


def test_emulators_are_left_out_once_and_not_in_each_verdict() -> None:
    results = build_results(run_of())
    for text in (str(operation_verdicts_text(results)), "\n".join(verdict_lines(results))):
        assert text.count("Azurite is an emulator") == 1
        assert "Left out of every verdict: gcs (fake-gcs-server is an emulator" in text
        assert "Left out: " not in text
    only = build_results(replace(run_of(), plan=replace(run_of().plan, cutoffs=(1,)), measurements=tuple(
        trial for trial in run_of().measurements
        if trial.cutoff == 1 and trial.operation is Operation.WRITE_MANY
    )))  # fmt: skip
    assert "Left out: gcs" in "\n".join(verdict_lines(only))
