"""Which to take, in two lines a data set: who is first in each operation at the most images, and what that weighs."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.analysis.verdict import Verdict
from imgstore_tui.core.model import Cell
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes
from imgstore_tui.present.digest import Digest
from imgstore_tui.present.disk import weighed_stores
from imgstore_tui.present.words import contest_words, images_words


def answer_lines(found: Digest) -> list[str]:
    """Return the verdicts at the most images as an answer, harmless to a terminal.

    What has no verdict there is not named; where nothing has one, there is no answer.
    """
    lines = []
    for dataset in found.run.plan.datasets:
        judged = [verdict for verdict in _at_the_most(found, dataset) if verdict.reason is None]
        if not judged:
            continue
        most = max(verdict.contest.cutoff for verdict in judged)
        where = f"{dataset}, {images_words(most)}" if len(found.run.plan.datasets) > 1 else images_words(most)
        lines.append(f"Fastest at {where} - {'; '.join(_words(verdict, most, found) for verdict in judged)}.")
        first = {spec for verdict in judged for spec in verdict.best}
        disk = {
            summary.cell.spec: summary.disk.allocated_bytes
            for summary in weighed_stores(found, dataset)
            if summary.cell.cutoff == most and summary.cell.spec in first and summary.disk is not None
        }
        sizes = sorted((size, spec) for spec, size in disk.items() if size is not None)
        lossy = {spec: psnr for verdict in judged for spec, psnr in verdict.lossy if spec in first}
        told = []
        if sizes:
            told.append(f"On disk: {', '.join(f'{spec} {format_bytes(size)}' for size, spec in sizes)}.")
        if lossy:
            told.append(f"Lossy: {', '.join(f'{spec} ({psnr:.0f} dB)' for spec, psnr in lossy.items())}.")
        if told:
            lines.append(" ".join(told))
    return [safe_text(line) for line in lines]


def _at_the_most(found: Digest, dataset: str) -> list[Verdict]:
    """Return one verdict an operation and level: that of the most images at which it was measured."""
    last: dict[Cell, Verdict] = {}
    for verdict in found.verdicts:
        if verdict.contest.dataset == dataset:
            key = replace(verdict.contest, cutoff=0)
            if key not in last or last[key].contest.cutoff < verdict.contest.cutoff:
                last[key] = verdict
    return list(last.values())


def _words(verdict: Verdict, most: int, found: Digest) -> str:
    contest = verdict.contest
    several = len(found.run.plan.sync if contest.operation.writes else found.run.plan.cache) > 1
    head = contest_words(contest, found.run) if several else str(contest.operation)
    if contest.cutoff != most:
        head += f" of {images_words(contest.cutoff)}"
    if verdict.winner:
        return f"{head}: {verdict.winner}"
    tied = " or ".join(verdict.alike)
    unsure = " or ".join(verdict.unsure if tied else verdict.best)
    told = [f"{tied} (tie)"] * bool(tied) + [f"{'perhaps ' if tied else ''}{unsure} (unsure)"] * bool(unsure)
    return f"{head}: {', '.join(told)}"
