"""Resolves the text of a spec such as ``lmdb+png`` and makes its backend and codec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from imgstore_tui.core.backend import Backend, Preset
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import UnavailableError, UsageError, unknown_name
from imgstore_tui.core.options import OptionValue, resolve_options
from imgstore_tui.core.spec import CODEC_PREFIX, IN_PLACE, Spec, parse_spec_text
from imgstore_tui.plugins.catalogue import check_available
from imgstore_tui.plugins.catalogues import backends, codecs
from imgstore_tui.plugins.spec_labels import codec_options_of, spec_label
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.server import ServerBackend

AnyBackend = TypeVar("AnyBackend", bound=Backend)


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


def _refuse_server(backend: type[Backend]) -> None:
    if backend.capabilities.server and not issubclass(backend, ServerBackend):
        raise UnavailableError(
            f"Backend {backend.name} is a server and derives from Backend alone, so its stores could not be found "
            "again. Derive it from imgstore_tui.storekit.server.ServerBackend."
        )


def with_defaults(kind: type[AnyBackend], options: Mapping[str, OptionValue] | None = None) -> AnyBackend:
    """Return a backend with default options but those given; it reads and removes stores written with any options.

    Raises:
        UsageError: If it has no such option, or a value does not fit.
    """
    return kind(resolve_options(kind.options, options or {}, f"backend {kind.name}"))


def make_codec(spec: Spec) -> Codec:
    """Return the spec's codec with its options set."""
    return codecs.get(spec.codec)(dict(spec.codec_options))
