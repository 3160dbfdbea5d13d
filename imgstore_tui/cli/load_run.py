"""Reading a run that the user names: a file, an id, or ``last``; a journal or an exported record."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.bench.results.follow import is_running
from imgstore_tui.bench.results.journal import find_run, read_journal
from imgstore_tui.core.model import Run


def read_run(word: str) -> Run:
    """Return the run that ``word`` names; one without an end that is being measured now is ``running``.

    Raises:
        UsageError: If there is none.
        DataError: If its file is torn, foreign or of a newer version.
    """
    path = find_run(word)
    if path.suffix == ".json":
        from imgstore_tui.present.exports.json import load_json

        return load_json(path)
    # Asked before the journal is read: a run that ends in between has its end in it.
    going_on = is_running(path.stem)
    run = read_journal(path)
    return replace(run, status="running") if going_on and run.status == "interrupted" else run
