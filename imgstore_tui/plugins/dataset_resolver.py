"""Resolves the text of a dataset such as ``folder:photos,upto=1000`` and makes the dataset."""

from __future__ import annotations

from imgstore_tui.core.dataset import UPTO, Dataset
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.location import ServerLocation, is_address
from imgstore_tui.core.options import resolve_options
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.spec import parse_dataset_text
from imgstore_tui.plugins.catalogue import check_available, check_installed
from imgstore_tui.plugins.catalogues import datasets
from imgstore_tui.plugins.locations import parse_location, server_of
from imgstore_tui.plugins.store_detection import possible_backends


def make_dataset(text: str) -> Dataset:
    """Turn ``NAME[:PATH][,OPTION=VALUE]`` into a dataset that has not read its data yet.

    Raises:
        UsageError: If a name is unknown, a value does not fit, or a path is missing or superfluous.
        UnavailableError: If a driver is missing.
    """
    try:
        parsed = parse_dataset_text(text)
        kind = datasets.get(parsed.name)
    except UsageError as error:
        raise UsageError(f"{error}{_path_hint(text)}") from None
    check_available(kind)
    if kind.needs_path and parsed.path is None:
        fetch = f" To download it first: {kind.fetch_command}" if kind.fetch_command else ""
        raise UsageError(f"Dataset {kind.name} needs a path. Write {kind.name}:PATH.{fetch}")
    if not kind.needs_path and parsed.path is not None:
        raise UsageError(f"Dataset {kind.name} takes no path. Write {kind.name}.")
    path = None if parsed.path is None else parse_location(parsed.path)
    if isinstance(path, ServerLocation):
        if not kind.takes_address:
            raise UsageError(f"Dataset {kind.name} reads files here. To read a store on a server write store:{path}.")
        check_installed(server_of(path))
    values = resolve_options((*kind.options, UPTO), parsed.options, f"dataset {kind.name}")
    del values[UPTO.name]
    return kind(path, values)


def _path_hint(text: str) -> str:
    """Return how to write a path that was given without the name of a dataset; empty if there is no such path."""
    address = text.strip().strip('"')
    if is_address(address):
        return f" To read that store write store:{parse_location(address)}."
    try:
        path = expand_path(text.strip())
        if path.is_dir():
            return f" To read that folder write {'store' if possible_backends(path) else 'folder'}:{path}."
        if path.is_file() and possible_backends(path):
            return f" To read that file write store:{path}."
        if path.is_file():
            names = [name for name, kind in sorted(datasets.all().items()) if kind.needs_path and name != "folder"]
            return f" To read that file write NAME:{path}, where NAME is one of {', '.join(names)}."
    except (UsageError, OSError, ValueError):  # an unknown home folder, a path that is too long, a null character
        pass
    return ""


def most_images(text: str) -> int:
    """Return the largest number of images that may be run on a dataset: its option ``upto``.

    An invalid text bounds nothing; ``make_dataset`` refuses it.
    """
    try:
        parsed = parse_dataset_text(text)
        return int(UPTO.parse(parsed.options.get(UPTO.name, UPTO.default), f"dataset {parsed.name}"))
    except UsageError:
        return int(UPTO.default)
