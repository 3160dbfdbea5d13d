"""Holds a storage method while its options are edited, and checks it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imgstore_tui.core.errors import ImgstoreError, UsageError
from imgstore_tui.core.options import Option, OptionValue, option_text
from imgstore_tui.core.spec import CODEC_PREFIX, Spec
from imgstore_tui.plugins import registry

PRESET, CODEC = "preset", "codec"
"""Keys of the fields that are not options."""

Texts = tuple[tuple[str, str], ...]
"""Names of options and their values as written."""


@dataclass(frozen=True, slots=True)
class SpecForm:
    """Preset, codec, and every option of backend and codec as written."""

    backend: str
    preset: str
    codec: str
    options: Texts
    codec_options: Texts

    @classmethod
    def of(cls, spec: Spec) -> SpecForm:
        """Return the form of a spec."""
        return cls(spec.backend, spec.preset, spec.codec, _texts(spec.options), _texts(spec.codec_options))

    def with_preset(self, name: str) -> SpecForm:
        """Return the form as a preset sets it, including the codec."""
        return self.of(registry.resolve_spec(f"{self.backend}:preset={name}", require_available=False))

    def with_codec(self, name: str) -> SpecForm:
        """Return the form with another codec, its options at their defaults."""
        text = f"{self.backend}+{name}:preset={self.preset}"
        spec = registry.resolve_spec(text, require_available=False)
        return replace(self, codec=name, codec_options=_texts(spec.codec_options))

    def with_value(self, key: str, text: str) -> SpecForm:
        """Return the form with another text for ``preset``, ``codec``, an option, or ``codec.`` and an option."""
        if key == PRESET:
            return self.with_preset(text)
        if key == CODEC:
            return self.with_codec(text)
        if key.startswith(CODEC_PREFIX):
            return replace(self, codec_options=_changed(self.codec_options, key.removeprefix(CODEC_PREFIX), text))
        return replace(self, options=_changed(self.options, key, text))

    @property
    def fields(self) -> list[tuple[str, Option, str]]:
        """Every option: its key, its declaration, its value as written; those of the codec after the backend's."""
        backend, codec = registry.backends.get(self.backend), registry.codecs.get(self.codec)
        own, codecs = dict(self.options), dict(self.codec_options)
        return [
            *((option.name, option, own[option.name]) for option in backend.options),
            *((f"{CODEC_PREFIX}{option.name}", option, codecs[option.name]) for option in codec.options),
        ]

    def problems(self) -> dict[str, str]:
        """Return the problems, a sentence by key of the field."""
        problems = {}
        for key, option, text in self.fields:
            owner = f"codec {self.codec}" if key.startswith(CODEC_PREFIX) else f"backend {self.backend}"
            try:
                option.parse(text, owner)
                if "," in text:
                    raise UsageError(f"Option '{option.name}' of {owner} takes no comma: it separates options.")
            except UsageError as error:
                problems[key] = str(error)
        backend, codec = registry.backends.get(self.backend), registry.codecs.get(self.codec)
        for key, plugin, values in ((CODEC, codec, self.codec_options), (PRESET, backend, self.options)):
            try:
                registry.check_available(plugin, dict(values))
            except ImgstoreError as error:
                problems[key] = str(error)
        return problems

    def spec(self) -> Spec:
        """Return the storage method that the form describes.

        Raises:
            ImgstoreError: If a value is invalid or a driver is missing.
        """
        for problem in self.problems().values():
            raise UsageError(problem)
        options = [f"{PRESET}={self.preset}"]
        options += [f"{key}={text}" for key, option, text in self.fields if text or option.default != ""]
        return registry.resolve_spec(f"{self.backend}+{self.codec}:{','.join(options)}")


def _texts(values: tuple[tuple[str, OptionValue], ...]) -> Texts:
    return tuple((name, option_text(value)) for name, value in values)


def _changed(values: Texts, name: str, text: str) -> Texts:
    return tuple((entry, text if entry == name else value) for entry, value in values)
