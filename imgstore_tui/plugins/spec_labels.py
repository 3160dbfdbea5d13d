"""Writes the label of a spec: the shortest text that means it."""

from __future__ import annotations

from collections.abc import Iterable

from imgstore_tui.core.backend import Backend, Preset
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.options import Option, OptionValue, option_text
from imgstore_tui.core.spec import CODEC_PREFIX


def codec_options_of(backend: type[Backend], preset: Preset, codec: type[Codec]) -> dict[str, OptionValue]:
    """Return the options that a preset sets for a codec: none if the codec is not the preset's."""
    return dict(preset.codec_options) if codec.name == (preset.codec or backend.default_codec) else {}


def spec_label(
    backend: type[Backend],
    codec: type[Codec],
    preset: Preset,
    options: dict[str, OptionValue],
    codec_options: dict[str, OptionValue],
) -> str:
    """Return the shortest text that means a spec.

    Args:
        backend: Its backend.
        codec: Its codec.
        preset: Its preset.
        options: Every option of the backend with its value.
        codec_options: Every option of the codec with its value.
    """
    head = backend.name
    if codec.name != (preset.codec or backend.default_codec):
        head += f"+{codec.name}"
    assignments = [] if preset is backend.presets[0] else [f"preset={preset.name}"]
    assignments += _changed(backend.options, options, dict(preset.options), "")
    assignments += _changed(codec.options, codec_options, codec_options_of(backend, preset, codec), CODEC_PREFIX)
    return head + (":" + ",".join(assignments) if assignments else "")


def _changed(
    declared: Iterable[Option], values: dict[str, OptionValue], base: dict[str, OptionValue], prefix: str
) -> list[str]:
    assignments = []
    for option in declared:
        value = values[option.name]
        if value != base.get(option.name, option.default):
            assignments.append(f"{prefix}{option.name}={option_text(value)}")
    return assignments
