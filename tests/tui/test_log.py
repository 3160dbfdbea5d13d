"""Every event as a line, with nothing in it that a terminal or a markup reader obeys."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.app import App, ComposeResult

from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.cli.progress import timed
from imgstore_tui.core.events import (
    Event,
    Preparing,
    Progress,
    RunFinished,
    RunStarted,
    TrialFinished,
    TrialStarted,
    Warned,
)
from imgstore_tui.core.operations import Operation, Status
from imgstore_tui.core.units import format_bytes, format_seconds
from imgstore_tui.present.text.log_line import error_line, log_line
from imgstore_tui.testing.fake_runs import fake_run
from imgstore_tui.tui.widgets.log_pane import LogPane
from tests.support.screen import driven

RUN = fake_run()
WRITE = next(entry for entry in RUN.measurements if entry.operation is Operation.WRITE_MANY and entry.cutoff == 1000)
READ = next(entry for entry in RUN.measurements if entry.operation is Operation.READ_ONE and entry.cutoff == 1000)
HOSTILE = "[/foo] [red]\x1b[2J\u202eabc"


def line(event: Event) -> str:
    text = log_line(event)
    assert text is not None
    return text.plain


def test_a_measurement_says_what_how_many_how_long_and_what_it_weighs() -> None:
    first_words = f"ok {WRITE.round + 1} disk write-many 1k {format_seconds(WRITE.seconds)}"
    assert line(TrialFinished(WRITE)).split() == f"{first_words} {format_bytes(WRITE.allocated_bytes)}".split()


def test_one_image_of_a_store_is_told_from_all_of_it() -> None:
    assert "1/1k" in line(TrialFinished(READ))


def test_a_failure_says_why() -> None:
    failed = replace(WRITE, status=Status.FAILED, seconds=None, reason="The disk is full.")
    assert line(TrialFinished(failed)).startswith("FAIL")
    assert "The disk is full." in line(TrialFinished(failed))
    assert "skip" in line(TrialFinished(replace(failed, status=Status.SKIPPED)))
    assert "no reason" in line(TrialFinished(replace(failed, reason=None)))


def test_what_was_not_verified_says_so() -> None:
    assert "not verified" in line(TrialFinished(replace(WRITE, verified=False)))


def test_warnings_of_a_trial_stand_beside_it() -> None:
    assert "others kept 1.2 cores busy" in line(TrialFinished(replace(WRITE, warnings=("others kept 1.2 cores busy",))))


def test_start_and_end() -> None:
    facts = replace(RUN.datasets[0], repeated=True, excluded_count=3)
    started = line(RunStarted(replace(RUN, datasets=(facts,)), tuple({m.cell for m in RUN.measurements}), 9.0, "/j"))
    assert "306 trials" in started
    assert "images repeat" in started
    assert "3 files left out" in started
    assert "/j" in started
    failed = fake_run(failures={"lmdb": "no"})
    assert "102 failed" in line(RunFinished(failed))
    assert "failed" not in line(RunFinished(RUN))
    for status, words in (("stopped", "stopped"), ("budget", "out of time"), ("interrupted", "interrupted")):
        assert line(RunFinished(replace(RUN, status=status))).startswith(words)


async def test_a_warning_stands_in_the_log_at_the_time_at_which_it_came(tmp_path: Path) -> None:
    journal = Journal.begin(replace(RUN, measurements=(), status="running", finished_at=None), tmp_path)
    journal.warn("The disk is slow.", at="2026-01-02T03:04:06+00:00")
    journal.warn("Of a journal of before.")
    journal.end("stopped", "2026-01-02T03:05:00+00:00")
    journal.close()
    async with driven() as app:
        app.workbench.open(journal.path)
        lines = app.workbench.panes.log_lines
        await app.until(lambda: any("Of a journal of before." in text for text in lines.lines))
        local = datetime.fromisoformat("2026-01-02T03:04:06+00:00").astimezone()
        assert f"{local:%H:%M:%S} warning The disk is slow." in lines.lines


def test_the_command_line_says_when_a_warning_came() -> None:
    warned = Warned("The disk is slow.", "2026-01-02T03:04:06+00:00")
    local = datetime.fromisoformat("2026-01-02T03:04:06+00:00").astimezone()
    text = log_line(warned)
    assert text is not None
    assert timed(warned, text).plain == f"{local:%H:%M:%S} warning The disk is slow."
    assert timed(replace(warned, at=None), text).plain == "warning The disk is slow."


def test_preparing_is_said_once() -> None:
    assert "10 to do" in line(Preparing("making pixels", 0, 10))
    assert line(Preparing("scanning", 0, None))
    assert log_line(Preparing("making pixels", 5, 10)) is None


@pytest.mark.parametrize("event", [TrialStarted(WRITE.cell, 0, "trial"), Progress(1, 0.5, None)])
def test_what_passes_is_not_logged(event: Event) -> None:
    assert log_line(event) is None


@pytest.mark.parametrize(
    "event",
    [
        Preparing(HOSTILE, 0, 1),
        Warned(HOSTILE),
        TrialFinished(replace(WRITE, spec=HOSTILE)),
        TrialFinished(replace(WRITE, status=Status.FAILED, reason=HOSTILE)),
        TrialFinished(replace(WRITE, warnings=(HOSTILE,))),
        RunStarted(replace(RUN, id=HOSTILE), (), 1.0, HOSTILE),
        RunFinished(replace(RUN, status=HOSTILE)),
    ],
)
def test_nothing_in_the_data_can_speak(event: Event) -> None:
    assert "\x1b" not in line(event)
    assert "\u202e" not in line(event)
    assert "[/foo]" in line(event)


def test_a_spec_has_its_colour() -> None:
    text = log_line(TrialFinished(WRITE), {"disk": "red"}.__getitem__)
    assert text is not None
    assert any(span.style == "red" and text.plain[span.start : span.end].strip() == "disk" for span in text.spans)


def test_an_error_is_a_line() -> None:
    assert error_line(HOSTILE).plain.startswith("error [/foo]")


async def test_a_trial_takes_one_row_of_the_log_where_its_size_has_no_room() -> None:
    line = log_line(TrialFinished(WRITE))
    assert line is not None
    size = format_bytes(WRITE.allocated_bytes)

    class Screen(App[None]):
        def compose(self) -> ComposeResult:
            yield LogPane()

    for columns, sees_size in ((70, True), (54, False)):
        app = Screen()
        async with app.run_test(size=(columns, 10)) as pilot:
            pane = app.query_one(LogPane)
            pane.add_lines([(datetime(2026, 1, 2, tzinfo=UTC), line)] * 3)
            await pilot.pause()
            assert pane.virtual_size.height == 3
            drawn = pane.render_line(0).text
            assert (size in drawn) is sees_size
            assert format_seconds(WRITE.seconds) in drawn
            assert size in pane.copied_text()
