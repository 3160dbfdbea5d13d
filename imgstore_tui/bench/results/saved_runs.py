"""Lists, renames and deletes saved runs."""

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
    """Summary of a saved run."""

    path: Path
    size_bytes: int
    """Size of its journal."""
    run: Run | None = None
    """The run without its measurements; None for a file that cannot be read."""
    problem: str = ""
    """Why it cannot be read, one sentence."""
    running: bool = False
    """Whether it is being measured now."""
    trials: int = 0
    """Trials of the whole plan."""
    measured: int = 0
    """Trials that were run, whether they succeeded or not."""
    failed: int = 0

    @property
    def id(self) -> str:
        """The id that commands take: the name of its file."""
        return self.path.stem

    @property
    def name(self) -> str:
        """The name that the user gave it, else its id."""
        return self.run.title if self.run is not None and self.run.title else self.id

    @property
    def status(self) -> str:
        """Its status in one word."""
        if self.run is None:
            return "unreadable"
        return "running" if self.running else self.run.status

    @property
    def can_be_resumed(self) -> bool:
        """Whether trials are missing, and no process measures it."""
        return self.run is not None and self.run.status != "finished" and not self.running


def read_saved_run(path: Path) -> SavedRun:
    """Return the summary of a journal; for a file that cannot be read it names the problem.

    Measurements are counted, not parsed: damage in one of them is reported when the run is opened.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        return SavedRun(path, 0, problem=f"Run file {path}: {error.strerror}.")
    try:
        reader = JournalReader(path, brief=True)
        reader.read_on()
        run = reader.run
    except DataError as error:
        return SavedRun(path, size, problem=str(error))
    measured = reader.counts.total()
    planned = len(cells_of(run)) * run.plan.rounds
    # Where rounds stop by themselves, a run that has finished is complete with fewer.
    trials = measured if run.plan.looks and run.status == "finished" else max(planned, measured)
    return SavedRun(
        path, size, run, running=is_running(run.id), trials=trials, measured=measured,
        failed=reader.counts[Status.FAILED],
    )  # fmt: skip


def newest_first() -> Iterator[SavedRun]:
    """Yield the saved runs, the newest first; each is read only when it is yielded."""
    for path in reversed(saved_runs()):
        yield read_saved_run(path)


def delete(path: Path) -> None:
    """Delete a saved run. Exports of it stay.

    Raises:
        UsageError: If the file is not a saved run.
        UnavailableError: If the run is being measured, or the file cannot be deleted.
    """
    check_saved(path, "deleted")
    # Locked meanwhile, so that a run that is being measured keeps its journal; a damaged one can be locked as well.
    journal = _lock(path)
    try:
        path.unlink()
    except OSError as error:
        raise UnavailableError(f"Run file {path} cannot be deleted: {error.strerror}.") from None
    finally:
        journal.close()


def rename(path: Path, title: str) -> str:
    """Give a saved run a name, or remove it with an empty one; its id stays.

    Returns:
        The name as it was saved: without control characters and outer spaces.

    Raises:
        UsageError: If the file is not a saved run, or the name is too long, or another run's.
        DataError: If the file is not a readable run.
        UnavailableError: If the run is being measured, or the file cannot be written.
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
    journal = _lock(path)
    try:
        journal.set_title(title)
    finally:
        journal.close()
    return title


def check_saved(path: Path, action: str) -> None:
    """Check that a file is a saved run.

    Args:
        path: The file.
        action: What is about to be done to it, a participle for the message.

    Raises:
        UsageError: If it is not.
    """
    if path.parent != runs_folder():
        raise UsageError(f"{path} is no saved run of this program, and is not {action}. See imgstore-tui runs.")


def check_ended(path: Path) -> None:
    """Check that a run is not being measured.

    Raises:
        UnavailableError: If it is.
    """
    if is_running(path.stem):
        raise UnavailableError(f"Run {path.stem} is going on. Wait for it or stop it.")


def _lock(path: Path) -> Journal:
    check_ended(path)
    return Journal.reopen(path)
