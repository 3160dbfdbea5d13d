"""The backend sqlite: the conformance suite, and the store as the sqlite3 shell and a bare loop see it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, pixels


class TestSqlite(BackendConformance):
    backend = "sqlite"


LABELS = [-3, 0, 300, 2**40]


def query(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()


def test_a_bare_loop_reads_it(tmp_path: Path) -> None:
    setup = StoreSetup.of("sqlite")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4, LABELS))
    rows = query(tmp_path / "store", "SELECT id, label, data FROM images")
    assert [(number, label) for number, label, _ in rows] == list(enumerate(LABELS))
    for number, _, data in rows:
        assert isinstance(data, bytes)
        assert isinstance(number, int)
        np.testing.assert_array_equal(np.frombuffer(data, "u1").reshape(6, 4, 3), pixels((6, 4, 3), number))


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="sqlite3 (the shell) is not installed: apt install sqlite3")
def test_the_shell_reads_it_and_finds_no_fault(tmp_path: Path) -> None:
    setup = StoreSetup.of("sqlite+png")
    material = setup.material([(6, 4, 3), (1, 1), (90, 70, 4), (40, 41, 3)], LABELS)
    path = setup.make(tmp_path / "store", material)

    def shell(statement: str) -> list[str]:
        command = ["sqlite3", "-readonly", str(path), statement]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert shell("PRAGMA integrity_check") == ["ok"]
    assert shell("SELECT label || ' ' || length(data) FROM images") == [
        f"{label} {len(payload)}" for label, payload in zip(LABELS, material.payloads, strict=True)
    ]
    for number, payload in enumerate(material.payloads):
        shell(f"SELECT writefile('{tmp_path / 'out.png'}', data) FROM images WHERE id = {number}")
        assert (tmp_path / "out.png").read_bytes() == payload


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="sqlite3 (the shell) is not installed: apt install sqlite3")
def test_what_the_shell_changes_is_read(tmp_path: Path) -> None:
    setup = StoreSetup.of("sqlite+png")
    material = setup.material([(6, 4, 3)] * 3)
    path = setup.make(tmp_path / "store", material)
    (tmp_path / "in.png").write_bytes(material.payloads[2])
    statement = f"UPDATE images SET data = readfile('{tmp_path / 'in.png'}'), label = 77 WHERE id = 0"
    subprocess.run(["sqlite3", str(path), statement], check=True)
    with setup.backend.open(tmp_path / "store") as reader:
        assert material.get(reader, [0, 1])[0] == [material.payloads[2], material.payloads[1]]
        assert reader.read_labels().tolist() == [77, 1, 2]


@pytest.mark.parametrize(("side", "page"), [(8, 4096), (32, 16_384), (64, 65_536), (512, 65_536)])
def test_pages_follow_the_images(side: int, page: int, tmp_path: Path) -> None:
    setup = StoreSetup.of("sqlite")
    path = setup.make(tmp_path / "store", setup.material([(side, side, 3)] * 9))
    assert query(path, "PRAGMA page_size") == [(page,)]
    plain = StoreSetup.of("sqlite:preset=plain")
    path = plain.make(tmp_path / "plain", plain.material([(side, side, 3)] * 9))
    assert query(path, "PRAGMA page_size") == [(4096,)]


def test_labels_are_read_from_the_index_alone(tmp_path: Path) -> None:
    from imgstore_tui.backends.sqlite.reader import _LABELS

    setup = StoreSetup.of("sqlite")
    path = setup.make(tmp_path / "store", setup.material([(40, 41, 3)] * 30))
    (plan,) = query(path, f"EXPLAIN QUERY PLAN {_LABELS}")
    assert "USING COVERING INDEX labels" in str(plan[-1])


def test_a_process_that_dies_in_a_change_is_told_of_and_mended(tmp_path: Path) -> None:
    setup = StoreSetup.of("sqlite")
    material = setup.material([(90, 70, 3)] * 40)
    setup.make(tmp_path / "store", material)
    script = (
        "import os, sys, sqlite3; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('PRAGMA cache_size=2'); c.execute('PRAGMA cache_spill=1'); c.execute('BEGIN IMMEDIATE'); "
        "c.execute('UPDATE images SET data = zeroblob(18900)'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "store")], check=True)
    with pytest.raises(StoreError, match="died"):
        setup.backend.open(tmp_path / "store")
    setup.backend.edit(tmp_path / "store", SyncLevel.BUFFERED).abort()
    material.check_store(setup.backend, tmp_path / "store")


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    setup = StoreSetup.of("sqlite")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    with (
        setup.backend.edit(tmp_path / "store", SyncLevel.BUFFERED),
        pytest.raises(StoreError, match="locked"),
    ):
        setup.backend.edit(tmp_path / "store", SyncLevel.BUFFERED)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP TABLE manifest", "not a store"),
        ("DELETE FROM manifest", "not a store"),
        ("UPDATE manifest SET text = '{'", "cannot be read"),
        ('UPDATE manifest SET text = \'{"format": "imgstore-tui sqlite", "version": 2}\'', "newer imgstore-tui"),
        ("DROP INDEX labels", "tables are not those"),
        ("CREATE TRIGGER t AFTER INSERT ON images BEGIN SELECT 1; END", "tables are not those"),
        ("DELETE FROM images WHERE id = 2", "missing"),
        ("UPDATE images SET data = 'text' WHERE id = 2", "not of 72 bytes"),
        ("UPDATE images SET data = x'00' WHERE id = 2", "not of 72 bytes"),
        ("UPDATE images SET label = 'text' WHERE id = 2", "no number"),
        ("UPDATE images SET label = 1.5e300 WHERE id = 2", "no number"),
    ],
)
def test_what_is_wrong_inside_is_noticed(statement: str, message: str, tmp_path: Path) -> None:
    setup = StoreSetup.of("sqlite")
    material = setup.material([(6, 4, 3)] * 4)
    path = setup.make(tmp_path / "store", material)
    query(path, statement)
    for ids in (range(4), [3, 2, 2]):
        with pytest.raises(StoreError, match=message) as caught, setup.backend.open(path) as reader:
            material.get(reader, ids)
        assert str(tmp_path / "store") in str(caught.value)


def test_a_view_in_the_place_of_a_table_is_not_run(tmp_path: Path) -> None:
    setup = StoreSetup.of("sqlite")
    path = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    query(path, "ALTER TABLE images RENAME TO hidden")
    query(path, "CREATE VIEW images AS SELECT * FROM hidden")
    with pytest.raises(StoreError, match="tables are not those"):
        setup.backend.open(path)
