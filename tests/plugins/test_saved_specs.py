"""Tests that saved runs are read by their resolved options, and that every row says who read or wrote the bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.compare import compare_runs
from imgstore_tui.analysis.verdict import VerdictRules, verdicts
from imgstore_tui.bench.plan.grid import run_cells
from imgstore_tui.bench.results.journal import Journal, read_journal
from imgstore_tui.core.access import Access
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.model import Cell, Run, ServerFacts
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.saved_specs import SavedSpecs, relabelled
from imgstore_tui.testing.fake_runs import fake_run


def saved_as(run: Run, label: str, options: dict[str, OptionValue]) -> Run:
    """Return a run of one method as a program saved it that had other defaults and knew no access."""
    specs = tuple(replace(spec, label=label, options=tuple(options.items())) for spec in run.plan.specs)
    trials = tuple(replace(trial, spec=label, options=options, access=None) for trial in run.measurements)
    return replace(run, plan=replace(run.plan, specs=specs), measurements=trials)


def journalled(run: Run, folder: Path) -> Run:
    journal = Journal.begin(run, folder)
    for trial in run.measurements:
        journal.add(trial)
    journal.close()
    return read_journal(journal.path)


@pytest.mark.parametrize("backend", sorted(registry.backends.all()))
def test_the_label_of_a_spec_of_today_stays(backend: str) -> None:
    kind = registry.backends.get(backend)
    for preset in kind.presets:
        spec = registry.resolve_spec(f"{backend}:preset={preset.name}", require_available=False)
        assert relabelled(spec) == spec


def test_a_default_of_before_shows_in_the_label(tmp_path: Path) -> None:
    # Whichever of the two is the default now, the other shows.
    other = {"direct": "library", "library": "direct"}[str(dict(registry.resolve_spec("hdf5").options)["access"])]
    options: dict[str, OptionValue] = {"chunks": 0, "filter": "none", "access": other, "labels": "labels"}
    before = saved_as(fake_run(["hdf5"], [10], 1, operations=[Operation.READ_MANY]), "hdf5", options)
    run = journalled(before, tmp_path)
    assert [spec.label for spec in run.plan.specs] == [f"hdf5:access={other}"]
    assert {trial.spec for trial in run.measurements} == {f"hdf5:access={other}"}
    assert {trial.access for trial in run.measurements} == {{"direct": Access.OWN, "library": Access.LIBRARY}[other]}
    assert SavedSpecs().run(before).measurements == run.measurements


WITH_ACCESS = ("arrow", "hdf5", "npy", "parquet", "safetensors", "zarr")
"""Backends whose library reads at random under the bare name; that of WebDataset reads in order only."""


def test_every_backend_that_can_go_round_its_library_is_known() -> None:
    kinds = registry.sorted_backends()
    assert {*WITH_ACCESS, "webdataset"} == {
        kind.name for kind in kinds if any(o.name == "access" for o in kind.options)
    }


def test_webdataset_of_before_is_shown_as_direct_access() -> None:
    today = registry.resolve_spec("webdataset+raw")
    before = replace(today, options=tuple((name, value) for name, value in today.options if name != "access"))
    assert relabelled(before).label == registry.resolve_spec("webdataset+raw:access=direct").label != today.label


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("backend", WITH_ACCESS)
def test_a_bare_name_of_before_is_shown_as_direct_access(backend: str, tmp_path: Path) -> None:
    resolved = registry.resolve_spec(f"{backend}+raw", require_available=False)
    options = dict(resolved.options) | {"access": "direct"}
    if backend != "hdf5":  # whose every run was saved with the option
        del options["access"]
    run = fake_run([f"{backend}+raw"], [10], 1, operations=[Operation.READ_RANDOM])
    label = resolved.label
    before = journalled(saved_as(run, label, options), tmp_path / "before")
    today = journalled(saved_as(run, label, dict(resolved.options)), tmp_path / "today")
    assert {(trial.spec, trial.access) for trial in today.measurements} == {(label, Access.LIBRARY)}
    (shown,) = {trial.spec for trial in before.measurements}
    assert shown == registry.resolve_spec(f"{backend}+raw:access=direct", require_available=False).label != label
    assert {trial.access for trial in before.measurements} == {Access.OWN}
    assert {trial.options["access"] for trial in before.measurements} == {"direct"}
    assert [spec.label for spec in before.plan.specs] == [shown]
    assert compare_runs([before], today).cells == (), "what went round the library is not compared with what did not"


def test_what_a_library_did_is_not_compared_with_what_code_of_ours_did() -> None:
    # A method may have one label and two accesses: WebDataset is read by its package where that is installed.
    before = fake_run(["webdataset"], [10], 6, operations=[Operation.READ_MANY])
    trials = tuple(replace(trial, access=Access.OWN) for trial in before.measurements)
    assert len(compare_runs([before], before).cells) == 1
    comparison = compare_runs([before], replace(before, measurements=trials))
    assert (comparison.cells, comparison.only_base, comparison.only_run) == ((), 1, 1)
    assert any("webdataset" in line and "library" in line and "own" in line for line in comparison.obstacles)


def test_an_option_that_is_newer_than_a_run_means_what_it_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = registry.backends.get("sqlite")
    option = Option("by", "new", "How.", ("new", "old"), former="old")
    monkeypatch.setattr(kind, "options", (*kind.options, option))
    old = Spec("sqlite", "raw", "tuned", registry.resolve_spec("sqlite").options[:-1], (), "sqlite")
    assert dict(relabelled(old).options)["by"] == "old"
    assert relabelled(old).label == "sqlite:by=old"
    assert relabelled(registry.resolve_spec("sqlite")).label == "sqlite"


def test_what_is_not_known_here_stays() -> None:
    for spec in (
        Spec("attic", "raw", "tuned", (("a", 1),), (), "attic:a=1"),
        Spec("lmdb", "raw", "lost", (), (), "lmdb:preset=lost"),
        Spec("lmdb", "raw", "tuned", (("lost", 1),), (), "lmdb:lost=1"),
    ):
        assert relabelled(spec) == spec


@pytest.mark.parametrize("backend", sorted(registry.backends.all()))
def test_every_operation_of_every_backend_has_an_access(backend: str) -> None:
    made = registry.with_defaults(registry.backends.get(backend))
    for operation in Operation:
        for kind in made.payloads:
            assert made.access(operation, kind) in Access


def test_a_backend_says_by_default_what_it_requires() -> None:
    lmdb = registry.with_defaults(registry.backends.get("lmdb"))
    disk = registry.with_defaults(registry.backends.get("disk"))
    assert lmdb.access(Operation.READ_MANY, PayloadKind.BYTES) is Access.LIBRARY
    assert disk.access(Operation.WRITE_MANY, PayloadKind.BYTES) is Access.SYSTEM


def test_a_skipped_cell_gets_the_label_of_its_method() -> None:
    other = {"direct": "library", "library": "direct"}[str(dict(registry.resolve_spec("hdf5").options)["access"])]
    options: dict[str, OptionValue] = {"chunks": 0, "filter": "none", "access": other, "labels": "labels"}
    run = saved_as(fake_run(["hdf5"], [10], 1, operations=[Operation.READ_MANY]), "hdf5", options)
    specs = SavedSpecs()
    specs.head(run)
    cell = Cell("synthetic", "hdf5", Operation.READ_MANY, 10, CacheState.HOT, None)
    assert specs.cell(cell).spec == f"hdf5:access={other}"


def test_what_a_library_forced_by_itself_was_never_buffered(tmp_path: Path) -> None:
    before = fake_run(["lmdb"], [10], 1, operations=[Operation.WRITE_MANY], sync=[SyncLevel.BUFFERED, SyncLevel.END])
    forced = tuple(replace(trial, backend="rocksdb", spec="rocksdb", options={}) for trial in before.measurements)
    run = journalled(replace(before, measurements=(*before.measurements, *forced)), tmp_path)
    levels = {backend: {m.sync for m in run.measurements if m.backend == backend} for backend in ("lmdb", "rocksdb")}
    assert levels == {
        "lmdb": {SyncLevel.BUFFERED, SyncLevel.END}, "rocksdb": {SyncLevel.FORCED, SyncLevel.END},
    }  # fmt: skip


def test_what_a_library_forced_formerly_is_not_called_buffered_in_runs_of_before(tmp_path: Path) -> None:
    run = fake_run(["lmdb"], [10], 1, operations=[Operation.WRITE_MANY], sync=[SyncLevel.BUFFERED, SyncLevel.END])
    for access, level in ((None, SyncLevel.FORCED), (Access.LIBRARY, SyncLevel.BUFFERED)):
        trials = tuple(
            replace(trial, backend="duckdb", spec="duckdb", options={}, access=access) for trial in run.measurements
        )
        folder = tmp_path / str(level)
        folder.mkdir()
        saved = journalled(replace(run, measurements=trials), folder)
        assert [trial.sync for trial in saved.measurements] == [level, SyncLevel.END]


@pytest.mark.sample_first(3)
@pytest.mark.parametrize(
    ("backend", "settings", "level"),
    [
        ("mysql", {"innodb_flush_log_at_trx_commit": "1"}, SyncLevel.FORCED),
        ("mysql", {"innodb_flush_log_at_trx_commit": "2"}, SyncLevel.BUFFERED),
        ("mysql", {}, SyncLevel.BUFFERED),
        ("cassandra", {"commitlog_sync": "batch", "durable_writes": "true"}, SyncLevel.FORCED),
        ("cassandra", {"commitlog_sync": "group", "durable_writes": "false"}, SyncLevel.BUFFERED),
        ("cassandra", {"commitlog_sync": "periodic", "durable_writes": "true"}, SyncLevel.BUFFERED),
        ("s3", {"acknowledges": "durable"}, SyncLevel.FORCED),
        ("s3", {"acknowledges": "durable or not is unknown"}, SyncLevel.BUFFERED),
        ("postgres", {"fsync": "on"}, SyncLevel.BUFFERED),
    ],
)
def test_what_a_server_forces_by_its_settings_is_not_ranked_with_what_forces_nothing(
    backend: str, settings: dict[str, str], level: SyncLevel, tmp_path: Path
) -> None:
    base = fake_run(["lmdb", "npy"], [10], 9, operations=[Operation.WRITE_MANY], sync=[SyncLevel.BUFFERED])
    spec = registry.resolve_spec(backend, require_available=False)
    trials = tuple(
        replace(trial, backend=backend, spec=backend, options={}) if trial.spec == "npy" else trial
        for trial in base.measurements
    )
    server = ServerFacts(backend, "A server", "1", f"{backend}://host/", settings=settings)
    run = journalled(
        replace(
            base, measurements=trials, plan=replace(base.plan, specs=(base.plan.specs[0], spec)),
            environment=replace(base.environment, servers=(server,)),
        ),
        tmp_path,
    )  # fmt: skip
    assert {trial.sync for trial in run.measurements if trial.spec == "lmdb"} == {SyncLevel.BUFFERED}
    assert {trial.sync for trial in run.measurements if trial.backend == backend} == {level}
    ranked = [{entry.name for entry in verdict.standings} for verdict in verdicts(summarise(run), VerdictRules.of(run))]
    assert ranked == ([{"lmdb"}, {backend}] if level is SyncLevel.FORCED else [{"lmdb", backend}])
    assert {cell.sync for cell in run_cells(run) if cell.spec == spec.label} == {level}, "and so it is planned"
