"""Layouts of files of arrays: HDF5, npz, npy, idx, Zarr."""

from __future__ import annotations

import bz2
import gzip
import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from imgstore_tui.testing.store_material import pixels
from tests.benchmarks.foreign_layouts.layout import FORMS, Contents, Layout, Settings, labels_for, labels_of

_SHAPES: dict[str, tuple[Any, ...]] = {
    "count": (6, 1, 2, 3, 5, 12),
    "axes": ("NHWC", "NCHW", "HWCN"),
    "channels": (3, 1, 4, 0),
    "height": (8, 1, 3, 28),
    "width": (9, 4, 28),
    "dtype": ("u1", "u2", ">u2", "f4", "f8", "i4", "i8"),
}
_NAMES = (
    ("images", "labels"), ("x", "y"), ("X", "Y"), ("data", "label"), ("anything", "target"), ("x_train", "y_train"),
    ("train_set_x", "train_set_y"), ("train_images", "train_labels"), ("img", "lbl"), ("arr_0", "arr_1"),
)  # fmt: skip


def stored_images(settings: Settings) -> Any:
    """Return an array of images in the order of axes and the type of the settings."""
    shape = (settings["count"], settings["height"], settings["width"])
    axes = settings["axes"]
    if settings["channels"]:
        images: Any = pixels((*shape, settings["channels"]), settings["count"])
        images = images.transpose(["NHWC".index(axis) for axis in axes])
    else:
        images = pixels(shape, settings["count"])
    kind = np.dtype(settings["dtype"])
    if kind.kind == "f":
        return (images / 255).astype(kind)
    return images.astype(kind) * 257 if kind.itemsize == 2 else images.astype(kind)


def upright(stored: Any, settings: Settings) -> list[Any]:
    """Return stored images as a list of (H, W, C) or (H, W)."""
    if settings["channels"]:
        stored = stored.transpose([settings["axes"].index(axis) for axis in "NHWC"])
    return list(stored)


def stored_labels(settings: Settings) -> Any:
    """Return labels in the form of the settings; None for none."""
    return FORMS[settings["labels"]](labels_for(settings["count"]))


def _write_hdf5(path: Path, settings: Settings) -> None:
    images, labels = stored_images(settings), stored_labels(settings)
    image_name, label_name = (f"{settings['group']}{name}" for name in settings["names"])
    options: dict[str, Any] = {
        "contiguous": {}, "one an image": {"chunks": (1, *images.shape[1:])}, "one": {"chunks": images.shape},
    }[settings["chunks"]]  # fmt: skip
    if settings["filter"] != "none":
        filters: dict[str, dict[str, Any]] = {
            "gzip": {"compression": "gzip"}, "lzf": {"compression": "lzf"}, "shuffle": {"shuffle": True},
            "fletcher32": {"fletcher32": True},
        }  # fmt: skip
        options = {"chunks": options.get("chunks", True), **filters[settings["filter"]]}
    with h5py.File(path, "w", track_order=settings["order"] != "by name") as file:
        if labels is not None and settings["order"] == "labels first":
            file[label_name] = labels
        file.create_dataset(image_name, data=images, **options)
        if labels is not None and label_name not in file:
            file[label_name] = labels
        if settings["beside"] == "numbers":
            file["note"] = np.zeros((2, 5), "f4")
        elif settings["beside"] == "text":
            file["note"] = "made by a program"
        elif settings["beside"] == "names":
            file["class_names"] = [b"ant", b"bee", b"cat", b"dog", b"elk"]


def _read_hdf5(path: Path, settings: Settings) -> Contents:
    image_name, label_name = (f"{settings['group']}{name}" for name in settings["names"])
    with h5py.File(path) as file:
        labels = file[label_name][()] if label_name in file else None
        return Contents(upright(file[image_name][()], settings), labels_of(labels))


def _write_npz(path: Path, settings: Settings) -> None:
    images, labels = stored_images(settings), stored_labels(settings)
    images = np.asfortranarray(images) if settings["memory"] == "Fortran" else images
    arrays: dict[str, Any] = {settings["names"][0]: images}
    arrays |= {} if labels is None else {settings["names"][1]: labels}
    if settings["order"] == "labels first":
        arrays = dict(reversed(arrays.items()))
    arrays |= {"note": np.zeros((2, 5), "f4")} if settings["beside"] else {}
    with path.open("wb") as file:
        (np.savez_compressed if settings["compressed"] else np.savez)(file, **arrays)


def _read_npz(path: Path, settings: Settings) -> Contents:
    with np.load(path) as file:
        labels = file.get(settings["names"][1], None)
        return Contents(upright(file[settings["names"][0]], settings), labels_of(labels))


def _write_npy(path: Path, settings: Settings) -> None:
    path.mkdir()
    images, labels = stored_images(settings), stored_labels(settings)
    np.save(path / settings["names"][0], np.asfortranarray(images) if settings["memory"] == "Fortran" else images)
    if labels is not None:
        np.save(path / settings["names"][1], labels)


def _read_npy(path: Path, settings: Settings) -> Contents:
    images, labels = (path / f"{name.removesuffix('.npy')}.npy" for name in settings["names"])
    return Contents(upright(np.load(images), settings), labels_of(np.load(labels) if labels.exists() else None))


_IDX_TYPES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13}
_PACKERS: dict[str, tuple[Any, Any]] = {
    "none": (bytes, bytes),
    "gz": (gzip.compress, gzip.decompress),
    "bz2": (bz2.compress, bz2.decompress),
}


