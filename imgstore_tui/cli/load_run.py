"""Reads the run that the user names: a file, an id or ``last``; a journal, an exported record or a bundle."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.bench.results.follow import is_running
from imgstore_tui.bench.results.journal import find_run, read_journal
from imgstore_tui.core.model import Run


def read_run(name: str) -> Run:
    """Return the run of a name; its status is ``running`` if it is being measured now.

    Raises:
        UsageError: If there is no such run.
        DataError: If its file is torn, foreign or of a newer version.
    """
    path = find_run(name)
    if path.suffix == ".zip":
        from imgstore_tui.present.exports.bundle import load_bundle

        return load_bundle(path)
    if path.suffix == ".json":
        from imgstore_tui.present.exports.json import load_json

        return load_json(path)
    # Checked before the journal is read: the end of a run that ends in between is in the journal.
    in_progress = is_running(path.stem)
    run = read_journal(path)
    return replace(run, status="running") if in_progress and run.status == "interrupted" else run
