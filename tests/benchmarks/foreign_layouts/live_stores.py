"""Writes stores by the ecosystems' own writers, and reads them by their own readers, as pixels and labels."""

from __future__ import annotations

import functools
import io
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imgstore_tui.testing.store_material import pixels
from tests.benchmarks.foreign_layouts.layout import WORDS, Contents, labels_for

COUNT = 30
"""Images in each store."""


@dataclass(frozen=True)
class LiveStore:
    """A store that a program of the ecosystem has written."""

    name: str
    requires: str
    """Name of the package, or of the command, that writes and reads it."""
    make: Callable[[Path], tuple[str, Contents]]
    """Writes below a folder; returns the dataset as this program takes it, and what the ecosystem's reader gives."""


def images() -> list[Any]:
    """Return images of different sizes, grey ones among them."""
    return [pixels((5, 6 + number % 7, 3) if number % 5 else (5, 6), number) for number in range(COUNT)]


def png(image: Any) -> bytes:
    """Return a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def _webdataset(folder: Path) -> tuple[str, Contents]:
    import webdataset

    (folder / "shards").mkdir()
    with webdataset.ShardWriter(str(folder / "shards" / "train-%06d.tar"), maxcount=12, verbose=0) as sink:
        for number, (image, label) in enumerate(zip(images(), labels_for(COUNT), strict=True)):
            sink.write({"__key__": f"a/{number:06}", "png": png(image), "cls": label, "json": {"caption": "x"}})
    urls = [str(path) for path in sorted((folder / "shards").iterdir())]
    samples = webdataset.WebDataset(urls, shardshuffle=False, nodesplitter=webdataset.single_node_only)
    got, labels = [], []
    for sample in samples:  # as bytes: its decoders make RGB of everything
        got.append(np.asarray(Image.open(io.BytesIO(sample["png"]))))
        labels.append(int(sample["cls"]))
    return f"store:{folder / 'shards'}", Contents(got, labels)


def _tensorflow(folder: Path, *, compression: str = "", slim: bool = False) -> tuple[str, Contents]:
    import tensorflow as tf

    (folder / "tfds").mkdir()
    rows = list(zip(images(), labels_for(COUNT), strict=True))
    keys = ("image/encoded", "image/class/label") if slim else ("image", "label")
    for shard in range(2):
        name = f"train-{shard:05}-of-00002" if slim else f"cifar-train.tfrecord-{shard:05}-of-00002"
        with tf.io.TFRecordWriter(str(folder / "tfds" / name), compression) as writer:
            for image, label in rows[shard * 15 : shard * 15 + 15]:
                feature = {
                    keys[0]: tf.train.Feature(bytes_list=tf.train.BytesList(value=[png(image)])),
                    keys[1]: tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
                }
                writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    got, labels = tensorflow_records(sorted((folder / "tfds").iterdir()), compression, *keys)
    return f"store:{folder / 'tfds'}", Contents(got, labels)


def tensorflow_records(paths: list[Path], compression: str, image: str, label: str) -> tuple[list[Any], list[int]]:
    """Return images and labels that TensorFlow reads of files of records."""
    import tensorflow as tf

    spec = {image: tf.io.FixedLenFeature([], tf.string), label: tf.io.FixedLenFeature([], tf.int64)}
    got, labels = [], []
    for record in tf.data.TFRecordDataset([str(path) for path in paths], compression):
        parsed = tf.io.parse_single_example(record, spec)
        got.append(np.squeeze(tf.io.decode_image(parsed[image]).numpy()))
        labels.append(int(parsed[label]))
    return got, labels


def _hugging_face(count: int = COUNT) -> Any:
    import datasets

    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(WORDS))})
    rows = {
        "image": [{"bytes": png(image), "path": f"{number}.png"} for number, image in enumerate(images()[:count])],
        "label": labels_for(COUNT)[:count],
    }
    return datasets.Dataset.from_dict(rows, features=features)


def _read_hugging_face(dataset: Any) -> Contents:
    return Contents([np.asarray(row["image"]) for row in dataset], [int(row["label"]) for row in dataset])


def _hf_parquet(folder: Path) -> tuple[str, Contents]:
    import datasets

    _hugging_face().to_parquet(folder / "a.parquet", batch_size=7)
    read = datasets.load_dataset(
        "parquet", data_files=str(folder / "a.parquet"), split="train", cache_dir=str(folder / "cache")
    )
    return f"store:{folder / 'a.parquet'}", _read_hugging_face(read)


def _hf_saved(folder: Path) -> tuple[str, Contents]:
    import datasets

    _hugging_face().save_to_disk(folder / "saved", num_shards=2)
    return f"store:{folder / 'saved'}", _read_hugging_face(datasets.load_from_disk(str(folder / "saved")))


def _hf_splits(folder: Path) -> tuple[str, Contents]:
    import datasets

    both = datasets.DatasetDict({"train": _hugging_face(), "test": _hugging_face(7)})
    both.save_to_disk(folder / "splits")
    read = datasets.load_from_disk(str(folder / "splits"))["test"]
    return f"store:{folder / 'splits'},split=test", _read_hugging_face(read)


def _hf_folder(folder: Path) -> tuple[str, Contents]:
    import datasets

    for number, (image, label) in enumerate(zip(images(), labels_for(COUNT), strict=True)):
        target = folder / "tree" / WORDS[label] / f"{number:03}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(png(image))
    read = datasets.load_dataset(
        "imagefolder", data_dir=str(folder / "tree"), split="train", cache_dir=str(folder / "cache")
    )
    return f"folder:{folder / 'tree'}", _read_hugging_face(read)


def _h5py(folder: Path) -> tuple[str, Contents]:
    import h5py

    stack = np.stack([pixels((8, 9, 3), number) for number in range(COUNT)])
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("train/images", data=stack.transpose(0, 3, 1, 2), chunks=(4, 3, 8, 9), compression="gzip")
        file.create_dataset("train/labels", data=np.eye(5, dtype="f4")[labels_for(COUNT)])
    with h5py.File(folder / "a.h5") as file:
        read = file["train/images"][()].transpose(0, 2, 3, 1)
        return f"store:{folder / 'a.h5'}", Contents(list(read), file["train/labels"][()].argmax(1).tolist())


def _h5py_files(folder: Path) -> tuple[str, Contents]:
    import h5py

    with h5py.File(folder / "a.h5", "w") as file:
        jpegs = file.create_dataset("images", (COUNT,), dtype=h5py.vlen_dtype(np.uint8))
        for number, image in enumerate(images()):
            jpegs[number] = np.frombuffer(png(image), np.uint8)
        file["labels"] = labels_for(COUNT)
    with h5py.File(folder / "a.h5") as file:
        read = [np.asarray(Image.open(io.BytesIO(value.tobytes()))) for value in file["images"]]
        return f"store:{folder / 'a.h5'}", Contents(read, file["labels"][()].tolist())


def _lmdb(folder: Path) -> tuple[str, Contents]:
    import lmdb

    with lmdb.open(str(folder / "a.lmdb"), map_size=2**24) as env, env.begin(write=True) as transaction:
        for number, image in enumerate(images()):
            transaction.put(f"image-{number + 1:09}".encode(), png(image))
            transaction.put(f"label-{number + 1:09}".encode(), str(labels_for(COUNT)[number]).encode())
        transaction.put(b"num-samples", str(COUNT).encode())
    with lmdb.open(str(folder / "a.lmdb"), readonly=True, lock=False) as env, env.begin() as transaction:
        got, labels = [], []
        read: Any = transaction.get
        for number in range(1, int(read(b"num-samples")) + 1):
            got.append(np.asarray(Image.open(io.BytesIO(read(f"image-{number:09}".encode())))))
            labels.append(int(read(f"label-{number:09}".encode())))
    return f"store:{folder / 'a.lmdb'}", Contents(got, labels)


def _zarr(folder: Path, version: int) -> tuple[str, Contents]:
    import zarr

    stack = np.stack([pixels((8, 9, 3), number) for number in range(COUNT)])
    group = zarr.open_group(str(folder / "a.zarr"), mode="w", zarr_format=version)
    group.create_array("images", data=stack.transpose(0, 3, 1, 2), chunks=(4, 3, 8, 9))
    group.create_array("labels", data=np.array(labels_for(COUNT)))
    zarr.consolidate_metadata(str(folder / "a.zarr"))
    read = zarr.open_consolidated(str(folder / "a.zarr"), mode="r")
    return f"store:{folder / 'a.zarr'}", Contents(
        list(read["images"][...].transpose(0, 2, 3, 1)), read["labels"][...].tolist()
    )


def _numpy(folder: Path) -> tuple[str, Contents]:
    stack = np.stack([pixels((8, 9, 3), number) for number in range(COUNT)])
    np.savez_compressed(folder / "a.npz", x=np.asfortranarray(stack), y=np.array(labels_for(COUNT), "u1")[:, None])
    with np.load(folder / "a.npz") as file:
        return f"store:{folder / 'a.npz'}", Contents(list(file["x"]), file["y"].reshape(-1).tolist())


def _tar(folder: Path, command: Sequence[str]) -> tuple[str, Contents]:
    """Pack a tree of class folders with links and a sparse picture, and unpack it again by the same command."""
    tree = folder / "tree"
    for number, (image, label) in enumerate(zip(images(), labels_for(COUNT), strict=True)):
        target = tree / WORDS[label] / f"{number:03} v1.{number}.bmp"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(target)
    holes = np.zeros((200, 200, 3), np.uint8)
    holes[0, 0] = 77
    Image.fromarray(holes).save(tree / WORDS[0] / "sparse.bmp")
    subprocess.run(["cp", "--sparse=always", "sparse.bmp", "holes.bmp"], cwd=tree / WORDS[0], check=True)
    first = next(iter(sorted((tree / WORDS[1]).iterdir())))
    (tree / WORDS[1] / "hard.bmp").hardlink_to(first)
    (tree / WORDS[2] / "soft.bmp").symlink_to(f"../{WORDS[1]}/{first.name}")
    subprocess.run([*command, "-cf", "../a.tar", "."], cwd=tree, check=True)
    (folder / "unpacked").mkdir()
    subprocess.run([command[0], "-xf", "../a.tar"], cwd=folder / "unpacked", check=True)
    listed = subprocess.run([command[0], "-tf", "a.tar"], cwd=folder, check=True, capture_output=True, text=True).stdout
    members = [name for name in listed.splitlines() if name.endswith(".bmp")]
    got = [np.asarray(Image.open(folder / "unpacked" / name)) for name in members]
    return f"store:{folder / 'a.tar'}", Contents(got, [WORDS.index(Path(name).parent.name) for name in members])


def _zip(folder: Path) -> tuple[str, Contents]:
    tree = folder / "tree"
    for number, (image, label) in enumerate(zip(images(), labels_for(COUNT), strict=True)):
        target = tree / WORDS[label] / f"{number:03}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(png(image))
    subprocess.run(["bsdtar", "-acf", "../a.zip", "."], cwd=tree, check=True)
    listed = subprocess.run(["bsdtar", "-tf", "a.zip"], cwd=folder, check=True, capture_output=True, text=True).stdout
    members = [name for name in listed.splitlines() if name.endswith(".png")]
    got = []
    for name in members:
        data = subprocess.run(["bsdtar", "-xOf", "a.zip", name], cwd=folder, check=True, capture_output=True).stdout
        got.append(np.asarray(Image.open(io.BytesIO(data))))
    return f"store:{folder / 'a.zip'}", Contents(got, [WORDS.index(Path(name).parent.name) for name in members])


def stores() -> Iterator[LiveStore]:
    """Yield all stores."""
    yield LiveStore("webdataset ShardWriter", "webdataset", _webdataset)
    yield LiveStore("TensorFlow, names of tfds", "tensorflow", _tensorflow)
    yield LiveStore("TensorFlow, names of TF-slim", "tensorflow", lambda folder: _tensorflow(folder, slim=True))
    yield LiveStore("TensorFlow, GZIP", "tensorflow", lambda folder: _tensorflow(folder, compression="GZIP"))
    yield LiveStore("datasets to_parquet, ClassLabel", "datasets", _hf_parquet)
    yield LiveStore("datasets save_to_disk", "datasets", _hf_saved)
    yield LiveStore("datasets DatasetDict", "datasets", _hf_splits)
    yield LiveStore("datasets imagefolder", "datasets", _hf_folder)
    yield LiveStore("h5py NCHW, one-hot", "h5py", _h5py)
    yield LiveStore("h5py picture files", "h5py", _h5py_files)
    yield LiveStore("lmdb CRNN", "lmdb", _lmdb)
    yield LiveStore("zarr 3", "zarr", lambda folder: _zarr(folder, 3))
    yield LiveStore("zarr 2", "zarr", lambda folder: _zarr(folder, 2))
    yield LiveStore("numpy savez", "numpy", _numpy)
    for form in ("gnu", "posix", "ustar"):
        yield LiveStore(f"GNU tar {form}", "tar", functools.partial(_tar, command=("tar", f"--format={form}")))
    for form in ("gnu", "posix"):
        yield LiveStore(
            f"GNU tar {form}, sparse", "tar", functools.partial(_tar, command=("tar", "-S", f"--format={form}"))
        )
    yield LiveStore("GNU tar, gzip", "tar", functools.partial(_tar, command=("tar", "-z")))
    for form in ("pax", "ustar", "gnutar"):
        yield LiveStore(f"bsdtar {form}", "bsdtar", functools.partial(_tar, command=("bsdtar", f"--format={form}")))
    yield LiveStore("bsdtar zip", "bsdtar", _zip)
