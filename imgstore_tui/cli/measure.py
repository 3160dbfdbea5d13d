"""Measuring from the command line: signals, the live line, the tables at the end; for ``run`` and ``resume``."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

from imgstore_tui.bench.run.run_loop import Listener
from imgstore_tui.cli.output import ascii_only, data_console, talk_console
from imgstore_tui.cli.progress import ProgressLine
from imgstore_tui.core.errors import ExitCode, ImgstoreError
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Status
from imgstore_tui.core.text import safe_text
from imgstore_tui.jobs.sweep import leftovers

_SIGNALS = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.HANGUP,
}


def measure(action: Callable[[threading.Event, Listener], Run], *, quiet: bool) -> tuple[Run, int]:
    """Run a plan, told live on standard error.

    Args:
        action: Runs the plan, given what stops it and who listens.
        quiet: Say nothing.

    Returns:
        The run, and the exit code: of the signal that stopped it, or of trials that failed.
    """
    talk = talk_console(quiet=quiet)
    for leftover in leftovers():
        place = safe_text(str(leftover.path))
        talk.print(f"A killed run has left {place} behind; remove it with: imgstore-tui sweep", soft_wrap=True)
    cancel = threading.Event()
    with _stopped_by_signals(cancel) as heard, ProgressLine(talk) as line:
        try:
            run = action(cancel, line.hear)
        except ImgstoreError as error:
            if heard():
                # Stopped before there was anything to keep; the shell is still told by which signal.
                error.exit_code = heard()
            raise
    if heard():
        return run, heard()
    failed = any(measurement.status is Status.FAILED for measurement in run.measurements)
    return run, ExitCode.TRIALS_FAILED if failed else ExitCode.OK


@contextlib.contextmanager
def _stopped_by_signals(cancel: threading.Event) -> Iterator[Callable[[], ExitCode]]:
    """Turn the signals that end a program into the wish to stop: what was measured is kept and shown."""
    received: list[int] = []

    def note(number: int, _: object) -> None:
        received.append(number)
        cancel.set()

    # What whoever started us lets be ignored stays so: nohup, or a job in the background of a script.
    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in heeded}
    try:
        yield lambda: _SIGNALS[signal.Signals(received[0])] if received else ExitCode.OK
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def show_brief(run: Run) -> None:
    """Print the tables of a run that fit on a screen or two, and the article's report in full."""
    from imgstore_tui.cli.printing import print_run

    console = data_console()
    print_run(console, run, plain=ascii_only(), brief=True)
    console.print(f"Saved as {run.id}. Details and charts: imgstore-tui show {run.id}", soft_wrap=True)
