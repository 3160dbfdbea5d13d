"""The layout of the screen at every size, its colours, and terminals that show less."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from textual import _time, events, timer
from textual.geometry import Size

from imgstore_tui.core.errors import UsageError
from imgstore_tui.tui import themes
from imgstore_tui.tui.app import ImgstoreApp
from imgstore_tui.tui.widgets.choose_pane import FoldedText
from imgstore_tui.tui.widgets.chrome import SlimScrollBar
from tests.support.fake_runs import SETTINGS, FakeRunner
from tests.support.screen import NARROW, SMALL, WIDE, driven


@pytest.mark.full
async def test_everything_is_seen_at_once_where_there_is_room() -> None:
    async with driven(size=WIDE) as app:
        await app.run()
        for words in ("2 Chart", "3 Table: Median time", "4 Log", "5 Verdict", "6 Matrix", "N=1k"):
            assert words in app.picture
        assert "[2 Chart]" not in app.picture, "no tabs where there is nothing to switch"
        assert "Which to take" in app.picture
        await app.press("1")
        for words in ("1 Storage", "Operations", "2 Chart", "3 Table", "4 Log", "5 Verdict", "6 Matrix"):
            assert words in app.picture
        assert "disk is fastest" in str(app.workbench.panes.verdict.body.visual)


@pytest.mark.full
async def test_resizing_live_loses_nothing() -> None:
    async with driven(size=WIDE) as app:
        await app.run()
        await app.press("v")
        whole = app.picture
        for size in (SMALL, NARROW, WIDE):
            await app.pilot.resize_terminal(*size)
            await app.pilot.pause()
            assert len(app.picture.splitlines()) == size[1]
        await app.until(lambda: app.picture == whole)


@pytest.mark.full
async def test_a_window_is_followed_by_a_process_that_is_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # As on a busy machine: 20 ms pass between the first two looks at the clock of the timer that waits for 8 ms.
    real, held = _time.get_time, [0.0]

    def late() -> float:
        asking = sys._getframe(1)
        if asking.f_code.co_name == "_run" and asking.f_locals["self"]._interval < 0.01 and not held[0]:
            held[0] = 0.02
            return real()
        return real() + held[0]

    async with driven() as app:
        monkeypatch.setattr(timer, "_time", SimpleNamespace(get_time=late))
        await app.pilot.resize_terminal(*WIDE)
        await app.until(lambda: app.workbench.outer_size == WIDE and app.workbench.has_class("-wide"))
        assert held[0], "the clock was looked at"
        await app.pilot.resize_terminal(*NARROW)
        await app.until(lambda: app.workbench.outer_size == NARROW and not app.workbench.has_class("-wide"))


@pytest.mark.full
async def test_of_sizes_that_come_while_the_screen_is_busy_the_last_one_counts() -> None:
    async with driven() as app:
        for size in (Size(130, 40), Size(*WIDE)):
            app.workbench.post_message(events.Resize(size, size))
            app.workbench.call_later(app.workbench.refresh_bindings)  # so that they are not taken for one
        await app.pilot.resize_terminal(*WIDE)
        await app.until(lambda: app.workbench.outer_size == WIDE)
        assert "1 Storage" in app.picture


@pytest.mark.full
async def test_the_log_folds_anew_when_the_width_changes() -> None:
    async with driven(FakeRunner(failures={"disk": "a reason " * 12})) as app:
        await app.run()
        await app.press("4")
        narrow = app.workbench.panes.log_lines.virtual_size.height
        await app.pilot.resize_terminal(118, 24)
        await app.pilot.pause()
        assert app.workbench.panes.log_lines.virtual_size.height < narrow
        assert app.workbench.panes.log_lines.virtual_size.height >= len(app.workbench.panes.log_lines.lines)


@pytest.mark.full
async def test_long_reasons_are_folded_and_nothing_of_them_is_lost() -> None:
    reason = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    async with driven(FakeRunner(failures={"lmdb/read-one": reason})) as app:
        await app.run()
        await app.press("3")
        for _ in range(12):
            if "Failures" in app.picture:
                break
            await app.press("v")
        words = app.picture.replace("│", " ").split()
        assert set(reason.split()) <= set(words)


async def test_nothing_beyond_ascii_where_that_was_asked() -> None:
    async with driven(FakeRunner(failures={"disk": "naïve 日本"}), WIDE, ascii_only=True) as app:
        await app.run()
        for keys in ([], ["v"], ["m"], ["question_mark"], ["escape", "e"]):
            await app.press(*keys)
            painted = "".join(
                segment.text
                for strip in app.app.screen._compositor.render_strips()
                for segment in strip.apply_filter(app.app._no_unicode, app.app.screen.background_colors[1])
            )
            assert painted.isascii(), {letter for letter in painted if not letter.isascii()}


@pytest.mark.sample_first
@pytest.mark.parametrize("theme", ["darkroom", "lightbox", "terminal-dark", "terminal-light"])
async def test_every_theme_can_be_asked_for(theme: str) -> None:
    async with driven(theme=theme) as app:
        assert app.app.theme == theme


def test_an_unknown_theme_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="Did you mean 'darkroom'"):
        ImgstoreApp(replace(SETTINGS, theme="darkrom"))


def _contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as WCAG counts it, 1 to 21."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.sample_first
@pytest.mark.parametrize("theme", ["darkroom", "lightbox"])
async def test_every_word_stands_out_from_what_is_behind_it(theme: str) -> None:
    async with driven(FakeRunner(failures={"lmdb/read-one": "no"}), WIDE, theme=theme) as app:
        await app.run()
        for keys in ([], ["tab"], ["v"], ["m"]):
            await app.press(*keys)
            for strip in app.app.screen._compositor.render_strips():
                painted = strip
                for entry in app.app.get_line_filters():
                    painted = painted.apply_filter(entry, app.app.screen.background_colors[1])
                for segment in painted:
                    style = segment.style
                    if style is None or style.color is None or style.bgcolor is None:
                        continue
                    if any(letter.isalnum() for letter in segment.text):
                        colours = [colour.get_truecolor().hex for colour in (style.color, style.bgcolor)]
                        assert _contrast(*colours) > 3, (segment.text, colours)


@pytest.mark.sample_first
@pytest.mark.parametrize(("size", "lines"), [(NARROW, 4), (WIDE, 6)])
async def test_what_is_told_of_a_method_ends_in_a_sign_where_it_has_no_room(size: tuple[int, int], lines: int) -> None:
    async with driven(size=size) as app:
        note = app.workbench.query_one(FoldedText)
        for words in ("in a word.", "on and on " * 80, "nothing else " * 80):
            note.text = words
            await app.pilot.pause()
            assert note.size.height == (1 if words == "in a word." else lines)
            shown = note.render().plain
            assert shown.count("\n") + 1 == note.size.height
            assert shown.endswith(" ...") is (words != "in a word.")
            assert max(map(len, shown.split("\n"))) <= note.size.width


async def test_what_a_key_does_goes_on_below_its_beginning() -> None:
    async with driven(size=NARROW) as app:
        await app.press("question_mark")
        await app.until(lambda: "Skip the cell" in app.picture)
        lines = app.picture.splitlines()
        first = next(number for number, line in enumerate(lines) if "Skip the cell" in line)
        assert lines[first + 1].index("and run no more of it") == lines[first].index("Skip the cell")


@pytest.mark.full
async def test_the_log_has_the_colours_of_the_theme_and_not_of_the_one_before() -> None:
    def colour_of(word: str) -> str:
        pane = app.workbench.panes.log_lines
        for y in range(pane.size.height):
            for segment in pane.render_line(y):
                if segment.text.strip() == word and segment.style is not None and segment.style.color is not None:
                    return segment.style.color.name
        raise AssertionError(f"no {word} in the log")

    async with driven(theme="darkroom") as app:
        await app.run()
        await app.press("4")
        assert colour_of("hdf5") == themes.PALETTES["darkroom"].series[2]
        await app.press("t")
        assert colour_of("hdf5") == themes.PALETTES["lightbox"].series[2]


@pytest.mark.full
async def test_empty_panes_say_in_their_middle_what_will_stand_there() -> None:
    async with driven(size=WIDE) as app:
        await app.press("2")
        await app.until(lambda: "6 Matrix" in app.picture)
        for pane, words in (
            (app.workbench.panes.matrix, "Storage methods by"), (app.workbench.panes.table, "Nothing measured yet."),
            (app.workbench.panes.log_lines, "Every trial gets a line"),
            (app.workbench.panes.verdict, "A verdict needs 6 rounds"),
        ):  # fmt: skip
            region = pane.content_region
            rows = app.picture.splitlines()[region.y : region.bottom]
            row = next(number for number, line in enumerate(rows) if words in line[region.x : region.right])
            assert abs(row - region.height / 2) <= 2, words
            inside = rows[row][region.x : region.right].ljust(region.width)
            assert inside.startswith(" "), words
        await app.run()
        assert not app.workbench.panes.matrix.has_class("-empty")


def test_a_scroll_bar_is_as_long_as_what_is_seen_and_where_that_is() -> None:
    def drawn(position: float, *, vertical: bool = True) -> str:
        bar = SlimScrollBar.render_bar(10, 100, 20, position, vertical=vertical)
        return "".join(segment.text for segment in bar.segments).rstrip("\n")

    assert drawn(0) == "▐▐        "
    assert drawn(80) == "        ▐▐"
    assert drawn(40) == "    ▐▐    "
    assert drawn(0, vertical=False) == "▂▂        "
    whole = SlimScrollBar.render_bar(5, 5, 5, 0)
    assert {segment.text for segment in whole.segments} == {" "}
    cells = SlimScrollBar.render_bar(4, 8, 2, 3).segments
    assert {cell.style.meta["@mouse.down"] for cell in cells if cell.style} == {"scroll_up", "grab", "scroll_down"}
