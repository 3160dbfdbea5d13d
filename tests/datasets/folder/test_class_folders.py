"""Classes by folders: empty ones keep their number, others without pictures are named, and none is no label."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.label_summary import label_summary
from imgstore_tui.plugins import registry


def scanned(path: Path, options: str = "") -> Dataset:
    dataset = registry.make_dataset(f'folder:"{path}"{options}')
    dataset.scan()
    return dataset


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (len(path.name), 2, 3)).save(path)


def test_an_empty_class_folder_keeps_its_number(tmp_path: Path) -> None:
    for name in ("cat", "fox"):
        picture(tmp_path / name / "1.png")
    (tmp_path / "dog" / "deeper").mkdir(parents=True)
    (tmp_path / "dog" / ".DS_Store").touch()
    dataset = scanned(tmp_path)
    assert dataset.label_names == ("cat", "dog", "fox")
    assert {dataset.label_names[dataset.label(index)] for index in range(2)} == {"cat", "fox"}
    assert sorted(dataset.label(index) for index in range(2)) == [0, 2]


def test_a_folder_of_other_files_is_no_class_and_named(tmp_path: Path) -> None:
    picture(tmp_path / "cat" / "1.png")
    picture(tmp_path / "fox" / "1.png")
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "1.xml").write_text("<a/>")
    dataset = scanned(tmp_path)
    assert label_summary(dataset) == ("labels: 0 cat, 1 fox (without pictures, and so without a number: annotations)")


def test_folders_that_are_splits_are_said(tmp_path: Path) -> None:
    picture(tmp_path / "train" / "cat" / "1.png")
    picture(tmp_path / "val" / "cat" / "1.png")
    dataset = scanned(tmp_path)
    assert "train and val are the names of splits" in label_summary(dataset)
    assert "splits" not in label_summary(scanned(tmp_path / "train"))


def test_without_class_folders_there_are_no_labels(tmp_path: Path) -> None:
    picture(tmp_path / "1.png")
    (tmp_path / "empty").mkdir()
    dataset = scanned(tmp_path)
    assert not dataset.has_labels
    assert dataset.label(0) == NO_LABEL
    assert label_summary(dataset) == "labels: none (no class folders, and no CSV named by the option labels)"


def test_whole_numbers_written_as_floats_are_numbers(tmp_path: Path) -> None:
    for number in ("10.0", "9.0", "2."):
        picture(tmp_path / f"{number}.png")
    (tmp_path / "labels.csv").write_text("name,label\n10.0.png,10.0\n9.0.png,9.0\n2..png,2.\n")
    dataset = scanned(tmp_path, ",labels=labels.csv")
    assert dataset.has_labels
    assert sorted(dataset.label(index) for index in range(3)) == [2, 9, 10]
