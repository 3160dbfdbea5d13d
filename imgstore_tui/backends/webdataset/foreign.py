"""Indexes tars of pictures, as WebDataset reads them and as ``tar -x`` unpacks them."""

from __future__ import annotations

import functools
import posixpath
from array import array
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from imgstore_tui.backends.webdataset.members import Member, TarMembers
from imgstore_tui.backends.webdataset.sample_labels import SampleLabels
from imgstore_tui.backends.webdataset.samples import kind_of, split_name, surplus_pictures
from imgstore_tui.core.dataset import Excluded
from imgstore_tui.core.foreign_layout import NOTHING_NAMED, ForeignLayout
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.images import decode
from imgstore_tui.storekit.class_folders import is_in_folder
from imgstore_tui.storekit.foreign_files import ByteRangeFile
from imgstore_tui.storekit.scan_progress import EVERY, report_scan

_LARGEST_FILE = 2**30
"""Larger pictures are left out, because files are read into memory whole."""
_MOST_LINKS = 8
"""Links that are followed from one to the next."""
_HEAD = 32
_BEHIND_END = "It lies behind the end mark of the archive, where tar and WebDataset do not read; tar -i -xf unpacks it."


class TarImages(ByteRangeFile):
    """A tar, which may be compressed: its picture members in order, with the labels of their samples.

    Hard and symbolic links to members of the archive are the pictures that they lead to; no link leads out of it.
    """

    ordinary = frozenset({"folders", ".cls"})

    def __init__(self, path: Path, layout: ForeignLayout = NOTHING_NAMED) -> None:
        """Index an archive.

        Args:
            path: The archive.
            layout: ``image`` is what follows the key in the names of pictures, such as ``seg.png``, or with a slash
                behind it their folder; ``label`` what follows it in the names of labels, such as ``txt``, or a name in
                ``.json`` members.
        """
        super().__init__(path)
        self._folder = layout.image.strip("/") if layout.image.endswith("/") else ""
        self._image = "" if self._folder else layout.image.removeprefix(".")
        self.beside = Counter()
        self.names: list[str] = []
        """Name of each picture, as the archive has it."""
        self._holes: dict[tuple[int, int], tuple[int, tuple[tuple[int, int], ...]]] = {}
        """Size and pieces of pictures with holes, by offset and length in the archive."""
        self._sample_labels = SampleLabels(path, layout.label)
        self._columns = _PictureColumns()
        try:
            self._index()
        except BaseException:
            self.close()
            raise

    def _index(self) -> None:
        members = TarMembers(self.file, self.path)
        links: dict[int, Member] = {}
        for number, member in enumerate(members):
            if not number % EVERY:
                report_scan("reading headers of members", number)
            if member.behind_end:
                if kind_of(member.name) in decode.SUFFIXES and member.kind != "folder":
                    self.excluded.append(Excluded(member.name, _BEHIND_END))
                else:
                    self.beside["behind the end mark"] += 1
            elif member.kind == "file":
                self._add(number, member)
            elif member.kind in {"link", "hard link"}:
                links[number] = member
            else:
                self.beside["folders" if member.kind == "folder" else "special files"] += 1
        if members.trailing:
            count = format_count(members.trailing)
            self.warnings.append(f"{self.path} has {count} bytes behind its end mark that are no archive.")
        for number, file in self._followed(links).items():
            self._add(number, file)
        self._take()

    def _add(self, number: int, member: Member) -> None:
        """Take a file for a picture, for a label, or for something else."""
        folder, _, leaf = member.name.rpartition("/")
        kind = kind_of(member.name)
        if leaf.startswith(".") or "__MACOSX" in folder.split("/"):
            self.beside["hidden files"] += 1
        elif kind in decode.SUFFIXES or (not kind and self._begins_like_a_picture(member)):
            if self._folder and not is_in_folder(member.name, self._folder):
                self.excluded.append(Excluded(member.name, f"It is not in the folder {safe_text(self._folder)}."))
            elif not member.size:
                self.excluded.append(Excluded(member.name, "The file is empty."))
            elif member.size > _LARGEST_FILE:
                reason = f"The file has {format_count(member.size)} bytes, more than 1 GiB."
                self.excluded.append(Excluded(member.name, reason))
            else:
                self._columns.add(number, member)
                if member.pieces is not None:
                    self._holes[member.start, member.stored] = member.size, member.pieces
        elif kind in decode.UNDECODED_SUFFIXES:
            self.excluded.append(Excluded(member.name, decode.undecoded_reason(kind)))
        else:
            key, rest = split_name(member.name)
            if member.pieces is None:
                read = functools.partial(self.file.read_at, member.start, member.stored)
                self._sample_labels.add(key, rest.lower(), member.size, read)
            self.beside[kind or "without an ending"] += 1

    def _begins_like_a_picture(self, member: Member) -> bool:
        head = self.file.read_at(member.start, min(_HEAD, member.stored))
        return decode.sniff(head.ljust(_HEAD, b"\0")) is not None

    def _followed(self, links: dict[int, Member]) -> dict[int, Member]:
        """Return the files that links lead to, each under the name of its link; the others are left out by name."""
        if not links:
            return {}
        by_path = {_path_of(link.name): link for link in links.values()}
        targets = {number: _target_of(link) for number, link in links.items()}
        at_path: dict[str, Member] = {}
        files: dict[int, Member] = {}
        target_paths = set(targets.values())
        for number, member in enumerate(TarMembers(self.file, self.path)):
            path = _path_of(member.name)
            if member.behind_end:
                break
            if member.kind == "hard link" and targets[number] in at_path:  # of the file that is there at this time
                files[number] = replace(at_path[targets[number] or ""], name=member.name)
                at_path[path] = files[number]
            elif member.kind == "file" and path in target_paths:
                at_path[path] = member
        for number, link in links.items():
            target = targets[number]
            for _ in range(_MOST_LINKS):
                if target is None or target in at_path or target not in by_path:
                    break
                target = _target_of(by_path[target])
            if target is not None and target in at_path:
                files.setdefault(number, replace(at_path[target], name=link.name))
            elif kind_of(link.name) in decode.SUFFIXES:
                reason = "It is a link that leads out of the archive." if target is None else (
                    "It is a link to nothing in the archive."
                )  # fmt: skip
                self.excluded.append(Excluded(link.name, reason))
            else:
                self.beside["links"] += 1
        return files

    def _take(self) -> None:
        """Choose among the pictures, in the order of the archive: the last of a name, one of a sample."""
        columns = self._columns
        order = np.argsort(np.frombuffer(columns.numbers, np.int64), kind="stable").tolist()
        names = [columns.names[position] for position in order]
        surplus = _former_of_a_name(names)
        rest = [position for position in range(len(names)) if position not in surplus] if surplus else range(len(names))
        again = surplus_pictures([names[position] for position in rest], self._image)
        surplus.update({rest[position]: reason for position, reason in again.items()})
        for position, index in enumerate(order):
            if position in surplus:
                self.excluded.append(Excluded(names[position], surplus[position]))
            else:
                self.ranges.append((columns.starts[index], columns.lengths[index]))
                self.names.append(names[position])
        self._columns = _PictureColumns()
        self.labels = self._sample_labels.column([split_name(name)[0] for name in self.names])
        self._sample_labels = SampleLabels(self.path)

    def payload(self, number: int) -> bytes:
        """Copy the bytes of a picture, with its holes filled by zeros."""
        data = super().payload(number)
        if not self._holes or (holes := self._holes.get(self.ranges[number])) is None:
            return data
        size, pieces = holes
        whole, at = bytearray(size), 0
        for offset, length in pieces:
            whole[offset : offset + length] = data[at : at + length]
            at += length
        return bytes(whole)