def _idx_paths(path: Path, settings: Settings) -> tuple[Path, Path]:
    ending = "" if settings["packed"] == "none" else f".{settings['packed']}"
    images, labels = settings["names"]
    return path / f"{images}{ending}", path / f"{labels}{ending}"


def _write_idx(path: Path, settings: Settings) -> None:
    path.mkdir()
    images = pixels((settings["count"], settings["height"], settings["width"]), 1)
    labels = np.array(labels_for(settings["count"]), settings["label type"])
    for target, array, kind in zip(
        _idx_paths(path, settings), (images, labels), ("u1", settings["label type"]), strict=True
    ):
        head = struct.pack(f">HBB{array.ndim}I", 0, _IDX_TYPES[kind], array.ndim, *array.shape)
        target.write_bytes(_PACKERS[settings["packed"]][0](head + array.tobytes()))


def _read_idx(path: Path, settings: Settings) -> Contents:
    arrays = []
    for source in _idx_paths(path, settings):
        data = _PACKERS[settings["packed"]][1](source.read_bytes())
        kind = {number: name for name, number in _IDX_TYPES.items()}[data[2]]
        shape = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
        arrays.append(np.frombuffer(data, kind, offset=4 + 4 * data[3]).reshape(shape))
    return Contents(list(arrays[0]), labels_of(arrays[1]))


def _write_zarr(path: Path, settings: Settings) -> None:
    import zarr
    from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

    images, labels, version = stored_images(settings), stored_labels(settings), settings["version"]
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    chunks = {"some": (4, *images.shape[1:]), "one": images.shape, "many": (1, *(3 for _ in images.shape[1:]))}
    options: dict[str, Any] = {"chunks": tuple(map(min, chunks[settings["chunks"]], images.shape))}
    if settings["shards"] and version == 3:
        options = {"chunks": (1, *images.shape[1:]), "shards": images.shape}
    if settings["compressor"] == "none":
        options["compressors"] = None
    elif settings["compressor"] != "usual" and version == 3:
        options["compressors"] = {"gzip": GzipCodec(), "zstd": ZstdCodec(), "blosc": BloscCodec()}[
            settings["compressor"]
        ]
    if version == 2:
        options["order"] = settings["memory"]
    image_name, label_name = (f"{settings['group']}{name}" for name in settings["names"])
    group.create_array(image_name, data=images, **options)
    if labels is not None:
        if labels.dtype.kind == "S" and settings["text"] == "any length":
            array = group.create_array(label_name, shape=labels.shape, dtype=str)
            array[:] = labels.astype(str).astype(object)
        else:
            group.create_array(label_name, data=labels.astype(str) if labels.dtype.kind == "S" else labels)
    if settings["consolidated"]:
        zarr.consolidate_metadata(str(path))


def _read_zarr(path: Path, settings: Settings) -> Contents:
    import zarr

    image_name, label_name = (f"{settings['group']}{name}" for name in settings["names"])
    group = zarr.open_group(str(path), mode="r", zarr_format=settings["version"])
    labels = np.array(group[label_name][...].tolist()) if label_name in group else None
    return Contents(upright(group[image_name][...], settings), labels_of(labels))


LAYOUTS = (
    Layout(
        "a.h5",
        _SHAPES
        | {
            "names": _NAMES,
            "group": ("", "train/", "a/b/"),
            "chunks": ("contiguous", "one an image", "one"),
            "filter": ("none", "gzip", "lzf", "shuffle", "fletcher32"),
            "labels": tuple(FORMS),
            "order": ("by name", "images first", "labels first"),
            "beside": ("", "numbers", "text", "names"),
        },
        _write_hdf5,
        _read_hdf5,
    ),
    Layout(
        "a.npz",
        _SHAPES
        | {
            "names": _NAMES,
            "memory": ("C", "Fortran"),
            "compressed": (False, True),
            "labels": tuple(FORMS),
            "order": ("images first", "labels first"),
            "beside": (False, True),
        },
        _write_npz,
        _read_npz,
    ),
    Layout(
        "npy",
        _SHAPES
        | {
            "names": (("x", "y"), ("images", "labels"), ("x_train", "y_train"), ("data", "target"), ("X.npy", "Y.npy")),
            "memory": ("C", "Fortran"),
            "labels": tuple(FORMS),
        },
        _write_npy,
        _read_npy,
    ),
    Layout(
        "idx",
        {
            "count": (6, 1, 3, 12),
            "height": (28, 3, 1),
            "width": (28, 4),
            "packed": ("none", "gz", "bz2"),
            "label type": ("u1", ">i4", "i1", ">i2", ">f4"),
            "names": (
                ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
                ("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
                ("images.idx", "labels.idx"),
                ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte"),
            ),
        },
        _write_idx,
        _read_idx,
    ),
    Layout(
        "a.zarr",
        _SHAPES
        | {
            "version": (3, 2),
            "names": _NAMES,
            "group": ("", "train/", "a/b/"),
            "chunks": ("some", "one", "many"),
            "shards": (False, True),
            "compressor": ("usual", "none", "gzip", "zstd", "blosc"),
            "memory": ("C", "F"),
            "labels": tuple(FORMS),
            "text": ("any length", "fixed"),
            "consolidated": (False, True),
        },
        _write_zarr,
        _read_zarr,
        requires="zarr",
    ),
)
"""All layouts of files of arrays."""
