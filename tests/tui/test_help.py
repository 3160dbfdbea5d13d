"""The manual on the screen: every topic at every size."""

from __future__ import annotations

import re

import pytest
from textual.binding import Binding

from imgstore_tui.present.help import load_topics
from imgstore_tui.tui.screens.help import HelpScreen, help_lines
from tests.support.screen import NARROW, SMALL, WIDE, driven


@pytest.mark.full
@pytest.mark.parametrize(("size", "ascii_only"), [(SMALL, False), (NARROW, True), (WIDE, False)])
async def test_every_topic_is_shown_at_every_size(size: tuple[int, int], ascii_only: bool) -> None:
    async with driven(size=size, ascii_only=ascii_only) as app:
        await app.press("question_mark")
        screen = app.app.screen
        assert isinstance(screen, HelpScreen)
        for topic in load_topics():
            await app.press("down")
            await app.until(lambda title=topic.title: title in app.picture.splitlines()[1])  # type: ignore[misc]
            assert app.picture.isascii() or not ascii_only
            await app.press("enter", "end")
            last_word = re.findall(r"\w+", topic.markdown)[-1]
            await app.until(lambda word=last_word: word in app.picture)  # type: ignore[misc]
            assert screen.topics.display is (size == WIDE)
            await app.press("left")


def test_keys_are_shown_as_the_signs_that_they_type() -> None:
    names = ("less_than_sign", "greater_than_sign", "question_mark", "left_square_bracket", "slash", "a", "1")
    bindings = [Binding(name, "act", tooltip=name) for name in (*names, "backspace", "escape")]
    shown = [key for key, _ in help_lines(bindings)]
    assert shown == ["<", ">", "?", "[", "/", "a", "1", "backspace", "esc"]


async def test_no_topic_is_folded_in_the_list() -> None:
    async with driven(size=NARROW) as app:
        await app.press("question_mark")
        await app.until(lambda: "object-storage" in app.picture)
