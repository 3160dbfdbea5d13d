"""The names that other programs give to pictures in their files are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
import pytest

from imgstore_tui.plugins.foreign import open_foreign
from tests.support.foreign_files import FILES, write_tfrecord
from tests.support.program import program


def names_of(path: Path) -> list[str]:
    opened = open_foreign(path)
    assert opened is not None
    with opened.reader as reader:
        if not reader.content.name_bytes:
            return []
        count = reader.content.count
        assert reader.read_names(range(count)[::-1]) == reader.read_names(range(count))[::-1]
        return reader.read_names(range(count))


def tables(path: Path, kind: str, columns: dict[str, Any]) -> Path:
    """Write rows as a file of Parquet or Arrow."""
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    import pyarrow.feather
    import pyarrow.parquet

    table = pa.table(columns)
    if kind == "parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=2)
    else:
        pyarrow.feather.write_feather(table, str(path), compression="uncompressed", chunksize=2)
    return path


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a.png", "b.png", "c.png"], ["a.png", "b.png", "c.png"]),
        (["cat/a.png", "dog/a.png", "dog/b.png"], ["cat/a.png", "dog/a.png", "dog/b.png"]),
        (["/root/.cache/x/a.png", "hf://datasets/me/it@1/b.png", "C:\\photos\\c.png"], ["a.png", "b.png", "c.png"]),
        (["a.png", None, "c.png"], []),
        (["a.png", "", "c.png"], []),
        (["a.png", "x" * 2000, "c.png"], []),
    ],
)
def test_the_paths_beside_the_bytes(paths: list[Any], names: list[str], kind: str, tmp_path: Path) -> None:
    rows = [{"bytes": data, "path": path} for data, path in zip(FILES, paths, strict=True)]
    assert names_of(tables(tmp_path / f"a.{kind}", kind, {"image": rows, "label": [0, 1, 2]})) == names


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
@pytest.mark.parametrize("column", ["file_name", "Filename", "image_path", "__key__"])
def test_a_column_of_names(column: str, kind: str, tmp_path: Path) -> None:
    columns = {"note": ["x", "y", "z"], column: ["1.png", "2.png", "3.png"], "image": FILES, "label": [0, 1, 2]}
    assert names_of(tables(tmp_path / f"a.{kind}", kind, columns)) == ["1.png", "2.png", "3.png"]
    rows = [{"bytes": data, "path": None} for data in FILES]
    assert names_of(tables(tmp_path / f"b.{kind}", kind, {**columns, "image": rows})) == ["1.png", "2.png", "3.png"]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_rows_without_a_picture_take_their_names_with_them(kind: str, tmp_path: Path) -> None:
    columns = {"image": [FILES[0], None, FILES[2]], "filename": ["1.png", "2.png", "3.png"]}
    assert names_of(tables(tmp_path / f"a.{kind}", kind, columns)) == ["1.png", "3.png"]


def test_keys_of_an_lmdb(tmp_path: Path) -> None:
    for name, keys, names in (
        ("text", [b"cat/1.png", b"cat/2", "d\u00f6g/3.png".encode()], ["cat/1.png", "cat/2", "d\u00f6g/3.png"]),
        ("numbers", [number.to_bytes(4, "big") for number in range(3)], []),
    ):
        with lmdb.open(str(tmp_path / name), map_size=2**20) as env, env.begin(write=True) as transaction:
            for key, data in zip(keys, FILES, strict=True):
                transaction.put(key, data)
        assert names_of(tmp_path / name) == names


def test_a_dataset_of_hdf5_for_each_picture(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, data in zip(("cat/1.png", "cat/2.png", "dog/1.png"), FILES, strict=True):
            file[name] = np.frombuffer(data, np.uint8)
    assert names_of(tmp_path / "a.h5") == ["cat/1.png", "cat/2.png", "dog/1.png"]


def test_the_file_names_in_records(tmp_path: Path) -> None:
    pytest.importorskip("google_crc32c", reason="google_crc32c is not installed (extra tfrecord)")
    names = ["cat.png", "dog.png", "d\u00f6g.png"]
    records = [
        {"image/encoded": data, "image/filename": name.encode(), "image/class/label": number}
        for number, (data, name) in enumerate(zip(FILES, names, strict=True))
    ]
    write_tfrecord(tmp_path / "a.tfrecord", *records)
    assert names_of(tmp_path / "a.tfrecord") == names
    del records[1]["image/filename"]
    write_tfrecord(tmp_path / "b.tfrecord", *records)
    assert names_of(tmp_path / "b.tfrecord") == []


def test_they_are_the_files_of_a_conversion(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path / "a"), map_size=2**20) as env, env.begin(write=True) as transaction:
        for key, data in zip((b"cat/1.png", b"cat/2.png", b"dog/1"), FILES, strict=True):
            transaction.put(key, data)
    done = program("convert", f"store:{tmp_path / 'a'}", "disk+original", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    written = {path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in tmp_path.glob("out/*/*")}
    assert written == {"cat/1.png": FILES[0], "cat/2.png": FILES[1], "dog/1.png": FILES[2]}
