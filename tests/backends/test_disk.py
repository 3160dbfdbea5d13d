"""The backend disk: the conformance suite, and the store as other programs see it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, pixels, walk


class TestDisk(BackendConformance):
    backend = "disk"


LABELS = [-3, 0, 300, 2**40]


def made(text: str, location: Path) -> StoreSetup:
    setup = StoreSetup.of(text)
    setup.make(location, setup.material([(6, 4, 3)] * 4, LABELS))
    return setup


@pytest.mark.parametrize("text", ["disk", "disk:preset=article"])
def test_pillow_and_csv_alone_read_it(text: str, tmp_path: Path) -> None:
    made(text, tmp_path / "store")
    with (tmp_path / "store" / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["label"]) for row in rows] == LABELS
    for number, row in enumerate(rows):
        with Image.open(tmp_path / "store" / row["filename"]) as image:
            assert image.format == "PNG"
            np.testing.assert_array_equal(np.asarray(image), pixels((6, 4, 3), number))


def test_the_article_stores_what_pillow_writes_by_itself_in_one_folder(tmp_path: Path) -> None:
    made("disk:preset=article", tmp_path / "store")
    names = sorted(path.name for path in (tmp_path / "store").iterdir())
    assert names == ["00000000.png", "00000001.png", "00000002.png", "00000003.png", "labels.csv", "store.json"]
    buffer = io.BytesIO()
    Image.fromarray(pixels((6, 4, 3), 2)).save(buffer, "PNG")
    assert (tmp_path / "store" / "00000002.png").read_bytes() == buffer.getvalue()


def test_subfolders_hold_as_many_files_as_asked_for(tmp_path: Path) -> None:
    setup = StoreSetup.of("disk+raw:fanout=10")
    material = setup.material([(2, 2)] * 25)
    setup.make(tmp_path / "store", material)
    folders = sorted(path for path in (tmp_path / "store").iterdir() if path.is_dir())
    assert [len(list(folder.iterdir())) for folder in folders] == [10, 10, 5]
    material.check_store(setup.backend, tmp_path / "store")


def test_originals_keep_their_bytes_and_their_kind(tmp_path: Path) -> None:
    setup = StoreSetup.of("disk+original")
    material = setup.material([(6, 4, 3)] * 4)
    setup.make(tmp_path / "store", material)
    files = [path for path in walk(tmp_path / "store") if path.stem.isdigit()]
    assert [path.suffix for path in files] == [".png", ".bmp", ".webp", ".png"]
    assert [path.read_bytes() for path in files] == material.payloads


def test_all_rows_have_one_length(tmp_path: Path) -> None:
    setup = StoreSetup.of("disk+original")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4, [-(2**63), 2**63 - 1, 0, 7]))
    lines = (tmp_path / "store" / "labels.csv").read_bytes().splitlines()
    assert len({len(line) for line in lines[1:]}) == 1


@pytest.mark.parametrize("codec", ["png", "original"])
def test_a_link_in_the_place_of_an_image_is_not_followed(codec: str, tmp_path: Path) -> None:
    setup = made(f"disk+{codec}:preset=article", tmp_path / "store")
    secret = tmp_path / "secret.png"
    (tmp_path / "store" / "00000000.png").rename(secret)
    (tmp_path / "store" / "00000000.png").symlink_to(secret)
    with setup.backend.open(tmp_path / "store") as reader, pytest.raises(StoreError, match=r"00000000\.png"):
        reader.read_bytes([0], np.zeros(1, np.int64))


def test_a_row_cannot_lead_out_of_the_store(tmp_path: Path) -> None:
    setup = made("disk+original:preset=article", tmp_path / "store")
    table = tmp_path / "store" / "labels.csv"
    table.write_bytes(table.read_bytes().replace(b"00000000.png", b"0.x/../../.."))
    with setup.backend.open(tmp_path / "store") as reader, pytest.raises(StoreError, match="names no file"):
        reader.read_bytes([0], np.zeros(1, np.int64))


def test_a_label_that_is_no_number_is_noticed(tmp_path: Path) -> None:
    setup = made("disk", tmp_path / "store")
    table = tmp_path / "store" / "labels.csv"
    table.write_bytes(table.read_bytes().replace(b"300", b"3x0"))
    with setup.backend.open(tmp_path / "store") as reader, pytest.raises(StoreError, match="no number"):
        reader.read_labels()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 99}, "newer imgstore-tui"),
        ({"version": "1"}, "no valid version"),
        ({"format": "something else"}, "not a store of the backend disk"),
        ({"format": "imgstore-tui lmdb"}, "not a store of the backend disk"),
        ({"count": -1}, "makes no sense"),
        ({"count": 10**30}, "makes no sense"),
        ({"count": 3}, "does not hold 3 rows"),
        ({"kind": "array"}, "no sense"),
        ({"kind": "object"}, "makes no sense"),
        ({"codec": "../x"}, "makes no sense"),
        ({"shape": [6, 4, 2**40]}, "makes no sense"),
        ({"shape": [6, 4.5, 3]}, "makes no sense"),
        ({"dtype": "object"}, "makes no sense"),
        ({"fanout": -1}, "makes no sense"),
        ({"row": 10**9}, "makes no sense"),
        ({"extension": "../../etc"}, "makes no sense"),
    ],
    ids=str,
)
def test_a_manifest_is_not_believed(change: dict[str, object], message: str, tmp_path: Path) -> None:
    setup = made("disk", tmp_path / "store")
    path = tmp_path / "store" / "store.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(StoreError, match=message):
        setup.backend.open(tmp_path / "store")


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 50_000, '"' + "x" * 70_000 + '"', "\x00\xff"], ids=len)
def test_a_manifest_that_is_none_is_a_sentence(text: str, tmp_path: Path) -> None:
    setup = made("disk", tmp_path / "store")
    (tmp_path / "store" / "store.json").write_text(text)
    with pytest.raises(StoreError):
        setup.backend.open(tmp_path / "store")


def test_more_images_than_names_are_refused(tmp_path: Path) -> None:
    content = Content(10**8 + 1, PayloadKind.BYTES, "png")
    with pytest.raises(UnsupportedError, match="100,000,000"):
        StoreSetup.of("disk").backend.create(tmp_path / "store", content, SyncLevel.BUFFERED)
    assert not (tmp_path / "store").exists()
