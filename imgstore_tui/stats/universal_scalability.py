"""Fits how throughput grows with the number of clients by the universal scalability law, and predicts more clients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from imgstore_tui.stats.intervals import CONFIDENCE, Basis, Interval
from imgstore_tui.stats.student import student_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_NUMBERS = 6
"""Numbers of clients below which no law is fitted: it has three constants, and one number is left out to test it."""
LEAST_ROUNDS = 4
"""Rounds that have all numbers of clients below which no law is fitted: it could have no interval."""
REFUTED = 0.99
"""Coverage of the interval beyond which a measured throughput refutes the law."""
_RESAMPLES = 400
"""Sets of rounds that are drawn: their spread is known to 4 %."""
_SEED = 20
"""Of the draws, so that the same rounds give the same interval."""
_STEPS = 8
"""Repetitions of the weighted fit; it has settled after a few."""
_LEAST_SHARE = 0.1
"""Share of a value below which its fitted value does not raise its weight further."""
_FREE = ((0, 1, 2), (0, 1), (0, 2), (0,))
"""Which constants are not held at 0: of these fits the best without a negative constant is that of least squares."""
_MEDIAN_VARIANCE = math.pi / 2
"""Variance of the median over that of the mean, of normal noise."""


@dataclass(frozen=True, slots=True)
class ScalabilityLaw:
    """Throughput of K clients as ``one * K / (1 + contention * (K - 1) + coherency * K * (K - 1))``.

    Source: N. J. Gunther, *Guerrilla Capacity Planning*, Springer 2007, chapter 4 to 6.
    """

    one: float
    """Throughput of one client."""
    contention: float
    """Share of the work that clients do one after the other, 0 or more; 0 where none waits for another."""
    coherency: float
    """Cost of keeping each pair of clients in step, 0 or more; above 0 throughput falls again in the end."""

    def at(self, clients: float) -> float:
        """Return the throughput of so many clients."""
        beside = clients - 1
        return self.one * clients / (1 + self.contention * beside + self.coherency * clients * beside)

    @property
    def most_clients(self) -> float | None:
        """The number of clients with the most throughput; None where it only grows."""
        if not self.coherency:
            return None
        return math.sqrt(max(0.0, 1 - self.contention) / self.coherency)


def fit_law(clients: Sequence[int], throughputs: Sequence[float]) -> ScalabilityLaw:
    """Fit the law by least squares of relative errors, with no constant below 0.

    Args:
        clients: Numbers of clients, ascending; at least three.
        throughputs: Throughput of each, above 0.

    Raises:
        ValueError: If there are fewer than three numbers of clients, or a throughput is not above 0.
    """
    import numpy as np  # not by every command that imports this

    one, contention, coherency = _fit(clients, np.array([throughputs], np.float64))[0].tolist()
    return ScalabilityLaw(one, contention, coherency)


def _fit(clients: Sequence[int], throughputs: Floats) -> Floats:
    """Fit one law a row of throughputs; return its constants, a row each.

    K over throughput is linear in 1/one, contention/one and coherency/one. Weights are those of the fitted values,
    found by repetition, so that an error of ten per cent counts the same at every number of clients.
    """
    import numpy as np

    if len(set(clients)) < 3 or throughputs.shape[1] != len(clients) or not (throughputs > 0).all():
        raise ValueError("a law needs three numbers of clients or more, and throughputs above 0")
    numbers = np.array(clients, np.float64)
    design = np.stack([np.ones_like(numbers), numbers - 1, numbers * (numbers - 1)], axis=-1)
    scale = design.max(axis=0)
    design = design / scale
    measured = numbers / throughputs
    fitted = measured
    best = np.zeros((len(measured), 3))
    for _ in range(_STEPS):
        weighted, target = design / fitted[:, :, None], measured / fitted
        least = np.full(len(measured), np.inf)
        for free in map(list, _FREE):
            part = weighted[:, :, free]
            normal = part.transpose(0, 2, 1) @ part + 1e-12 * np.eye(len(free))
            found = np.linalg.solve(normal, part.transpose(0, 2, 1) @ target[:, :, None])
            error = ((part @ found)[:, :, 0] - target) ** 2
            better = (found[:, :, 0] >= 0).all(axis=1) & (error.sum(axis=1) < least)
            least[better] = error.sum(axis=1)[better]
            best[better] = 0.0
            best[np.ix_(better, free)] = found[better, :, 0]
        fitted = np.maximum(best @ design.T, _LEAST_SHARE * measured)
    constants = best / scale
    start = constants[:, :1]
    return np.concatenate([1 / start, constants[:, 1:] / start], axis=1)


def _throughputs(constants: Floats, clients: float) -> Floats:
    """Return the throughput of so many clients by each law."""
    beside = clients - 1
    return constants[:, 0] * clients / (1 + constants[:, 1] * beside + constants[:, 2] * clients * beside)


@dataclass(frozen=True, slots=True)
class TestedLaw:
    """How well the throughput of the largest number of clients is predicted from all others."""

    __test__ = False
    """The name begins as those of pytest's classes do."""
    clients: int
    """The largest number of clients measured."""
    from_clients: int
    """The largest number of clients that the prediction was made from."""
    predicted: Interval
    widest: Interval
    """The same prediction with the interval of ``REFUTED``."""
    measured: float
    """Median over the rounds."""

    @property
    def holds(self) -> bool:
        """Whether the law is not refuted: what was measured lies in the wider interval."""
        return self.widest.contains(self.measured)

    @property
    def ratio(self) -> float:
        """Predicted over measured throughput."""
        return self.predicted.median / self.measured

    @property
    def factor(self) -> float:
        """How many times too much or too little was predicted, 1 or more."""
        return math.exp(abs(math.log(self.ratio)))


