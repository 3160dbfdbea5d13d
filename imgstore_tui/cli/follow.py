"""Watching a run from another terminal, one line a measurement."""

from __future__ import annotations

import threading

from imgstore_tui.bench.results.follow import follow_run
from imgstore_tui.bench.results.journal import find_run
from imgstore_tui.cli.output import talk_console
from imgstore_tui.core.events import Event, RunFinished, RunStarted
from imgstore_tui.present.text.log_line import log_line


def follow(word: str) -> None:
    """Print what a run writes into its journal, until it ends or the process that measures is gone."""
    talk = talk_console()

    def say(event: Event) -> None:
        # Its tables follow, which tell beginning and end.
        line = None if isinstance(event, RunStarted | RunFinished) else log_line(event)
        if line is not None:
            talk.print(line, soft_wrap=True)

    follow_run(find_run(word), cancel=threading.Event(), listen=say)
