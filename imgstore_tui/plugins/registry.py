"""Registers backends, codecs and datasets, and resolves the texts that name them: ``lmdb+png``, ``folder:photos``.

A plug-in is one module of ``imgstore_tui.backends`` (``codecs``, ``datasets``) or one entry point of the group of
the same name, see ``catalogue``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from imgstore_tui.core import credentials
from imgstore_tui.core.backend import Backend, Family, Preset, Reader
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.dataset import UPTO, Dataset
from imgstore_tui.core.errors import (
    ImgstoreError,
    NotAStoreError,
    StoreError,
    UnavailableError,
    UsageError,
    unknown_name,
)
from imgstore_tui.core.location import Location, Scheme, ServerLocation, is_address
from imgstore_tui.core.location import parse_location as location_of
from imgstore_tui.core.options import OptionValue, resolve_options
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.spec import CODEC_PREFIX, IN_PLACE, Spec, parse_dataset_text, parse_spec_text
from imgstore_tui.plugins.catalogue import (
    Catalogue,
    check_available,
    check_installed,
    how_to_get,
    missing_imports,
    missing_requirement,
    missing_setting,
    way_to_use,
)
from imgstore_tui.plugins.spec_labels import codec_options_of, spec_label
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.one_file import OneFileBackend
from imgstore_tui.storekit.server import ServerBackend

AnyBackend = TypeVar("AnyBackend", bound=Backend)

__all__ = [
    "BackendCatalogue",
    "Catalogue",
    "backends",
    "check_available",
    "check_installed",
    "codecs",
    "datasets",
    "how_to_get",
    "local_backends",
    "make_backend",
    "make_codec",
    "make_dataset",
    "make_local",
    "missing_imports",
    "missing_requirement",
    "missing_setting",
    "most_images",
    "open_store",
    "open_store_at",
    "parse_location",
    "possible_backends",
    "preset_of",
    "resolve_spec",
    "server_of",
    "sorted_backends",
    "way_to_use",
    "with_defaults",
]


def as_local(kind: type) -> type:
    """Return a class that derives from ``Backend`` alone as a local backend.

    Plug-ins for an older contract know folders only: ``LocalBackend`` is mixed in after their own methods.
    """
    if not issubclass(kind, Backend) or issubclass(kind, LocalBackend | ServerBackend):
        return kind
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind, LocalBackend), names)


class BackendCatalogue(Catalogue[Backend]):
    """All backends. Listing them moves the secrets of servers from the environment into memory."""

    def __init__(self) -> None:
        super().__init__("backend", "imgstore_tui.backends", Backend, adapt=as_local)

    def all(self) -> dict[str, type[Backend]]:
        """Return every backend by name."""
        kinds = super().all()
        for kind in kinds.values():
            if issubclass(kind, ServerBackend):
                take_credentials(kind)
        return kinds

    def get(self, name: str) -> type[Backend]:
        """Return the backend called ``name``."""
        self.all()
        return super().get(name)


def take_credentials(kind: type[ServerBackend]) -> None:
    """Take the secrets of a server from the environment into memory, so that no child inherits them."""
    for variable in (kind.url_variable, *kind.secret_variables):
        if value := os.environ.pop(variable, None):
            credentials.hold({variable: value})


backends: Catalogue[Backend] = BackendCatalogue()
codecs: Catalogue[Codec] = Catalogue("codec", "imgstore_tui.codecs", Codec)
datasets: Catalogue[Dataset] = Catalogue("dataset", "imgstore_tui.datasets", Dataset)


def sorted_backends() -> list[type[Backend]]:
    """Return all backends by family, then by name."""
    order = list(Family)
    return sorted(backends.all().values(), key=lambda backend: (order.index(backend.family), backend.name))


def preset_of(backend: type[Backend], name: str | None) -> Preset:
    """Return the preset called ``name``, the first one for None.

    Raises:
        UsageError: If the backend has no such preset.
    """
    if name is None:
        return backend.presets[0]
    for preset in backend.presets:
        if preset.name == name:
            return preset
    raise unknown_name(f"preset of backend {backend.name}", name, [preset.name for preset in backend.presets])


def resolve_spec(text: str, *, require_available: bool = True) -> Spec:
    """Turn ``BACKEND[+CODEC][:OPTION=VALUE,...]`` into a spec with every option set.

    Raises:
        UsageError: If a name is unknown or a value does not fit.
        UnavailableError: If a driver is missing (with the command that installs it).
    """
    parsed = parse_spec_text(text)
    if parsed.backend == IN_PLACE.backend:
        raise UsageError(f"'{IN_PLACE}' is your own files as they are: every run on a folder reads them, unasked.")
    try:
        backend = backends.get(parsed.backend)
    except UsageError as error:
        codec_hint = f" To store files of it write disk+{parsed.backend}." if parsed.backend in codecs.all() else ""
        raise UsageError(f"{error}{codec_hint}") from None
    _refuse_server(backend)
    preset = preset_of(backend, parsed.preset)
    codec_name = parsed.codec or preset.codec or backend.default_codec
    codec = codecs.get(codec_name)
    for name, value in parsed.options.items():
        if not any(option.name == name for option in backend.options) and any(o.name == name for o in codec.options):
            raise UsageError(f"'{name}' is an option of the codec {codec.name}; write {CODEC_PREFIX}{name}={value}.")
    options = resolve_options(backend.options, {**preset.options, **parsed.options}, f"backend {backend.name}")
    base_codec_options = codec_options_of(backend, preset, codec)
    codec_options = resolve_options(
        codec.options, {**base_codec_options, **parsed.codec_options}, f"codec {codec.name}"
    )
    if require_available:
        check_available(backend, options)
        check_available(codec)
    label = spec_label(backend, codec, preset, options, codec_options)
    return Spec(backend.name, codec.name, preset.name, tuple(options.items()), tuple(codec_options.items()), label)


def make_backend(spec: Spec) -> Backend:
    """Return the spec's backend with its options set.

    Raises:
        UnavailableError: If it is a server, for which a store must still be a folder.
    """
    backend = backends.get(spec.backend)
    _refuse_server(backend)
    return backend({option.name: option.default for option in backend.options} | dict(spec.options))


def make_local(spec: Spec) -> LocalBackend:
    """Return the spec's backend with its options set, if its stores are files.

    Raises:
        UnavailableError: If they are not.
    """
    backend = make_backend(spec)
    if not isinstance(backend, LocalBackend):
        raise UnavailableError(f"Backend {backend.name} keeps no files here. Use a local backend.")
    return backend


def local_backends() -> list[type[LocalBackend]]:
    """Return all backends whose stores are files, by family, then by name."""
    return [kind for kind in sorted_backends() if issubclass(kind, LocalBackend) and not kind.capabilities.server]


def _refuse_server(backend: type[Backend]) -> None:
    if backend.capabilities.server and not issubclass(backend, ServerBackend):
        raise UnavailableError(
            f"Backend {backend.name} is a server and derives from Backend alone, so its stores could not be found "
            "again. Derive it from imgstore_tui.storekit.server.ServerBackend."
        )


def schemes() -> dict[str, Scheme]:
    """Return the schemes of the addresses of all servers that have a backend here."""
    return {
        scheme: kind.scheme()
        for kind in sorted_backends()
        if issubclass(kind, ServerBackend)
        for scheme in kind.schemes
    }


def parse_location(text: str) -> Location:
    """Parse the text of a location, see ``core.location.parse_location``.

    ``BACKEND#NAME`` is a store on the server that the backend's variable names, unless a file is called so.

    Raises:
        UsageError: If it is malformed, of an unknown scheme, or holds a password or key.
        UnavailableError: If it is ``BACKEND#NAME``, and the variable is not set.
    """
    name, _, store = text.strip('"').partition("#")
    if store and name.isidentifier() and not os.path.lexists(text.strip('"')):
        kind = backends.all().get(name)
        if kind is not None and issubclass(kind, ServerBackend):
            return kind.address()[0].child(unquote(store))
    return location_of(text, schemes() if is_address(text.strip('"')) else {})


def server_of(location: ServerLocation) -> type[ServerBackend]:
    """Return the backend whose server a location is on.

    Raises:
        UsageError: If there is none.
    """
    for kind in sorted_backends():
        if issubclass(kind, ServerBackend) and location.scheme in kind.schemes:
            return kind
    raise unknown_name("kind of address", location.scheme, schemes())


def with_defaults(kind: type[AnyBackend], given: Mapping[str, OptionValue] | None = None) -> AnyBackend:
    """Return a backend with default options but those given; it reads and removes stores written with any options.

    Raises:
        UsageError: If it has no such option, or a value does not fit.
    """
    return kind(resolve_options(kind.options, given or {}, f"backend {kind.name}"))


def make_codec(spec: Spec) -> Codec:
    """Return the spec's codec with its options set."""
    return codecs.get(spec.codec)(dict(spec.codec_options))


