"""Reads stores that this program has written by the ecosystems' own readers, at the path that the user named."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.benchmarks.foreign_layouts.layout import Contents
from tests.benchmarks.foreign_layouts.live_stores import tensorflow_records


@dataclass(frozen=True)
class ReaderOfOurs:
    """A reader of the ecosystem."""

    name: str
    requires: str
    spec: str
    """The storage that is converted to."""
    read: Callable[[Path, Sequence[Path]], Contents]
    """Reads the store at the path that the user named, or the files in it that the command says to open."""


def _decoded(data: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(data)))


def _webdataset(path: Path, to_open: Sequence[Path]) -> Contents:
    import webdataset

    urls = [str(tar) for tar in to_open]
    samples = webdataset.WebDataset(urls, shardshuffle=False, nodesplitter=webdataset.single_node_only).decode("pil")
    pairs = [(np.asarray(sample["png"]), sample["cls"]) for sample in samples]
    return Contents([image for image, _ in pairs], [label for _, label in pairs])


def _tensorflow(path: Path, to_open: Sequence[Path]) -> Contents:
    return Contents(*tensorflow_records(list(to_open), "", "image/encoded", "image/class/label"))


def _datasets(kind: str) -> Callable[[Path, Sequence[Path]], Contents]:
    def read(path: Path, to_open: Sequence[Path]) -> Contents:
        import datasets

        files = [str(file) for file in to_open] or str(path)
        rows = datasets.load_dataset(kind, data_files=files, split="train", cache_dir=str(path.parent / "cache"))
        images, labels = [], []
        for row in rows:
            value = row["png"] if kind == "webdataset" else row["image"]
            images.append(_decoded(value) if isinstance(value, bytes) else np.asarray(value))
            labels.append(int(row["cls"] if kind == "webdataset" else row["label"]))
        return Contents(images, labels)

    return read


def _folder(path: Path, to_open: Sequence[Path]) -> Contents:
    """Read the class folders of a tree of pictures as Hugging Face does, in the order of the names."""
    import datasets

    data = datasets.load_dataset("imagefolder", data_dir=str(path), split="train", cache_dir=f"{path}-cache")
    return Contents([np.asarray(row["image"]) for row in data], [int(row["label"]) for row in data])


def _tar(command: str) -> Callable[[Path, Sequence[Path]], Contents]:
    def read(path: Path, to_open: Sequence[Path]) -> Contents:
        images, labels = [], []
        for archive in to_open:
            target = archive.with_suffix(f".by-{command}")
            target.mkdir()
            subprocess.run([command, "-xf", str(archive)], cwd=target, check=True)
            with tarfile.open(archive) as tar:
                names = [name for name in tar.getnames() if name.endswith(".png")]
            images += [_decoded((target / name).read_bytes()) for name in names]
            labels += [int((target / name).with_suffix(".cls").read_text()) for name in names]
        return Contents(images, labels)

    return read


def _h5py(path: Path, to_open: Sequence[Path]) -> Contents:
    import h5py

    with h5py.File(path) as file:
        return Contents(list(file["images"][()]), file["labels"][()].tolist())


def _numpy(path: Path, to_open: Sequence[Path]) -> Contents:
    return Contents(list(np.load(to_open[0])), np.load(to_open[0].with_name("labels.npy")).tolist())


def _zarr(path: Path, to_open: Sequence[Path]) -> Contents:
    import zarr

    group = zarr.open_group(str(to_open[0]), mode="r")
    return Contents(list(group["images"][...]), group["labels"][...].tolist())


def _lmdb(path: Path, to_open: Sequence[Path]) -> Contents:
    import lmdb

    with lmdb.open(str(path), readonly=True, lock=False) as env, env.begin() as transaction:
        items = [(bytes(key), bytes(value)) for key, value in transaction.cursor()]
    images = [_decoded(value) for key, value in items if len(key) == 4 and value.startswith(b"\x89PNG")]
    blocks = [np.frombuffer(value, "<i8") for key, value in items if key.startswith(b"labels")]
    return Contents(images, np.concatenate(blocks).tolist())


def _safetensors(path: Path, to_open: Sequence[Path]) -> Contents:
    from safetensors.numpy import load_file

    tensors = load_file(path)
    return Contents(list(tensors["images"]), tensors["labels"].tolist())


def _pyarrow(kind: str) -> Callable[[Path, Sequence[Path]], Contents]:
    def read(path: Path, to_open: Sequence[Path]) -> Contents:
        import pyarrow.feather
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(path) if kind == "parquet" else pyarrow.feather.read_table(path)
        images = [
            _decoded(value["bytes"] if isinstance(value, dict) else value) for value in table["image"].to_pylist()
        ]
        return Contents(images, table["label"].to_pylist())

    return read


def _sqlite(path: Path, to_open: Sequence[Path]) -> Contents:
    import sqlite3

    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT data, label FROM images ORDER BY id").fetchall()
    return Contents([_decoded(data) for data, _ in rows], [label for _, label in rows])


def _duckdb(path: Path, to_open: Sequence[Path]) -> Contents:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT data, label FROM payloads ORDER BY id").fetchall()
    return Contents([_decoded(data) for data, _ in rows], [label for _, label in rows])


def readers() -> Iterator[ReaderOfOurs]:
    """Yield all readers."""
    yield ReaderOfOurs("webdataset", "webdataset", "webdataset+original:shard=12", _webdataset)
    yield ReaderOfOurs("datasets, webdataset", "datasets", "webdataset+original:shard=12", _datasets("webdataset"))
    yield ReaderOfOurs("GNU tar", "tar", "webdataset+original:shard=12", _tar("tar"))
    yield ReaderOfOurs("bsdtar", "bsdtar", "webdataset+original:shard=12", _tar("bsdtar"))
    yield ReaderOfOurs("TensorFlow", "tensorflow", "tfrecord+original", _tensorflow)
    yield ReaderOfOurs("datasets, parquet", "datasets", "parquet+original", _datasets("parquet"))
    yield ReaderOfOurs("datasets, arrow", "datasets", "arrow+original", _datasets("arrow"))
    yield ReaderOfOurs("pyarrow, parquet", "pyarrow", "parquet+original", _pyarrow("parquet"))
    yield ReaderOfOurs("pyarrow, feather", "pyarrow", "arrow+original", _pyarrow("feather"))
    yield ReaderOfOurs("datasets, imagefolder", "datasets", "disk+original", _folder)
    yield ReaderOfOurs("h5py", "h5py", "hdf5", _h5py)
    yield ReaderOfOurs("numpy", "numpy", "npy", _numpy)
    yield ReaderOfOurs("zarr", "zarr", "zarr", _zarr)
    yield ReaderOfOurs("safetensors", "safetensors", "safetensors", _safetensors)
    yield ReaderOfOurs("lmdb", "lmdb", "lmdb+original", _lmdb)
    yield ReaderOfOurs("sqlite3", "sqlite3", "sqlite+original", _sqlite)
    yield ReaderOfOurs("duckdb", "duckdb", "duckdb+original", _duckdb)


def to_open_in(record: str) -> list[Path]:
    """Return the files that ``convert --json`` says to open."""
    return [Path(path) for path in json.loads(record)["to_open"]]
