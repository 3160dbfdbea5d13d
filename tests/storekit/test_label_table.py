"""Labels from a CSV: what fits, and the one sentence for what does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.label_table import PictureLabels, read_labels
from imgstore_tui.testing.conformance_dataset import is_sentence

PICTURES = ["a/1.png", "a/2.png", "b/3.png"]


def read(tmp_path: Path, text: str | bytes, pictures: list[str] | None = None) -> PictureLabels:
    table = tmp_path / "labels.csv"
    table.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_labels(table, pictures or PICTURES)


@pytest.mark.parametrize(
    "text",
    [
        "name,label\na/1.png,cat\na/2.png,dog\nb/3.png,cat\n",
        "a/1.png,cat\na/2.png,dog\nb/3.png,cat\n",
        "1.png,cat\n2.png,dog\n3.png,cat",
        "label,name\ncat,1.png\ndog,2.png\ncat,3.png\n",
        "LABEL,foo\ncat,1.png\ndog,2.png\ncat,3.png\n",
        "filename;class\n./a/1.png;cat\n2.png;dog\n3.png;cat\n",
        "id\tpath\tsplit\tcategory\n7\ta/1.png\ttrain\tcat\n8\ta/2.png\ttest\tdog\n9\tb/3.png\ttrain\tcat\n",
        'name,label\r\n"a/1.png","cat"\r\n"a/2.png", dog \r\n\r\n"b/3.png",cat\r\n',
        "\ufeffname,label\n3.png,cat\n2.png,dog\n1.png,cat\n",
        "name,label\na\\1.png,cat\na\\2.png,dog\nb\\3.png,cat\n",
    ],
    ids=["head", "no head", "bare", "swapped", "one known", "semicolon", "tab", "quoted", "mark", "backslash"],
)
def test_text_labels_are_numbered_in_alphabetical_order(tmp_path: Path, text: str) -> None:
    labels = read(tmp_path, text)
    assert (labels.numbers.tolist(), labels.names) == ([0, 1, 0], ("cat", "dog"))


def test_names_match_in_any_unicode_form(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9.png", "cafe\u0301.png"
    for there, in_table in ((composed, decomposed), (decomposed, composed)):
        assert read(tmp_path, f"name,label\nx/{in_table},4\n", [f"x/{there}"]).numbers.tolist() == [4]


def test_ids_without_endings_match_where_only_one_picture_is_meant(tmp_path: Path) -> None:
    text = "id,label\n0001,3\nb/0002,4\nc.d,5\n"
    assert read(tmp_path, text, ["a/0001.jpg", "b/0002.png", "c.d"]).numbers.tolist() == [3, 4, 5]
    with pytest.raises(DataError, match="name a picture that is in several folders, for example '0001' in line 2"):
        read(tmp_path, text, ["a/0001.jpg", "a/0001.png", "b/0002.png", "c.d"])


def test_whole_numbers_are_kept_and_have_no_names(tmp_path: Path) -> None:
    labels = read(tmp_path, f"name,label\n1.png,-7\n2.png,{2**63 - 1}\n3.png,5\n")
    assert (labels.numbers.tolist(), labels.names) == ([-7, 2**63 - 1, 5], ())


def test_a_label_that_is_a_word_of_heads_does_not_make_a_head(tmp_path: Path) -> None:
    assert read(tmp_path, "1.png,y\n2.png,n\n3.png,class\n").names == ("class", "n", "y")


def test_odd_names_and_labels_are_taken_as_they_are(tmp_path: Path) -> None:
    labels = read(tmp_path, '"new\nline.png","[red]x\x1b"\n"a,b.png",=1+1\n', ["a,b.png", "new\nline.png"])
    assert labels.names == ("=1+1", "[red]x\x1b")
    assert labels.numbers.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.png,a\n2.png,b\n9.png,c\n8.png,d\n", "2 of 4 rows name no picture, for example '9.png' in line 3."),
        ("1.png,a\n3.png,b\n", "1 of 3 pictures have no row, for example 'a/2.png'; each picture needs one."),
        ("1.png,a\na/1.png,b\n2.png,c\n3.png,d\n", "1 of 4 rows name a picture a second time, for example 'a/1.png'"),
        ("1.png,a\n2.png,\n3.png,c\n", "1 of 3 rows have no label, for example '2.png' in line 2."),
        ("name,label\n", "there is no row in it."),
        ("", "there is no row in it."),
        ("1.png\n2.png\n", "it has one column; it needs two, name and label."),
        ("name,size,colour\n1.png,2,red\n", "no column is called label (name, size, colour)."),
        ("foo,size,label\n1.png,2,red\n", "no column is called name (foo, size, label)."),
        ("name,x,label\n1.png,1,a\n2.png\n", "line 3 has 1 of the 3 columns."),
        ('1.png,a\n"2.png,b\n3.png,c\n', "after line 1 it is no CSV (unexpected end of data)."),
        ('1.png,a\n"2.png"x,b\n3.png,c\n', "after line 1 it is no CSV"),
        ("1.png,a\n2.png,Käse\n3.png,c\n".encode("latin-1"), "it is not UTF-8 text (byte 0xe4). Save it as UTF-8."),
        ("name,label\n1.png,a\n".encode("utf-16"), "it is not UTF-8 text (byte 0xff)."),
        (f"1.png,1\n2.png,{2**63}\n3.png,3\n", "9223372036854775808 does not fit into 64 bits."),
        ("\x1b[31m.png,a\n1.png,b\n2.png,c\n3.png,d\n", "'<U+001B>[31m.png' in line 1."),
        ("1.png,a\n2.png," + "x" * 200_000 + "\n3.png,c\n", "field larger than field limit"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence_with_counts_and_an_example(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("The labels in 'labels.csv' do not fit: ")
    assert is_sentence(str(caught.value))


def test_a_bare_name_that_several_folders_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 of 2 rows name a picture that is in several folders, for example '1\.png'"):
        read(tmp_path, "1.png,a\nb/1.png,b\n", ["a/1.png", "b/1.png"])


@pytest.mark.parametrize("name", ["gone.csv", "."])
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="There is no file of labels") as caught:
        read_labels(tmp_path / name, PICTURES)
    assert is_sentence(str(caught.value))


def labelled(folder: Path, labels: list[object]) -> Dataset:
    folder.mkdir()
    rows = ["name,label"]
    for number, label in enumerate(labels):
        Image.new("L", (4, 4), number).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{label}")
    (folder / "labels.csv").write_text("\n".join(rows))
    dataset = registry.make_dataset(f"folder:{folder},labels={folder / 'labels.csv'}")
    dataset.scan()
    return dataset


def numbers_by_name(dataset: Dataset) -> list[int]:
    pairs = {dataset.image_name(index): dataset.label(index) for index in range(len(dataset))}
    return [pairs[name] for name in sorted(pairs)]


def test_minus_one_is_no_label_and_stays(tmp_path: Path) -> None:
    dataset = labelled(tmp_path / "words", ["dog", -1, "cat"])
    assert (numbers_by_name(dataset), dataset.label_names) == ([1, -1, 0], ("cat", "dog"))
    assert dataset.label_note == "1 of 3 images have the label -1, which stands for no label"
    assert numbers_by_name(labelled(tmp_path / "numbers", [4, -1, 2])) == [4, -1, 2]
    dataset = labelled(tmp_path / "none", [-1, -1])
    assert not dataset.has_labels
    assert dataset.label_note == "every label is -1, which stands for no label"
    assert labelled(tmp_path / "two classes", [-1, 1]).label_note == ""


def test_the_labels_of_stylegan_count_before_folders(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"0000{number}").mkdir()
        Image.new("L", (4, 4), number).save(tmp_path / f"0000{number}" / "a.png")
    pairs = [[f"0000{number}/a.png", 5 - number] for number in range(3)]
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": pairs}))
    dataset = registry.make_dataset(f'folder:"{tmp_path}"')
    dataset.scan()
    assert (numbers_by_name(dataset), dataset.label_names) == ([5, 4, 3], ())
    assert dataset.label_note == "labels are taken from dataset.json"
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": None}))
    dataset = registry.make_dataset(f'folder:"{tmp_path}"')
    dataset.scan()
    assert not dataset.has_labels
    assert dataset.label_note == "dataset.json says that there are none"
    assert dataset.label(0) == -1
