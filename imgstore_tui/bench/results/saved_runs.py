"""The saved runs: listed, renamed, deleted; what one is is told without showing it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.results.follow import cells_of, is_running
from imgstore_tui.bench.results.journal import Journal, read_journal, saved_runs
from imgstore_tui.bench.results.journal_reader import JournalReader
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.core.errors import DataError, UnavailableError, UsageError
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Status
from imgstore_tui.core.text import safe_text

LONGEST_TITLE = 60


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A saved run at a glance."""

    path: Path
    size_bytes: int
    """Of its journal."""
    run: Run | None = None
    """The run without its measurements; None for a file that cannot be read."""
    problem: str = ""
    """Why it cannot be read, one sentence."""
    going_on: bool = False
    """Whether it is measured right now."""
    trials: int = 0
    """Trials that the whole plan has."""
    measured: int = 0
    """Trials that were carried out, whatever became of them."""
    failed: int = 0

    @property
    def id(self) -> str:
        """What commands take: the name of its file."""
        return self.path.stem

    @property
    def name(self) -> str:
        """What the user calls it, else its id."""
        return self.run.title if self.run is not None and self.run.title else self.id

    @property
    def status(self) -> str:
        """How it stands, in a word."""
        if self.run is None:
            return "unreadable"
        return "running" if self.going_on else self.run.status

    @property
    def can_be_resumed(self) -> bool:
        """Whether something is missing, and nobody is at it."""
        return self.run is not None and self.run.status != "finished" and not self.going_on


def read_saved_run(path: Path) -> SavedRun:
    """Return what a journal holds; one that is broken says so and is no error.

    Measurements are counted and not looked into: damage in one of them is said when the run is opened.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        return SavedRun(path, 0, problem=f"Run file {path}: {error.strerror}.")
    try:
        reader = JournalReader(path, brief=True)
        reader.read()
        run = reader.run
    except DataError as error:
        return SavedRun(path, size, problem=str(error))
    measured = reader.counts.total()
    trials = max(len(cells_of(run)) * run.plan.rounds, measured)
    return SavedRun(
        path, size, run, going_on=is_running(run.id), trials=trials, measured=measured,
        failed=reader.counts[Status.FAILED],
    )  # fmt: skip


def newest_first() -> Iterator[SavedRun]:
    """Yield the saved runs, the newest first; each is read only when it is asked for."""
    for path in reversed(saved_runs()):
        yield read_saved_run(path)


def delete(path: Path) -> None:
    """Delete a saved run. Exports of it stay.

    Raises:
        UsageError: If the file is none of the saved runs.
        UnavailableError: If the run is going on, or the file cannot be deleted.
    """
    check_saved(path, "deleted")
    # Held meanwhile, so that a run that is being measured keeps its journal; one that is torn can be held as well.
    journal = _hold(path)
    try:
        path.unlink()
    except OSError as error:
        raise UnavailableError(f"Run file {path} cannot be deleted: {error.strerror}.") from None
    finally:
        journal.close()


def rename(path: Path, title: str) -> str:
    """Give a saved run a name, or take it away with an empty one; its id stays.

    Returns:
        The name as it was kept: without control characters and outer spaces.

    Raises:
        UsageError: If the file is none of the saved runs, or the name is too long, or another run's.
        DataError: If the file is no readable run.
        UnavailableError: If the run is going on, or the file cannot be written.
    """
    check_saved(path, "renamed")
    title = safe_text(" ".join(title.split()))
    if len(title) > LONGEST_TITLE:
        raise UsageError(f"A name of a run has at most {LONGEST_TITLE} characters, not {len(title)}.")
    if title == "last" or "/" in title:
        raise UsageError("A name of a run is not 'last' and holds no '/': there they mean another run, or a file.")
    read_journal(path)
    for other in saved_runs() if title else []:
        if other != path and title in (other.stem, read_saved_run(other).name):
            raise UsageError(f"Run {other.stem} is called '{title}' already. Choose another name.")
    journal = _hold(path)
    try:
        journal.name(title)
    finally:
        journal.close()
    return title


def check_saved(path: Path, done: str) -> None:
    """Refuse a file that is none of the saved runs; ``done`` says what would have been done to it.

    Raises:
        UsageError: If it is none.
    """
    if path.parent != runs_folder():
        raise UsageError(f"{path} is no saved run of this program, and is not {done}. See imgstore-tui runs.")


def check_ended(path: Path) -> None:
    """Refuse a run that is being measured.

    Raises:
        UnavailableError: If it is.
    """
    if is_running(path.stem):
        raise UnavailableError(f"Run {path.stem} is going on. Wait for it or stop it.")


def _hold(path: Path) -> Journal:
    check_ended(path)
    return Journal.reopen(path)
