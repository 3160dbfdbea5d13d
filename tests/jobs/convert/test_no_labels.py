"""Data without labels: a state of its own in a store, its fingerprint, a run and a program, never label 0."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from PIL import Image

import imgstore_tui
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError
from imgstore_tui.plugins import registry
from tests.support.conversions import AVAILABLE, convert
from tests.support.datasets import save
from tests.support.program import program, sentence


def tar(path: Path, names: Iterable[str], *, label: bytes = b"") -> Path:
    """Write a tar of pictures, each with a label if one is given."""
    with tarfile.open(path, "w") as archive:
        for number, name in enumerate(names):
            stream = io.BytesIO()
            Image.new("RGB", (4, 4), (number, 7, 9)).save(stream, "PNG")
            for leaf, data in ((f"{name}.png", stream.getvalue()), (f"{name}.cls", label)):
                if data:
                    member = tarfile.TarInfo(leaf)
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
    return path


def scanned(path: Path) -> Dataset:
    dataset = registry.make_dataset(f'store:"{path}"')
    dataset.scan()
    return dataset


@pytest.fixture
def unlabelled(tmp_path: Path) -> Path:
    return tar(tmp_path / "unlabelled.tar", "abc")


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    return tar(tmp_path / "classes.tar", ("dog/1", "cat/1", "dog/2"))


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("backend", AVAILABLE)
def test_a_store_says_that_its_images_have_no_labels(backend: str, unlabelled: Path, tmp_path: Path) -> None:
    done = convert(f'store:"{unlabelled}"', f"{backend}+original", tmp_path / "stored")
    with imgstore_tui.open(tmp_path / "stored") as store:
        assert store.labels is None
        assert len(store) == 3
    again = convert(f'store:"{tmp_path / "stored"}"', f"{backend}+original", tmp_path / "again")
    assert again.fingerprint == done.fingerprint
    with imgstore_tui.open(tmp_path / "again") as store:
        assert store.labels is None


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("backend", AVAILABLE)
def test_a_store_keeps_the_names_of_classes(backend: str, classes: Path, tmp_path: Path) -> None:
    convert(f'store:"{classes}"', f"{backend}+original", tmp_path / "stored")
    with imgstore_tui.open(tmp_path / "stored") as store:
        assert store.labels is not None
        assert [store.label_names[label] for label in store.labels] == ["dog", "cat", "dog"]


def test_no_label_is_not_label_0_in_the_fingerprint(unlabelled: Path, tmp_path: Path) -> None:
    zeros = tar(tmp_path / "zeros.tar", "abc", label=b"0")
    twos = tar(tmp_path / "twos.tar", "abc", label=b"-2")
    minus_one = tar(tmp_path / "minus_one.tar", "abc", label=b"-1")  # which stands for no label
    none, zero, two, again = (
        convert(f'store:"{path}"', "disk+original", tmp_path / path.stem).fingerprint
        for path in (unlabelled, zeros, twos, minus_one)
    )
    assert len({none, zero, two}) == 3
    assert again == none
    assert scanned(tmp_path / "unlabelled").summary.endswith("labels: none")
    assert scanned(tmp_path / "zeros").has_labels


def test_convert_says_it_and_is_refused_only_where_labels_are_required(unlabelled: Path, tmp_path: Path) -> None:
    source = f'store:"{unlabelled}"'
    done = program("convert", source, "disk+original", str(tmp_path / "stored"))
    assert done.returncode == 0
    assert "labels: none (no members .cls)" in done.stderr
    refused = program("convert", source, "disk+original", str(tmp_path / "other"), "--labels", "required")
    assert refused.returncode == 3
    assert "labels: none (no members .cls). Labels are required" in sentence(refused)
    assert not list(tmp_path.glob("other*"))


def test_reading_labels_is_not_applicable_to_data_without_any(
    unlabelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    words = ["run", "-d", f'store:"{unlabelled}"', "-b", "disk", "-n", "3", "-o", "read-many,read-labels"]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words += ["--no-source", "--rounds", "1", "--scratch", str(scratch), "--json", "--quiet"]
    run = program(*words)
    assert run.returncode == 0, run.stderr
    record = json.loads(run.stdout)
    assert record["datasets"][0]["has_labels"] is False
    rows = {row["operation"]: row for row in record["measurements"] if row["backend"] == "disk"}
    assert rows["read-many"]["status"] == "ok"
    assert rows["read-labels"]["status"] == "skipped"
    assert rows["read-labels"]["reason"] == "Not applicable: the images have no labels."


@pytest.mark.parametrize(
    "facts",
    [{"has_labels": 0}, {"has_labels": None}, {"label_names": "ab"}, {"label_names": [1]}],
    ids=str,
)
def test_a_manifest_that_makes_no_sense_of_labels_is_damage(
    facts: dict[str, object], unlabelled: Path, tmp_path: Path
) -> None:
    convert(f'store:"{unlabelled}"', "disk+original", tmp_path / "stored")
    manifest = next(path for path in (tmp_path / "stored").iterdir() if path.suffix == ".json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **facts}))
    with pytest.raises(DataError, match="makes no sense"):
        scanned(tmp_path / "stored")


@pytest.mark.full
def test_too_many_names_of_classes_are_not_kept(tmp_path: Path) -> None:
    names = [f"{number:05}-{'x' * 100}" for number in range(400)]
    source = tar(tmp_path / "many.tar", [f"{name}/1" for name in names])
    done = program("convert", f'store:"{source}"', "disk+original", str(tmp_path / "stored"))
    assert done.returncode == 0
    assert "not their names, which are too many" in done.stderr
    with imgstore_tui.open(tmp_path / "stored") as store:
        assert store.labels is not None
        assert store.label_names == ()
        assert sorted(store.labels) == list(range(400))


def test_no_tar_member_holds_a_label_that_nobody_gave(unlabelled: Path, tmp_path: Path) -> None:
    convert(f'store:"{unlabelled}"', "webdataset+original", tmp_path / "stored")
    with tarfile.open(tmp_path / "stored" / "images-000000.tar") as archive:
        assert archive.getnames() == ["a.png", "b.png", "c.png"]
    convert(f'store:"{unlabelled}"', "webdataset+raw", tmp_path / "raw")
    with tarfile.open(tmp_path / "raw" / "images-000000.tar") as archive:
        assert archive.getnames() == ["a.npy", "b.npy", "c.npy"] or archive.getnames() == ["a.raw", "b.raw", "c.raw"]


@pytest.mark.parametrize("codec", ["original", "raw"])
def test_a_column_of_labels_that_nobody_gave_is_null(codec: str, unlabelled: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra arrow)")
    import pyarrow as pa

    convert(f'store:"{unlabelled}"', f"parquet+{codec}", tmp_path / "stored.parquet")
    assert parquet.read_table(tmp_path / "stored.parquet").column("label").to_pylist() == [None] * 3
    convert(f'store:"{unlabelled}"', f"arrow+{codec}", tmp_path / "stored.arrow")
    table = pa.ipc.open_file(pa.memory_map(str(tmp_path / "stored.arrow"))).read_all()
    assert table.column("label").null_count == 3
    assert table.column("name").to_pylist() == ["a.png", "b.png", "c.png"]


def test_no_record_holds_a_label_that_nobody_gave(unlabelled: Path, tmp_path: Path) -> None:
    pytest.importorskip("google_crc32c", reason="google_crc32c is not installed (extra tfrecord)")
    convert(f'store:"{unlabelled}"', "tfrecord+original", tmp_path / "stored")
    records = (tmp_path / "stored" / "images.tfrecord").read_bytes()
    assert b"image/class/label" not in records
    assert records.count(b"image/filename") == 3
    assert not scanned(tmp_path / "stored" / "images.tfrecord").has_labels


def test_names_of_classes_are_features_of_hugging_face(classes: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra arrow)")
    convert(f'store:"{classes}"', "parquet+original", tmp_path / "stored.parquet")
    features = json.loads(parquet.read_schema(tmp_path / "stored.parquet").metadata[b"huggingface"])["info"]["features"]
    assert features["label"] == {"names": ["cat", "dog"], "_type": "ClassLabel"}
    assert features["name"] == {"dtype": "string", "_type": "Value"}


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("backend", AVAILABLE)
def test_minus_one_stays_beside_the_names_of_classes(backend: str, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(4):
        Image.new("RGB", (4, 4), (number, 7, 9)).save(photos / f"{number}.png")
    rows = ["name,label", "0.png,dog", "1.png,-1", "2.png,cat", "3.png,-1"]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    source = f'folder:"{photos}",labels={tmp_path / "labels.csv"}'
    convert(source, f"{backend}+original", tmp_path / "stored")
    with imgstore_tui.open(tmp_path / "stored") as store:
        assert store.labels is not None
        by_picture = {int(store[index][0, 0, 0]): int(store.labels[index]) for index in range(4)}
        assert by_picture == {0: 1, 1: -1, 2: 0, 3: -1}
        assert store.label_names == ("cat", "dog")
    again = convert(f'store:"{tmp_path / "stored"}"', "disk+original", tmp_path / "again")
    assert again.images == 4
    with imgstore_tui.open(tmp_path / "again") as store:
        assert sorted(store.labels.tolist() if store.labels is not None else ()) == [-1, -1, 0, 1]


@pytest.mark.parametrize(
    ("folders", "why"),
    [
        (("",), "no class folders, and no CSV named by the option labels"),
        (("images", "masks"), "images and masks are parts of a data set, not classes"),
    ],
)
def test_the_refusal_of_a_folder_without_labels_says_why(folders: tuple[str, ...], why: str, tmp_path: Path) -> None:
    for folder in folders:
        save(tmp_path / "photos" / folder / "a.png", seed=1)
    source = f'folder:"{tmp_path / "photos"}"'
    refused = program("convert", source, "npy", str(tmp_path / "out"), "--labels", "required")
    assert refused.returncode == 3
    assert f"labels: none ({why}" in sentence(refused)
    assert not (tmp_path / "out").exists()
