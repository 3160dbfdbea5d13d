"""The options of a storage method while they are edited, without a screen."""

from __future__ import annotations

import pytest

from imgstore_tui.core.errors import UsageError
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.tui.forms.spec_form import SpecForm


@pytest.mark.parametrize(
    "text", ["lmdb", "disk+jpeg:codec.quality=70", "hdf5:chunks=64,filter=lzf", "lmdb:preset=article"]
)
def test_a_form_that_is_not_touched_gives_the_same_spec(text: str) -> None:
    assert SpecForm.of(resolve_spec(text)).spec() == resolve_spec(text)


def test_every_backend_and_preset_has_a_form() -> None:
    for backend in registry.sorted_backends():
        for preset in backend.presets:
            form = SpecForm.of(resolve_spec(f"{backend.name}:preset={preset.name}", require_available=False))
            assert [key for key, _, _ in form.fields if not key.startswith("codec.")] == [
                option.name for option in backend.options
            ]


def test_a_preset_sets_codec_and_options() -> None:
    form = SpecForm.of(resolve_spec("disk:fanout=5")).with_value("preset", "article")
    assert form.spec() == resolve_spec("disk:preset=article")


def test_a_codec_brings_its_own_options() -> None:
    form = SpecForm.of(resolve_spec("disk+jpeg:codec.quality=70")).with_value("codec", "png")
    assert form.spec().label == "disk"
    assert "codec.quality" not in [key for key, _, _ in form.fields]
    assert form.with_value("codec", "jpeg").with_value("codec.quality", "55").spec().label == (
        "disk+jpeg:codec.quality=55"
    )


@pytest.mark.parametrize(
    ("key", "text", "word"),
    [
        ("chunks", "many", "a whole number"),
        ("chunks", "", "a whole number"),
        ("chunks", "1,filter=gzip", "a whole number"),
        ("filter", "[red]", "one of none, lzf, gzip"),
    ],
)
def test_what_means_nothing_is_a_problem_of_its_field(key: str, text: str, word: str) -> None:
    form = SpecForm.of(resolve_spec("hdf5")).with_value(key, text)
    assert list(form.problems()) == [key]
    assert word in form.problems()[key]
    with pytest.raises(UsageError):
        form.spec()


def test_a_codec_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.codecs.get("webp"), "requires", ("no_such_module",))
    monkeypatch.setattr(registry.codecs.get("webp"), "extra", None)
    problems = SpecForm.of(resolve_spec("disk")).with_value("codec", "webp").problems()
    assert " -m pip install no_such_module" in problems["codec"]
