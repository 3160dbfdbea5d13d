"""Inputs with which users of other programs had trouble, made small: read as is meant, or left out by name."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import is_sentence, pixels
from tests.support.foreign_files import FILES
from tests.support.program import program


def scanned(text: str) -> Dataset:
    dataset = registry.make_dataset(text)
    dataset.scan()
    return dataset


def images(dataset: Dataset) -> list[Any]:
    return [dataset.image(index) for index in range(len(dataset))]


def labels(dataset: Dataset) -> list[int]:
    return [dataset.label(index) for index in range(len(dataset))]


def tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def test_labels_of_eight_numbers_an_image_are_no_classes(tmp_path: Path) -> None:
    """QMNIST keeps int32 labels of shape (N, 8) in an idx2 file (facebookresearch/qmnist, issue 1)."""
    stack = pixels((5, 28, 28), 1)
    rows = np.arange(40, dtype=">i4").reshape(5, 8)
    for name, kind, array in (("images-idx3-ubyte", 8, stack), ("labels-idx2-int", 12, rows)):
        head = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
        (tmp_path / f"qmnist-train-{name}.gz").write_bytes(gzip.compress(head + array.tobytes()))
    dataset = scanned(f'store:"{tmp_path}"')
    np.testing.assert_array_equal(images(dataset), stack)
    assert not dataset.has_labels
    assert "is int32 of shape (5, 8)" in dataset.label_note


def test_views_of_one_sample_are_left_out_by_name_and_can_be_named(tmp_path: Path) -> None:
    """Augmented views beside one label: Cat.aug1.png, Cat.aug2.png, Cat.cls (webdataset/webdataset, issue 19)."""
    members = []
    for number, key in enumerate(("Cat", "Dog")):
        members += [(f"{key}.aug{view + 1}.png", FILES[view]) for view in range(3)]
        members += [(f"{key}.cls", b"%d" % number)]
    path = tar(tmp_path / "a.tar", members)
    dataset = scanned(f'store:"{path}"')
    assert (len(dataset), labels(dataset), len(dataset.excluded)) == (2, [0, 1], 4)
    assert all("Its sample holds several pictures" in entry.reason for entry in dataset.excluded)
    second = scanned(f'store:"{path}",image=aug2.png')
    assert [second.original(index) for index in range(2)] == [FILES[1]] * 2


def test_frames_of_one_sample_are_pictures_of_their_own(tmp_path: Path) -> None:
    """Frames that are numbered behind the key: sample_0.frames.0.jpg (webdataset/webdataset, issue 319)."""
    members = [(f"sample_{sample}.frames.{frame}.png", FILES[frame]) for sample in range(2) for frame in range(3)]
    dataset = scanned(f'store:"{tar(tmp_path / "a.tar", members)}"')
    assert len(dataset) + len(dataset.excluded) == 6
    assert [dataset.original(index) for index in range(len(dataset))] == FILES * 2


@pytest.mark.parametrize("form", ["float64 as data", "float_data"])
def test_floats_of_caffe_are_not_taken_for_pixels(form: str, tmp_path: Path) -> None:
    """Floats in a Datum, as bytes or as float_data, read as bytes are other values (BVLC/caffe, issues 4109, 464)."""
    values = np.linspace(0, 1, 2 * 3 * 3).astype("f8").reshape(3, 2, 3)
    datum = b"\x08\x03\x10\x02\x18\x03"
    if form == "float_data":
        datum += b"".join(b"\x35" + struct.pack("<f", value) for value in values.reshape(-1))
    else:
        data = values.tobytes()
        datum += b"\x22" + bytes([len(data) & 127 | 128, len(data) >> 7]) + data
    with lmdb.open(str(tmp_path / "a"), map_size=2**20) as env, env.begin(write=True) as transaction:
        for number in range(4):
            transaction.put(b"%08d" % number, datum + b"\x28\x01")
    message = (
        "values hold floats; add scale=255" if form == "float_data" else "no value in it is a picture file or a Datum"
    )
    with pytest.raises(DataError, match=message) as caught:
        scanned(f'store:"{tmp_path / "a"}"')
    assert is_sentence(str(caught.value))


def test_endings_in_capitals_count_the_same_in_folders_and_archives(tmp_path: Path) -> None:
    """A reader took .JPEG in zip archives, and not in folders (GaParmar/clean-fid, issue 37)."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (9, 9, 9)).save(buffer, "JPEG")
    (tmp_path / "tree" / "a").mkdir(parents=True)
    names = [f"a/{number}.{ending}" for number, ending in enumerate(("JPEG", "jpeg", "Jpg", "JPG", "JFIF"))]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            (tmp_path / "tree" / name).write_bytes(buffer.getvalue())
            archive.writestr(name, buffer.getvalue())
    tar(tmp_path / "a.tar", [(name, buffer.getvalue()) for name in names])
    for text in (f'folder:"{tmp_path / "tree"}"', f'store:"{tmp_path / "a.zip"}"', f'store:"{tmp_path / "a.tar"}"'):
        assert len(scanned(text)) == 5, text


