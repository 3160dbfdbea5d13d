"""``--sync batch``: each batch is forced, or the format says why it cannot be."""

from __future__ import annotations

import json

from tests.support.program import program


def test_batches_are_forced_and_counted() -> None:
    done = program(
        "run", "-b", "disk", "lmdb", "safetensors:access=direct", "-n", "20", "--rounds", "1", "-d", "synthetic,size=8",
        "-o", "write-many", "--sync", "batch", "--json",
    )  # fmt: skip
    trials = {trial["backend"]: trial for trial in json.loads(done.stdout)["measurements"]}
    for name in ("disk", "lmdb"):
        assert trials[name]["status"] == "ok", trials[name]["reason"]
        assert trials[name]["sync"] == "batch"
        assert trials[name]["sync_count"] > 0
    assert trials["safetensors"]["status"] == "skipped"
    assert "batch" in trials["safetensors"]["reason"]
