"""The README's pictures of the screen: ``python -m tests.screenshots DIR [--run RUN]``.

Without ``--run`` the plan ``quick`` is carried out first, for real. Its measurements are then played to the app, once a
size, and the app's own picture of itself is written as SVG.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from imgstore_tui.bench.journal import find_run, read_journal
from imgstore_tui.bench.plan import named_plan
from imgstore_tui.bench.rounds import plan_cells
from imgstore_tui.bench.runner import run_plan
from imgstore_tui.bench.steering import Steering
from imgstore_tui.core.events import Event, Progress, RunFinished, RunStarted, TrialFinished, TrialStarted
from imgstore_tui.core.model import Measurement, Plan, Run
from imgstore_tui.tui.app import ImgstoreApp
from imgstore_tui.tui.gate import Settings

SETTINGS = Settings(theme="darkroom", ascii=False, animate=False, fps=2)


@dataclass(frozen=True)
class Picture:
    """One picture: how large, how far the run is, and what is pressed before it is taken."""

    name: str
    size: tuple[int, int]
    share: float
    """Of the trials, 0 to 1."""
    keys: tuple[str, ...] = ()
    wait_s: float = 0.0
    """Time for what a thread finds out."""


PICTURES = (
    Picture("choose-80x24", (80, 24), 0.0),
    Picture("data-120x35", (120, 35), 0.0, ("d",), wait_s=3.0),
    Picture("chart-80x24", (80, 24), 1.0, ("2",)),
    Picture("table-80x24", (80, 24), 1.0, ("3",)),
    Picture("matrix-80x24", (80, 24), 1.0, ("6", "g", "down", "right", "right")),
    Picture("detail-80x24", (80, 24), 1.0, ("6", "g", "g", "down", "right", "right", "enter")),
    Picture("run-160x45", (160, 45), 0.97),
)


@dataclass
class Replay:
    """Plays a run that was measured before, as far as asked, and then waits to be stopped."""

    run: Run
    share: float

    def __call__(
        self, plan: Plan, *, cancel: threading.Event, steering: Steering, listen: Callable[[Event], None]
    ) -> Run:
        trials = self.run.measurements
        costs = [_cost(trial) for trial in trials]
        listen(RunStarted(replace(self.run, measurements=()), plan_cells(self.run.plan), sum(costs), self.run.id))
        played = round(len(trials) * self.share)
        for number, trial in enumerate(trials):
            left = sum(costs[number:])
            listen(TrialStarted(trial.cell, trial.round, "trial"))
            listen(Progress(trial.cutoff // 2, 1 - left / sum(costs), left))
            if number >= played:
                cancel.wait()
                return self.run
            listen(TrialFinished(trial))
        listen(RunFinished(self.run))
        return self.run


def _cost(trial: Measurement) -> float:
    """Return about how long a trial took in all; what goes on around its clock was not written down."""
    return 0.05 + (trial.elapsed_s or 0.0) + (trial.drain_s or 0.0)


async def draw(picture: Picture, run: Run) -> str:
    """Return a picture of the app, as SVG."""
    app = ImgstoreApp(SETTINGS, run.plan, Replay(run, picture.share))
    async with app.run_test(size=picture.size) as pilot:
        await pilot.pause()
        if picture.share:
            await pilot.press("r")
            # The clock shows what the run took, not what playing it takes.
            session = app.workbench._session
            session.began = time.monotonic() - elapsed(run, picture.share)
            # Long enough for two looks at the news.
            await asyncio.sleep(1.6)
        await pilot.press(*picture.keys)
        await asyncio.sleep(picture.wait_s)
        await pilot.pause()
        return tidy(app.export_screenshot(title="imgstore-tui"))


def elapsed(run: Run, share: float) -> float:
    """Return how many seconds after its start a run had so many of its trials."""
    last = run.measurements[max(0, round(len(run.measurements) * share) - 1)].started_at or run.started_at
    return (datetime.fromisoformat(last) - datetime.fromisoformat(run.started_at)).total_seconds()


def tidy(svg: str) -> str:
    """Return the SVG with no fonts from elsewhere, and with the spaces that librsvg would drop."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas").replace("<text ", '<text xml:space="preserve" ')
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


def measured(word: str | None) -> Run:
    """Return a run: a saved one, or one that is carried out now."""
    if word is not None:
        return read_journal(find_run(word))
    scratch = Path(tempfile.gettempdir(), "scratch")
    scratch.mkdir()
    try:
        with contextlib.chdir(scratch):
            return run_plan(replace(named_plan("quick"), budget_s=None))
    finally:
        shutil.rmtree(scratch)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--run", metavar="RUN", help="a saved run instead of a new one: a file, an id, or last")
    words = parser.parse_args(arguments)
    run = measured(words.run)
    words.folder.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        path = words.folder / f"{picture.name}.svg"
        path.write_text(asyncio.run(draw(picture, run)), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