class _PictureColumns:
    """Columns of what is known of pictures: a tar may have millions."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.numbers, self.starts, self.lengths = array("q"), array("q"), array("q")

    def add(self, number: int, member: Member) -> None:
        self.names.append(member.name)
        self.numbers.append(number)
        self.starts.append(member.start)
        self.lengths.append(member.stored)


def _former_of_a_name(names: list[str]) -> dict[int, str]:
    """Return the pictures that another of the same name follows, each with the reason, by their positions."""
    hashes = np.frombuffer(array("q", (hash(_path_of(name)) for name in names)), np.int64)
    _, last = np.unique(hashes[::-1], return_index=True)
    if len(last) == len(names):
        return {}
    is_last = np.zeros(len(names), bool)
    is_last[len(names) - 1 - last] = True
    reason = "A later member has the same name, which tar -x unpacks in its place."
    return dict.fromkeys(np.flatnonzero(~is_last).tolist(), reason)


def _path_of(name: str) -> str:
    """Return the path at which a member is unpacked."""
    if name.startswith("./") or "//" in name or "/." in name:
        return posixpath.normpath(name)
    return name


def _target_of(link: Member) -> str | None:
    """Return the path in the archive that a link leads to; None if it leads out of it."""
    if link.kind == "hard link":
        return _path_of(link.link)
    if link.link.startswith("/"):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(_path_of(link.name)), link.link))
    return None if path.startswith("../") or path == ".." else path
