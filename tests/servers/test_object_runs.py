"""Runs and conversions on object storage, as a user starts them: nothing is left, and no secret is anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

pytest.importorskip("obstore", reason="obstore is not installed (extra s3)")

from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.jobs.servers.recipes.seaweedfs import USER
from imgstore_tui.storekit.objects.driver import Driver
from tests.support.program import program
from tests.support.servers import own_node

CANARY = "canary-Key+1/secret"
DATA = "synthetic,size=8,count=40"


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with own_node("seaweedfs", password=CANARY) as running:
        yield running


def keys(node: Node) -> list[str]:
    """Return the names at the top of the bucket under which there are objects, of whoever they are."""
    settings = {
        "endpoint": f"http://127.0.0.1:{node.port}", "access_key_id": USER, "secret_access_key": CANARY,
        "region": "us-east-1",
    }  # fmt: skip
    driver = Driver("s3", "images", settings, 10)
    # SeaweedFS lists folders from which everything was removed for a while.
    return [name for name in driver.folders("") if any(driver.objects(name))]


def amazon_variables(node: Node, home: Path) -> dict[str, Any]:
    """Return the variables of the AWS tools, and an address without keys."""
    return {
        "IMGSTORE_S3_URL": "s3://images/team",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{node.port}",
        "AWS_ACCESS_KEY_ID": USER,
        "AWS_SECRET_ACCESS_KEY": CANARY,
        "IMGSTORE_TUI_HOME": str(home),
    }


def files_with(home: Path, secret: str) -> list[Path]:
    forms = {form.encode() for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])}
    return [path for path in home.rglob("*") if path.is_file() and any(form in path.read_bytes() for form in forms)]


def test_a_run_leaves_nothing_and_tells_no_secret(node: Node, tmp_path: Path) -> None:
    words = ["run", "-b", "s3,s3:preset=plain", "-n", "1,10", "-d", DATA, "--rounds", "1", "--scratch", str(tmp_path),
             "--budget", "none", "--save", str(tmp_path / "run.json"), "--json"]  # fmt: skip
    for workers in ("1", "2"):
        (tmp_path / "run.json").unlink(missing_ok=True)
        operations = ["-o", "write-many,read-many,read-random,read-labels,append,delete", "--workers", workers]
        done = program(*words, *operations, timeout=170, **amazon_variables(node, tmp_path))
        assert done.returncode == 0, done.stderr
        assert CANARY not in done.stdout + done.stderr
        run = json.loads((tmp_path / "run.json").read_text())
        trials = run["measurements"]
        assert {trial["status"] for trial in trials} == {"ok"}, [trial["reason"] for trial in trials]
        assert all(trial["requests"] > 0 and trial["retries"] == 0 for trial in trials)
        assert all(trial["server"].startswith("S3 API (SeaweedFS) ") for trial in trials)
        assert {trial["allocated_bytes"] for trial in trials} == {None}
        assert all(trial["apparent_bytes"] for trial in trials if trial["operation"] == "write-many")
        (server,) = run["environment"]["servers"]
        assert server["address"].startswith("s3://images/team?endpoint=http%3A")
    assert keys(node) == []
    assert files_with(tmp_path, CANARY) == []


def test_a_store_goes_to_object_storage_and_back(node: Node, tmp_path: Path) -> None:
    variables, address = amazon_variables(node, tmp_path), "s3://images/photos"

    def convert(*words: str) -> None:
        done = program("convert", *words, **variables)
        assert done.returncode == 0, done.stderr
        assert CANARY not in done.stdout + done.stderr

    convert(DATA, "s3", address)
    refused = program("convert", DATA, "s3", address, **variables)
    assert refused.returncode != 0
    assert "exists already" in refused.stderr
    convert(f"{DATA.replace('40', '30')}", "s3+png:layout=object", address, "--replace")
    convert(f"store:{address}", "lmdb", str(tmp_path / "back.lmdb"))
    convert(f"store:{tmp_path / 'back.lmdb'}", "s3", f"{address}2")
    assert sorted(keys(node)) == ["photos", "photos2"]
    run = program(
        "run", "-b", "lmdb", "-n", "20", "-d", f"store:{address}", "--rounds", "1", "--scratch", str(tmp_path),
        "--quiet", **variables,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert files_with(tmp_path, CANARY) == []


def test_a_profile_of_the_aws_tools_has_the_keys(node: Node, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    config = tmp_path / "config"
    credentials.write_text(f"[bench]\naws_access_key_id = {USER}\naws_secret_access_key = {CANARY}\n")
    config.write_text(f"[profile bench]\nendpoint_url = http://127.0.0.1:{node.port}\nregion = eu-west-1\n")
    variables: dict[str, Any] = {
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials), "AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "bench",
        "IMGSTORE_TUI_HOME": str(tmp_path / "home"),
    }  # fmt: skip
    done = program("convert", DATA, "s3", "s3://images/by_profile", **variables)
    assert done.returncode == 0, done.stderr
    assert "by_profile" in keys(node)
    assert files_with(tmp_path / "home", CANARY) == []


def test_a_wrong_key_is_a_sentence(node: Node, tmp_path: Path) -> None:
    variables = amazon_variables(node, tmp_path) | {"AWS_SECRET_ACCESS_KEY": "canary-wrong"}
    done = program("run", "-b", "s3", "-n", "1", "--quiet", "--scratch", str(tmp_path), **variables)
    assert done.returncode == 3
    assert "SignatureDoesNotMatch" in done.stderr
    assert "AWS_SECRET_ACCESS_KEY" in done.stderr
    assert "canary-wrong" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
