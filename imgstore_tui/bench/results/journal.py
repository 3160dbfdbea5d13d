"""Writes the journal of a run: one JSON line per fact, on the device before any listener gets it.

The first line is the run (plan, environment, datasets), then one line per measurement or warning, then the end.
A journal without an end belongs to a run that is running, or was interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from imgstore_tui.bench.results.journal_reader import JournalReader
from imgstore_tui.bench.system.app_folders import make_private, runs_folder
from imgstore_tui.core.ceiling import Ceiling
from imgstore_tui.core.client_round import ClientRound
from imgstore_tui.core.errors import DataError, UnavailableError, UsageError, did_you_mean
from imgstore_tui.core.files import force
from imgstore_tui.core.json_values import to_json
from imgstore_tui.core.model import SCHEMA_VERSION, Cell, Measurement, Probe, Run
from imgstore_tui.core.paths import expand_path
from imgstore_tui.storekit.file_lock import try_lock

SUFFIX = ".jsonl"
BALLAST_SUFFIX = ".ballast"
BALLAST_BYTES = 256 << 10
"""Space that is held back, and released when the disk is full."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Journal:
    """A journal that is being written."""

    def __init__(self, path: Path, flags: int) -> None:
        """Open a journal and lock it.

        Args:
            path: The file.
            flags: Further flags of open(2).

        Raises:
            OSError: If it cannot be opened.
            UnavailableError: If another process writes it.
        """
        self.path = path
        self._ballast = path.with_suffix(BALLAST_SUFFIX)
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | flags, 0o600)
        try:
            self._lock()
        except BaseException:
            os.close(self._descriptor)
            raise

    def _lock(self) -> None:
        """Keep other processes from writing or deleting this journal until it is closed.

        Raises:
            UnavailableError: If another process holds it, or has just deleted it.
        """
        try:
            if not try_lock(self._descriptor):
                raise UnavailableError(f"Run {self.path.stem} is being written by another process.")
        except OSError as error:
            # A file system without locks: the machine's run lock must suffice.
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
        if not os.fstat(self._descriptor).st_nlink:
            raise UnavailableError(f"Run {self.path.stem} was deleted by another process.")

    @classmethod
    def begin(cls, run: Run, folder: Path | None = None) -> Self:
        """Create the journal of a run, named after its id, in ``folder`` (default: ``runs_folder``).

        Raises:
            UnavailableError: If it cannot be created.
        """
        folder = folder or runs_folder()
        try:
            make_private(folder)
            journal = cls(folder / f"{run.id}{SUFFIX}", os.O_CREAT | os.O_EXCL)
            # The name of a new file is on the device only when its folder is.
            force(folder)
        except OSError as error:
            raise UnavailableError(f"Results cannot be saved in {folder}: {error.strerror}.") from None
        later = {
            "measurements", "status", "finished_at", "warnings", "probes", "ceilings", "client_rounds", "title",
            "paused_s",
        }  # fmt: skip
        head = {name: value for name, value in to_json(run).items() if name not in later and value is not None}
        try:
            journal._write("run", {"schema_version": SCHEMA_VERSION, **head})
        except BaseException:
            # A journal without a head holds no run: nothing has been measured yet.
            journal.close()
            journal.path.unlink(missing_ok=True)
            raise
        return journal

    @classmethod
    def resume(cls, path: Path, resumed_at: str) -> Self:
        """Open a journal to add measurements to it.

        Raises:
            UnavailableError: If it cannot be written, or another process writes it.
        """
        journal = cls.reopen(path)
        journal._write("resumed", {"resumed_at": resumed_at})
        return journal

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Open an existing journal; a last line that was cut short by a crash is removed.

        Raises:
            UnavailableError: If it cannot be written, or another process writes it.
        """
        try:
            journal = cls(path, 0)
        except OSError as error:
            raise UnavailableError(f"Run file {path} cannot be written: {error.strerror}.") from None
        try:
            whole = path.read_bytes().rfind(b"\n") + 1
            os.ftruncate(journal._descriptor, whole)
        except OSError as error:
            journal.close()
            raise UnavailableError(f"Run file {path} cannot be written: {error.strerror}.") from None
        return journal

    def add(self, measurement: Measurement) -> None:
        """Append a measurement; returns when the device has it."""
        self._write("measurement", measurement.to_json())

    def warn(self, text: str, *, passing: bool = False, at: str | None = None) -> None:
        """Append a warning; a passing one no longer holds when the run is resumed or has finished.

        Args:
            text: The warning.
            passing: Whether it is passing.
            at: When it was seen, UTC, ISO 8601.
        """
        values: dict[str, object] = {"text": text}
        values |= {"passing": True} if passing else {}
        values |= {} if at is None else {"at": at}
        self._write("warning", values)

    def add_probe(self, probe: Probe) -> None:
        """Append the result of a backend's probe."""
        self._write("probe", to_json(probe))

    def add_ceiling(self, ceiling: Ceiling) -> None:
        """Append the trial of a ceiling."""
        self._write("ceiling", {"trial": to_json(ceiling)})  # which has a kind of its own

    def add_client_round(self, client_round: ClientRound) -> None:
        """Append a round of several clients."""
        self._write("client-round", to_json(client_round))

    def set_title(self, title: str) -> None:
        """Append the name that the user gives the run; an empty title removes it."""
        self._write("title", {"title": title})

    def pause(self, paused_at: str) -> None:
        """Append that the run is paused."""
        self._write("paused", {"paused_at": paused_at})

    def unpause(self, paused_s: float) -> None:
        """Append that the run continues, and how long the pause was."""
        self._write("continued", {"paused_s": paused_s})

    def skip(self, cell: Cell, skipped_at: str) -> None:
        """Append that the user skips a cell; its remaining trials follow as skipped measurements."""
        self._write("skip", {"cell": to_json(cell), "skipped_at": skipped_at})

    def end(self, status: str, finished_at: str) -> None:
        """Append the end and close."""
        self._write("end", {"status": status, "finished_at": finished_at})
        self.close()

    def close(self) -> None:
        """Close without an end. Safe to call twice."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):  # on a file system that became read-only, it stays
                self._ballast.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, kind: str, values: dict[str, Any]) -> None:
        line = json.dumps({"kind": kind, **values}, ensure_ascii=True, separators=(",", ":")) + "\n"
        try:
            self._append(line.encode("ascii"))
        except OSError as error:
            if error.errno not in _FULL or not self._ballast.exists():
                raise self._unwritable(error) from None
            try:
                self._ballast.unlink()
                self._append(line.encode("ascii"))
            except OSError as again:
                raise self._unwritable(again) from None
        self._keep_ballast()

    def _unwritable(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            f"Results can no longer be saved in {self.path}: {error.strerror}. Earlier ones are safe."
        )

    def _append(self, line: bytes) -> None:
        """Append a line and force it to the device, whole or not at all."""
        status = os.fstat(self._descriptor)
        if not status.st_nlink:
            raise UnavailableError(
                f"{self.path} was removed while the run went on, and its results with it. Start a new run."
            )
        size = status.st_size
        try:
            written = 0
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, size)
            raise

    def _keep_ballast(self) -> None:
        """Hold back some space, so that the next results can still be saved when the disk is full."""
        if self._ballast.exists():
            return
        try:
            descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            return
        try:
            os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
        except OSError:
            with contextlib.suppress(OSError):
                self._ballast.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def read_journal(path: Path) -> Run:
    """Read a journal into a run; a last line that was cut short by a crash is left out.

    Raises:
        DataError: If the file cannot be read, is not a journal, is of a newer version, or is damaged.
    """
    reader = JournalReader(path)
    reader.read_on()
    return reader.run


def find_run(text: str) -> Path:
    """Return the file of a run.

    Args:
        text: A path, a run id, the name that the user gave it, or ``last``.

    Raises:
        UsageError: If there is no such run.
    """
    with contextlib.suppress(UsageError, OSError):  # no home, or longer than a path can be: it may still be a name
        path = expand_path(text)
        if path.is_file():
            return path
    saved = saved_runs()
    if text == "last":
        if not saved:
            raise UsageError(f"There is no saved run in {runs_folder()}. Start one with: imgstore-tui run")
        return saved[-1]
    for candidate in saved:
        if candidate.stem == text:
            return candidate
    for candidate in reversed(saved):
        if text and text == _title(candidate):
            return candidate
    raise UsageError(
        f"There is no run '{text}': no file, no id, no name.{did_you_mean(text, [run.stem for run in saved])}"
    )


def _title(path: Path) -> str:
    """Return the name that the user gave a run; empty if it has none, or cannot be read."""
    try:
        return read_journal(path).title if b'{"kind":"title"' in path.read_bytes() else ""
    except (DataError, OSError):
        return ""


@dataclass(frozen=True, slots=True)
class Ballast:
    """Space that a killed run has held back beside its journal."""

    run_id: str
    path: Path


def left_ballast() -> list[Ballast]:
    """Return the ballast that no process holds any more: that of runs which were killed, or whose journal is gone."""
    folder = runs_folder()
    paths = sorted(folder.glob(f"*{BALLAST_SUFFIX}")) if folder.is_dir() else []
    return [Ballast(path.stem, path) for path in paths if not _is_written(path.with_suffix(SUFFIX))]


def _is_written(path: Path) -> bool:
    """Return whether a process writes a journal, as far as can be told."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not try_lock(descriptor, shared=True)
    except OSError:  # a file system without locks
        return True
    finally:
        os.close(descriptor)


def saved_runs() -> list[Path]:
    """Return the journals of saved runs, oldest first."""
    folder = runs_folder()
    return sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stem) if folder.is_dir() else []
