"""Summarises rounds of several clients: throughput by number of clients, how it scales, where it stops gaining."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from imgstore_tui.core.client_round import LATE_S, ClientRound, ClientWork
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Status
from imgstore_tui.core.units import counted, format_count, format_number, format_rate
from imgstore_tui.stats.intervals import Interval, median_interval
from imgstore_tui.stats.ratios import paired_ratio
from imgstore_tui.stats.universal_scalability import LawFit, TestedLaw, fit_rounds

LEAST_ROUNDS = 3
"""Rounds below which a scaling is unsure."""
WIDEST_RATIO = 1.5
"""Upper over lower end of the interval of a scaling from which on its rounds disagree."""
GAIN = 1.1
"""Ratio of throughputs beyond which more clients gain something worth having."""
MOST_BEYOND = 4
"""How many times the largest number of clients measured the law is extended to."""
WIDEST_PREDICTION = 2.0
"""Upper over lower end of a prediction from which on it says too little."""
SHARED = "clients share cores, with each other or the server: no scaling is claimed"
UNVERIFIED = "the store was not verified, so its figures do not count"


@dataclass(frozen=True, slots=True)
class ClientFigures:
    """The figures of one number of clients over its rounds. Only rounds that are whole, on time and verified count."""

    clients: int
    rounds: tuple[tuple[int, float], ...]
    """Round and images per second of all clients together, of every round that counts."""
    throughput: Interval | None
    """Median over these rounds and its interval, images per second; None while no round counts."""
    scaling: Interval | None
    """Throughput over that of one client, paired by round; None unless it is claimed."""
    unclaimed: str
    """Why no scaling is claimed, one clause; empty where one is."""
    is_unsure: bool
    """Whether that is for want of rounds that agree."""
    thrown_away: int
    """Rounds in which a client began more than ``LATE_S`` late."""
    failed: int
    """Other rounds that do not count."""
    reasons: tuple[tuple[str, int], ...]
    """Why rounds do not count, each with its number of rounds."""
    latency_s: Mapping[str, float]
    """Seconds of a call by quantile, ``p50``, ``p95``, ``p99``: the median over the rounds of the slowest client."""
    fairness: float | None
    """Median over the rounds of Jain's index of the clients' rates."""
    idle_s: float | None
    """Median over the rounds of how long the first client to end waited for the last."""
    start_spread_s: float | None
    """The widest of all rounds that count, from the first client's start to the last's."""
    late_s: float | None
    """The latest that any client of these rounds woke up after the agreed instant."""
    shares_cores: bool | None
    """Whether in any round clients shared cores, with each other or the server; None where nobody can tell."""
    machines: tuple[str, ...]
    """The machines of all clients."""

    @property
    def per_client(self) -> float | None:
        """Images per second of one of the clients, the mean."""
        return None if self.throughput is None else self.throughput.median / self.clients

    @property
    def efficiency(self) -> float | None:
        """The scaling over the number of clients: 1 where each is as fast as one alone."""
        return None if self.scaling is None else self.scaling.median / self.clients


@dataclass(frozen=True, slots=True)
class Extension:
    """Throughput of more clients than were measured, by the law."""

    clients: int
    throughput: Interval
    """Widened by the tested error."""
    tested: TestedLaw
    widened: float
    """Factor by which the interval was widened to both sides."""


@dataclass(frozen=True, slots=True)
class Gain:
    """From which number of clients on more gain nothing."""

    clients: int
    """The smallest number from which no larger one was shown to be faster by more than ``GAIN``."""
    most: int
    """The largest number that was measured."""
    is_sure: bool
    """Whether each larger number was shown not to be faster by more than that; else some are open."""


@dataclass(frozen=True)
class ScalingCurve:
    """One contest at every number of clients: same data, method, operation, images, work, window and level."""

    row: Cell
    """The contest as a row of the run."""
    work: ClientWork
    window_s: float
    figures: tuple[ClientFigures, ...]
    """By ascending number of clients."""

    @property
    def contest(self) -> tuple[object, ...]:
        """What may stand on one chart: all but the method."""
        return replace(self.row, spec=""), self.work, self.window_s

    @property
    def shares_cores(self) -> bool:
        """Whether clients share cores, with each other or the server, at some number of them."""
        return any(entry.shares_cores for entry in self.figures)

    @property
    def measured(self) -> tuple[ClientFigures, ...]:
        """The numbers of clients that have figures."""
        return tuple(entry for entry in self.figures if entry.throughput is not None)

    @property
    def one(self) -> ClientFigures | None:
        """The figures of one client; None where it has none."""
        return next((entry for entry in self.measured if entry.clients == 1), None)

    @property
    def gain(self) -> Gain | None:
        """From which number of clients on more gain nothing; None where no scaling is claimed or too little is sure."""
        own = [entry for entry in self.measured if not entry.unclaimed]
        if len(own) < 2 or len(own) < len(self.figures):
            return None
        for place, entry in enumerate(own):
            ratios = [
                ratio
                for larger in own[place + 1 :]
                if (ratio := paired_ratio(dict(larger.rounds), dict(entry.rounds))) is not None
            ]
            if all(ratio.low <= GAIN for ratio in ratios):
                return Gain(entry.clients, own[-1].clients, all(ratio.high <= GAIN for ratio in ratios))
        return None

    @cached_property
    def law(self) -> LawFit | str:
        """The universal scalability law of this contest; or why there is none, one clause."""
        if self.shares_cores:
            return SHARED
        return fit_rounds({entry.clients: dict(entry.rounds) for entry in self.measured})

    def extend(self, clients: int) -> Extension | str:
        """Return the throughput of more clients by the law; or why it cannot be told, one clause."""
        fit = self.law
        if isinstance(fit, str):
            return fit
        largest, tested = fit.clients[-1], fit.tested
        if clients <= largest:
            return f"{counted(clients, 'client')} lie within what was measured, up to {format_count(largest)}"
        if not tested.holds:
            return (
                f"the law does not hold here: from {format_count(tested.from_clients)} clients it predicts "
                f"{rate_range(tested.widest)} for {format_count(tested.clients)}, and "
                f"{format_rate(tested.measured)} were measured"
            )
        if clients > MOST_BEYOND * largest:
            return (
                f"{format_count(clients)} clients are more than {MOST_BEYOND} times the {format_count(largest)} that "
                "were measured"
            )
        predicted, factor = fit.predict(clients), _widening(fit, clients)
        widened = replace(predicted, low=predicted.low / factor, high=predicted.high * factor)
        if widened.high > WIDEST_PREDICTION * widened.low:
            return (
                f"the rounds bear no figure for {format_count(clients)} clients: it would lie between "
                f"{format_rate(widened.low)} and {format_rate(widened.high)} images/s, more than a factor of "
                f"{format_number(WIDEST_PREDICTION)} apart"
            )
        return Extension(clients, widened, tested, factor)

    def feeding(self, images_per_s: float) -> ClientFigures | None:
        """Return the fewest clients measured whose interval lies wholly above a rate; None where there are none."""
        return next(
            (
                entry
                for entry in self.measured
                if entry.throughput is not None
                and len(entry.rounds) >= LEAST_ROUNDS
                and not entry.shares_cores
                and entry.throughput.low >= images_per_s
            ),
            None,
        )


def _widening(fit: LawFit, clients: int) -> float:
    """Return the factor by which an interval is widened: the tested error, once for each step as long as that tested.

    A law that is a little wrong is more so farther off.
    """
    tested = fit.tested
    steps = math.log(clients / tested.clients) / math.log(tested.clients / tested.from_clients)
    return float(tested.factor ** max(1.0, steps))


def rate_range(rate: Interval) -> str:
    """Return a rate and its interval: ``4,120 (3,990 to 4,300) images/s``."""
    return f"{format_rate(rate.median)} ({format_rate(rate.low)} to {format_rate(rate.high)}) images/s"


def scaling_curves(run: Run) -> tuple[ScalingCurve, ...]:
    """Return every contest of a run that was driven by clients, in the order in which they were measured."""
    contests: dict[tuple[object, ...], list[ClientRound]] = {}
    for entry in run.client_rounds:
        contests.setdefault(entry.contest, []).append(entry)
    return tuple(map(_curve, contests.values()))


def _curve(rounds: Sequence[ClientRound]) -> ScalingCurve:
    first = rounds[0]
    numbers: dict[int, list[ClientRound]] = {}
    for entry in rounds:
        numbers.setdefault(entry.clients, []).append(entry)
    base = {entry.round: rate for entry in numbers.get(1, ()) if (rate := _counted_rate(entry)) is not None}
    shared = any(entry.shares_cores for entry in numbers.get(1, ()))
    return ScalingCurve(
        Cell(first.dataset, first.spec, first.operation, first.cutoff, first.cache, first.sync),
        first.work,
        first.window_s,
        tuple(_figures(number, numbers[number], base, base_shares=shared) for number in sorted(numbers)),
    )


def _is_late(entry: ClientRound) -> bool:
    return any(result.late_s is not None and result.late_s > LATE_S for result in entry.results)


def _counted_rate(entry: ClientRound) -> float | None:
    """Return the throughput of a round that counts; None of another."""
    counts = entry.status is Status.OK and entry.verified and not _is_late(entry)
    return entry.images_per_s or None if counts else None


def _reason(entry: ClientRound) -> str:
    if entry.reason:
        return entry.reason
    if entry.status is Status.OK and _is_late(entry):
        return f"a client began more than {1000 * LATE_S:.0f} ms late"
    if entry.status is Status.OK and not entry.verified:
        return UNVERIFIED
    return next((result.reason for result in entry.results if result.reason), "no reason was given")


def _figures(
    clients: int, rounds: Sequence[ClientRound], base: Mapping[int, float], *, base_shares: bool
) -> ClientFigures:
    rates = {entry.round: rate for entry in rounds if (rate := _counted_rate(entry)) is not None}
    good = [entry for entry in rounds if entry.round in rates and _counted_rate(entry) is not None]
    bad = [entry for entry in rounds if _counted_rate(entry) is None]
    late = sum(map(_is_late, bad))
    flags = {entry.shares_cores for entry in rounds}
    shares = True if True in flags or base_shares else None if None in flags else False
    ratio = paired_ratio(rates, base) if rates else None
    unclaimed, is_unsure = _obstacle(ratio, base, shares=shares)
    results = [result for entry in good for result in entry.results]
    return ClientFigures(
        clients,
        tuple(sorted(rates.items())),
        median_interval(list(rates.values())) if rates else None,
        None if unclaimed else ratio,
        unclaimed,
        is_unsure,
        late,
        len(bad) - late,
        tuple(Counter(map(_reason, bad)).items()),
        _latency(good),
        _median(entry.fairness for entry in good),
        _median(entry.idle_s for entry in good),
        max((spread for entry in good if (spread := entry.start_spread_s) is not None), default=None),
        max((result.late_s for result in results if result.late_s is not None), default=None),
        shares,
        tuple(dict.fromkeys(result.machine for entry in rounds for result in entry.results)),
    )


def _obstacle(ratio: Interval | None, base: Mapping[int, float], *, shares: bool | None) -> tuple[str, bool]:
    """Return why no scaling is claimed, and whether that is for want of rounds that agree; empty where it is."""
    if shares:
        return SHARED, False
    if not base:
        return "one client has no figures to compare with", False
    paired = 0 if ratio is None else ratio.n
    if ratio is None or paired < LEAST_ROUNDS:
        return f"{counted(paired, 'round')} of the {LEAST_ROUNDS} that it takes", True
    if ratio.high > WIDEST_RATIO * ratio.low:
        return f"its rounds disagree, {format_number(ratio.low)} to {format_number(ratio.high)} times one client", True
    return "", False


def _latency(rounds: Iterable[ClientRound]) -> dict[str, float]:
    """Return each quantile of the slowest client that has it, the median over the rounds."""
    worst: dict[str, list[float]] = {}
    for entry in rounds:
        for name in dict.fromkeys(name for result in entry.results for name in result.latency_s):
            worst.setdefault(name, []).append(
                max(result.latency_s[name] for result in entry.results if name in result.latency_s)
            )
    return {name: statistics.median(values) for name, values in sorted(worst.items())}


def _median(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return statistics.median(present) if present else None
