"""Photographs of all kinds through the tools of each ecosystem, in both directions.

What is written by ``convert`` is read back equal by the ecosystem's own reader, and what its own writer has written is
read by ``store:PATH``: the bytes of the files, their labels, and the pixels. Among the pictures are grey ones,
transparent ones, palettes, CMYK, 16 bits, several pages and wrong suffixes, and some as cameras write them.
"""

from __future__ import annotations

import importlib.util
import io
import itertools
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.images import decode
from imgstore_tui.jobs.convert import plan_conversion
from imgstore_tui.plugins import registry
from tests.support.photos import camera_data, encoded, odd_files

CLASSES = 3


@dataclass(frozen=True)
class Shot:
    """A picture file, and what it shows."""

    data: bytes
    label: int
    pixels: Any

    @property
    def suffix(self) -> str:
        return decode.EXTENSIONS[str(decode.sniff(self.data))]


def photograph(seed: int, width: int = 96, height: int = 64) -> Image.Image:
    """Return what a camera might see: slow light, edges, and the grain of a sensor."""
    rows, columns = np.mgrid[0:height, 0:width]
    light = np.stack([np.sin(rows / (9 + seed) + band) + np.cos(columns / 13 - band) for band in range(3)], -1)
    light += ((rows // 16 + columns // 24 + seed) % 2)[..., None] * 0.4
    grain = np.random.default_rng(seed).normal(0, 0.04, light.shape)
    return Image.fromarray(np.clip((light + grain + 2) * 60, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photographs")
    files = {
        **odd_files(photograph(1)),
        "small.avif": encoded(photograph(2), "AVIF"),
        **{f"IMG_{x:04}.JPG": encoded(photograph(x), "JPEG", exif=camera_data(x)) for x in range(9)},
    }
    for number, (name, data) in enumerate(sorted(files.items())):
        path = root / f"class {number % CLASSES}" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return root


def shots_of(text: str) -> list[Shot]:
    dataset = registry.make_dataset(text)
    dataset.scan()
    numbers = range(len(dataset))
    whole = dataset.has_originals
    whole = dataset.has_originals
    return [Shot(dataset.original(x) if whole else b"", int(dataset.label(x)), dataset.image(x)) for x in numbers]


@pytest.fixture(scope="module")
def shots(folder: Path) -> list[Shot]:
    photographs = shots_of(f'folder:"{folder}"')
    kinds = {(shot.pixels.ndim, shot.pixels.shape[2:], shot.pixels.dtype.name) for shot in photographs}
    assert len(photographs) > 20
    assert kinds == {(2, (), "uint8"), (2, (), "uint16"), (3, (3,), "uint8"), (3, (4,), "uint8")}
    assert {shot.suffix for shot in photographs} == {"png", "jpg", "webp", "tif", "avif"}
    return photographs


def stored(text: str, spec: str, folder: Path) -> Path:
    """Convert, and return the store."""
    arguments: dict[str, Any] = {"count": None, "replace": False, "restart": False}
    plan_conversion(text, spec, folder / "store", **arguments).run(lambda doing, done, total: None)
    return folder / "store"


def needs(module: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        importlib.util.find_spec(module) is None, reason=f"{module} is not installed (extra interop)"
    )


def needs_extra(module: str, extra: str) -> pytest.MarkDecorator:
    installed = importlib.util.find_spec(module) is not None
    return pytest.mark.skipif(not installed, reason=f"{module} is not installed (extra {extra})")


def needs_tool(name: str, package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not shutil.which(name), reason=f"{name} is not installed (apt-get install {package})")


def output_of(*command: str | Path) -> str:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout


def same_picture(picture: Image.Image, shot: Shot) -> None:
    """Assert that a picture of Pillow's is what we show of it, where Pillow itself changes nothing."""
    if picture.mode in ("L", "RGB", "RGBA"):
        np.testing.assert_array_equal(np.asarray(picture), shot.pixels)


# What we write


def test_gnu_tar_takes_it_apart(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    store = stored(f'folder:"{folder}"', "webdataset+original:shard=7", tmp_path)
    members = []
    for tar in sorted(store.glob("*.tar")):
        members += output_of("tar", "-tf", tar).splitlines()
        output_of("tar", "-xf", tar, "-C", tmp_path)
    pictures = [tmp_path / member for member in members if not member.endswith(".cls")]
    for path, shot in zip(pictures, shots, strict=True):
        assert path.read_bytes() == shot.data
        assert path.with_suffix(".cls").read_text() == str(shot.label)
        assert path.parent.name == f"class {shot.label}"


@needs_extra("webdataset", "webdataset")
@pytest.mark.filterwarnings("ignore")
def test_the_webdataset_package_reads_it(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    import webdataset

    for text, spec in ((f'folder:"{folder}"', "webdataset+original:shard=7"), (f'folder:"{folder}"', "webdataset+png")):
        target = tmp_path / spec.partition(":")[0]
        target.mkdir()
        tars = [str(path) for path in sorted(stored(text, spec, target).glob("*.tar"))]
        samples: list[Any] = list(webdataset.WebDataset(tars, shardshuffle=False))
        assert len(samples) == len(shots)
        for sample, shot in zip(samples, shots, strict=True):
            assert int(sample["cls"]) == shot.label
            if "original" in spec:
                # Its key is the file's own ending, which need not be that of its kind.
                values = [value for key, value in sample.items() if key != "cls" and not key.startswith("__")]
                assert values == [shot.data]
            else:
                same_picture(Image.open(io.BytesIO(sample["png"])), shot)


@needs("tensorflow")
@needs_extra("google_crc32c", "tfrecord")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("spec", ["tfrecord+original", "tfrecord+original:compression=gzip", "tfrecord+png"])
def test_tensorflow_reads_it(spec: str, folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    import tensorflow as tf

    (path,) = stored(f'folder:"{folder}"', spec, tmp_path).glob("images.tfrecord*")
    records = list(tf.data.TFRecordDataset(str(path), "GZIP" if path.suffix == ".gz" else ""))
    assert len(records) == len(shots)
    for record, shot in zip(records, shots, strict=True):
        features = tf.train.Example.FromString(record.numpy()).features.feature
        (payload,) = features["image/encoded"].bytes_list.value
        assert list(features["image/class/label"].int64_list.value) == [shot.label]
        if "original" in spec:
            assert payload == shot.data
            continue
        kind = tf.uint16 if shot.pixels.dtype == np.uint16 else tf.uint8
        decoded = tf.io.decode_png(payload, dtype=kind).numpy()
        np.testing.assert_array_equal(decoded, shot.pixels.reshape(decoded.shape))


@needs("datasets")
@needs_extra("pyarrow", "arrow")
@pytest.mark.filterwarnings("ignore")
def test_hugging_face_datasets_reads_it(
    folder: Path, shots: list[Shot], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    path = stored(f'folder:"{folder}"', "parquet+original:rows=5", tmp_path)
    dataset = datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert dataset["label"][:] == [shot.label for shot in shots]
    for row, shot in zip(dataset.cast_column("image", datasets.Image(decode=False)), shots, strict=True):
        assert row["image"]["bytes"] == shot.data
    for number, shot in enumerate(shots):
        if shot.suffix != "jpg":  # which datasets turns by its EXIF
            same_picture(dataset[number]["image"], shot)


@needs_tool("sqlite3", "sqlite3")
def test_the_sqlite3_shell_reads_it(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    path = stored(f'folder:"{folder}"', "sqlite+original", tmp_path)
    lines = output_of("sqlite3", "-readonly", path, "SELECT label || ' ' || hex(data) FROM images ORDER BY id")
    assert lines.splitlines() == [f"{shot.label} {shot.data.hex().upper()}" for shot in shots]


@needs_tool("h5dump", "hdf5-tools")
def test_h5dump_reads_it(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    path = stored(f'folder:"{folder}"', "hdf5+original", tmp_path)
    for name in ("images", "offsets", "labels"):
        output_of("h5dump", "-d", f"/{name}", "-b", "LE", "-o", tmp_path / name, path)
    row, ends = (tmp_path / "images").read_bytes(), np.fromfile(tmp_path / "offsets", "<i8").tolist()
    assert [row[start:stop] for start, stop in itertools.pairwise(ends)] == [shot.data for shot in shots]
    assert np.fromfile(tmp_path / "labels", "<i8").tolist() == [shot.label for shot in shots]


@needs_tool("mdb_dump", "lmdb-utils")
def test_mdb_dump_reads_it(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    store = stored(f'folder:"{folder}"', "lmdb+original", tmp_path)
    lines = [
        line.strip() for line in output_of("mdb_dump", store).split("HEADER=END\n")[1].split("DATA=END")[0].split()
    ]
    items = {bytes.fromhex(key): bytes.fromhex(value) for key, value in zip(lines[::2], lines[1::2], strict=True)}
    assert [items[number.to_bytes(4, "big")] for number in range(len(shots))] == [shot.data for shot in shots]


@needs_extra("zarr", "zarr")
@pytest.mark.parametrize("spec", ["zarr", "zarr:chunk=2,shard=6,filter=zstd"])
def test_the_zarr_package_reads_pixels(spec: str, folder: Path, tmp_path: Path) -> None:
    import zarr

    text = f'folder:"{folder}",resize=48x32'
    group: Any = zarr.open_group(str(stored(text, spec, tmp_path) / "images.zarr"), mode="r")
    shots = shots_of(text)
    np.testing.assert_array_equal(group["images"][:], np.stack([shot.pixels for shot in shots]))
    assert group["labels"][:].tolist() == [shot.label for shot in shots]


@needs_extra("safetensors", "safetensors")
def test_the_safetensors_package_reads_pixels(folder: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    text = f'folder:"{folder}",resize=48x32'
    tensors = load_file(stored(text, "safetensors", tmp_path))
    shots = shots_of(text)
    np.testing.assert_array_equal(tensors["images"], np.stack([shot.pixels for shot in shots]))
    assert tensors["labels"].tolist() == [shot.label for shot in shots]


@needs_extra("rocksdict", "rocksdb")
def test_rocksdict_reads_it(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    import rocksdict

    database = rocksdict.Rdict(str(stored(f'folder:"{folder}"', "rocksdb+original", tmp_path) / "images.rocksdb"))
    assert [database[number.to_bytes(8, "big")] for number in range(len(shots))] == [shot.data for shot in shots]
    database.close()


@needs_extra("pyarrow", "arrow")
@needs_extra("duckdb", "duckdb")
def test_duckdb_alone_reads_it(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    import duckdb

    path = stored(f'folder:"{folder}"', "duckdb+original", tmp_path)
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT label, data FROM payloads ORDER BY id").fetchall()
    assert rows == [(shot.label, shot.data) for shot in shots]


@needs_extra("lance", "lance")
def test_pylance_reads_it(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    import lance

    path = stored(f'folder:"{folder}"', "lance+original:rows=7", tmp_path) / "images.lance"
    rows = lance.dataset(str(path)).to_table().to_pylist()
    assert [(row["image"], row["label"]) for row in rows] == [(shot.data, shot.label) for shot in shots]
    assert all(row["name"].startswith(f"class {row['label']}/") for row in rows)


# What others write


def check(path: Path, shots: Sequence[Shot]) -> None:
    """Assert that a source of images holds these files, with their labels and pixels."""
    stored_shots = shots_of(f'store:"{path}"')
    assert [(shot.data, shot.label) for shot in stored_shots] == [(shot.data, shot.label) for shot in shots]
    for one, other in zip(stored_shots, shots, strict=True):
        assert one.pixels.dtype == other.pixels.dtype
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_tar_of_gnu_tar_is_read(shots: list[Shot], tmp_path: Path) -> None:
    for number, shot in enumerate(shots):
        (tmp_path / f"{number:04}.{shot.suffix}").write_bytes(shot.data)
        (tmp_path / f"{number:04}.cls").write_text(f"{shot.label}\n")
    for kind in ("gnu", "pax", "ustar"):
        tar = tmp_path / f"{kind}.tar"
        output_of("tar", f"--format={kind}", "--sort=name", "--exclude=*.tar", "-cf", tar, "-C", tmp_path, ".")
        check(tar, shots)


@needs_extra("webdataset", "webdataset")
@pytest.mark.filterwarnings("ignore")
def test_shards_of_the_webdataset_package_are_read(shots: list[Shot], tmp_path: Path) -> None:
    import webdataset

    with webdataset.ShardWriter(f"{tmp_path}/shard-%06d.tar", maxcount=7, verbose=0) as writer:
        for number, shot in enumerate(shots):
            writer.write({"__key__": f"{number:04}", shot.suffix: shot.data, "cls": shot.label})
    check(tmp_path, shots)


@needs("tensorflow")
@needs_extra("google_crc32c", "tfrecord")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(600)
def test_records_of_tensorflow_are_read(shots: list[Shot], tmp_path: Path) -> None:
    import tensorflow as tf

    def feature(name: str, value: Any) -> Any:
        made = getattr(tf.train, name)(value=[value])
        return tf.train.Feature(**{"bytes_list" if name == "BytesList" else "int64_list": made})

    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        for shot in shots:
            features = {"image/encoded": feature("BytesList", shot.data), "label": feature("Int64List", shot.label)}
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    check(tmp_path / "a.tfrecord", shots)


@needs("datasets")
@needs_extra("pyarrow", "arrow")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", ["rows", "imagefolder"])
def test_parquet_of_hugging_face_datasets_is_read(
    way: str, shots: list[Shot], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    if way == "rows":
        features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
        rows = {"image": [{"bytes": x.data, "path": None} for x in shots], "label": [x.label for x in shots]}
        datasets.Dataset.from_dict(rows, features).to_parquet(tmp_path / "a.parquet")
        check(tmp_path / "a.parquet", shots)
        return
    for number, shot in enumerate(shots):
        path = tmp_path / "folder" / "train" / f"{shot.label}" / f"{number:04}.{shot.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shot.data)
    dataset = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "folder"), split="train", cache_dir=str(tmp_path / "cache")
    )
    whole = dataset.with_format("arrow").map(datasets.table.embed_table_storage, batched=True)  # else only the places
    whole.to_parquet(tmp_path / "a.parquet")
    stored_shots = shots_of(f'store:"{tmp_path / "a.parquet"}"')
    listed_shots = [shot for shot in shots if shot.suffix != "avif"]  # which datasets does not list
    assert sorted((x.data, x.label) for x in stored_shots) == sorted((x.data, x.label) for x in listed_shots)


@needs_tool("sqlite3", "sqlite3")
def test_a_store_that_the_sqlite3_shell_has_loaded_is_read(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    dump = output_of("sqlite3", stored(f'folder:"{folder}"', "sqlite+original", tmp_path), ".dump")
    subprocess.run(["sqlite3", str(tmp_path / "loaded")], input=dump, text=True, check=True)
    check(tmp_path / "loaded", shots)


@needs_tool("mdb_load", "lmdb-utils")
def test_a_store_that_mdb_load_has_loaded_is_read(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    dump = output_of("mdb_dump", stored(f'folder:"{folder}"', "lmdb+original", tmp_path))
    (tmp_path / "loaded").mkdir()
    subprocess.run(["mdb_load", str(tmp_path / "loaded")], input=dump, text=True, check=True)
    check(tmp_path / "loaded", shots)


@needs_tool("h5repack", "hdf5-tools")
@pytest.mark.parametrize("filters", [[], ["-f", "GZIP=1"]], ids=["as it is", "packed"])
def test_a_store_that_h5repack_has_written_is_read(
    filters: list[str], folder: Path, shots: list[Shot], tmp_path: Path
) -> None:
    path = stored(f'folder:"{folder}"', "hdf5+original", tmp_path)
    output_of("h5repack", *filters, path, tmp_path / "loaded")
    check(tmp_path / "loaded", shots)


@needs_extra("zarr", "zarr")
def test_a_store_whose_arrays_the_zarr_package_has_written_is_read(folder: Path, tmp_path: Path) -> None:
    import zarr

    text = f'folder:"{folder}",resize=48x32'
    store = stored(text, "zarr", tmp_path)
    given: Any = zarr.open_group(str(store / "images.zarr"), mode="r")
    images, labels = given["images"][:], given["labels"][:]
    shutil.rmtree(store / "images.zarr")
    group = zarr.create_group(str(store / "images.zarr"), zarr_format=3)
    group.create_array("images", data=images[:], chunks=(4, *images.shape[1:]))
    group.create_array("labels", data=labels[:])
    check(store, shots_of(text))


@needs_extra("rocksdict", "rocksdb")
def test_a_database_that_rocksdict_has_filled_is_read(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    import rocksdict

    given = rocksdict.Rdict(str(stored(f'folder:"{folder}"', "rocksdb+original", tmp_path) / "images.rocksdb"))
    (tmp_path / "loaded").mkdir()
    options = rocksdict.Options(raw_mode=True)
    made = rocksdict.Rdict(str(tmp_path / "loaded" / "images.rocksdb"), options)
    for key, value in given.items():
        made[key] = value
    given.close()
    made.close()
    check(tmp_path / "loaded", shots)


@needs_extra("pyarrow", "arrow")
@needs_extra("duckdb", "duckdb")
def test_a_file_that_duckdb_has_copied_is_read(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    import duckdb

    path = stored(f'folder:"{folder}"', "duckdb+original", tmp_path)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{path}' AS given (READ_ONLY)")
        connection.execute(f"ATTACH '{tmp_path / 'loaded'}' AS made")
        connection.execute("COPY FROM DATABASE given TO made")
    check(tmp_path / "loaded", shots)


@needs_extra("lance", "lance")
def test_a_dataset_that_pylance_has_written_is_read(folder: Path, shots: list[Shot], tmp_path: Path) -> None:
    import lance

    store = stored(f'folder:"{folder}"', "lance+original", tmp_path)
    table = lance.dataset(str(store / "images.lance")).to_table()
    shutil.rmtree(store / "images.lance")
    lance.write_dataset(table, str(store / "images.lance"), max_rows_per_file=5)
    check(store, shots)
