"""Several clients of one store on a server, on this machine and on machines that do not see its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.bench.run import clients
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.events import Event, TrialStarted
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation, Status
from imgstore_tui.jobs.servers.catalogue import recipe
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.storekit.server import PREFIX
from tests.support.clusters import BLIND, DaskNodes, changed_python, dask_nodes
from tests.support.server_places import backend_of

pytest.importorskip("distributed", reason="distributed is not installed (extra cluster)")


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine clients may be late in any test; none of these is about that."""
    monkeypatch.setattr(clients, "LATE_S", 60.0)


def plan_on(name: str, scratch: Path, **changes: object) -> Plan:
    plan = Plan(
        datasets=("synthetic,size=8",),
        specs=(resolve_spec(f"{recipe(name).backend}+raw"),),
        cutoffs=(200,),
        operations=(Operation.READ_MANY, Operation.GET_ONE),
        rounds=1,
        budget_s=None,
        clients=(1, 2),
        client_window_s=0.3,
        scratch=str(scratch),
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["postgres", "seaweedfs", "mongodb", "mariadb", "cassandra"], indirect=True)
def test_clients_read_one_store_on_a_server(place: ServerLocation, name: str, tmp_path: Path) -> None:
    run = run_plan(plan_on(name, tmp_path))
    assert len(run.client_rounds) == 6
    for entry in run.client_rounds:
        assert (entry.status, entry.reason) == (Status.OK, None)
        assert entry.shares_cores, "the server is on this machine"
        assert entry.images_per_s
    assert list(backend_of(name).list_stores(place, PREFIX)) == []


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaskNodes]:
    """A scheduler with one worker that does not see the files of the run; this process has the certificates too."""
    with dask_nodes(tmp_path / "nodes", 0) as started:
        for variable, value in started.environment.items():
            monkeypatch.setenv(variable, value)
        started.start_worker(changed_python(tmp_path / "blind", BLIND))
        started.wait_for_workers()
        yield started


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures" / "cats"
    folder.mkdir(parents=True)
    for number in range(20):
        Image.fromarray(np.full((8, 8, 3), number * 10, np.uint8)).save(folder / f"{number:02}.png")
    return folder.parent


@pytest.mark.parametrize("name", ["postgres"], indirect=True)
@pytest.mark.parametrize("changes", [False, True])
def test_a_machine_that_does_not_see_the_files_makes_the_same_pictures(
    place: ServerLocation, name: str, nodes: DaskNodes, pictures: Path, tmp_path: Path, changes: bool
) -> None:
    def change(event: Event) -> None:
        if isinstance(event, TrialStarted):
            Image.fromarray(np.full((8, 8, 3), 255, np.uint8)).save(pictures / "cats" / "00.png")

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    plan = plan_on(
        name, scratch, datasets=(f"folder:{pictures}",), cutoffs=(20,), operations=(Operation.READ_MANY,), clients=(1,),
        cluster=nodes.address, baseline=False,
    )  # fmt: skip
    listen: Callable[[Event], None] = change if changes else lambda _: None
    reasons = {entry.reason for entry in run_plan(plan, listen=listen).client_rounds}
    if changes:
        (reason,) = reasons
        assert reason is not None
        assert reason.endswith("holds other pictures here than where the run was begun.")
    else:
        assert reasons == {None}
        made = list(nodes.folder.rglob("imgstore-tui-*"))
        assert len(made) == 1
