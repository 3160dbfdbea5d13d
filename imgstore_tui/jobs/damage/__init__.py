"""Measures what a flipped byte costs: flips bytes of a store, one at a time, and counts the images that are lost."""

from imgstore_tui.jobs.damage.flips import DamageResult, FlipOutcome, measure_damage

__all__ = ["DamageResult", "FlipOutcome", "measure_damage"]
