"""The journal: one JSON line a fact, on the device before anything else hears of it. The truth of a run.

The first line is the run (plan, environment, datasets), then a line a measurement or warning, then the end.
A journal without an end belongs to a run that is going on, or was interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from pathlib import Path
from typing import Any, Self

from imgstore_tui.bench.results.journal_reader import JournalReader
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.core.errors import DataError, UnavailableError, UsageError, did_you_mean
from imgstore_tui.core.files import force
from imgstore_tui.core.model import SCHEMA_VERSION, Cell, Measurement, Probe, Run, to_json
from imgstore_tui.core.paths import expand_path

SUFFIX = ".jsonl"
BALLAST_BYTES = 256 << 10

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Journal:
    """A journal being written."""

    def __init__(self, path: Path, flags: int) -> None:
        self.path = path
        self._ballast = path.with_suffix(".ballast")
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | flags, 0o600)
        try:
            self._hold()
        except BaseException:
            os.close(self._descriptor)
            raise

    def _hold(self) -> None:
        """Keep others from writing this journal, or deleting it, until it is closed; the kernel drops it with us.

        Raises:
            UnavailableError: If another process has it, or has just deleted it.
        """
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnavailableError(f"Run {self.path.stem} is being written by another process.") from None
        except OSError as error:
            # A file system without locks: the machine's run lock has to do.
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
        if not os.fstat(self._descriptor).st_nlink:
            raise UnavailableError(f"Run {self.path.stem} was deleted by another process.")

    @classmethod
    def begin(cls, run: Run, folder: Path | None = None) -> Self:
        """Make the journal of a run, named after its id, in ``folder`` (default: ``runs_folder``).

        Raises:
            UnavailableError: If it cannot be made.
        """
        place = folder or runs_folder()
        try:
            place.mkdir(parents=True, exist_ok=True)
            journal = cls(place / f"{run.id}{SUFFIX}", os.O_CREAT | os.O_EXCL)
            # The name of a new file is on the device only when its folder is.
            force(place)
        except OSError as error:
            raise UnavailableError(f"Results cannot be saved in {place}: {error.strerror}.") from None
        later = {"measurements", "status", "finished_at", "warnings", "probes", "title", "paused_s"}
        head = {name: value for name, value in to_json(run).items() if name not in later and value is not None}
        try:
            journal._write("run", {"schema_version": SCHEMA_VERSION, **head})
        except BaseException:
            # A journal without a head is no run: nothing has been measured that it could keep.
            journal.close()
            journal.path.unlink(missing_ok=True)
            raise
        return journal

    @classmethod
    def go_on(cls, path: Path, resumed_at: str) -> Self:
        """Open a journal to add measurements to it.

        Raises:
            UnavailableError: If it cannot be written, or somebody else does.
        """
        journal = cls.reopen(path)
        journal._write("resumed", {"resumed_at": resumed_at})
        return journal

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Open a journal that is there; a last line that was cut short by a crash is taken away.

        Raises:
            UnavailableError: If it cannot be written, or somebody else does.
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

    def warn(self, text: str, *, passing: bool = False) -> None:
        """Append a warning; one that is passing holds no longer when the run is resumed."""
        self._write("warning", {"text": text, "passing": True} if passing else {"text": text})

    def add_probe(self, probe: Probe) -> None:
        """Append what a backend found out about itself."""
        self._write("probe", to_json(probe))

    def name(self, title: str) -> None:
        """Append what the user calls the run; an empty title takes the name away."""
        self._write("title", {"title": title})

    def pause(self, paused_at: str) -> None:
        """Append that nothing is measured for the time being."""
        self._write("paused", {"paused_at": paused_at})

    def unpause(self, paused_s: float) -> None:
        """Append that measuring goes on, and after how many seconds."""
        self._write("continued", {"paused_s": paused_s})

    def skip(self, cell: Cell, skipped_at: str) -> None:
        """Append that the user wants no more of a cell; its remaining trials follow as measurements."""
        self._write("skip", {"cell": to_json(cell), "skipped_at": skipped_at})

    def end(self, status: str, finished_at: str) -> None:
        """Append the end and close."""
        self._write("end", {"status": status, "finished_at": finished_at})
        self.close()

    def close(self) -> None:
        """Close without an end. Safe to call twice."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):  # where nothing can be changed any more, it stays
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
        told = f"Results can no longer be saved in {self.path}: {error.strerror}. Earlier ones are safe."
        return UnavailableError(told)

    def _append(self, line: bytes) -> None:
        """Add a line and force it to the device, whole or not at all."""
        facts = os.fstat(self._descriptor)
        if not facts.st_nlink:
            raise UnavailableError(
                f"{self.path} was removed while the run went on, and its results with it. Start a new run."
            )
        size = facts.st_size
        try:
            written = 0
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, size)
            raise

    def _keep_ballast(self) -> None:
        """Hold some space that is given back when the disk is full, so that the next results can still be saved."""
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
    """Read a journal into a run; a last line cut short by a crash is left out.

    Raises:
        DataError: If the file cannot be read, is no journal, is of a newer version, or is damaged.
    """
    reader = JournalReader(path)
    reader.read()
    return reader.run


def find_run(word: str) -> Path:
    """Return the file of a run: a path, a run id, the name that the user gave it, or ``last``.

    Raises:
        UsageError: If there is no such run.
    """
    with contextlib.suppress(UsageError, OSError):  # no home, or longer than a path can be: a name may begin so, too
        path = expand_path(word)
        if path.is_file():
            return path
    saved = saved_runs()
    if word == "last":
        if not saved:
            raise UsageError(f"There is no saved run in {runs_folder()}. Start one with: imgstore-tui run")
        return saved[-1]
    for candidate in saved:
        if candidate.stem == word:
            return candidate
    for candidate in reversed(saved):
        if word and word == _title(candidate):
            return candidate
    raise UsageError(
        f"There is no run '{word}': no file, no id, no name.{did_you_mean(word, [run.stem for run in saved])}"
    )


def _title(path: Path) -> str:
    """Return what the user calls a run; empty where it has no name, or cannot be read."""
    try:
        return read_journal(path).title if b'{"kind":"title"' in path.read_bytes() else ""
    except (DataError, OSError):
        return ""


def saved_runs() -> list[Path]:
    """Return the journals of saved runs, oldest first."""
    folder = runs_folder()
    return sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stem) if folder.is_dir() else []
