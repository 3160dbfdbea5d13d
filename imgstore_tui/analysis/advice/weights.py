"""Defines what storage can be judged by, and how much each of it matters for what the images are used for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum

from imgstore_tui.core.errors import UsageError, did_you_mean
from imgstore_tui.core.operations import Operation


class Criterion(StrEnum):
    """A cost of storage; less is better."""

    WRITE = "write"
    READ = "read"
    RANDOM = "random"
    SINGLE = "single"
    DISK = "disk"
    MEMORY = "memory"
    FILES = "files"

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations that measure it, the first choice first; none for what is not a time."""
        return _OPERATIONS.get(self, ())

    @property
    def describe(self) -> str:
        """What it is, in a few words."""
        return _DESCRIPTIONS[self]

    @property
    def floor(self) -> float:
        """A value below which less is no better."""
        return _FLOORS.get(self, 0.0)


_OPERATIONS = {
    Criterion.WRITE: (Operation.WRITE_MANY,),
    Criterion.READ: (Operation.READ_MANY,),
    Criterion.RANDOM: (Operation.READ_RANDOM, Operation.READ_MANY),
    Criterion.SINGLE: (Operation.GET_ONE, Operation.READ_ONE),
}
_DESCRIPTIONS = {
    Criterion.WRITE: "time to write",
    Criterion.READ: "time to read in order",
    Criterion.RANDOM: "time to read in random order",
    Criterion.SINGLE: "time to read one image",
    Criterion.DISK: "disk use",
    Criterion.MEMORY: "memory while reading",
    Criterion.FILES: "number of files",
}
_FLOORS = {Criterion.MEMORY: 1024.0**2, Criterion.FILES: 1.0, Criterion.DISK: 1.0}


class Use(StrEnum):
    """What the images are used for."""

    TRAINING = "training"
    ARCHIVE = "archive"
    SERVICE = "service"
    SHARING = "sharing"

    @property
    def describe(self) -> str:
        """What the images go through, in a clause."""
        return _USES[self]

    @property
    def phrase(self) -> str:
        """How it stands behind *for* in a sentence."""
        return {Use.ARCHIVE: "an archive", Use.SERVICE: "a service"}.get(self, self.value)

    @property
    def weights(self) -> dict[Criterion, float]:
        """How much each criterion matters, in parts of 100."""
        return dict(_WEIGHTS[self])


_USES = {
    Use.TRAINING: "written once, read whole in random order for many epochs",
    Use.ARCHIVE: "written once, kept for years, seldom read",
    Use.SERVICE: "single images are read at random all day",
    Use.SHARING: "written once, sent to others, read by their programs",
}
_WEIGHTS: dict[Use, dict[Criterion, float]] = {
    Use.TRAINING: {
        Criterion.RANDOM: 75,
        Criterion.DISK: 10,
        Criterion.WRITE: 5,
        Criterion.MEMORY: 5,
        Criterion.FILES: 5,
    },
    Use.ARCHIVE: {Criterion.DISK: 60, Criterion.READ: 15, Criterion.WRITE: 15, Criterion.FILES: 10},
    Use.SERVICE: {Criterion.SINGLE: 75, Criterion.DISK: 15, Criterion.MEMORY: 10},
    Use.SHARING: {Criterion.DISK: 50, Criterion.READ: 20, Criterion.FILES: 20, Criterion.WRITE: 10},
}

Weights = Mapping[Criterion, float]


def weights_for(use: Use | None, own: Weights) -> dict[Criterion, float]:
    """Return the share of each criterion, from 0 to 1 and 1 together, the largest first.

    Args:
        use: What the images are used for; its weights fill in what the user leaves out. None leaves the user's alone;
            without any, it is training.
        own: Weights of the user, in parts of whatever sum, beside the 100 parts of a use.

    Raises:
        UsageError: If all of them are 0.
    """
    base = use.weights if use is not None else {} if own else Use.TRAINING.weights
    parts = {**base, **own}
    total = sum(parts.values())
    if total <= 0:
        raise UsageError("All weights are 0, so that nothing matters. Give one of them more, e.g. --weight random=3.")
    positive = sorted(((part / total, criterion) for criterion, part in parts.items() if part > 0), reverse=True)
    return {criterion: share for share, criterion in sorted(positive, key=lambda entry: (-entry[0], entry[1]))}


def parse_weights(texts: Iterable[str]) -> dict[Criterion, float]:
    """Parse weights as the user writes them: ``read=3``, ``read=3,disk=1``.

    Raises:
        UsageError: If one has another form, names no criterion or is no number of 0 or more.
    """
    weights: dict[Criterion, float] = {}
    names = [criterion.value for criterion in Criterion]
    for text in (part.strip() for whole in texts for part in whole.split(",")):
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise UsageError(f"'{text}' is not a weight. Write CRITERION=NUMBER, e.g. --weight read=3.")
        if name not in names:
            raise UsageError(f"Unknown criterion '{name}'.{did_you_mean(name, names)} Known: {', '.join(names)}.")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 <= number < math.inf:
            raise UsageError(f"'{value}' is not a weight of {name}: write a number of 0 or more.")
        if Criterion(name) in weights:
            raise UsageError(f"The weight of {name} is given twice. Give it once.")
        weights[Criterion(name)] = number
    return weights
