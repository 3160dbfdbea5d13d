"""A storage method while its options are being edited: what was written, and whether it means something."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imgstore_tui.core.errors import ImgstoreError, UsageError
from imgstore_tui.core.options import Option, OptionValue, option_text
from imgstore_tui.core.spec import CODEC_PREFIX, Spec
from imgstore_tui.plugins import registry

PRESET, CODEC = "preset", "codec"
"""The fields that are no options, by the key of each."""

Written = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SpecForm:
    """Preset, codec, and every option of backend and codec as written."""

    backend: str
    preset: str
    codec: str
    options: Written
    codec_options: Written

    @classmethod
    def of(cls, spec: Spec) -> SpecForm:
        """Return the form that stands for a spec."""
        return cls(spec.backend, spec.preset, spec.codec, _written(spec.options), _written(spec.codec_options))

    def with_preset(self, name: str) -> SpecForm:
        """Return the form as a preset sets it, codec and all."""
        return self.of(registry.resolve_spec(f"{self.backend}:preset={name}", require_available=False))

    def with_codec(self, name: str) -> SpecForm:
        """Return the form with another codec, that one's options at their defaults."""
        text = f"{self.backend}+{name}:preset={self.preset}"
        spec = registry.resolve_spec(text, require_available=False)
        return replace(self, codec=name, codec_options=_written(spec.codec_options))

    def with_value(self, key: str, text: str) -> SpecForm:
        """Return the form after something was written: ``preset``, ``codec``, an option, or ``codec.`` an option."""
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
        """Return what is wrong, a sentence by the key of the field concerned."""
        found = {}
        for key, option, text in self.fields:
            owner = f"codec {self.codec}" if key.startswith(CODEC_PREFIX) else f"backend {self.backend}"
            try:
                option.parse(text, owner)
                if "," in text:
                    raise UsageError(f"Option '{option.name}' of {owner} takes no comma: it separates options.")
            except UsageError as error:
                found[key] = str(error)
        for key, plugin in ((CODEC, registry.codecs.get(self.codec)), (PRESET, registry.backends.get(self.backend))):
            try:
                registry.check_available(plugin)
            except ImgstoreError as error:
                found[key] = str(error)
        return found

    def spec(self) -> Spec:
        """Return the storage method that the form describes.

        Raises:
            ImgstoreError: If something written means nothing, or is not to be had here.
        """
        for problem in self.problems().values():
            raise UsageError(problem)
        words = [f"{PRESET}={self.preset}"]
        words += [f"{key}={text}" for key, option, text in self.fields if text or option.default != ""]
        return registry.resolve_spec(f"{self.backend}+{self.codec}:{','.join(words)}")


def _written(values: tuple[tuple[str, OptionValue], ...]) -> Written:
    return tuple((name, option_text(value)) for name, value in values)


def _changed(values: Written, name: str, text: str) -> Written:
    return tuple((entry, text if entry == name else value) for entry, value in values)
