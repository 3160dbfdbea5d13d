"""Tars with several pictures or several labels a sample: what the user names is read, the rest is counted and named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgstore_tui.core.errors import StoreError, UsageError
from imgstore_tui.testing.store_material import is_sentence
from tests.support.foreign_files import FILES, files, opened, refusal, write_tar


def samples(path: Path) -> Path:
    """Write three samples, each of two pictures, a mask and labels of several kinds; the third has no ``b.png``."""
    members = []
    for number, data in enumerate(FILES):
        facts = json.dumps({"label": 9, "age": 30 + number, "who": "xyx"[number]}).encode()
        members += [
            (f"{number}.a.png", data),
            (f"{number}.cls", b"%d" % number),
            (f"{number}.txt", b"dog" if number else b"cat"),
            (f"{number}.json", facts),
        ]
        members += [(f"{number}.b.png", FILES[2 - number])] if number < 2 else []
    return write_tar(path, members)


@pytest.mark.parametrize(("image", "expected"), [("", FILES), ("a.png", FILES), (".b.png", [FILES[2], FILES[1]])])
def test_the_picture_that_the_user_names_is_read(image: str, expected: list[bytes], tmp_path: Path) -> None:
    path = samples(tmp_path / "a.tar")
    reader = opened(path, backend="webdataset", image=image)
    assert reader.read_labels().tolist() == list(range(len(expected)))
    assert len(reader.excluded) == 5 - len(expected)
    assert all(is_sentence(entry.reason) for entry in reader.excluded)
    assert files(reader) == expected


@pytest.mark.parametrize(
    ("label", "numbers", "names"),
    [
        ("", [0, 1, 2], ()),
        ("cls", [0, 1, 2], ()),
        (".txt", [0, 1, 1], ("cat", "dog")),
        ("label", [9, 9, 9], ()),
        ("age", [30, 31, 32], ()),
        ("who", [0, 1, 0], ("x", "y")),
    ],
)
def test_the_label_that_the_user_names_is_read(
    label: str, numbers: list[int], names: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(samples(tmp_path / "a.tar"), backend="webdataset", label=label) as reader:
        assert reader.read_labels().tolist() == numbers
        assert reader.content.label_names == names


def test_what_is_not_there_is_said_with_what_is(tmp_path: Path) -> None:
    path = samples(tmp_path / "a.tar")
    with opened(path, backend="webdataset", label="sex") as reader:
        assert not reader.content.has_labels
        assert reader.label_note == (
            "no member .sex, and no such name in .json; there are .cls, .txt, .json members beside"
        )
    text = refusal(path, backend="webdataset", image="seg.png")
    assert "'0.a.png' is left out: It is not called seg.png behind its key, and no other of its sample is." in text
    for layout in ({"axes": "NHWC"}, {"scale": 255}):
        with pytest.raises((StoreError, UsageError), match="leave out the options"):
            opened(path, backend="webdataset", **layout)


@pytest.mark.parametrize("kind", ["cls", "json", "txt"])
def test_numbered_pictures_of_a_sample_are_all_taken_with_its_label(kind: str, tmp_path: Path) -> None:
    """WebDataset gives one sample a with the parts 0.png, 1.png and the label; here each picture is an image."""
    label = {"cls": b"%d", "json": b'{"label": %d}', "txt": b"%d"}[kind]
    members = [("a.0.png", FILES[0]), ("a.1.png", FILES[1]), (f"a.{kind}", label % 5)]
    members += [("d/b.0.png", FILES[2]), ("d/b.1.png", FILES[0]), (f"d/b.{kind}", label % 7)]
    path = write_tar(tmp_path / "a.tar", members)
    options = {"label": "txt"} if kind == "txt" else {}
    reader = opened(path, backend="webdataset", **options)
    assert reader.read_labels().tolist() == [5, 5, 7, 7]
    assert not reader.excluded
    assert files(reader) == [FILES[0], FILES[1], FILES[2], FILES[0]]
    second = opened(path, backend="webdataset", image="1.png", **options)
    assert second.read_labels().tolist() == [5, 7]
    assert [entry.name for entry in second.excluded] == ["a.0.png", "d/b.0.png"]
    assert files(second) == [FILES[1], FILES[0]]
