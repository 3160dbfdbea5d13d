"""Writes what share of a result is storage, and how far it is from what the machine does without a storage method."""

from __future__ import annotations

from imgstore_tui.analysis.ceilings import Headroom
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.units import format_number, format_percent
from imgstore_tui.present.text.captions import level_text

LITTLE_STORAGE = 0.1
"""Share of storage up to which a faster one cannot help."""
_MOST_STORAGE = 0.95
"""Share of storage from which on there is no codec to speak of."""


def headroom_sentence(headroom: Headroom) -> str:
    """Return the share of storage in a result and its distance from the ceiling, in a sentence or two."""
    row = headroom.row
    codec = "encoding" if row.operation is Operation.WRITE_MANY else "decoding"
    if not headroom.codec_s:
        text = f"All of {row.operation} with {row.spec} ({level_text(row)}) is storage, with no codec apart from it"
    else:
        text = f"Storage is {format_percent(headroom.storage)} of {row.operation} with {row.spec} ({level_text(row)})"
    if headroom.storage <= LITTLE_STORAGE:
        text += f": a faster one cannot help, {codec} is the rest"
    elif headroom.storage < _MOST_STORAGE:
        text += f", {codec} the rest: storage that took no time would make it {_times(headroom.most_gain)} as fast"
    distance = headroom.distance
    if distance is None:
        return f"{text}."
    what = f"{codec} alone and a plain file" if headroom.codec_s else "a plain file"
    if distance < 1:
        return f"{text}. It takes no longer than {what} of the same bytes."
    least = "the least that any method could take"
    return f"{text}. It takes {_times(distance)} as long as {what} of the same bytes, {least}."


def _times(ratio: float) -> str:
    return f"{format_number(ratio)} times"
