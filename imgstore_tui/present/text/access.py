"""Writes who reads and writes the bytes of a store: a word in tables, a sentence where it bears on a choice."""

from __future__ import annotations

from collections.abc import Iterable

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.access import Access

_SENTENCES = {
    Access.LIBRARY: "the format's own library, as a program of yours would use it",
    Access.OWN: "code of this program, which goes to the bytes without a library of the format",
    Access.SYSTEM: "files of the operating system, which need no library",
}


def access_text(summaries: Iterable[CellSummary]) -> str:
    """Return the access of a row in a word, or all of them where they differ; empty where it is not known."""
    kinds = dict.fromkeys(summary.access for summary in summaries if summary.access is not None)
    return "/".join(kinds)


def access_sentence(access: Access | None) -> str:
    """Return who read or wrote the bytes; empty where it is not known."""
    return "" if access is None else f"{access}: {_SENTENCES[access]}"
