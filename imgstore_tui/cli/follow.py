"""Watching a run from another terminal: the journal is the truth, so it is what is watched."""

from __future__ import annotations

import time

from imgstore_tui.bench.journal import find_run, read_journal
from imgstore_tui.bench.lock import running
from imgstore_tui.cli.output import talk_console
from imgstore_tui.core.events import TrialFinished, Warned
from imgstore_tui.present.log import log_line

LOOK_EVERY_S = 0.5


def follow(word: str) -> None:
    """Print a run's measurements as they are journalled, until it ends or the process that measures is gone."""
    path = find_run(word)
    talk = talk_console()
    measured = warned = 0
    while True:
        # Asked before the journal is read: what a run writes before it dies is then still seen.
        alive = running()
        run = read_journal(path)
        for text in run.warnings[warned:]:
            talk.print(log_line(Warned(text)), soft_wrap=True)
        for measurement in run.measurements[measured:]:
            talk.print(log_line(TrialFinished(measurement)), soft_wrap=True)
        measured, warned = len(run.measurements), len(run.warnings)
        if run.status != "interrupted" or alive != f"run {run.id}":
            return
        time.sleep(LOOK_EVERY_S)
