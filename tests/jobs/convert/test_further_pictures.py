"""Files of several pictures, pages or frames: the first of each is taken, and the others are counted as left out."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.core.dataset import Dataset
from imgstore_tui.images.decode import further_in
from imgstore_tui.plugins import registry
from tests.support.conversions import plan

FIRST_ONLY = "left out, as the first is taken of each; only the codec original keeps them, in its files."


def frames(number: int) -> list[Image.Image]:
    return [Image.new("RGB", (6, 4), (40 * frame + 10, 2, 3)) for frame in range(number)]


def several(kind: str, number: int) -> bytes:
    """Return a file of so many pictures; Pillow, which writes it, must count as many."""
    first, *others = frames(number)
    buffer = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    first.save(buffer, kind, save_all=True, append_images=others, **options)
    buffer.seek(0)
    with Image.open(buffer) as image:
        assert getattr(image, "n_frames", 1) == number
    return buffer.getvalue()


def as_tar(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def as_zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def as_folder(path: Path, files: dict[str, bytes]) -> None:
    path.mkdir()
    for name, data in files.items():
        (path / name).write_bytes(data)


def as_parquet(path: Path, files: dict[str, bytes]) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    from pyarrow import parquet

    parquet.write_table(pa.table({"image": list(files.values())}), path)


FORMATS: dict[str, tuple[str, Callable[[Path, dict[str, bytes]], None]]] = {
    "folder": ("folder", as_folder),
    "tar": ("store", as_tar),
    "zip": ("store", as_zip),
    "parquet": ("store", as_parquet),
}


def scanned(text: str) -> Dataset:
    dataset = registry.make_dataset(text)
    dataset.scan()
    return dataset


def sentences_of(source: str, spec: str, destination: Path) -> tuple[list[str], tuple[str, ...], Dataset]:
    """Convert; return the sentences on further pictures that are said, those of the result, and the dataset."""
    conversion = plan(source, spec, destination)
    sentences: list[str] = []
    conversion.notify = sentences.append
    done = conversion.run(lambda doing, done, total: None)
    return (
        [text for text in sentences if FIRST_ONLY in text],
        tuple(x for x in done.lost if FIRST_ONLY in x),
        conversion.dataset,
    )


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "PNG", "MPO"])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_pictures_behind_the_first_are_counted(kind: str, number: int) -> None:
    assert further_in(several(kind, number)) == number - 1


@pytest.mark.parametrize("form", list(FORMATS))
def test_they_are_said_at_scan_in_the_summary_and_at_convert(form: str, tmp_path: Path) -> None:
    name, write = FORMATS[form]
    files = {"a.tif": several("TIFF", 3), "b.webp": several("WEBP", 2), "c.png": several("PNG", 4)}
    write(tmp_path / "data", {**files, "d.png": several("PNG", 1)})
    source = f'{name}:"{tmp_path / "data"}"'
    sentence = f"3 pictures hold 6 further pages or frames: {FIRST_ONLY}"
    dataset = scanned(source)
    assert len(dataset) == 4
    assert sentence in dataset.warnings
    assert "without 6 further pages or frames" in dataset.summary
    sentences, lost, converted = sentences_of(source, "disk+png", tmp_path / "png")
    assert (sentences, lost) == ([sentence], (sentence,))
    assert sentence in converted.warnings
    # A store of the files has all of them, and says so when it is read.
    sentences, lost, converted = sentences_of(source, "disk+original", tmp_path / "original")
    assert (sentences, lost) == ([], ())
    assert sentence in converted.warnings
    again = scanned(f'store:"{tmp_path / "original"}"')
    assert sentence in again.warnings
    assert "without 6 further pages or frames" in again.summary
    assert "further" not in scanned(f'store:"{tmp_path / "png"}"').summary


def test_what_the_first_pictures_do_not_show_is_counted_when_it_is_known(tmp_path: Path) -> None:
    one, two = several("TIFF", 1), several("TIFF", 2)
    as_tar(tmp_path / "a.tar", {f"{number:02}.tif": two if number in {2, 69} else one for number in range(70)})
    source = f'store:"{tmp_path / "a.tar"}"'
    assert "without 1 further page or frame in the first 64" in scanned(source).summary
    sentences, lost, _ = sentences_of(source, "disk+png", tmp_path / "png")
    assert [text.partition(" hold")[0] for text in sentences] == ["1 of the first 64 pictures", "2 pictures"]
    assert lost == tuple(sentences[-1:])
    *_, converted = sentences_of(source, "disk+original", tmp_path / "original")
    assert f"2 pictures hold 2 further pages or frames: {FIRST_ONLY}" in converted.warnings


@pytest.mark.parametrize("form", ["folder", "tar", "zip"])
def test_endings_of_such_files_are_those_of_pictures(form: str, tmp_path: Path) -> None:
    name, write = FORMATS[form]
    write(tmp_path / "data", {"a.mpo": several("MPO", 2), "b.apng": several("PNG", 3), "c.PNG": several("PNG", 1)})
    dataset = scanned(f'{name}:"{tmp_path / "data"}"')
    assert len(dataset) == 3
    assert dataset.warnings == (f"2 pictures hold 3 further pages or frames: {FIRST_ONLY}",)


def test_an_animated_gif_is_left_out_by_name(tmp_path: Path) -> None:
    as_folder(tmp_path / "data", {"a.gif": several("GIF", 3), "b.png": several("PNG", 1)})
    (excluded,) = scanned(f'folder:"{tmp_path / "data"}"').excluded
    assert excluded.name == "a.gif"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_other_forms_of_a_page_are_no_pages(order: str, big: bool) -> None:
    """A thumbnail, a level of a pyramid and a mask are marked as such; a circle of pages ends."""

    def page(at: int, form: int | None, after: int) -> bytes:
        tags = [(256, 4, 6)] if form is None else [(254, 4, form), (256, 4, 6)]
        pack = struct.pack
        if not big:
            entries = b"".join(pack(order + "HHII", tag, kind, 1, value) for tag, kind, value in tags)
            return pack(order + "H", len(tags)) + entries + pack(order + "I", after)
        entries = b"".join(pack(order + "HHQI4x", tag, kind, 1, value) for tag, kind, value in tags)
        return pack(order + "Q", len(tags)) + entries + pack(order + "Q", after)

    from imgstore_tui.images.further import further_pictures

    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(order + "HHHQ", 43, 8, 0, 64) if big else mark + struct.pack(order + "HI", 42, 64)
    data = bytearray(head.ljust(64, b"\0"))
    forms = [None, 1, 0, 4, None, 2]
    for number, form in enumerate(forms):
        after = 64 * (number + 2) if number < len(forms) - 1 else 64
        data += page(0, form, after).ljust(64, b"\0")
    assert further_pictures(None, "TIFF", io.BytesIO(bytes(data))) == 3  # 0, none and 2; the circle ends


@pytest.mark.parametrize("cut", [9, 30, 60])
def test_a_damaged_file_has_no_further_pictures_and_no_traceback(cut: int) -> None:
    for kind in ("TIFF", "WEBP", "PNG", "MPO"):
        assert further_in(several(kind, 3)[:-cut]) >= 0
        assert further_in(several(kind, 3)[:cut]) >= 0
    assert further_in(b"") == 0


def test_convert_prints_the_sentence_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from imgstore_tui.cli.convert import main

    as_folder(tmp_path / "data", {"a.tif": several("TIFF", 3)})
    assert main([f'folder:"{tmp_path / "data"}"', "npy", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err.count("1 picture holds 2 further pages or frames") == 1
