"""A server of one file that this package does not know: it appears everywhere and proves itself like ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.run.preflight import DataSize, check_server_space, space_needed
from imgstore_tui.core import credentials
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.model import Plan
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.server_process import server_facts
from imgstore_tui.testing.store_material import is_sentence
from tests.support.entry_points import ROOT, offer
from tests.support.program import program

PASSWORD = "canary-of-the-shelf"


@pytest.fixture
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.outside.shelf", f"me:{PASSWORD}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        yield f"shelf://me:{PASSWORD}@127.0.0.1:{server.stdout.readline().strip()}/books"
        server.kill()


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = credentials.held()
    offer(tmp_path / "package", {"imgstore_tui.backends": {"shelf": "tests.outside.shelf:Shelf"}}, monkeypatch)
    yield
    credentials.forget()
    credentials.hold(before)


@pytest.mark.full
def test_it_passes_the_suite_for_servers(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "tests/outside/shelf_suite.py"],
        capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, "SHELF_FOR_TESTS": url},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_without_an_address_it_is_listed_with_the_variable_to_set() -> None:
    facts = json.loads(program("backends", "shelf", "--json").stdout)
    assert not facts["available"]
    assert "IMGSTORE_SHELF_URL" in facts["how_to_get"]
    refused = program("run", "-b", "shelf", "-n", "1")
    assert refused.returncode == 3
    assert "IMGSTORE_SHELF_URL" in refused.stderr


def test_it_is_measured_and_leaves_nothing_on_the_server(url: str, own_home: Path) -> None:
    words = ("run", "-b", "shelf", "lmdb", "-n", "1,20", "--rounds", "1", "-d", "synthetic,size=8", "--json")
    done = program(*words, "--sync", "buffered,end", "--cache", "hot,cold", IMGSTORE_SHELF_URL=url)
    assert done.returncode == 0, done.stderr
    trials = [trial for trial in json.loads(done.stdout)["measurements"] if trial["backend"] == "shelf"]
    assert {trial["status"] for trial in trials if trial["sync"] == "buffered"} == {"ok"}
    assert all(trial["server"].startswith("Shelf 1.0") for trial in trials if trial["status"] == "ok")
    durable = [trial for trial in trials if trial["sync"] == "end"]
    assert durable
    assert all("nothing is durable" in trial["reason"] for trial in durable)
    cold = [trial for trial in trials if trial["cache"] == "cold"]
    assert cold
    assert all("Nothing is called cold" in trial["reason"] and "ext4" not in trial["reason"] for trial in cold)
    assert all(trial["cache_proof"].startswith("unknown, because") for trial in trials if trial["cache"] == "hot")
    assert program("sweep", "--list", IMGSTORE_SHELF_URL=url).stderr.startswith("Nothing is left of any run")
    credentials.hold({"IMGSTORE_SHELF_URL": url})
    from tests.outside.shelf import Shelf

    assert not Shelf({}).list_stores(Shelf.address()[0], "")
    assert not [path for path in own_home.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert PASSWORD not in done.stdout + done.stderr


def test_no_room_is_asked_for_here(url: str) -> None:
    credentials.hold({"IMGSTORE_SHELF_URL": url})
    size = {"synthetic": DataSize(3_000_000.0, 10_000, has_files=False)}
    plan = Plan(specs=(registry.resolve_spec("shelf"),), cutoffs=(10_000,))
    assert space_needed(plan, size).bytes == 10_000 * 3_000_000, "the pixel cache alone"
    here = replace(plan, specs=(*plan.specs, registry.resolve_spec("lmdb")))
    assert space_needed(here, size).bytes > 2 * 10_000 * 3_000_000


def test_a_server_that_says_that_it_has_no_room_is_not_begun_with(url: str) -> None:
    credentials.hold({"IMGSTORE_SHELF_URL": url})
    size = {"synthetic": DataSize(3_000_000.0, 10_000, has_files=False)}
    plan = Plan(specs=(registry.resolve_spec("shelf"),), cutoffs=(10_000,))
    from tests.outside.shelf import Shelf

    facts = server_facts(Shelf.address()[0])
    assert facts.free_bytes is None
    check_server_space(plan, size, [facts, replace(facts, free_bytes=10**12)])
    with pytest.raises(UnavailableError, match="MiB free") as caught:
        check_server_space(plan, size, [replace(facts, free_bytes=2**29)])
    assert is_sentence(caught.value)
    assert facts.address in str(caught.value)


@pytest.mark.full
def test_it_is_converted_to_and_from(url: str, tmp_path: Path) -> None:
    address = f"{url.replace(f':{PASSWORD}', '')}#photos"
    there = program("convert", "synthetic,size=8", "shelf", address, "--count", "30", IMGSTORE_SHELF_URL=url)
    assert there.returncode == 0, there.stderr
    back = program("convert", f"store:{address}", "npy", str(tmp_path / "back"), IMGSTORE_SHELF_URL=url)
    assert back.returncode == 0, back.stderr
    assert there.stdout.splitlines()[-1] == back.stdout.splitlines()[-1], "the fingerprint"
    refused = program("convert", "synthetic,size=8", "shelf", f"{url}#x", "--count", "3")
    assert refused.returncode == 2
    assert "IMGSTORE_SHELF_URL" in refused.stderr
    assert PASSWORD not in refused.stderr
