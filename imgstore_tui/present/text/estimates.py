"""Writes the estimate of a run as text: trials, disk and time, with no more digits than are known."""

from __future__ import annotations

from imgstore_tui.bench.run.estimate import Estimate
from imgstore_tui.core.model import Plan
from imgstore_tui.core.units import about_bytes, about_seconds, counted, format_duration

AFTER_BUDGET = "time budget spent, finishing what was begun"
"""Stands beside the trials that run after the time budget: they belong to stores that are there already."""


def estimate_text(estimate: Estimate) -> str:
    """Return trials, disk and time in a line: ``306 trials, about 24 MiB of disk, about 40 s``."""
    return ", ".join(part for part in (space_text(estimate), time_text(estimate)) if part)


def space_text(estimate: Estimate) -> str:
    """Return trials and disk: ``306 trials, about 24 MiB of disk``."""
    return ", ".join([trials_text(estimate), *_disk(estimate, "about ")])


def time_text(estimate: Estimate) -> str:
    """Return about how long the run takes, or where the budget stops it; empty while that is unknown."""
    if estimate.seconds is None:
        return ""
    if estimate.cut_short and estimate.budget_s is not None:
        return f"stops after {about_seconds(estimate.budget_s)}"
    return _unlimited_time(estimate)


def reach_texts(estimate: Estimate) -> tuple[str, ...]:
    """Return what the time budget is expected to reach, the longest form first.

    For example ``stops after 1 min, about 3 of 9 rounds; an answer needs about 4 min``.

    Returns:
        None of them where time is unknown, or the plan compares nothing.
    """
    reached, needed, answer_s = estimate.rounds_reached, estimate.rounds_needed, estimate.answer_s
    if reached is None or estimate.seconds is None:
        return ()
    if needed is None or answer_s is None:
        return (time_text(estimate),)
    about = "about" if estimate.measured else "roughly"
    answer = about_seconds(answer_s)
    if estimate.answers:
        return (f"an answer in {about} {answer}",)
    stops = f"stops after {about_seconds(estimate.budget_s or 0.0)}"
    full, short = (f"{about} {reached}", f"~{reached}") if reached else ("less than 1", "<1")
    return (
        f"{stops}, {full} of {needed} rounds; an answer needs {about} {answer}",
        f"{stops}, {short} of {needed} rounds; an answer: ~{answer}",
        f"{stops}; an answer: ~{answer}",
    )


def _unlimited_time(estimate: Estimate) -> str:
    """Return about how long all trials take without a budget."""
    return f"{'about' if estimate.measured else 'very roughly'} {about_seconds(estimate.seconds or 0.0)}"


def estimate_short(estimate: Estimate) -> str:
    """Return the estimate in short: ``306 trials ~24 MiB ~40 s``."""
    parts = [trials_text(estimate), *(part.removesuffix(" of disk") for part in _disk(estimate, "~"))]
    if estimate.seconds is not None:
        shown = min(estimate.seconds, estimate.budget_s or estimate.seconds)
        parts.append(f"~{about_seconds(shown)}")
    return " ".join(parts)


def trials_text(estimate: Estimate) -> str:
    """Return the number of trials."""
    return f"{'up to ' if estimate.at_most else ''}{counted(estimate.trials, 'trial')}"


def _disk(estimate: Estimate, about: str) -> list[str]:
    return [] if estimate.need is None else [f"{about}{about_bytes(estimate.need.bytes)} of disk"]


def basis_text(estimate: Estimate) -> str:
    """Return what the estimated time is based on, in a sentence."""
    if estimate.seconds is None:
        return "The data has not been checked, so disk and time are not known."
    text = "The time is based on this machine's last runs."
    if not estimate.measured:
        text = "The time is a rough guess: little of this was measured on this machine before."
    if estimate.cut_short and estimate.budget_s is not None:
        budget = format_duration(estimate.budget_s)
        text += f" All trials would take {_unlimited_time(estimate)}: the budget of {budget} will end them sooner."
    return text


def clients_text(plan: Plan, estimate: Estimate) -> str:
    """Return what several clients do, and the time that they take: ``1, 2 on this machine, 10 s each: 20 rounds, ...``.

    Args:
        plan: A plan with clients.
        estimate: Its estimate.
    """
    where = "this machine" if plan.cluster is None else plan.cluster
    window = f"{plan.client_window_s:g} s each" if plan.client_window_s else "one pass each"
    time = "" if estimate.clients_s is None else f", very roughly {about_seconds(estimate.clients_s)} of the time above"
    numbers = ", ".join(map(str, plan.clients))
    return f"{numbers} on {where}, {window}: {counted(estimate.client_rounds, 'round')} beside the trials{time}"
