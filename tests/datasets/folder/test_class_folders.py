"""Classes by folders: empty ones keep their number, others without pictures are named, and none is no label."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.label_summary import label_summary
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import is_sentence


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


def test_empty_folders_of_file_systems_are_no_classes(tmp_path: Path) -> None:
    for name in ("cat", "fox", "$RECYCLE.BIN"):
        picture(tmp_path / name / "1.png")
    for name in ("System Volume Information", "lost+found", "@eaDir", "__MACOSX", ".Trash-1000"):
        (tmp_path / name).mkdir()
    assert scanned(tmp_path).label_names == ("$RECYCLE.BIN", "cat", "fox")


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


@pytest.mark.parametrize(
    ("pictures", "others", "message", "named"),
    [
        (["images/1.png", "masks/1.png"], [], "images and masks are parts of a data set, not classes", "images"),
        (["images/1.png", "labels/1.png"], [], "images and labels are parts of a data set, not classes", "images"),
        (
            ["train2017/1.png", "val2017/2.png"],
            ["annotations/instances_train2017.json"],
            "train2017 and val2017 are the names of splits, not of classes; what is in annotations is not read",
            "train2017",
        ),
        (["train2017/1.png"], ["annotations/a.json"], "train2017 is the name of a split, not of a class", "train2017"),
        (
            ["images/train/1.png", "images/val/2.png"],
            ["labels/train/1.txt", "labels/val/2.txt", "data.yaml"],
            "images is a part of a data set, not a class; what is in labels is not read",
            "images/train",
        ),
        (["train/images/1.png", "valid/images/2.png"], ["train/labels/1.txt"], "train and valid are", "train/images"),
        (["JPEGImages/1.png", "SegmentationClass/1.png"], ["Annotations/1.xml"], "parts of a data set", "JPEGImages"),
        (["leftImg8bit/train/x/1.png", "gtFine/train/x/1.png"], [], "parts of a data set", "leftImg8bit/train"),
        (["train/1.png", "trainannot/1.png", "test/2.png"], [], "are parts of a data set", "test"),
        (["train_images/1.png", "train_masks/1.png"], [], "train_images and train_masks are parts", "train_images"),
        (["Images/cat/1.png", "Images/dog/2.png"], [], "Images is a part of a data set, not a class", "Images"),
        (["images/1.png", "masks/1.png", "preview.png"], [], "images and masks are parts", "images"),
        (["images/1.png", "masks/1.png", "extra/1.png"], [], "extra, images and masks are parts", "images"),
    ],
)
def test_parts_of_a_data_set_are_no_classes(
    pictures: list[str], others: list[str], message: str, named: str, tmp_path: Path
) -> None:
    for name in pictures:
        picture(tmp_path / name)
    for name in others:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("0 0.5 0.5 1 1\n")
    dataset = scanned(tmp_path)
    assert not dataset.has_labels
    assert dataset.label_names == ()
    assert {dataset.label(index) for index in range(len(dataset))} == {NO_LABEL}
    assert len(dataset) == len(pictures)
    summary = label_summary(dataset)
    assert summary.startswith("labels: none (")
    assert dataset.summary.endswith(f", {summary}")
    assert message in summary
    assert summary.endswith(f"such as {named})")
    assert (tmp_path / named).is_dir()
    endings = {Path(name).suffix for name in others}
    assert all(f"{ending} (" in dataset.warnings[-1] for ending in endings)


@pytest.mark.parametrize("folders", [["mask", "no_mask"], ["train", "bus"], ["label", "logo"], ["photo", "sketch"]])
def test_classes_that_are_called_like_parts_of_a_data_set_stay_classes(folders: list[str], tmp_path: Path) -> None:
    for folder in folders:
        picture(tmp_path / folder / "1.png")
    assert scanned(tmp_path).label_names == tuple(sorted(folders))


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_parts_of_a_data_set_in_an_archive_are_no_classes(form: str, tmp_path: Path) -> None:
    for name in ("images/1.png", "masks/1.png", "images/2.png", "masks/2.png"):
        picture(tmp_path / "data" / name)
    shutil.make_archive(str(tmp_path / "data"), form, tmp_path / "data")
    dataset = registry.make_dataset(f'store:"{tmp_path / f"data.{form}"}"')
    dataset.scan()
    assert not dataset.has_labels
    assert "images and masks are parts of a data set, not classes" in label_summary(dataset)
    named = registry.make_dataset(f'store:"{tmp_path / f"data.{form}"}",image=images/')
    named.scan()
    names = [named.image_name(index).removeprefix("./") for index in range(len(named))]
    assert sorted(names) == ["images/1.png", "images/2.png"]
    assert sorted(entry.name.removeprefix("./") for entry in named.excluded) == ["masks/1.png", "masks/2.png"]
    assert {entry.reason for entry in named.excluded} == {"It is not in the folder images."}
    nothing = registry.make_dataset(f'store:"{tmp_path / f"data.{form}"}",image=other/')
    with pytest.raises(DataError, match=r"It is not in the folder other\.") as caught:
        nothing.scan()
    assert is_sentence(caught.value)


def test_a_split_among_archives_may_be_named(tmp_path: Path) -> None:
    for split, number in (("train", 2), ("test", 1)):
        for index in range(number):
            picture(tmp_path / "data" / split / f"{index}.png")
        shutil.make_archive(str(tmp_path / split), "zip", tmp_path / "data" / split)
    shutil.rmtree(tmp_path / "data")
    dataset = registry.make_dataset(f'store:"{tmp_path}",split=train')
    dataset.scan()
    assert len(dataset) == 2
