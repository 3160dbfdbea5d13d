"""Zip archives of pictures as a source: read in place, counted, and bounded before anything is unpacked."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.backends.disk.zip_pictures import ZipPictures
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError, StoreError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import is_sentence
from tests.support.program import program


def picture(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (value, value, value)).save(buffer, "PNG")
    return buffer.getvalue()


def write(path: Path, entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def opened(path: Path) -> ZipPictures:
    files = ZipPictures(path)
    with zipfile.ZipFile(path) as archive:
        assert len(files.names) + len(files.excluded) + files.beside.total() == len(archive.infolist())
    assert all(is_sentence(entry.reason) for entry in files.excluded)
    return files


def scanned(path: Path) -> Dataset:
    dataset = registry.make_dataset(f'store:"{path}"')
    dataset.scan()
    return dataset


@pytest.mark.parametrize("name", ["photos.zip", "PHOTOS.ZIP", "photos"])
def test_a_zip_of_class_folders_is_read_with_its_classes(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, [("top/dog/1.png", picture(1)), ("top/cat/1.PNG", picture(2)), ("top/a.txt", b"x")])
    dataset = scanned(path)
    assert dataset.label_names == ("cat", "dog")
    values = {dataset.label(index): int(dataset.image(index)[0, 0, 0]) for index in range(len(dataset))}
    assert values == {1: 1, 0: 2}
    assert "1 entry is not pictures: .txt (1)" in " ".join(dataset.warnings)


def test_splits_are_no_classes(tmp_path: Path) -> None:
    names = ["set/train/dog/1.png", "set/train/cat/2.png", "set/val/dog/3.png"]
    dataset = scanned(write(tmp_path / "a.zip", [(name, picture(number)) for number, name in enumerate(names)]))
    assert dataset.label_names == ("cat", "dog")
    assert [dataset.label(index) for index in range(3)] == [1, 0, 1]
    flat = scanned(write(tmp_path / "b.zip", [("train/1.png", picture(1)), ("test/2.png", picture(2))]))
    assert not flat.has_labels


@pytest.mark.parametrize(
    ("table", "content"),
    [
        ("labels.csv", b"filename,label\nb.png,dog\na.png,cat\n"),
        ("set/labels.csv", b"file;class\npictures/a.png;cat\npictures/b.png;dog\n"),
        ("set/own.JSON", json.dumps({"labels": [["pictures/a.png", "cat"], ["pictures/b.png", "dog"]]}).encode()),
    ],
)
def test_a_table_in_the_archive_gives_the_labels_where_it_is_named(table: str, content: bytes, tmp_path: Path) -> None:
    pictures = [("set/pictures/a.png", picture(1)), ("set/pictures/b.png", picture(2))]
    path = write(tmp_path / "a.zip", [*pictures, (table, content)])
    plain = scanned(path)
    assert not plain.has_labels
    assert f"{table}, which label= may name" in " ".join([plain.label_note, *plain.warnings])
    dataset = registry.make_dataset(f'store:"{path}",label={table}')
    dataset.scan()
    assert dataset.label_names == ("cat", "dog")
    assert {int(dataset.image(index)[0, 0, 0]): dataset.label(index) for index in range(2)} == {1: 0, 2: 1}


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("other.csv", "has no file other.csv; its tables: labels.csv"),
        ("labels.csv", "1 of 1 rows name no picture, for example 'x.png' in line 2"),
    ],
)
def test_a_named_table_that_does_not_fit_is_refused(named: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", [("a.png", picture(1)), ("labels.csv", b"name,label\nx.png,3\n")])
    dataset = registry.make_dataset(f'store:"{path}",label={named}')
    with pytest.raises(DataError) as refusal:
        dataset.scan()
    assert message in str(refusal.value)
    assert is_sentence(str(refusal.value))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_bytes_come_back_in_any_order(method: int, tmp_path: Path) -> None:
    entries = [(f"{number}.png", picture(number)) for number in range(5)]
    files = opened(write(tmp_path / "a.zip", entries, method))
    files.release()
    for number in (4, 0, 3):
        assert files.payload(number) == entries[number][1]
    files.close()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_left_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgstore_tui.backends.disk.zip_pictures._LARGEST_FILE", 2**20)
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", picture(1))
        archive.writestr("a.png", picture(2))
        archive.writestr("b.gif", b"GIF89a")
        archive.writestr("c.png", b"")
        archive.writestr("bomb.png", bytes(2**26))
        archive.writestr("packed.png", picture(3), zipfile.ZIP_BZIP2)
        archive.writestr("../../escape.png", picture(4))
        archive.writestr("__MACOSX/._a.png", b"x")
        archive.writestr(link, "/etc/passwd")
    files = opened(path)
    assert [files.payload(number) for number in range(len(files.names))] == [picture(2), picture(4)]
    assert {entry.name for entry in files.excluded} == {
        "a.png", "b.gif", "c.png", "bomb.png", "packed.png", "link.png"
    }  # fmt: skip
    files.close()


def test_an_entry_that_unpacks_to_more_than_it_says_takes_no_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", [("a.png", bytes(2**20))])
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<L", 2**20), struct.pack("<L", 4096)))
    files = ZipPictures(path)
    with pytest.raises(StoreError, match="is not what its list says") as caught:
        files.payload(0)
    assert is_sentence(str(caught.value))
    files.close()


def test_a_flipped_byte_is_seen_and_a_list_beyond_memory_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", [("a.png", picture(1))], zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    files = ZipPictures(path)
    with pytest.raises(StoreError, match="is not what its list says"):
        files.payload(0)
    files.close()
    end = data.rfind(b"PK\5\6")
    data[end + 12 : end + 16] = struct.pack("<L", 2**30)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="a list of files of more than 256 MiB") as caught:
        ZipPictures(path)
    assert is_sentence(str(caught.value))


def test_a_damaged_archive_is_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", [("a.png", picture(1))])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(StoreError, match="is damaged or no zip archive") as caught:
        ZipPictures(path)
    assert is_sentence(str(caught.value))


def test_all_pictures_of_a_zip_are_converted_by_the_command(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", [("cat/1.png", picture(1)), ("dog/2.png", picture(2)), ("dog/3.gif", b"GIF89a")])
    done = program("convert", f"store:{path}", "disk+original", str(tmp_path / "out"), "-n", "all")
    assert done.returncode == 0, done.stderr
    assert "2 of 3 images" in done.stdout
    assert "left out: dog/3.gif: Pictures of the kind .gif are not decoded here." in done.stderr


def stylegan(labels: object) -> bytes:
    return json.dumps({"labels": labels}).encode()


def test_the_labels_of_stylegan_count_before_folders(tmp_path: Path) -> None:
    names = ["00000/a.png", "00000/b.png", "00001/c.png"]
    pairs = [[name, 7 - number] for number, name in enumerate(names)]
    entries = [*((name, picture(number)) for number, name in enumerate(names)), ("dataset.json", stylegan(pairs))]
    dataset = scanned(write(tmp_path / "a.zip", entries))
    assert [dataset.label(index) for index in range(3)] == [7, 6, 5]
    assert "labels are taken from dataset.json" in dataset.summary
    entries[-1] = ("dataset.json", stylegan(None))
    dataset = scanned(write(tmp_path / "b.zip", entries))
    assert not dataset.has_labels
    assert "dataset.json says that there are none" in dataset.summary
    entries[-1] = ("dataset.json", stylegan([[name, [0.0, 1.0]] for name in names]))
    dataset = scanned(write(tmp_path / "c.zip", entries))
    assert [dataset.label(index) for index in range(3)] == [1, 1, 1]
    entries[-1] = ("dataset.json", stylegan(pairs[:2]))
    assert "has no value in 1 of 3 rows" in scanned(write(tmp_path / "d.zip", entries)).label_note
    entries[-1] = ("dataset.json", b'{"labels": "of another program"}')
    dataset = scanned(write(tmp_path / "e.zip", entries))
    assert [dataset.label(index) for index in range(3)] == [0, 0, 1]


def test_a_picture_without_an_ending_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    entries = [("cat/1", picture(1)), ("dog/2", picture(2)), ("dog/notes", b"no picture")]
    files = opened(write(tmp_path / "a.zip", entries))
    assert files.names == ["cat/1", "dog/2"]
    assert files.beside["without an ending"] == 1
    files.close()