@pytest.mark.parametrize("interlace", ["INTERLACE_PIXEL", "INTERLACE_PLANE"])
def test_images_of_the_hdf5_image_specification(interlace: str, tmp_path: Path) -> None:
    """A dataset an image with the attributes CLASS=IMAGE and INTERLACE_MODE (h5py/h5py, issues 268 and 771)."""
    stored = [pixels((20, 30, 3), number) for number in range(3)]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number, image in enumerate(stored):
            planes = image.transpose(2, 0, 1) if interlace == "INTERLACE_PLANE" else image
            dataset = file.create_dataset(f"image_{number}", data=planes)
            dataset.attrs["CLASS"], dataset.attrs["IMAGE_SUBCLASS"] = np.bytes_("IMAGE"), np.bytes_("IMAGE_TRUECOLOR")
            dataset.attrs["INTERLACE_MODE"] = np.bytes_(interlace)
    text = f'store:"{tmp_path / "a.h5"}"'
    if interlace == "INTERLACE_PLANE":
        with pytest.raises(DataError, match="axes=") as caught:
            scanned(text)
        assert is_sentence(str(caught.value))
        return
    dataset = scanned(text)
    for got, expected in zip(images(dataset), stored, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_large_strings_of_polars_beside_pictures(tmp_path: Path) -> None:
    """Polars writes large_string where others write string (huggingface/datasets, issue 7765)."""
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    import pyarrow.parquet

    kind = pa.struct({"bytes": pa.large_binary(), "path": pa.large_string()})
    rows = [{"bytes": data, "path": f"{number}.png"} for number, data in enumerate(FILES)]
    words = pa.array(["dog", "cat", "dog"], pa.large_string())
    pyarrow.parquet.write_table(pa.table({"image": pa.array(rows, kind), "label": words}), tmp_path / "a.parquet")
    dataset = scanned(f'store:"{tmp_path / "a.parquet"}"')
    assert (labels(dataset), dataset.label_names) == ([1, 0, 1], ("cat", "dog"))
    assert [dataset.image_name(index) for index in range(3)] == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize("version", [2, 3])
def test_chunks_of_zarr_that_are_not_there_are_counted(version: int, tmp_path: Path) -> None:
    """A chunk that was lost is read as zeros by every reader (zarr-developers/zarr-python, issues 486 and 587)."""
    zarr = pytest.importorskip("zarr", reason="zarr is not installed (extra zarr)")
    stack = pixels((6, 8, 9, 3), 1)
    group = zarr.open_group(str(tmp_path / "a"), mode="w", zarr_format=version)
    group.create_array("images", data=stack, chunks=(2, 8, 9, 3))
    assert scanned(f'store:"{tmp_path / "a"}"').warnings == ()
    (tmp_path / "a" / "images" / ("1.0.0.0" if version == 2 else "c/1/0/0/0")).unlink()
    dataset = scanned(f'store:"{tmp_path / "a"}"')
    (warning,) = dataset.warnings
    assert "1 of its 3 chunks are not there: they are read as its fill value" in warning
    stack[2:4] = 0
    np.testing.assert_array_equal(images(dataset), stack)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_are_not_clipped(kind: str, tmp_path: Path) -> None:
    """Values above 255 became 255 (python-pillow/Pillow, issue 1108; imageio/imageio, issue 1049)."""
    values = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(64, 48)
    (tmp_path / "tree").mkdir()
    Image.fromarray(values).save(tmp_path / "tree" / f"a.{kind.lower()}", kind)
    done = program("convert", f"folder:{tmp_path / 'tree'}", "npy", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "images.npy")[0], values)


def test_names_in_a_code_page_of_windows_are_kept_apart(tmp_path: Path) -> None:
    """Names in CP932 without the flag of UTF-8 (libarchive/libarchive, issue 2798; nih-at/libzip, issue 212)."""
    names = ["\u65b0\u3057\u3044/1.png", "\u65b0\u3057\u3044/2.png", "\u30bd/1.png"]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number, data in enumerate(FILES):
            archive.writestr(f"{'xxxxxx/' if number < 2 else 'yy/'}{number % 2 + 1}.png", data)
    data = (tmp_path / "a.zip").read_bytes()
    for old, new in ((b"xxxxxx/1", names[0]), (b"xxxxxx/2", names[1]), (b"yy/1", names[2])):
        assert len(new[:-4].encode("cp932")) == len(old)
        data = data.replace(old, new[:-4].encode("cp932"))
    (tmp_path / "a.zip").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        listed = archive.namelist()
    dataset = scanned(f'store:"{tmp_path / "a.zip"}"')
    assert [dataset.image_name(index) for index in range(3)] == listed
    assert sorted(labels(dataset)) in ([0, 0, 1], [0, 1, 1])
    done = program("convert", f"store:{tmp_path / 'a.zip'}", "disk+original", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert sorted(path.read_bytes() for path in (tmp_path / "out").rglob("*.png")) == sorted(FILES)
