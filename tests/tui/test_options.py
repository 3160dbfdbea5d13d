"""The form of a storage method's options."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Input

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.core.options import Option
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.tui.screens.options import OptionsScreen
from imgstore_tui.tui.widgets.one_of import OneOf
from imgstore_tui.tui.widgets.option_field import OptionField
from tests.support.screen import NARROW, SMALL, WIDE, Driven, driven

MIDDLE = (120, 35)


def field(app: Driven, key: str) -> OptionField:
    return next(field for field in app.app.screen.query(OptionField) if field.key == key)


async def open_options(app: Driven, label: str) -> None:
    assert app.workbench.panes.choose.storage.point_at(label)
    await app.press("o")


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [SMALL, NARROW, MIDDLE, WIDE])
@pytest.mark.parametrize("ascii_only", [False, True])
async def test_the_form_fits_and_says_what_it_comes_to(size: tuple[int, int], ascii_only: bool) -> None:
    async with driven(size=size, ascii_only=ascii_only) as app:
        await open_options(app, "hdf5")
        assert app.shows(OptionsScreen)
        assert "Options of hdf5" in app.picture
        assert "= hdf5" in app.picture
        assert "Add as another" in app.picture
        assert len(app.picture.splitlines()) == size[1]
        assert max(len(line) for line in app.picture.splitlines()) <= size[0]


async def test_every_declared_option_is_there_with_its_sentence_and_its_default() -> None:
    async with driven(size=(160, 60)) as app:
        await open_options(app, "hdf5")
        words = " ".join(app.picture.replace("│", " ").split())
        for option in registry.backends.get("hdf5").options:
            assert option.summary.split(";")[0][:60] in words
            assert f"Default {option.default}" in words


async def test_what_is_wrong_is_said_at_the_field_and_nothing_is_taken() -> None:
    async with driven() as app:
        await open_options(app, "hdf5")
        field(app, "chunks").query_one(Input).focus()
        await app.press("ctrl+u")
        await app.write("many")
        assert "takes a whole number, not 'many'" in " ".join(field(app, "chunks").problem.split())
        assert "Not ready" in app.picture
        await app.press("enter")
        assert app.shows(OptionsScreen)
        await app.press("ctrl+u")
        await app.write("64")
        assert "= hdf5:chunks=64" in app.picture
        await app.press("enter")
        assert "[x] + hdf5:chunks=64" in app.picture


@pytest.mark.full
async def test_the_same_options_twice_are_refused() -> None:
    async with driven() as app:
        await app.press("o", "f2")
        assert "is on offer already" in app.picture
        assert app.shows(OptionsScreen)


@pytest.mark.full
async def test_another_codec_shows_its_options() -> None:
    async with driven(size=WIDE) as app:
        await open_options(app, "lmdb")
        field(app, "codec").query_one(OneOf).choose("png")
        await app.pilot.pause()
        assert field(app, "codec.level").region
        await app.until(lambda: "= lmdb+png" in app.picture)
        await app.press("f2")
        assert "lmdb+png" in app.workbench.choice.ticked
        pointed = app.workbench.panes.choose.storage.pointed
        assert pointed is not None
        assert pointed.key == "lmdb+png"


@pytest.mark.full
async def test_a_click_chooses() -> None:
    async with driven() as app:
        await open_options(app, "lmdb")
        await app.pilot.click(field(app, "preset").editor, offset=(10, 0))
        await app.until(lambda: "= lmdb:preset=article" in app.picture)


@pytest.mark.full
async def test_what_a_plug_in_declares_is_never_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = "[/foo] [red]x\x1b[2J\u202e"
    lmdb = registry.backends.get("lmdb")
    monkeypatch.setattr(lmdb, "title", hostile)
    monkeypatch.setattr(lmdb, "options", (*lmdb.options, Option("odd", hostile, hostile, choices=(hostile, "b"))))
    async with driven(size=WIDE) as app:
        await open_options(app, "lmdb")
        assert app.shows(OptionsScreen)
        assert "[/foo] [red]x<U+001B>" in app.picture
        assert "\x1b" not in app.picture


async def test_options_of_what_is_not_there_are_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.backends.get("hdf5"), "requires", ("no_such_module",))
    async with driven(plan=replace(named_plan("quick"), specs=(resolve_spec("disk"),))) as app:
        await open_options(app, "hdf5")
        assert not app.shows(OptionsScreen)
        assert [note.title for note in app.app._notifications] == ["Not available here"]
