"""Measures for ``run`` and ``resume``: handles signals, shows the live line, prints the tables at the end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator

from imgstore_tui.bench.run.services import Listener
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
STALLED_S = 1.9
"""After so long, output that is still not taken ends a run that was told to stop."""


def measure(action: Callable[[threading.Event, Listener], Run], *, quiet: bool) -> tuple[Run, int]:
    """Run a plan and report its progress on standard error.

    Args:
        action: Runs the plan, given the event that stops it and the listener.
        quiet: Print nothing.

    Returns:
        The run, and the exit code: that of the signal that stopped it, or 1 if trials failed.
    """
    talk = talk_console(quiet=quiet)
    for leftover in leftovers():
        path = safe_text(str(leftover.path))
        talk.print(f"A killed run has left {path} behind; remove it with: imgstore-tui sweep", soft_wrap=True)
    cancel = threading.Event()
    with _stopped_by_signals(cancel) as signal_code, ProgressLine(talk) as line:
        try:
            run = action(cancel, line.on_event)
        except ImgstoreError as error:
            if signal_code():
                # Nothing was measured yet; the exit code still names the signal.
                error.exit_code = signal_code()
            raise
    if signal_code():
        return run, signal_code()
    statuses = [entry.status for entry in run.measurements] + [entry.status for entry in run.client_rounds]
    failed = Status.FAILED in statuses
    return run, ExitCode.TRIALS_FAILED if failed else ExitCode.OK


@contextlib.contextmanager
def _stopped_by_signals(cancel: threading.Event) -> Iterator[Callable[[], ExitCode]]:
    """Set ``cancel`` on INT, TERM and HUP, so that what was measured is kept; yield a function that gives the code."""
    received: list[int] = []
    over = threading.Event()

    def handle(number: int, _: object) -> None:
        received.append(number)
        cancel.set()
        threading.Thread(target=_end_when_stalled, args=(over, 128 + number), daemon=True).start()

    # A signal that was ignored from the start stays ignored: nohup, or a background job of a script.
    handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield lambda: _SIGNALS[signal.Signals(received[0])] if received else ExitCode.OK
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_when_stalled(over: threading.Event, code: int) -> None:
    """End the process when the run, told to stop, cannot end because the terminal or pipe takes no output.

    What was measured is in the journal; children end with this process.
    """
    while not over.wait(STALLED_S):
        if not all(map(_takes_output, (1, 2))):
            os._exit(code)


def _takes_output(stream: int) -> bool:
    poll = select.poll()
    poll.register(stream, select.POLLOUT)
    return bool(poll.poll(0))


def show_answer(run: Run) -> None:
    """Print what a run answers, and the command that shows the rest."""
    from imgstore_tui.cli.printing import print_answer
    from imgstore_tui.present.results import build_results

    console = data_console()
    print_answer(console, build_results(run), plain=ascii_only())
    more = f"Saved as {run.id}. Verdicts, tables and charts: imgstore-tui show {run.id} all"
    console.print(more, soft_wrap=True, markup=False)
