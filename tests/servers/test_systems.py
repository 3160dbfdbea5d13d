"""The plan ``systems``: what can be used here is measured, the rest is named with what would add it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.bench.plan.plans import SYSTEMS
from tests.support.program import program
from tests.support.servers import server

WORDS = ("run", "--plan", "systems", "-n", "1,5", "-o", "write-many,read-many", "--rounds", "1")


@pytest.mark.timeout(170)
def test_what_is_here_is_measured_and_the_rest_is_listed() -> None:
    postgres, mariadb = server("postgres"), server("mariadb")
    settings: dict[str, Any] = {**postgres.variables, **mariadb.variables}
    done = program(*WORDS, "--save", "run.json", **settings)
    assert done.returncode == 0, done.stderr
    saved = json.loads(Path("run.json").read_text())
    assert saved["plan"]["name"] == "systems"
    measured = {row["backend"] for row in saved["measurements"]}
    assert measured >= {"disk", "lmdb", "hdf5", "mysql", "postgres"}
    assert {row["status"] for row in saved["measurements"]} == {"ok"}
    missing = [line.split(": ")[1] for line in done.stderr.splitlines() if line.startswith("not measured: ")]
    assert set(missing) == set(SYSTEMS) - measured
    assert "postgres: PostgreSQL" in " ".join(done.stdout.split())
    tables = program("show", "run.json", "tables")
    assert tables.returncode == 0, tables.stderr
    assert "postgres: as the server says" in " ".join(tables.stdout.split())
    # A column may be too narrow for a name and its version side by side.
    for name in ("PNG files", "Google Cloud Storage", "MariaDB", "PostgreSQL"):
        assert name in " ".join(done.stdout.split()), name
