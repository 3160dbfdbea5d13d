"""Describes the arrays of a file of another program, which are told apart by name, without reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count

_MOST_LISTED = 8


@dataclass(frozen=True, slots=True)
class ArrayFacts:
    """What is known of a dataset without reading it."""

    path: str
    """Names of its groups and its own, with slashes, without one in front."""
    shape: tuple[int, ...] | None
    """None if it is empty."""
    dtype: np.dtype[Any] | None
    """None for a type that NumPy does not know."""
    variable: bool
    """Whether each value is a row of bytes of any length."""
    refusal: str
    """Why it is not read, as the end of a sentence; empty if it is."""
    axes: str = ""
    """The order of its axes, as letters of ``ForeignLayout.axes``, where the format says it; mostly empty."""
    note: str = ""
    """What the user should know about its values, as a clause; mostly empty."""

    @property
    def name(self) -> str:
        """Its name without its groups."""
        return self.path.rpartition("/")[2]

    @property
    def group(self) -> str:
        """The path of its group; empty for the file itself."""
        return self.path.rpartition("/")[0]

    @property
    def kind(self) -> str:
        """Type and shape, for messages."""
        if self.shape is None:
            return "empty"
        if self.variable:
            name = "rows of bytes"
        elif self.dtype is None:
            name = "of a type that NumPy does not know"
        elif self.dtype.kind == "V" and self.dtype.names is None:
            name = "opaque bytes"
        else:
            name = "text" if self.dtype.kind in "OSU" else str(self.dtype.newbyteorder("="))
        return f"{name} of shape {self.shape}"

    @property
    def holds_bytes(self) -> bool:
        """Whether each value may be a picture file."""
        if self.dtype is None or self.refusal:
            return False
        return self.variable or (self.dtype.kind in "VSO" and self.dtype.names is None)


def listed(arrays: Sequence[ArrayFacts], what: str = "array") -> str:
    """Return what a file holds, for messages.

    Args:
        arrays: What is in it.
        what: What the format calls one of them.
    """
    if not arrays:
        return f"it holds no {what} that lies in this file"
    shown = "; ".join(f"{safe_text(facts.path)} {facts.kind}" for facts in arrays[:_MOST_LISTED])
    more = len(arrays) - _MOST_LISTED
    return f"it holds {shown}{f'; and {format_count(more)} more' if more > 0 else ''}"
