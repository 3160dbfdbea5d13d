"""Parquet files as other programs lay them out: the columns of pictures that are read, and those that are refused."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.core.errors import UsageError
from tests.support import foreign_files
from tests.support.foreign_files import FILES, ROWS, files, png

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra arrow)")

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write(path: Path, rows_in_group: int = 2, metadata: Any = None, **columns: Any) -> Path:
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=rows_in_group)
    return path


opened = partial(foreign_files.opened, backend="parquet")
refusal = partial(foreign_files.refusal, backend="parquet")


@pytest.mark.parametrize(
    "column",
    [
        pa.array(ROWS, STRUCT),
        pa.array(FILES, pa.binary()),
        pa.array(FILES, pa.large_binary()),
        pytest.param(pa.array(FILES, pa.binary_view()), id="binary view"),
    ],
    ids=lambda column: str(column.type)[:12],
)
@pytest.mark.parametrize("name", ["image", "anything"])
def test_a_column_of_any_kind_of_bytes_is_read(name: str, column: Any, tmp_path: Path) -> None:
    reader = opened(write(tmp_path / "a.parquet", **{"id": [1, 2, 3], name: column, "label": [3, 1, 2]}))
    assert reader.read_labels().tolist() == [3, 1, 2]
    assert files(reader) == FILES


@pytest.mark.parametrize("kind", [STRUCT, pa.binary()], ids=["struct", "bytes"])
def test_a_list_of_pictures_is_as_many_pictures(kind: Any, tmp_path: Path) -> None:
    items = ROWS if kind == STRUCT else FILES
    images = pa.array([[items[0], items[1]], [], None, [items[2]]], pa.list_(kind))
    reader = opened(write(tmp_path / "a.parquet", images=images, label=["b", "x", "x", "a"]))
    assert reader.content.label_names == ("a", "b")
    assert reader.read_labels().tolist() == [1, 1, 0]
    assert [entry.name for entry in reader.excluded] == ["a.parquet row 1", "a.parquet row 2"]
    assert files(reader) == FILES


def test_rows_without_a_picture_are_named(tmp_path: Path) -> None:
    rows = [ROWS[0], None, ROWS[1], {"bytes": None, "path": "far/away.png"}, ROWS[2]]
    reader = opened(write(tmp_path / "a.parquet", image=pa.array(rows, STRUCT), label=[1, None, 2, None, 3]))
    assert [entry.name for entry in reader.excluded] == ["a.parquet row 1", "a.parquet row 3"]
    assert reader.read_labels().tolist() == [1, 2, 3]
    assert reader.content.count + len(reader.excluded) == pq.ParquetFile(tmp_path / "a.parquet").metadata.num_rows
    assert files(reader) == FILES


def test_only_places_of_pictures_are_no_pictures(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", image=pa.array([{"bytes": None, "path": "far/away.png"}] * 3, STRUCT))
    assert "a.parquet row 0' is left out: It holds no bytes of a picture" in refusal(path)


def test_bytes_that_are_no_picture_are_refused_with_the_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", image=pa.array([bytes(192)] * 3), height=[8] * 3)
    assert "the bytes in it are no picture files; its columns are image binary; height int64" in refusal(path)
    path = write(tmp_path / "b.parquet", pixels=[[1, 2, 3]] * 3)
    assert "has no column of picture files: its columns are pixels list" in refusal(path)


def test_several_columns_of_pictures_are_said_or_asked_for(tmp_path: Path) -> None:
    mask = pa.array([png(200)] * 3)
    reader = opened(write(tmp_path / "a.parquet", mask=mask, image=pa.array(FILES)))
    assert "those of the column image; mask not read" in " ".join(reader.warnings)
    assert files(reader) == FILES
    assert files(opened(tmp_path / "a.parquet", image="mask")) == [png(200)] * 3
    assert "no column maks of bytes" in refusal(tmp_path / "a.parquet", image="maks")
    path = write(tmp_path / "b.parquet", left=pa.array(FILES), right=mask)
    assert "several columns of pictures: left, right" in refusal(path)


def test_the_column_that_is_declared_as_images_is_taken(tmp_path: Path) -> None:
    meta = {"info": {"features": {"photo_b": {"_type": "Image"}}}}
    path = write(
        tmp_path / "a.parquet",
        metadata={"huggingface": json.dumps(meta)},
        photo_a=pa.array([png(9)] * 3),
        photo_b=pa.array(ROWS, STRUCT),
    )
    assert files(opened(path)) == FILES


def test_splits_in_a_folder_are_kept_apart(tmp_path: Path) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"):
        write(tmp_path / f"{name}.parquet", image=pa.array(ROWS, STRUCT), label=[3, 1, 2])
    assert "test (1 file, e.g. test-00000-of-00001.parquet), train (2 files" in refusal(tmp_path)
    assert opened(tmp_path, split="train").content.count == 6
    assert opened(tmp_path, split="test").content.count == 3
    assert opened(tmp_path, split="all").content.count == 9
    assert "has no split val;" in refusal(tmp_path, split="val")


def test_the_column_of_labels_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", image=pa.array(FILES), label=[3, 1, 2], colour=["red", "blue", "red"])
    reader = opened(path, label="colour")
    assert reader.content.label_names == ("blue", "red")
    assert reader.read_labels().tolist() == [1, 0, 1]
    with pytest.raises(UsageError, match="leave out the options axes"):
        opened(path, axes="NCHW")


def test_more_files_than_may_be_open_are_one_store(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path / f"{number:02}.parquet", image=pa.array([FILES[number % 3]]), label=[number])
    reader = opened(tmp_path)
    assert reader.read_labels().tolist() == list(range(40))
    assert files(reader) == [FILES[number % 3] for number in range(40)]
