"""A conversion says that it loses the orientation that EXIF gives to pictures."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from tests.support.conversions import convert, plan


def picture(orientation: int, kind: str = "JPEG") -> bytes:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.new("RGB", (4, 8), (1, 2, 3)).save(buffer, kind, exif=exif)
    return buffer.getvalue()


def sentences_of(source: str, spec: str, destination: Path) -> list[str]:
    conversion = plan(source, spec, destination)
    sentences: list[str] = []
    conversion.notify = sentences.append
    done = conversion.run(lambda doing, done, total: None)
    lost = [sentence for sentence in sentences if "orientation in EXIF" in sentence]
    assert [sentence for sentence in done.lost if "orientation in EXIF" in sentence] == lost[-1:]
    return lost


@pytest.mark.parametrize(
    ("spec", "orientation", "is_lost"),
    [("disk+png", 6, True), ("disk+png", 1, False), ("disk+original", 6, False)],
)
def test_a_lost_orientation_is_said(spec: str, orientation: int, is_lost: bool, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(picture(orientation))
    lost = sentences_of(f'folder:"{tmp_path / "photos"}"', spec, tmp_path / "stored")
    expected = "1 picture has an orientation in EXIF, which pixels do not keep: only the codec original does."
    assert lost == ([expected] if is_lost else [])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_it_is_said_of_pictures_in_archives_and_stores(kind: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for number in range(3):
            data = picture(6 if number == 1 else 1, kind)
            member = tarfile.TarInfo(f"{number}.{kind.lower()}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    source = f'store:"{tmp_path / "a.tar"}"'
    (lost,) = sentences_of(source, "disk+png", tmp_path / "png")
    assert lost.startswith("1 picture has an orientation in EXIF")
    assert sentences_of(source, "disk+original", tmp_path / "original") == []
    convert(source, "lmdb+original", tmp_path / "lmdb")
    (lost,) = sentences_of(f'store:"{tmp_path / "lmdb"}"', "npy", tmp_path / "npy")
    assert lost.startswith("1 picture has an orientation in EXIF")


def test_what_the_first_pictures_do_not_show_is_said_when_it_is_known(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for number in range(70):
            data = picture(6 if number in {2, 69} else 1)
            member = tarfile.TarInfo(f"{number:02}.jpg")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    lost = sentences_of(f'store:"{tmp_path / "a.tar"}"', "disk+png", tmp_path / "png")
    assert [sentence.partition(" have")[0] for sentence in lost] == ["1 of the first 64 pictures", "2 pictures"]