@dataclass(frozen=True)
class LawFit:
    """The law fitted to several rounds, with what their spread says of its predictions."""

    clients: tuple[int, ...]
    """Numbers of clients, ascending."""
    rounds: tuple[tuple[float, ...], ...]
    """Throughput at each of them, a tuple for every round that has them all."""

    @cached_property
    def law(self) -> ScalabilityLaw:
        """The law of all rounds together: of the geometric mean at each number of clients."""
        import numpy as np

        return fit_law(self.clients, np.exp(self._logs.mean(axis=0)).tolist())

    @cached_property
    def _logs(self) -> Floats:
        import numpy as np

        return np.log(np.array(self.rounds, np.float64))

    @cached_property
    def _resampled(self) -> Floats:
        """Constants of the laws of sets of rounds, drawn with replacement: whole rounds, as one bad minute is in all.

        Source: B. Efron and R. J. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 6 and 8.
        """
        import numpy as np

        drawn = np.random.default_rng(_SEED).integers(0, len(self.rounds), (_RESAMPLES, len(self.rounds)))
        return _fit(self.clients, np.exp(self._logs[drawn].mean(axis=1)))

    @cached_property
    def _noise(self) -> float:
        """Variance of a logarithm of a throughput about its round and its number of clients."""
        logs = self._logs
        rest = logs - logs.mean(axis=0) - logs.mean(axis=1, keepdims=True) + logs.mean()
        return float((rest**2).sum()) / ((len(self.rounds) - 1) * (len(self.clients) - 1))

    def _reach(self, spread: float, further: float, confidence: float) -> float:
        """Return half an interval from a standard deviation over draws and the variance of what is added to it."""
        n = len(self.rounds)
        # Draws from n rounds spread less than rounds do, by n - 1 over n.
        return student_quantile(1 - (1 - confidence) / 2, n - 1) * math.sqrt(spread**2 * n / (n - 1) + further)

    def predict(self, clients: float, confidence: float = CONFIDENCE) -> Interval:
        """Return the throughput of so many clients, and where the median over as many further rounds would lie.

        Args:
            clients: The number of clients.
            confidence: Wanted coverage, nearly kept where the law is the right one.
        """
        import numpy as np

        n = len(self.rounds)
        spread = float(np.log(_throughputs(self._resampled, clients)).std(ddof=1))
        reach = self._reach(spread, self._noise / n * _MEDIAN_VARIANCE, confidence)
        middle = self.law.at(clients)
        return Interval(middle, middle * math.exp(-reach), middle * math.exp(reach), confidence, n, Basis.RESAMPLED)

    def constants(self, confidence: float = CONFIDENCE) -> tuple[Interval, Interval]:
        """Return contention and coherency with their intervals, which end at 0."""
        reaches = [self._reach(float(self._resampled[:, number].std(ddof=1)), 0.0, confidence) for number in (1, 2)]
        contention, coherency = (
            Interval(value, max(0.0, value - reach), value + reach, confidence, len(self.rounds), Basis.RESAMPLED)
            for value, reach in zip((self.law.contention, self.law.coherency), reaches, strict=True)
        )
        return contention, coherency

    @cached_property
    def tested(self) -> TestedLaw:
        """How well the largest number of clients is predicted from all others."""
        import numpy as np

        fewer = LawFit(self.clients[:-1], tuple(round_[:-1] for round_ in self.rounds))
        measured = float(np.median([round_[-1] for round_ in self.rounds]))
        predicted, widest = (fewer.predict(self.clients[-1], level) for level in (CONFIDENCE, REFUTED))
        return TestedLaw(self.clients[-1], fewer.clients[-1], predicted, widest, measured)


def fit_rounds(rounds: Mapping[int, Mapping[int, float]]) -> LawFit | str:
    """Fit the law to the rounds that have every number of clients.

    Args:
        rounds: Throughput by number of clients, then by round; all above 0.

    Returns:
        The fit; or why there is none, one clause.
    """
    clients = tuple(sorted(rounds))
    if len(clients) < LEAST_NUMBERS:
        return f"a law takes {LEAST_NUMBERS} numbers of clients, and {len(clients)} {_have(len(clients))} figures"
    shared = sorted(set.intersection(*(set(entries) for entries in rounds.values())))
    if len(shared) < LEAST_ROUNDS:
        return f"a law takes {LEAST_ROUNDS} rounds, and {len(shared)} {_have(len(shared))} every number of clients"
    return LawFit(clients, tuple(tuple(rounds[number][each] for number in clients) for each in shared))


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
