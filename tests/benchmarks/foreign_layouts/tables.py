"""Layouts of tables with a column of picture files: Parquet, and files and streams of Arrow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.benchmarks.foreign_layouts.layout import (
    WORDS,
    Contents,
    Layout,
    Settings,
    labels_for,
    numbered,
    picture_files,
)

_COLUMNS: dict[str, tuple[Any, ...]] = {
    "count": (6, 1, 3, 12),
    "kind": ("PNG", "JPEG", "WEBP"),
    "form": ("struct", "binary", "large_binary", "list of struct", "list of binary", "struct with more", "two a row"),
    "image name": ("image", "img", "jpg", "picture", "anything"),
    "label name": ("label", "labels", "target", "category", "class", "y", "fine_label", "Label"),
    "label type": (
        "int64",
        "int8",
        "uint8",
        "float64",
        "bool",
        "string",
        "large_string",
        "dictionary",
        "digits",
        "one-hot",
        "minus one",
        "ClassLabel",
        "null",
        "none",
    ),
    "order": ("image first", "label first"),
    "without": ("none", "first", "middle"),
    "beside": ("none", "text", "second picture", "numbers", "nested"),
}


def _table(settings: Settings) -> Any:
    """Return the table of the settings."""
    import pyarrow as pa

    count = settings["count"]
    data: list[Any] = list(picture_files(count, settings["kind"]))
    missing = {"none": -1, "first": 0, "middle": count // 2}[settings["without"]]
    data = [None if number == missing else value for number, value in enumerate(data)]
    struct = [None if value is None else {"bytes": value, "path": f"{n}.png"} for n, value in enumerate(data)]
    kind: Any = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    form = settings["form"]
    if form == "struct":
        images = pa.array(struct, kind)
    elif form == "struct with more":
        more = pa.struct({"width": pa.int32(), "bytes": pa.binary(), "path": pa.string()})
        images = pa.array([value and {**value, "width": 5} for value in struct], more)
    elif form == "list of struct":
        images = pa.array([[] if value is None else [value] for value in struct], pa.list_(kind))
    elif form == "list of binary":
        images = pa.array([[] if value is None else [value] for value in data], pa.list_(pa.binary()))
    elif form == "two a row":
        images = pa.array(
            [[] if value is None else [value, value[::-1] and value] for value in data], pa.list_(pa.binary())
        )
    else:
        images = pa.array(data, pa.large_binary() if form == "large_binary" else pa.binary())
    columns = {settings["image name"]: images}
    if (labels := _labels(settings, pa)) is not None:
        columns[settings["label name"]] = labels
    if settings["order"] == "label first":
        columns = dict(reversed(columns.items()))
    beside = settings["beside"]
    if beside == "text":
        columns["caption"] = pa.array([f"a picture, {number}" for number in range(count)])
    elif beside == "second picture":
        columns["mask"] = pa.array(picture_files(count))
    elif beside == "numbers":
        columns["width"] = pa.array(range(count))
    elif beside == "nested":
        columns["meta"] = pa.array([{"label": 9, "x": [1, 2]}] * count)
    table = pa.table(columns)
    if settings["label type"] == "ClassLabel":
        features = {settings["label name"]: {"_type": "ClassLabel", "names": list(WORDS)}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    return table


def _labels(settings: Settings, pa: Any) -> Any:
    numbers, kind = labels_for(settings["count"]), settings["label type"]
    if kind == "none":
        return None
    if kind == "null":
        return pa.array([None, *numbers[1:]], pa.int64())
    if kind in {"string", "large_string"}:
        return pa.array([WORDS[number] for number in numbers], getattr(pa, kind)())
    if kind == "dictionary":
        return pa.array([WORDS[number] for number in numbers]).dictionary_encode()
    if kind == "digits":
        return pa.array([str(number) for number in numbers])
    if kind == "one-hot":
        return pa.array([[int(number == place) for place in range(5)] for number in numbers], pa.list_(pa.int64()))
    if kind == "minus one":
        return pa.array([-1, *numbers[1:]])
    if kind == "bool":
        return pa.array([number > 2 for number in numbers])
    return pa.array(numbers).cast(pa.int64() if kind == "ClassLabel" else getattr(pa, kind)())


def _contents(table: Any, settings: Settings) -> Contents:
    """Return pictures and labels of the rows that have a picture."""
    images, labels = [], []
    values = table.column(settings["image name"]).to_pylist()
    name = settings["label name"]
    numbers = table.column(name).to_pylist() if name in table.column_names else None
    for row, value in enumerate(values):
        for item in value if isinstance(value, list) else [value]:
            data = item["bytes"] if isinstance(item, dict) else item
            if data is not None:
                images.append(data)
                labels.append(None if numbers is None else numbers[row])
    # With a label that is null, or -1 alone, which stands for no label, there are none that could be taken.
    known = [label for label in labels if label not in (None, -1)]
    complete = len(known) > 0 and None not in labels
    return Contents(images, numbered(labels) if complete else None)


def _write_parquet(path: Path, settings: Settings) -> None:
    import pyarrow.parquet as pq

    pq.write_table(
        _table(settings), path, compression=settings["compression"], row_group_size=settings["row group"],
        use_dictionary=settings["dictionary"], data_page_version=settings["page"],
        write_statistics=settings["statistics"],
        version=settings["version"], data_page_size=settings["page size"], store_schema=settings["schema"],
    )  # fmt: skip


def _read_parquet(path: Path, settings: Settings) -> Contents:
    import pyarrow.parquet as pq

    return _contents(pq.read_table(path), settings)


def _write_arrow(path: Path, settings: Settings) -> None:
    import pyarrow as pa

    table = _table(settings)
    options = pa.ipc.IpcWriteOptions(compression=settings["compression"])
    opener = pa.ipc.new_file if settings["kind of file"] == "file" else pa.ipc.new_stream
    with opener(str(path), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=settings["batch"])


def _read_arrow(path: Path, settings: Settings) -> Contents:
    import pyarrow as pa

    opener = pa.ipc.open_file if settings["kind of file"] == "file" else pa.ipc.open_stream
    with pa.memory_map(str(path)) as source:
        return _contents(opener(source).read_all(), settings)


LAYOUTS = (
    Layout(
        "a.parquet",
        _COLUMNS
        | {
            "compression": ("snappy", "none", "gzip", "zstd", "brotli", "lz4"),
            "row group": (100, 1, 2),
            "dictionary": (True, False),
            "page": ("1.0", "2.0"),
            "version": ("2.6", "1.0"),
            "statistics": (True, False),
            "page size": (2**20, 64),
            "schema": (True, False),
        },
        _write_parquet,
        _read_parquet,
        requires="pyarrow",
    ),
    Layout(
        "a.arrow",
        _COLUMNS | {"kind of file": ("file", "stream"), "compression": (None, "lz4", "zstd"), "batch": (100, 1, 2)},
        _write_arrow,
        _read_arrow,
        requires="pyarrow",
    ),
)
"""All layouts of tables."""
