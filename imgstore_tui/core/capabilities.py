"""Declares what a backend can do, for lists, forms and plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from imgstore_tui.core.operations import Operation
from imgstore_tui.core.options import OptionValue


class Family(StrEnum):
    """The kinds of storage system, in the order in which they are listed."""

    FILES = "files"
    EMBEDDED = "embedded"
    ARRAY = "array"
    RECORD = "record"
    SQL = "sql"
    NOSQL = "nosql"
    OBJECT = "object"


class Continuation(StrEnum):
    """How writing continues when the process that wrote a store has died."""

    APPEND = "append"
    """``edit`` adds to the store, which was closed at checkpoints."""
    RESUME = "resume"
    """``resume`` continues the store, which was never closed."""
    RESTART = "anew"
    """The store is written from the start."""
    ANEW = "anew"
    """The former name of ``RESTART``."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The claims of a backend; the conformance suite asserts that everything else is refused in a sentence."""

    append: bool = False
    overwrite: bool = False
    delete: bool = False
    random_access: bool = True
    labels_apart: bool = True
    """Labels can be read without touching pixels."""
    uniform_only: bool = False
    names: bool = False
    """Each image may have a name: the path of its file below a folder."""
    file_per_image: bool = False
    """Each image is a file, so stores need many inodes and take long to remove."""
    label_minimum: int = -(2**63)
    label_maximum: int = 2**63 - 1
    server: bool = False
    fork_safe: bool = True
    """The imported driver survives a fork (it starts no threads on import)."""

    forces_itself: bool = False
    """The library forces files to the device while it writes, whatever it is asked: nothing is ever only buffered."""

    counts_syncs: bool = True
    """At ``batch`` the writer counts every sync call; false where the library makes them, each time another number."""

    def claims(self, operation: Operation) -> bool:
        """Whether the backend can run an operation; every backend writes and reads whole stores."""
        match operation:
            case Operation.APPEND:
                return self.append
            case Operation.OVERWRITE:
                return self.overwrite
            case Operation.DELETE:
                return self.delete
            case Operation.READ_LABELS:
                return self.labels_apart
            case Operation.READ_ONE | Operation.GET_ONE | Operation.READ_RANDOM:
                return self.random_access
            case _:
                return True


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of options of a backend."""

    name: str
    summary: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    codec: str | None = None
    """The codec when the spec names none; None for the backend's default."""
    codec_options: Mapping[str, OptionValue] = field(default_factory=dict)
    uniform_only: bool = False
