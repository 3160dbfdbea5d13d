"""Links that a user asks to follow, pictures that are known by their content, and what else lies in a tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import is_sentence


def make(path: Path, value: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (value, 4, 5)).save(path, "PNG")
    return path


def scanned(path: Path, options: str = "") -> Dataset:
    dataset = registry.make_dataset(f'folder:"{path}"{options}')
    dataset.scan()
    return dataset


def test_links_to_class_folders_are_followed_by_an_option(tmp_path: Path) -> None:
    for number, name in enumerate(("cat", "dog")):
        make(tmp_path / "real" / name / "1.png", number)
        (tmp_path / "farm").mkdir(exist_ok=True)
        (tmp_path / "farm" / name).symlink_to(tmp_path / "real" / name)
    with pytest.raises(DataError, match="holds no pictures but 2 links to folders") as caught:
        scanned(tmp_path / "farm")
    assert is_sentence(str(caught.value), tmp_path / "farm")
    dataset = scanned(tmp_path / "farm", ",links=follow")
    assert dataset.label_names == ("cat", "dog")
    values = {dataset.label(index): int(dataset.image(index)[0, 0, 0]) for index in range(len(dataset))}
    assert values == {0: 0, 1: 1}


def test_the_cache_of_hugging_face_is_read_by_an_option(tmp_path: Path) -> None:
    make(tmp_path / "blobs" / "aa")
    (tmp_path / "snapshots" / "x" / "cat").mkdir(parents=True)
    (tmp_path / "snapshots" / "x" / "cat" / "1.png").symlink_to("../../../blobs/aa")
    with pytest.raises(DataError, match="leaves the folder, which is not followed; with links=follow it is"):
        scanned(tmp_path / "snapshots" / "x")
    dataset = scanned(tmp_path / "snapshots" / "x", ",links=follow")
    assert (len(dataset), dataset.excluded) == (1, ())
    assert dataset.original(0) == (tmp_path / "blobs" / "aa").read_bytes()


def test_every_folder_is_walked_once_however_many_links_lead_to_it(tmp_path: Path) -> None:
    make(tmp_path / "tree" / "a" / "1.png")
    make(tmp_path / "out" / "2.png")
    for name, target in (("up", "."), ("again", "a"), ("y", tmp_path / "out"), ("x", tmp_path / "out")):
        (tmp_path / "tree" / name).symlink_to(target)
    (tmp_path / "out" / "back").symlink_to(tmp_path / "tree")
    dataset = scanned(tmp_path / "tree", ",links=follow")
    assert sorted(dataset.file(index).name for index in range(len(dataset))) == ["1.png", "2.png"]
    assert [entry.name for entry in dataset.excluded] == ["again", "up", "x/back", "y"]
    assert all(is_sentence(entry.reason) for entry in dataset.excluded)


def test_pictures_without_a_decoder_are_left_out_by_name(tmp_path: Path) -> None:
    make(tmp_path / "a.png")
    names = ["b.gif", "c.JP2", "d.tga", "e.NEF", "f.dng"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    dataset = scanned(tmp_path)
    assert [entry.name for entry in dataset.excluded] == names
    reason = "Pictures of the kind .jp2 are not decoded here. With decode=no it takes part as it is."
    assert dataset.excluded[1].reason == reason
    assert len(scanned(tmp_path, ",decode=no")) == 6


def test_a_pointer_of_git_lfs_in_place_of_a_picture_is_named(tmp_path: Path) -> None:
    make(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:6fd5\nsize 90405214\n")
    (entry,) = scanned(tmp_path).excluded
    assert entry.name == "b.png"
    assert entry.reason == "It is a pointer of git-lfs, not the picture; get that first: git lfs pull."


def test_files_without_an_ending_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    make(tmp_path / "cat" / "n01440764_10026")
    (tmp_path / "cat" / "LICENSE").write_text("text")
    (tmp_path / "cat" / "notes.txt").write_text("text")
    (tmp_path / "cat" / "Thumbs.db").write_text("x")
    dataset = scanned(tmp_path)
    assert len(dataset) == 1
    assert dataset.warnings == ("In the folder, 2 other files are not pictures: without an ending (1), .txt (1).",)
    assert is_sentence(dataset.warnings[0])
