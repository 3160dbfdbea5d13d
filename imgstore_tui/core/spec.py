"""Parses what to run: ``BACKEND[+CODEC][:OPTION=VALUE,...]`` and ``NAME[:PATH][,OPTION=VALUE]``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from imgstore_tui.core.content import ORIGINAL_CODEC
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.location import is_address
from imgstore_tui.core.options import OptionValue

_NAME = re.compile(r"^[a-z][a-z0-9_-]*$")
CODEC_PREFIX = "codec."


@dataclass(frozen=True, slots=True)
class SpecText:
    """A parsed spec, not yet checked against what exists."""

    backend: str
    codec: str | None
    preset: str | None
    options: dict[str, str] = field(default_factory=dict)
    codec_options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spec:
    """A resolved storage method: every option of backend and codec has a value."""

    backend: str
    codec: str
    preset: str
    options: tuple[tuple[str, OptionValue], ...] = ()
    codec_options: tuple[tuple[str, OptionValue], ...] = ()
    label: str = ""
    """The shortest text that means this spec, e.g. ``hdf5:chunks=64``; it names the spec everywhere."""

    def __str__(self) -> str:
        return self.label

    @property
    def all_options(self) -> dict[str, OptionValue]:
        """Options of the backend by name, and those of the codec, whose names begin with ``codec.``."""
        return dict(self.options) | {f"{CODEC_PREFIX}{name}": value for name, value in self.codec_options}


IN_PLACE = Spec("source", ORIGINAL_CODEC, "", label="source")
"""The source row: the user's own files, read in place. A run adds it to the methods that it compares."""


@dataclass(frozen=True, slots=True)
class DatasetText:
    """A parsed dataset text: name, path if it has one, options."""

    name: str
    path: str | None
    options: dict[str, str] = field(default_factory=dict)


def parse_spec_text(text: str) -> SpecText:
    """Parse a spec.

    Raises:
        UsageError: If the text does not have the form ``BACKEND[+CODEC][:OPTION=VALUE,...]``.
    """
    stripped = text.strip()
    head, colon, tail = stripped.partition(":")
    backend, plus, codec = head.partition("+")
    if not _NAME.match(backend) or (plus and not _NAME.match(codec)):
        raise UsageError(f"'{stripped}' is not a spec. Write BACKEND[+CODEC][:OPTION=VALUE,...], e.g. lmdb+png.")
    options: dict[str, str] = {}
    codec_options: dict[str, str] = {}
    preset: str | None = None
    for name, value in _pairs(tail, stripped).items() if colon else []:
        if name == "preset":
            preset = value
        elif name.startswith(CODEC_PREFIX):
            codec_options[name.removeprefix(CODEC_PREFIX)] = value
        else:
            options[name] = value
    return SpecText(backend, codec or None, preset, options, codec_options)


def backend_of(label: str) -> str:
    """Return the name of the backend that a spec's label begins with."""
    return label.partition(":")[0].partition("+")[0]


def parse_dataset_text(text: str) -> DatasetText:
    """Parse a dataset: ``NAME[:PATH][,OPTION=VALUE]``; a path with a comma stands in double quotes.

    The address of a server extends to the end of the text; with options it needs double quotes, too.

    Raises:
        UsageError: If the text does not have that form.
    """
    stripped = text.strip()
    head, colon, rest = stripped.partition(":")
    if colon and _NAME.match(head) and is_address(rest):
        return DatasetText(head, rest)  # an address extends to the end, commas included
    match = re.match(r'^([a-z][a-z0-9_-]*)(?::("(?:[^"]*)"|[^,]*))?(?:,(.*))?$', stripped, re.DOTALL)
    if match is None:
        raise UsageError(f"'{stripped}' is not a dataset. Write NAME[:PATH][,OPTION=VALUE], e.g. folder:photos.")
    name, path, tail = match.groups()
    if path is not None and not path.strip('"'):
        raise UsageError(f"'{stripped}' names no path after the colon.")
    options = _pairs(tail, stripped) if tail is not None else {}
    return DatasetText(name, path.strip('"') if path is not None else None, options)


def spell_dataset(dataset: DatasetText) -> str:
    """Return the text that ``parse_dataset_text`` parses into ``dataset``, whatever is in the path.

    Raises:
        UsageError: If there is none: for a quotation mark in a path with a comma or with a space at an end.
    """
    path = dataset.path
    options = "".join(f",{name}={value}" for name, value in dataset.options.items())
    if path is None:
        return f"{dataset.name}{options}"
    if is_address(path):
        return f'{dataset.name}:"{path}"{options}' if options else f"{dataset.name}:{path}"
    quoted = f'"{path}"' if "," in path or path != path.strip() else path
    if '"' in path and (quoted != path or path.strip('"') != path):
        raise UsageError("A plan cannot spell a path with a comma and a quotation mark. Make a link to it.")
    return f"{dataset.name}:{quoted}{options}"


def _pairs(text: str, whole: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise UsageError(f"'{part.strip()}' in '{whole}' is not OPTION=VALUE.")
        if name.strip() in pairs:
            raise UsageError(f"'{whole}' gives {name.strip()} twice. Give it once.")
        pairs[name.strip()] = value.strip()
    return pairs
