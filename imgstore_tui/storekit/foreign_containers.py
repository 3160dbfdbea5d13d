"""Reads files of arrays by name of other programs: arrays of pictures, or picture files in them, and labels beside."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.errors import ImgstoreError, StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.core.text import first_line, safe_text
from imgstore_tui.storekit.array_choice import Choice, choose
from imgstore_tui.storekit.array_container import ArrayContainer
from imgstore_tui.storekit.array_facts import ArrayFacts, listed
from imgstore_tui.storekit.foreign_arrays import ForeignArrayFile, ForeignArrays, ForeignRawPictures
from imgstore_tui.storekit.foreign_files import ForeignFile, ForeignReader
from imgstore_tui.storekit.label_column import LabelColumn, no_labels
from imgstore_tui.storekit.label_names import candidates, read_labels
from imgstore_tui.storekit.scan_progress import report_scan
from imgstore_tui.storekit.store_errors import damaged_error

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_CLASS_NAMES = ("list_classes", "class_names", "label_names", "classes_names", "classes")
_MOST_CLASSES = 100_000
_MOST_BARRED = 3
"""Arrays that may be labels and are not read, of which is said why."""
_PARTNER = re.compile(r"(?<![a-z])(x|y|images?|labels?|targets?|data|idx\d)(?![a-z])", re.IGNORECASE)


class _Indexed:
    """A file whose datasets have been chosen."""

    def __init__(self, opened: ArrayContainer, layout: ForeignLayout) -> None:
        self.opened = opened
        self.refusal: StoreError | None = None
        self.choice = Choice([])
        try:
            self.datasets = opened.arrays()
            try:
                self.choice = choose(opened, self.datasets, layout)
                self._check_sizes()
                self.labels = self._labels(layout)
            except StoreError as error:
                self.refusal = error
                labels = [facts for facts in self.datasets if candidates([facts.name]) and not facts.refusal]
                if not labels or len(labels) < len(self.datasets) or layout.image:
                    raise
                self.label_facts = labels[0]
        except (ImgstoreError, MemoryError):
            self.opened.close()
            raise
        except Exception as error:  # libraries raise nearly everything for a damaged file
            self.opened.close()
            raise damaged_error(opened.path, first_line(error), opened.format_name) from None
        self.opened.close()

    @property
    def count(self) -> int:
        """Number of pictures."""
        return sum(source.count for source in self.choice.sources)

    @property
    def warnings(self) -> list[str]:
        """What else could be meant in the file."""
        passed = list(self.choice.passed)
        source = self.choice.sources[0]
        notes = []
        if passed:
            notes.append(
                f"{self.opened.path}: the images are {safe_text(source.facts.path)}; of the rest, {listed(passed)[3:]}."
            )
        if source.axes is not None and source.axes.order not in ("NHWC", "NHW", "HWC"):
            notes.append(
                f"{self.opened.path}: {safe_text(source.facts.path)} of shape {source.facts.shape} is read in the "
                f"order {source.axes.order}."
            )
        notes += [
            f"{self.opened.path}, {safe_text(source.facts.path)}: {source.facts.note}."
            for source in self.choice.sources if source.facts.note
        ]  # fmt: skip
        return notes

    def _check_sizes(self) -> None:
        for source in self.choice.sources:
            sides = source.axes.image_shape if source.axes is not None else (1, 1)
            if sides[0] * sides[1] > self.opened.functions.most_pixels:
                raise StoreError(f"{self.opened.path} has images of {sides[0]} x {sides[1]} pixels, too many to take.")

    def _labels(self, layout: ForeignLayout) -> LabelColumn:
        sources, classes = self.choice.sources, self.choice.classes
        if classes and not layout.label:
            number = {name: index for index, name in enumerate(classes)}
            groups = {source.facts.group for source in sources}
            own = next((facts for facts in self.datasets if facts.group in groups and candidates([facts.name])), None)
            if own is not None:
                return no_labels(
                    f"each group has labels of its own, such as {safe_text(own.path)}; name one with image="
                )
            ids = [number[source.facts.group.rpartition("/")[2]] for source in sources]
            return LabelColumn(np.repeat(np.array(ids, np.int64), [source.count for source in sources]), classes)
        images = {source.facts.path for source in sources}
        group, image = sources[0].facts.group, sources[0].facts.name
        readable = [facts for facts in self.datasets if facts.path not in images and not facts.refusal]
        # By the names in the group of the images, which come before equal names elsewhere.
        others = {facts.name: facts for facts in readable if facts.group == group}
        for facts in readable:
            if facts.group != group:
                others.setdefault(facts.path, facts)
        opened = self.opened
        requested = layout.label.strip("/")
        if requested not in others:
            requested = next((name for name, facts in others.items() if facts.path == requested), requested)
        names = self._class_names(others)
        column = read_labels(
            {name: facts.kind for name, facts in others.items()},
            self.count,
            lambda name: opened.values(others[name].path),
            image=image,
            requested=requested,
            class_names=dict.fromkeys(others, names),
            what=opened.what,
        )
        barred = [facts for facts in self.datasets if facts.refusal and any(candidates([facts.name], image))]
        if column.numbers is None and barred:
            why = "; ".join(f"{safe_text(facts.path)} {facts.refusal}" for facts in barred[:_MOST_BARRED])
            return replace(column, reason=f"{column.reason}; {why}")
        return column

    def _class_names(self, others: dict[str, ArrayFacts]) -> tuple[str, ...]:
        """Return the names of classes that a dataset of text lists in the order of their numbers; empty if none."""
        for name in _CLASS_NAMES:
            facts = others.get(name)
            if facts is None or facts.dtype is None or facts.dtype.kind not in "SOU" or facts.variable:
                continue
            if facts.shape is not None and len(facts.shape) == 1 and facts.shape[0] <= _MOST_CLASSES:
                values = self.opened.values(facts.path)[()].tolist()
                if facts.shape[0] != self.count and all(isinstance(value, (bytes, str)) for value in values):
                    return tuple(v if isinstance(v, str) else v.decode("utf-8", "replace") for v in values)
        return ()


class _ArrayFile(ForeignArrayFile):
    """A file with one array of pictures, or several of one shape."""

    def __init__(self, indexed: _Indexed) -> None:
        self._opened, self._sources = indexed.opened, indexed.choice.sources
        self.labels, self.warnings = indexed.labels, indexed.warnings
        self._starts = np.cumsum([0, *(source.count for source in self._sources)])
        axes, cast = self._sources[0].axes, self._sources[0].cast
        self.shape = axes.image_shape if axes is not None else ()
        self.dtype = cast.dtype if cast is not None else ""

    @property
    def count(self) -> int:
        """Number of pictures."""
        return int(self._starts[-1])

    def read_into(self, start: int, out: Pixels) -> None:
        """Read consecutive pictures, by one call for each dataset."""
        at = 0
        while at < len(out):
            index = int(np.searchsorted(self._starts, start + at, side="right")) - 1
            source, first = self._sources[index], start + at - int(self._starts[index])
            stop = min(source.count, first + len(out) - at)
            if source.axes is None or source.cast is None:
                raise StoreError(f"{self._opened.path}: {safe_text(source.facts.path)} is no array.")
            try:
                part = self._opened.values(source.facts.path)[source.axes.selection(first, stop)]
                out[at : at + stop - first] = source.axes.upright(source.cast.pixels(part))
            except (ImgstoreError, MemoryError):
                raise
            except ValueError as error:
                if not source.cast.scale:
                    raise self._damaged(error) from None
                raise StoreError(f"{self._opened.path}: {first_line(error)}; name another scale=.") from None
            except Exception as error:
                self._opened.require_memory(source.facts.path)
                raise self._damaged(error) from None
            at += stop - first

    def _damaged(self, error: Exception) -> StoreError:
        return damaged_error(self._opened.path, first_line(error))

    def release(self) -> None:
        """Close the file until it is read again."""
        self._opened.close()

    def close(self) -> None:
        """Close the file."""
        self._opened.close()


class _PictureFile(ForeignFile):
    """A file with picture files in rows of a dataset or one in each dataset, or with arrays of different shapes."""

    def __init__(self, indexed: _Indexed) -> None:
        self._opened, self._sources = indexed.opened, indexed.choice.sources
        self.labels, self.warnings = indexed.labels, indexed.warnings
        self._starts = np.cumsum([0, *(source.count for source in self._sources)])
        if all(source.whole for source in self._sources):
            self.names = [source.facts.path for source in self._sources]

    @property
    def count(self) -> int:
        """Number of pictures."""
        return int(self._starts[-1])

    def payload(self, number: int) -> bytes:
        """Return the bytes of a picture file, or the pixels of an array behind a header."""
        index = int(np.searchsorted(self._starts, number, side="right")) - 1
        source = self._sources[index]
        try:
            if source.axes is not None and source.cast is not None:
                values = self._opened.values(source.facts.path)[()]
                return self._opened.functions.pack(source.axes.upright(source.cast.pixels(values))[0])
            return self._opened.value_bytes(source.facts, None if source.whole else number - int(self._starts[index]))
        except (ImgstoreError, MemoryError):
            raise
        except Exception as error:
            raise damaged_error(self._opened.path, first_line(error)) from None

    def release(self) -> None:
        """Close the file until it is read again."""
        self._opened.close()

    def close(self) -> None:
        """Close the file."""
        self._opened.close()


def open_containers(
    location: Path, paths: Sequence[Path], layout: ForeignLayout, container: Callable[[Path], ArrayContainer]
) -> Reader:
    """Open files as one store.

    Args:
        location: What the user names, for messages.
        paths: The files, in the order in which their pictures are numbered.
        layout: What the user names in them.
        container: Returns a file that is not open yet.

    Raises:
        StoreError: If a file is damaged, or it is not plain to see which arrays hold pictures.
    """
    indexed: list[_Indexed] = []
    for number, path in enumerate(paths):
        if len(paths) > 1:
            report_scan("reading files", number, len(paths))
        indexed.append(_Indexed(container(path), layout))
    files = [entry for entry in indexed if entry.refusal is None]
    only_labels = [entry for entry in indexed if entry.refusal is not None]
    if not files:
        raise only_labels[0].refusal or StoreError(f"{location} holds no images.")
    _join_partners(files, only_labels)
    if len(files) == 1 and len(paths) == 1:
        _hint_at_partner(files[0])
    names = [entry.opened.path.name for entry in files]
    sources = [source for entry in files for source in entry.choice.sources]
    arrays = [source.axes for source in sources if source.axes is not None]
    if not arrays:
        return ForeignReader(location, [_PictureFile(entry) for entry in files], names)
    if len(arrays) < len(sources):
        raise StoreError(f"{location} holds arrays and picture files; name one of them, or one group, with image=.")
    if len({axes.image_shape for axes in arrays}) > 1 and all(source.whole for source in sources):
        return ForeignRawPictures(location, [_PictureFile(entry) for entry in files], names)
    return ForeignArrays(location, [_ArrayFile(entry) for entry in files], names)


def _key(path: Path) -> str:
    return _PARTNER.sub("*", path.name)


def _join_partners(files: list[_Indexed], only_labels: list[_Indexed]) -> None:
    """Give files of images the labels of files that hold nothing else, by their names (x and y), or if they are two.

    Raises:
        StoreError: If a file of labels belongs to no file of images.
    """
    for entry in only_labels:
        path = entry.opened.path
        alike = [file for file in files if _key(file.opened.path) == _key(path)] or (
            files if len(files) == len(only_labels) == 1 else []
        )
        facts = entry.label_facts
        if len(alike) != 1:
            raise StoreError(
                f"{path} holds no images, and belongs to no file of images by its name; "
                f"{listed(entry.datasets, entry.opened.what)}. Move it elsewhere, or name a file."
            )
        (file,) = alike
        if file.labels.numbers is None:
            column = read_labels(
                {facts.path: facts.kind},
                file.count,
                entry.opened.values,
                requested=facts.path,
                what=entry.opened.what,
            )
            entry.opened.close()
            note = f"labels are taken from {safe_text(facts.path)} in {safe_text(path.name)}"
            file.labels = replace(column, note=note) if column.numbers is not None else column


def _hint_at_partner(file: _Indexed) -> None:
    """Say which file beside a file without labels may hold them."""
    path = file.opened.path
    if file.labels.numbers is not None:
        return
    beside = sorted(
        other for other in path.parent.iterdir()
        if other != path and other.suffix == path.suffix and _key(other) == _key(path)
    )  # fmt: skip
    if len(beside) == 1:
        hint = f"{safe_text(beside[0].name)} beside it may hold them: read the folder, with split= if it has several"
        file.labels = replace(file.labels, reason=f"{file.labels.reason}; {hint}")
