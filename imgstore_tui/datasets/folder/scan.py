"""Finds and reads the picture files of a tree without changing it, leaving it, or blocking on a pipe."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.core.dataset import BrokenImageError, Excluded, ScanProgress
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count

if TYPE_CHECKING:
    from imgstore_tui.storekit.label_column import LabelColumn

LARGEST_FILE = 1 << 30
"""Larger files are excluded, because files are read into memory whole."""
PROGRESS_EVERY = 256
"""Files between two reports of progress."""
LINKED_FOLDER = "It is a link to a folder, which is not followed; with links=follow it is."
LINK_OUT = "It is a link that leaves the folder, which is not followed; with links=follow it is."
_HEAD = 32
# Folders of thumbnails that a NAS keeps, and of metadata that macOS puts into archives.
_SYSTEM_FOLDERS = frozenset({"@eaDir", "__MACOSX"})


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Facts of a picture file from its header and the file system."""

    size: int
    """Length of the file in bytes."""
    modified_ns: int
    shape: tuple[int, ...]
    """Shape of the picture; empty if the header was not read."""
    dtype: str
    turned: bool = False
    """Whether EXIF says that the picture is to be turned to be shown."""
    further: int = 0
    """Number of pictures in the file behind the first: pages, frames."""


def check_root(root: Path) -> None:
    """Raise DataError, with what to do, unless ``root`` is a folder that may be read."""
    where = f"'{safe_text(str(root))}'"
    try:
        if not stat.S_ISDIR(root.stat().st_mode):
            raise DataError(f"{where} is a file, not a folder. Name the folder that it lies in.")
        with os.scandir(root) as entries:
            next(entries, None)
    except FileNotFoundError:
        raise DataError(f"There is no folder {where}. Check the path.") from None
    except PermissionError:
        raise DataError(f"The folder {where} may not be read. Ask its owner for the permission to.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"The folder {where} cannot be read: {_reason(error)}. Check the path.") from None


@dataclass
class TreeRules:
    """What is taken in a tree, and what is counted on the way."""

    suffixes: frozenset[str]
    """Suffixes of pictures, lower case, with the dot."""
    left_out: frozenset[str] = frozenset()
    """Suffixes of pictures that are left out by name."""
    follow: bool = False
    """Whether links to folders, and links that leave the tree, are followed."""
    others: Counter[str] = field(default_factory=Counter)
    """Other files by suffix, counted by the walk; the suffix is empty where a name has none."""
    places: dict[str, str] = field(default_factory=dict)
    """A folder below the root, with a slash behind it, in which there are files of a suffix."""


def list_files(root: Path, rules: TreeRules, report: ScanProgress) -> Iterator[str | Excluded]:
    """Walk the tree and yield files that may be pictures, in no order.

    Hidden files and folders, and those that a NAS or macOS adds, are skipped. A file whose name has no suffix is a
    picture if it begins like one.

    Args:
        root: Folder to walk.
        rules: What is taken.
        report: Called now and then with the number of files found.

    Yields:
        The path of a file relative to ``root``, or an excluded entry with the reason.
    """
    waiting = [""]
    links: list[str] = []
    walked = {_identity(root)} if rules.follow else set()
    count = passed = 0
    while waiting or links:
        if not waiting:  # links come last and by name, so that the same tree always gives the same pictures
            links.sort(reverse=True)
            name = links.pop()
            if _is_new(root / name, walked):
                waiting.append(f"{name}/")
            else:
                yield Excluded(name, "It is a link to a folder that is walked already.")
            continue
        folder = waiting.pop()
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    passed += 1
                    if not passed % PROGRESS_EVERY:
                        report("looking for pictures", count, None)
                    if entry.name.startswith(".") or entry.name in _SYSTEM_FOLDERS:
                        continue
                    name = f"{folder}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        if not rules.follow or _is_new(entry.path, walked):
                            waiting.append(f"{name}/")
                    elif entry.is_symlink() and _is_folder(entry):
                        if rules.follow:
                            links.append(name)
                        else:
                            yield Excluded(name, LINKED_FOLDER)
                    else:
                        judgement = _judge(entry, rules, folder)
                        if judgement is True:
                            count += 1
                            yield name
                        elif judgement:
                            yield Excluded(name, judgement)
        except OSError as error:
            yield Excluded(folder.rstrip("/") or ".", f"The folder cannot be read: {_reason(error)}.")


def _judge(entry: os.DirEntry[str], rules: TreeRules, folder: str) -> bool | str:
    """Return whether a file is taken, or why it is left out; count it if it is something else."""
    from imgstore_tui.images.decode import undecoded_reason

    suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - ten times Path's speed
    if suffix in rules.suffixes or (not suffix and _begins_like_a_picture(entry.path)):
        return True
    if suffix in rules.left_out:
        return f"{undecoded_reason(suffix)} With decode=no it takes part as it is."
    rules.others[suffix] += 1
    rules.places[suffix] = min(folder, rules.places.get(suffix, folder))
    return False


def _begins_like_a_picture(path: str) -> bool:
    from imgstore_tui.images.decode import sniff

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        try:
            return (
                stat.S_ISREG(os.fstat(descriptor).st_mode) and sniff(file.read(_HEAD).ljust(_HEAD, b"\0")) is not None
            )
        except OSError:
            return False


def _identity(path: str | Path) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116 - of an entry's path, which is text
    return status.st_dev, status.st_ino


def _is_new(path: str | Path, walked: set[tuple[int, int]]) -> bool:
    """Whether a folder was not walked before, under any name; it is counted as walked."""
    identity = _identity(path)
    new = identity not in walked
    walked.add(identity)
    return new


def read_header(root: Path, name: str, *, follow: bool = False) -> FileFacts:
    """Return the facts of a picture file, with shape and dtype from its header.

    Raises:
        BrokenImageError: If it is not an accepted picture, not a regular file, or a link that leaves ``root``.
    """
    from imgstore_tui.images.decode import NoDecoderError, probe_whole

    facts = file_facts(root, name, follow=follow)
    try:
        shape, dtype, turned, further = probe_whole(root / name)
    except NoDecoderError as error:
        raise BrokenImageError(name, f"{error} With decode=no it takes part as it is.") from None
    except DataError as error:
        raise BrokenImageError(name, str(error)) from None
    return replace(facts, shape=shape, dtype=dtype, turned=turned, further=further)


def file_facts(root: Path, name: str, *, follow: bool = False) -> FileFacts:
    """Return the facts of a file without reading it.

    Raises:
        BrokenImageError: If it is not a regular file, empty, too large, or a link that leaves ``root``.
    """
    path = root / name
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            # Not Path.resolve, whose error for a loop depends on the version of Python.
            real = Path(os.path.realpath(path, strict=True))
            if not follow and not real.is_relative_to(root.resolve()):
                raise BrokenImageError(name, LINK_OUT)
            status = path.stat()
    except OSError as error:
        raise BrokenImageError(name, _broken_link_or(error)) from None
    if not stat.S_ISREG(status.st_mode):
        raise BrokenImageError(name, "It is no regular file.")
    if not status.st_size:
        raise BrokenImageError(name, "The file is empty.")
    if status.st_size > LARGEST_FILE:
        raise BrokenImageError(name, f"The file has {format_count(status.st_size)} bytes, more than 1 GiB.")
    return FileFacts(status.st_size, status.st_mtime_ns, (), "")


def labels_beside(root: Path, names: Sequence[str]) -> LabelColumn | None:
    """Return the labels in StyleGAN's ``dataset.json`` in a folder of pictures; None if there is no such file."""
    from imgstore_tui.storekit import dataset_json
    from imgstore_tui.storekit.raw_file import RawFile

    try:
        file = RawFile(root / dataset_json.NAME)
    except OSError:
        return None
    try:
        return dataset_json.labels_in(file.read_at(0, min(file.size, dataset_json.LARGEST)), names)
    finally:
        file.close()


def read_unchanged(root: Path, name: str, size: int, modified_ns: int) -> bytes:
    """Return the bytes of a file that has not changed since it was scanned.

    Raises:
        BrokenImageError: If it has changed, is gone, or cannot be read.
    """
    try:
        # Opening a pipe that replaced the picture must not block.
        descriptor = os.open(root / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            data = file.read(size + 1) if regular else b""
            modified_now = os.fstat(descriptor).st_mtime_ns  # after reading, to notice a concurrent change
    except FileNotFoundError:
        raise BrokenImageError(name, "The file is gone since the folder was scanned.") from None
    except OSError as error:
        raise BrokenImageError(name, f"The file cannot be read: {_reason(error)}.") from None
    if len(data) != size or modified_now != modified_ns:
        raise changed_error(name)
    return data


def changed_error(name: str) -> BrokenImageError:
    """Return the error for a file that has changed."""
    return BrokenImageError(name, "The file has changed since the folder was scanned.")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a loop, which is refused later as a file
        return False


def _broken_link_or(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "It is a link to nothing, or has just gone."
    if error.errno == errno.ELOOP:
        return "It is a link that leads in a circle."
    return f"The file cannot be read: {_reason(error)}."


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