def open_store(path: Path, given: Mapping[str, OptionValue] | None = None) -> tuple[type[LocalBackend], Reader]:
    """Open a store for reading, whichever backend wrote it.

    Args:
        path: The store, or a file in a store that is a folder.
        given: Options of the backend that are not to be the default.

    Raises:
        NotAStoreError: If it is missing, or not a store of a backend here.
        StoreError: If it is damaged.
        UnavailableError: If the driver of its backend is missing.
    """
    if not path.is_file():
        return open_store_at(path, given)
    try:
        return open_store_at(path.resolve(), given)  # a link that the user names is followed, one in a store is not
    except NotAStoreError as error:
        try:
            return open_store_at(path.parent, given)
        except NotAStoreError:
            raise error from None


def open_store_at(location: Path, given: Mapping[str, OptionValue] | None = None) -> tuple[type[LocalBackend], Reader]:
    """Open the store that is the file or the folder at a location, see ``open_store``."""
    if not location.exists():
        raise NotAStoreError(f"{location} does not exist.")
    candidates = possible_backends(location)
    unmarked = [
        kind for kind in local_backends()
        if location.is_dir() and not kind.signature_files and not missing_imports(kind)
    ]  # fmt: skip
    refusal: ImgstoreError | None = None
    for kind in [*candidates, *unmarked]:
        try:
            values = given or _values_without_library(kind)
            check_available(kind, values)
            return kind, with_defaults(kind, values).open(location)
        except (StoreError, UnavailableError) as error:
            refusal = refusal or (error if kind in candidates else None)
    raise refusal or NotAStoreError(
        f"{location} is not a store of any backend here; a folder of picture files is read as folder:PATH."
    )


def _values_without_library(kind: type[Backend]) -> dict[str, OptionValue]:
    """Return an option value with which a store is read without a library that is missing; empty for the defaults."""
    if not missing_imports(kind):
        return {}
    ways: list[dict[str, OptionValue]] = [{option.name: value} for option in kind.options for value in option.choices]
    return next((values for values in ways if not missing_imports(kind, values)), {})


def possible_backends(location: Path) -> list[type[LocalBackend]]:
    """Return the backends of which a file or a folder may be a store, by its first bytes or the names in it."""
    if location.is_dir():
        return [kind for kind in local_backends() if any((location / name).exists() for name in kind.signature_files)]
    return [kind for kind in local_backends() if issubclass(kind, OneFileBackend) and kind.has_signature(location)]


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
