"""What a run will take, in words: always *about*, with no more digits than are known."""

from __future__ import annotations

from imgstore_tui.bench.run.estimate import Estimate
from imgstore_tui.core.units import about_bytes, about_seconds, counted, format_duration


def estimate_text(estimate: Estimate) -> str:
    """Return trials, disk and time in a line: ``306 trials, about 24 MiB of disk, about 40 s``."""
    return ", ".join(words for words in (space_text(estimate), time_text(estimate)) if words)


def space_text(estimate: Estimate) -> str:
    """Return trials and disk: ``306 trials, about 24 MiB of disk``."""
    return ", ".join([trials_text(estimate), *_disk(estimate, "about ")])


def time_text(estimate: Estimate) -> str:
    """Return about how long it will take, or that the budget will end it; empty while nobody knows."""
    if estimate.seconds is None:
        return ""
    if estimate.cut_short and estimate.budget_s is not None:
        return f"about {about_seconds(estimate.budget_s)}, ended by the budget"
    return _whole(estimate)


def _whole(estimate: Estimate) -> str:
    """Return about how long all of it takes, were there no budget."""
    return f"{'about' if estimate.measured else 'very roughly'} {about_seconds(estimate.seconds or 0.0)}"


def estimate_short(estimate: Estimate) -> str:
    """Return the same where there is little room: ``306 trials ~24 MiB ~40 s``."""
    parts = [trials_text(estimate), *(word.removesuffix(" of disk") for word in _disk(estimate, "~"))]
    if estimate.seconds is not None:
        shown = min(estimate.seconds, estimate.budget_s or estimate.seconds)
        parts.append(f"~{about_seconds(shown)}")
    return " ".join(parts)


def trials_text(estimate: Estimate) -> str:
    """Return how many trials."""
    return counted(estimate.trials, "trial")


def _disk(estimate: Estimate, about: str) -> list[str]:
    return [] if estimate.need is None else [f"{about}{about_bytes(estimate.need.bytes)} of disk"]


def basis_text(estimate: Estimate) -> str:
    """Return what the time rests on, in a sentence."""
    if estimate.seconds is None:
        return "The data has not been looked at, so disk and time are not known."
    words = "The time is based on this machine's last runs."
    if not estimate.measured:
        words = "The time is a rough guess: little of this was measured on this machine before."
    if estimate.cut_short and estimate.budget_s is not None:
        budget = format_duration(estimate.budget_s)
        words += f" All trials would take {_whole(estimate)}: the budget of {budget} will end them sooner."
    return words
