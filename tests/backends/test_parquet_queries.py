"""Parquet for SQL engines, as its page says: DuckDB queries our files.

DuckDB's own file format is no backend here: of large images it keeps whole row groups in memory, and with a limit of
300 MB on that, 800 of 512x512x3 could not be committed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.testing.store_material import StoreSetup

pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed (extra interop)")

LABELS = [-3, 0, 300, 2**40]
SHAPES = [(6, 4, 3), (1, 1), (90, 70, 4), (40, 41, 3)]


def test_it_queries_encoded_images(tmp_path: Path) -> None:
    setup = StoreSetup.of("parquet:rows=3")
    material = setup.material(SHAPES, LABELS)
    path = setup.make(tmp_path / "store", material)
    with duckdb.connect() as connection:
        statement = "SELECT label, image.bytes FROM read_parquet($path)"
        assert connection.execute(statement, {"path": str(path)}).fetchall() == list(
            zip(LABELS, material.payloads, strict=True)
        )
        statement = "SELECT image.bytes FROM read_parquet($path) WHERE label = 300"
        assert connection.execute(statement, {"path": str(path)}).fetchall() == [(material.payloads[2],)]


def test_it_queries_pixels(tmp_path: Path) -> None:
    setup = StoreSetup.of("parquet+raw:rows=3")
    material = setup.material([(6, 4, 3)] * 4, LABELS)
    path = setup.make(tmp_path / "store", material)
    with duckdb.connect() as connection:
        statement = "SELECT image FROM read_parquet($path) ORDER BY label DESC"
        rows = connection.execute(statement, {"path": str(path)}).fetchall()
    pictures = [np.frombuffer(value, np.uint8).reshape(6, 4, 3) for (value,) in rows]
    np.testing.assert_array_equal(np.stack(pictures), material.array[np.argsort(LABELS)[::-1]])
