"""The steps of the walk, chapter by chapter; each ends on the workbench, where the next begins."""

from __future__ import annotations

import csv
import json
import os
import re
import signal

from tests.walk.terminal import NeverCame
from tests.walk.walker import Walker

BACKENDS = ("disk", "lmdb", "hdf5")
CUTOFFS = ("1", "10", "100")
OWN_CUTOFF, OWN_CUTOFF_SHOWN = "2k", "2,000"
BUDGET = "10m"
"""More than any machine needs, so that the run is whole."""
MOST_STEPS = 30
RUN_S = 600.0
"""The longest that a run may take: ten times what the plan allows itself."""


_A_SAVED_RUN = r"\d{4}-\d\d-\d\d \d\d:\d\d"
"""How a line of the list of saved runs begins."""


def choose(walk: Walker) -> None:
    """Choose three backends and four numbers of images, look at the data, the options, the conditions."""
    terminal = walk.terminal
    walk.start()
    walk.picture("start")
    walk.press_until("?", "Run the plan as chosen")
    walk.picture("help")
    walk.close("Run the plan as chosen")

    walk.press_until("n", "Select something in every list")
    walk.picture("nothing-ticked")
    for backend in BACKENDS:
        walk.tick(backend)
    walk.press_until("o", "Add as another")
    walk.picture("options")
    walk.close("Add as another")

    walk.move("Tab", 2)
    walk.press_until("n", "0 selected")
    for cutoff in CUTOFFS:
        walk.tick(cutoff)
    walk.move("Tab")
    terminal.write(OWN_CUTOFF)
    walk.press_until("Enter", f"[x] {OWN_CUTOFF_SHOWN}")
    terminal.until("4 selected")
    walk.move("Tab", 4)
    walk.press_until("C-u", "budget none")
    terminal.write(BUDGET)
    terminal.until(f"budget {BUDGET}")
    walk.move("Escape")
    walk.picture("choose")

    walk.press_until("d", "One more")
    terminal.until("▀▀▀▀")
    walk.picture("data")
    walk.close("One more")
    walk.press_until("c", "sync")
    walk.picture("conditions")
    walk.close("Conditions ─")


def run(walk: Walker) -> None:
    """Run it and watch: every pane, a cell while it is measured, a pause, the question before leaving."""
    terminal = walk.terminal
    walk.press_until("r", "round 1 of", seconds=60)
    walk.picture("run-begun")
    walk.reached(25)
    walk.press_until("6", "6 Matrix: median time")
    terminal.press("Down", "Right", "Right")
    walk.picture("matrix-running")
    walk.press_until("Enter", "timed ")
    walk.picture("detail-running")
    walk.close("Fewer images")
    walk.press_until("z", "paused: no new trial starts until z")
    walk.picture("paused")
    terminal.press("z")
    walk.gone("paused: no new trial starts until z")
    walk.press_until("4", " ok ")
    walk.picture("log")
    walk.press_until("q", "Stop it and quit?")
    walk.picture("leave")
    walk.close("Stop it and quit?")
    walk.press_until("2", "m: next")
    walk.reached(85)
    walk.picture("run")
    terminal.until("trials kept", seconds=RUN_S)
    walk.gone("removing its stores", seconds=RUN_S)
    walk.picture("finished")


def charts(walk: Walker) -> None:
    """Every chart, and every way to look at one."""
    walk.press_until("2", "m: next")
    assert walk.all_of("m", "chart") > 3
    walk.turn("x", "chart-linear-x")
    walk.turn("y", "chart-linear-y")
    walk.turn("l", "chart-linear")
    walk.turn("i", "chart-an-image")
    walk.press_until("h", "this run has")
    walk.picture("chart-level")
    walk.gone("this run has")
    walk.press_until("6", "6 Matrix: median time")
    walk.picture("matrix")
    walk.move("t")
    walk.picture("matrix-light")
    walk.move("t", 3)


def tables(walk: Walker) -> None:
    """Every table, sorted and filtered; the ranking at another number of images; all about a cell; the verdict."""
    terminal = walk.terminal
    walk.press_until("3", "v: next")
    assert walk.all_of("v", "table") > 3
    walk.press_until("n", "▲")
    walk.picture("table-sorted")
    walk.press_until("b", "▼")
    walk.press_until("/", "storage, operation, level or N")
    terminal.write("lmdb read")
    terminal.until("/lmdb read:")
    walk.picture("table-filtered")
    terminal.press("Enter")
    walk.press_until("Escape", "v: next")
    walk.gone("/lmdb read:")
    _step_until(walk, "v", "Ranking at")
    _step_until(walk, "[", "Ranking at 100 images")
    walk.picture("ranking")
    _step_until(walk, "]", "Ranking at 2,000 images")
    terminal.press("Down")
    walk.press_until("Enter", "timed ")
    walk.picture("detail")
    walk.close("Fewer images")
    walk.press_until("5", "n: notes")
    walk.picture("verdict")
    walk.press_until("n", "n: verdicts")
    walk.picture("notes")
    walk.press_until("n", "n: notes")
    walk.press_until("Enter", "Report: run")
    terminal.until("Ranking at")
    walk.picture("report")
    walk.close("Report: run")


