"""Fits how throughput grows with the number of clients by the universal scalability law, and predicts more clients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from imgstore_tui.stats.intervals import CONFIDENCE, Basis, Interval
from imgstore_tui.stats.student import SMALLEST_SPREAD, student_quantile

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
_STEPS = 8
"""Repetitions of the weighted fit; it has settled after a few."""
_LEAST_SHARE = 0.1
"""Share of a value below which its fitted value does not raise its weight further."""
_FREE = ((0, 1, 2), (0, 1), (0, 2), (0,))
"""Which constants are not held at 0: of these fits the best without a negative constant is that of least squares."""


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

    K over throughput is linear in 1/one, contention/one and coherency/one. Weights are those of the fitted values,
    found by repetition, so that an error of ten per cent counts the same at every number of clients.

    Args:
        clients: Numbers of clients, ascending; at least three.
        throughputs: Throughput of each, above 0.

    Raises:
        ValueError: If there are fewer than three numbers of clients, or a throughput is not above 0.
    """
    if len(set(clients)) < 3 or len(throughputs) != len(clients) or min(throughputs) <= 0:
        raise ValueError("a law needs three numbers of clients or more, and throughputs above 0")
    import numpy as np  # not by every command that imports this

    design, scale = _design(clients)
    measured = np.array(clients, np.float64) / np.array(throughputs, np.float64)
    fitted, best = measured, np.zeros(3)
    for _ in range(_STEPS):
        weighted, target = design / fitted[:, None], measured / fitted
        least = math.inf
        for free in map(list, _FREE):
            found = np.linalg.lstsq(weighted[:, free], target, rcond=None)[0]
            error = float(((weighted[:, free] @ found - target) ** 2).sum())
            if found.min() >= 0 and error < least:
                least, best = error, np.zeros(3)
                best[free] = found
        fitted = np.maximum(design @ best, _LEAST_SHARE * measured)
    start, contention, coherency = (best / scale).tolist()
    return ScalabilityLaw(1 / start, contention / start, coherency / start)


def _design(clients: Sequence[int]) -> tuple[Floats, Floats]:
    """Return what multiplies each linear constant, a row for each number of clients, and the scale of its columns."""
    import numpy as np

    numbers = np.array(clients, np.float64)
    design = np.stack([np.ones_like(numbers), numbers - 1, numbers * (numbers - 1)], axis=-1)
    scale: Floats = design.max(axis=0)
    return design / scale, scale


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
    def _constants_by_round(self) -> Floats:
        """The three linear constants that each round alone would give, a row each, free to be negative.

        What differs between rounds is laid on the law of all: their mean is that law, and their scatter does not shrink
        where a constant is held at 0.
        """
        import numpy as np

        design, scale = _design(self.clients)
        fitted = np.array([number / self.law.at(number) for number in self.clients])
        relative = np.exp(self._logs.mean(axis=0) - self._logs)
        found: Floats = np.linalg.lstsq(design / fitted[:, None], relative.T, rcond=None)[0].T / scale
        return found

    def _error(self, values: Floats) -> float:
        """Return the variance of a mean over the rounds: that of the jackknife, as the values are linear in them.

        Source: B. Efron, *The Jackknife, the Bootstrap and Other Resampling Plans*, 1982, chapter 3. Whole rounds are
        left out, as one bad minute is in all numbers of clients.
        """
        return float(values.var(ddof=1)) / len(self.rounds)

    @cached_property
    def _median_error(self) -> float:
        """Variance of the logarithm of the median of as many further throughputs, about their round.

        That of a mean, by as much more as the median of n normal values scatters, nearly.
        """
        logs, n = self._logs, len(self.rounds)
        rest = logs - logs.mean(axis=0) - logs.mean(axis=1, keepdims=True) + logs.mean()
        noise = float((rest**2).sum()) / ((n - 1) * (len(self.clients) - 1))
        return noise / n * (math.pi / 2) * n / (n + 0.57)

    def predict(self, clients: float, confidence: float = CONFIDENCE) -> Interval:
        """Return the throughput of so many clients, and where the median over as many further rounds would lie.

        The interval is Student's t on the sum of both errors, with the freedom of Welch and Satterthwaite.

        Args:
            clients: The number of clients.
            confidence: Wanted coverage, nearly kept where the law is the right one.
        """
        import numpy as np

        n, middle = len(self.rounds), self.law.at(clients)
        linear = self._constants_by_round @ np.array([1.0, clients - 1, clients * (clients - 1)])
        error, further = self._error(linear * middle / clients), self._median_error
        total = max(error + further, SMALLEST_SPREAD**2)
        parts = error**2 / (n - 1) + further**2 / ((n - 1) * (len(self.clients) - 1))
        freedom = total**2 / parts if parts else float(n - 1)
        reach = math.exp(min(student_quantile(1 - (1 - confidence) / 2, freedom) * math.sqrt(total), 300.0))
        return Interval(middle, middle / reach, middle * reach, confidence, n, Basis.JACKKNIFE)

    def constants(self, confidence: float = CONFIDENCE) -> tuple[Interval, Interval]:
        """Return contention and coherency with their intervals, which end at 0."""
        n, law = len(self.rounds), self.law
        quantile = student_quantile(1 - (1 - confidence) / 2, n - 1)
        start = self._constants_by_round[:, 0]
        intervals = []
        for place, value in ((1, law.contention), (2, law.coherency)):
            # Linear near the law: each is a constant over that of one client.
            reach = quantile * math.sqrt(self._error((self._constants_by_round[:, place] - value * start) * law.one))
            intervals.append(Interval(value, max(0.0, value - reach), value + reach, confidence, n, Basis.JACKKNIFE))
        contention, coherency = intervals
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
    return _law_fit(clients, tuple(tuple(rounds[number][each] for number in clients) for each in shared))


@lru_cache(256)
def _law_fit(clients: tuple[int, ...], rounds: tuple[tuple[float, ...], ...]) -> LawFit:
    """Return the fit of some rounds; kept, as a screen asks for it again and again while other rounds go on."""
    return LawFit(clients, rounds)


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
