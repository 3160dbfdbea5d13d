"""Layouts of picture files: tar and WebDataset, zip, and folders with a table of labels."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from tests.benchmarks.foreign_layouts.layout import (
    WORDS,
    Contents,
    Layout,
    Settings,
    labels_for,
    numbered,
    picture_files,
)

_FORMS = {"pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT, "ustar": tarfile.USTAR_FORMAT}
_PICTURES: dict[str, tuple[Any, ...]] = {
    "count": (6, 1, 3, 12),
    "kind": ("PNG", "JPEG", "WEBP"),
    "ending": ("usual", "upper case"),
}


def _endings(settings: Settings) -> str:
    ending = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}[settings["kind"]]
    return ending.upper() if settings["ending"] == "upper case" else ending


def _sample(settings: Settings, number: int, label: int) -> list[tuple[str, bytes]]:
    """Return the members of a sample, the picture first."""
    key = {
        "plain": f"{number:06}", "folder": f"shard/{number:06}", "dot slash": f"./{number:06}",
        "long": f"{'x' * 90}/{'y' * 60}{number:06}", "umlaut": f"b\u00e4r{number:03}",
    }[settings["keys"]]  # fmt: skip
    data = picture_files(settings["count"], settings["kind"])[number]
    members = [(f"{key}.{_endings(settings)}", data)]
    labels = settings["labels"]
    if labels in {"cls", "class"}:
        members.append((f"{key}.{labels}", b"%d" % label))
    elif labels == "cls with a newline":
        members.append((f"{key}.cls", b"%d\n" % label))
    elif labels == "json":
        members.append((f"{key}.json", json.dumps({"label": label, "caption": "x"}).encode()))
    elif labels == "json words":
        members.append((f"{key}.json", json.dumps({"category": WORDS[label]}).encode()))
    elif labels == "txt":
        members.append((f"{key}.txt", b"a caption"))
    if settings["beside"] == "a second picture":
        members.append((f"{key}.seg.png", data))
    elif settings["beside"] == "other members":
        members += [(f"{key}.npy", b"\x93NUMPY"), (f"{key}.bbox.txt", b"1 2 3")]
    return members


def _write_tar(path: Path, settings: Settings) -> None:
    samples = [_sample(settings, number, label) for number, label in enumerate(labels_for(settings["count"]))]
    members = [member for sample in samples for member in sample]
    if settings["order"] == "label first":
        members = [member for sample in samples for member in reversed(sample)]
    mode: Any = {"none": "w", "gzip": "w:gz", "bzip2": "w:bz2"}[settings["compression"]]
    with tarfile.open(path, mode, format=_FORMS[settings["format"]]) as tar:
        if settings["folders"] and "/" in members[0][0].removeprefix("./"):
            entry = tarfile.TarInfo(members[0][0].rpartition("/")[0])
            entry.type = tarfile.DIRTYPE
            tar.addfile(entry)
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mtime = 0 if settings["format"] == "ustar" else settings["mtime"]
            tar.addfile(entry, io.BytesIO(data))


def _read_tar(path: Path, settings: Settings) -> Contents:
    """Return the samples that the package webdataset groups, each with the picture that is plainly meant."""
    import webdataset

    images, labels = [], []
    dataset = webdataset.WebDataset(
        str(path), shardshuffle=False, empty_check=False, nodesplitter=webdataset.single_node_only
    )
    for sample in dataset:
        images.append(sample[_endings(settings).lower()])
        facts = json.loads(sample["json"]) if "json" in sample else {}
        number = sample.get("cls", sample.get("class"))
        labels.append(int(number) if number is not None else facts.get("label", facts.get("category")))
    return Contents(images, None if None in labels else numbered(labels))


def _names(settings: Settings) -> list[str]:
    ending, labels = _endings(settings), labels_for(settings["count"])
    return [
        {
            "classes": f"{WORDS[label]}/{number}.{ending}", "deep": f"top/train/{WORDS[label]}/x/{number}.{ending}",
            "flat": f"{number}.{ending}", "dots": f"{WORDS[label]}/v1.{number}.{ending}",
            "blank and umlaut": f"{WORDS[label]}/b\u00e4r {number}.{ending}",
        }[settings["names"]]
        for number, label in enumerate(labels)
    ]  # fmt: skip


def _write_zip(path: Path, settings: Settings) -> None:
    method = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}[settings["compression"]]
    names = _names(settings)
    files = picture_files(settings["count"], settings["kind"])
    entries = list(zip(names, files, strict=True))
    if settings["order"] == "backwards":
        entries.reverse()
    with zipfile.ZipFile(path, "w", method) as archive:
        if settings["folders"]:
            for folder in sorted({f"{name.rpartition('/')[0]}/" for name in names if "/" in name}):
                archive.writestr(folder, b"")
        for name, data in entries:
            with archive.open(name, "w", force_zip64=settings["zip64"]) as entry:
                entry.write(data)
        if settings["beside"] == "text":
            archive.writestr("README.txt", b"made by a program")
        elif settings["beside"] == "macos":
            archive.writestr("__MACOSX/._1.png", b"x")
        archive.comment = settings["comment"]


def _read_zip(path: Path, settings: Settings) -> Contents:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name in set(_names(settings))]
        images = [archive.read(name) for name in names]
    return Contents(images, _classes(names))


def _classes(names: list[str]) -> list[int] | None:
    """Return the number of the first folder that tells pictures apart; None if there is none."""
    for depth in range(4):
        folders = [name.split("/")[:-1][depth : depth + 1] for name in names]
        if not all(folders):
            return None
        if len({folder[0] for folder in folders}) > 1:
            return numbered([folder[0] for folder in folders])
    return None


def _write_folder(path: Path, settings: Settings) -> None:
    labels, names = labels_for(settings["count"]), _names(settings)
    for name, data in zip(names, picture_files(settings["count"], settings["kind"]), strict=True):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    forms = {
        "path": names, "file name": [name.rpartition("/")[2] for name in names],
        "without ending": [name.rpartition(".")[0] for name in names],
        "backslashes": [name.replace("/", "\\") for name in names],
        "dot slash": [f"./{name}" for name in names],
    }[settings["written as"]]  # fmt: skip
    forms_of_labels: dict[str, list[Any]] = {
        "words": [WORDS[label] for label in labels], "numbers": labels, "floats": [float(label) for label in labels],
        "minus one": [-1, *labels[1:]], "words with commas": [f"{WORDS[label]}, wild" for label in labels],
    }  # fmt: skip
    values = forms_of_labels[settings["label"]]
    head = {"name, label": ("name", "label"), "filename, class": ("filename", "class"), "none": ()}[settings["head"]]
    buffer = io.StringIO()
    writer = csv.writer(
        buffer, delimiter=settings["separator"], lineterminator=settings["line end"], quoting=settings["quoting"]
    )
    if head:
        writer.writerow(head)
    rows = list(zip(forms, values, strict=True))
    writer.writerows(reversed(rows) if settings["order"] == "backwards" else rows)
    (path / "labels.csv").write_bytes(buffer.getvalue().encode("utf-8-sig" if settings["mark"] else "utf-8"))


def _read_folder(path: Path, settings: Settings) -> Contents:
    """Return files in the order of their names, with the labels that the module csv reads."""
    text = (path / "labels.csv").read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=settings["separator"]))[settings["head"] != "none" :]
    if settings["order"] == "backwards":
        rows.reverse()
    values: list[Any] = [row[1] for row in rows]
    if settings["label"] == "floats":
        values = [float(value) for value in values]
    names = _names(settings)
    by_name = dict(zip(names, numbered(values), strict=True))
    return Contents([(path / name).read_bytes() for name in sorted(names)], [by_name[name] for name in sorted(names)])


LAYOUTS = (
    Layout(
        "a.tar",
        _PICTURES
        | {
            "keys": ("plain", "folder", "dot slash", "long", "umlaut"),
            "labels": ("cls", "class", "cls with a newline", "json", "json words", "txt", "none"),
            "beside": ("none", "a second picture", "other members"),
            "order": ("picture first", "label first"),
            "format": ("pax", "gnu", "ustar"),
            "compression": ("none", "gzip", "bzip2"),
            "folders": (False, True),
            "mtime": (0, 1.5, 2**33),
        },
        _write_tar,
        _read_tar,
        requires="webdataset",
    ),
    Layout(
        "a.zip",
        _PICTURES
        | {
            "names": ("classes", "deep", "flat", "dots", "blank and umlaut"),
            "compression": ("deflated", "stored"),
            "order": ("as written", "backwards"),
            "folders": (False, True),
            "zip64": (False, True),
            "comment": (b"", b"made by a program"),
            "beside": ("none", "text", "macos"),
        },
        _write_zip,
        _read_zip,
    ),
    Layout(
        "folder",
        _PICTURES
        | {
            "names": ("classes", "deep", "flat", "dots", "blank and umlaut"),
            "written as": ("path", "file name", "without ending", "backslashes", "dot slash"),
            "label": ("words", "numbers", "floats", "minus one", "words with commas"),
            "head": ("name, label", "filename, class", "none"),
            "separator": (",", ";", "\t"),
            "line end": ("\n", "\r\n"),
            "quoting": (csv.QUOTE_MINIMAL, csv.QUOTE_ALL),
            "order": ("as written", "backwards"),
            "mark": (False, True),
        },
        _write_folder,
        _read_folder,
        folder_dataset=True,
    ),
)
"""All layouts of picture files."""