def _step_until(walk: Walker, key: str, seen: str) -> None:
    """Press a key that steps through something until words are there."""
    for _ in range(MOST_STEPS):
        before = walk.terminal.at_rest()
        if seen in before:
            return
        walk.terminal.press(key)
        walk.terminal.until(lambda screen, before=before: screen.text != before.text, f"what {key} changes")  # type: ignore[misc]
    raise NeverCame(f"{key} never came to {seen!r}. There stands:\n{before.text}")


def export(walk: Walker) -> None:
    """Every form in which the run and its chart can be had, to a file; one through the clipboard."""
    terminal = walk.terminal
    walk.press_until("e", "╭─ Export ")
    walk.picture("export")
    offered = _offers(walk)
    walk.point_at(r"\[.\] csv ", back=True)
    walk.press_until("c", "sent to the terminal's clipboard")
    walk.picture("export-copied")
    rows = list(csv.DictReader(terminal.clipboard().splitlines()))
    assert {row["backend"] for row in rows} == set(BACKENDS), terminal.clipboard()[:500]
    walk.close("╭─ Export ")

    wanted = {name: tick != "-" for name, tick in offered.items()}
    for name in (name for name, there in wanted.items() if there):
        before = set(walk.folder.iterdir())
        walk.press_until("e", "╭─ Export ")
        walk.point_at(rf"\[.\] {name} ")
        walk.move("Enter")
        terminal.until(f"[x] {name} ")
        terminal.press("Enter")
        walk.gone("╭─ Export ")
        made = set(walk.folder.iterdir()) - before
        assert len(made) == 1, (name, made)
        _check(name, made.pop().read_bytes())
    walk.picture("exported")


def _offers(walk: Walker) -> dict[str, str]:
    """Return the names in the dialog with their ticks, by walking down its list."""
    offered: dict[str, str] = {}
    for end in ("End", "Home"):
        for match in re.finditer(r"\[([x -])\] (\w[\w-]*) ", walk.terminal.at_rest().text):
            if match[2].startswith("chart-") or match[2] in FORMATS:
                offered[match[2]] = match[1]
        walk.terminal.press(end)
    assert set(FORMATS) <= offered.keys(), offered
    return offered


FORMATS = {
    "csv": b",", "tsv": b"\t", "json": b"{", "md": b"|", "html": b"<!doctype html>", "tex": b"\\toprule",
    "svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF",
}  # fmt: skip
"""What each holds, whatever was measured."""


def _check(name: str, data: bytes) -> None:
    kind = name.removeprefix("chart-")
    assert FORMATS.get(kind, b"") in data.lower() or FORMATS[kind] in data, (name, data[:200])
    if name == "json":
        assert {trial["backend"] for trial in json.loads(data)["measurements"]} == set(BACKENDS)


def leave(walk: Walker) -> None:
    """Quit: what was measured and saved stays on the terminal."""
    terminal = walk.terminal
    terminal.press("q")
    terminal.back_in_shell()
    terminal.until("saved ")
    terminal.until(lambda _: not terminal.children(), "the end of the program and of all that it started")
    walk.picture("after-quitting")


def come_back(walk: Walker) -> None:
    """Start again: the choice is kept; open the run from the list."""
    walk.terminal.write("clear")
    walk.terminal.press("Enter")
    walk.gone("saved ")
    walk.start()
    walk.terminal.until("4 selected")
    walk.picture("second-start")
    walk.press_until("f", "Saved runs")
    walk.terminal.until(lambda screen: screen.find(_A_SAVED_RUN + r".* (finished|out of time) "), "the saved run")
    walk.picture("saved-runs")
    walk.press_until("Enter", "trials kept")
    walk.picture("opened")


def killed(walk: Walker) -> None:
    """Kill the program in the middle of a run, come back, resume, and set the two runs side by side."""
    terminal = walk.terminal
    walk.press_until("r", "round 1 of", seconds=60)
    walk.reached(15)
    for pid in terminal.children():
        os.kill(pid, signal.SIGKILL)
    terminal.another_shell()
    walk.start()
    walk.picture("after-a-kill")
    walk.press_until("f", "interrupted")
    walk.picture("broke-off")
    walk.press_until("r", "round", seconds=60)
    walk.reached(30)
    walk.picture("resumed")
    terminal.until("trials kept", seconds=RUN_S)
    walk.gone("removing its stores", seconds=RUN_S)
    walk.press_until("f", "Saved runs")
    terminal.until(lambda screen: len(re.findall(_A_SAVED_RUN, screen.text)) == 2, "two runs")
    terminal.press("Down", "Space", "Up", "Space", "c")
    terminal.until(" against ")
    walk.picture("compared")
    walk.close("Side by side")
    walk.close("Saved runs")
    terminal.press("q")
    terminal.back_in_shell()


CHAPTERS = {
    "choose": choose,
    "run": run,
    "charts": charts,
    "tables": tables,
    "export": export,
    "leave": leave,
    "come back": come_back,
    "killed": killed,
}
