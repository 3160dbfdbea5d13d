"""The backend duckdb: the conformance suite, and the file as DuckDB alone has it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup
from tests.support.dying_editors import check_put_of_a_process_that_dies

pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed (extra duckdb)")

LABELS = [-3, 0, 300, 2**40]
SHAPES = [(6, 4, 3), (1, 1), (90, 70, 4), (40, 41, 3)]


class TestDuckdb(BackendConformance):
    backend = "duckdb"
    more = ("duckdb+raw:part=1", "duckdb+png:compression=auto")


def query(path: Path, statement: str, *, change: bool = False) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=not change) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(statement).fetchall()
        return rows


@pytest.mark.parametrize("options", ["", ":part=1", ":compression=auto"])
def test_duckdb_alone_reads_it(options: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"duckdb{options}")
    material = setup.material(SHAPES, LABELS)
    path = setup.make(tmp_path / "store", material)
    assert query(path, "SELECT id, label, data FROM payloads ORDER BY id") == [
        (number, label, payload) for number, (label, payload) in enumerate(zip(LABELS, material.payloads, strict=True))
    ]
    assert query(path, "SELECT data FROM payloads WHERE id = 2") == [(material.payloads[2],)]
    sizes = [len(payload) for payload in material.payloads]
    assert query(path, "SELECT label, size FROM images WHERE label > 0 ORDER BY id") == [
        (300, sizes[2]),
        (2**40, sizes[3]),
    ]


def test_pixels_are_bare(tmp_path: Path) -> None:
    setup = StoreSetup.of("duckdb+raw")
    material = setup.material([(60, 90)] * 5, dtype="uint16")
    path = setup.make(tmp_path / "store", material)
    ((data,),) = query(path, "SELECT data FROM payloads WHERE id = 3")
    assert np.frombuffer(data, "<u2").tolist() == material.array[3].ravel().tolist()


def test_what_duckdb_alone_changes_is_read(tmp_path: Path) -> None:
    setup = StoreSetup.of("duckdb")
    material = setup.material([(6, 4, 3)] * 3)
    path = setup.make(tmp_path / "store", material)
    query(path, "UPDATE images SET label = 77 WHERE id = 0", change=True)
    with setup.backend.open(path) as reader:
        assert reader.read_labels().tolist() == [77, 1, 2]
        assert material.get(reader, [1, 0])[0] == [material.payloads[1], material.payloads[0]]


def test_labels_are_read_without_the_parts(tmp_path: Path) -> None:
    setup = StoreSetup.of("duckdb+raw")
    path = setup.make(tmp_path / "store", setup.material([(40, 41, 3)] * 30))
    plan = query(path, "EXPLAIN SELECT id, label, size FROM images ORDER BY id")
    assert "parts" not in str(plan)


def test_row_groups_are_small(tmp_path: Path) -> None:
    setup = StoreSetup.of("duckdb+raw:part=1")
    path = setup.make(tmp_path / "store", setup.material([(40, 41, 3)] * 3000))
    rows = query(path, "SELECT max(count) FROM pragma_storage_info('parts') WHERE column_name = 'id'")
    assert rows == [(2048,)]
    assert query(path, "SELECT count(*) FROM parts") == [(5 * 3000,)]


def test_what_a_process_that_dies_has_committed_is_there(tmp_path: Path) -> None:
    levels = {SyncLevel.BUFFERED: False, SyncLevel.BATCH: True}
    check_put_of_a_process_that_dies("duckdb+raw", tmp_path / "store", levels)


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    setup = StoreSetup.of("duckdb+raw")
    location = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(location)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        for attempt in (lambda: setup.backend.edit(location, SyncLevel.BUFFERED), lambda: setup.backend.open(location)):
            with pytest.raises(StoreError, match=r"(?i)lock"):
                attempt()
        other.communicate("")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP TABLE manifest", "not a store"),
        ("DELETE FROM manifest", "not a store"),
        ("UPDATE manifest SET text = '{'", "cannot be read"),
        ('UPDATE manifest SET text = \'{"format": "imgstore-tui duckdb", "version": 2}\'', "newer imgstore-tui"),
        ("ALTER TABLE parts ADD COLUMN more INTEGER", "tables are not those"),
        ("ALTER TABLE images ALTER label TYPE VARCHAR", "tables are not those"),
        ("ALTER TABLE images ALTER label SET DEFAULT 7", "tables are not those"),
        ("DELETE FROM parts WHERE id = 2", "missing"),
        ("DELETE FROM images WHERE id = 2", "missing"),
        ("INSERT INTO images SELECT * FROM images WHERE id = 2", "twice"),
        ("UPDATE parts SET data = '\\x00'::BLOB WHERE id = 2", "not of the size"),
        ("UPDATE images SET size = 5 WHERE id = 2", "not of 72 bytes"),
        ("UPDATE parts SET part = 1 WHERE id = 2", "not of the size"),
    ],
)
def test_what_is_wrong_inside_is_noticed(statement: str, message: str, tmp_path: Path) -> None:
    setup = StoreSetup.of("duckdb+raw")
    material = setup.material([(6, 4, 3)] * 4)
    path = setup.make(tmp_path / "store", material)
    query(path, "DROP VIEW payloads", change=True)
    query(path, statement, change=True)
    for ids in (range(4), [3, 2, 2]):
        with pytest.raises(StoreError, match=message) as caught, setup.backend.open(path) as reader:
            material.get(reader, ids)
        assert str(tmp_path / "store") in str(caught.value)


def test_a_view_in_the_place_of_a_table_is_not_run(tmp_path: Path) -> None:
    setup = StoreSetup.of("duckdb+raw")
    path = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    secret = tmp_path / "secret.csv"
    secret.write_text("text\nmine\n")
    query(path, "DROP TABLE manifest", change=True)
    query(path, f"CREATE VIEW manifest AS SELECT text FROM read_csv('{secret}')", change=True)
    with pytest.raises(StoreError, match="not a store"):
        setup.backend.open(path)


def test_a_change_larger_than_its_memory_is_made(tmp_path: Path) -> None:
    setup = StoreSetup.of("duckdb+raw")
    material = setup.material([(512, 512, 3)] * 80)
    location = setup.make(tmp_path / "store", material)
    with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
        for first in range(80, 400, 80):
            editor.put_array(range(first, first + 80), material.array, material.labels)
        editor.put_array(range(80), material.array, material.labels)
        editor.delete(range(100, 390))
    with setup.backend.open(location) as reader:
        assert reader.content.count == 110
        material.check(reader, range(80))
        out, labels = np.zeros_like(material.array[:2]), np.zeros(2, np.int64)
        reader.read_array([399, 390], out, labels)
        np.testing.assert_array_equal(out, material.array[[79, 70]])
