"""Writes the advice in plain sentences, each with the rows of the run that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from imgstore_tui.analysis.advice.ranking import MethodCost, Ranking
from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.advice.weights import Use
from imgstore_tui.analysis.verdict import listed
from imgstore_tui.core.model import Cell, Plan
from imgstore_tui.core.operations import CacheState
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count, format_number, format_percent
from imgstore_tui.present.text.advice_reasons import mostly, reason_sentences
from imgstore_tui.present.text.advice_times import time_sentences
from imgstore_tui.present.text.ceilings import LITTLE_STORAGE, headroom_sentence
from imgstore_tui.present.text.clients import client_sentences
from imgstore_tui.present.text.next_commands import shell_line
from imgstore_tui.present.text.shared_options import short_names
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.stats.ranking import Placement

COMMAND = "imgstore-tui "
"""What every command begins with."""
_LEAST_CODEC = 0.05
"""Share of the codec below which all is storage, and nothing is to be said."""


_LEAST_SHARE = 0.05
"""Share of the weights below which, and above the rest of 1, no threshold is worth a sentence."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of the advice, harmless to a terminal."""

    kind: str
    """What it is about: ``choice``, ``cost``, ``own files``, ``pareto``, ``weight``, ``size``, ``epoch``, ..."""
    text: str
    rows: tuple[Cell, ...] = ()
    """The rows that its figures are computed from; empty where it has none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", safe_text(self.text))


def statements(given: DatasetAdvice) -> tuple[Statement, ...]:
    """Return the advice on a dataset, sentence by sentence; the first one is the answer in short."""
    times_taken = [Statement(kind, text, rows) for kind, text, rows in time_sentences(given)]
    parts = [
        _choice(given),
        *_continuation(given),
        *_keeping(given),
        *times_taken,
        *_clients(given),
        *(Statement(kind, text, rows) for kind, text, rows in reason_sentences(given)),
        *_shares(given),
        *_costs(given),
        *_own_files(given),
        *_weight_changes(given),
    ]
    return (*parts, *_size_changes(given), *_pareto(given), *_weights(given), *_omissions(given))


def sentence_text(statement: Statement, plan: Plan) -> str:
    """Return a sentence without the options that all methods share; one with a command keeps them."""
    return statement.text if COMMAND in statement.text else short_names(statement.text, plan)


def row_names(rows: Iterable[Cell]) -> str:
    """Return the names of rows: ``lmdb/read-random/10,100,1000 hot``; several numbers of images share a name.

    Rows that differ by their method alone share one, too: ``read-random/1000 hot of lmdb, hdf5``.
    """
    counts: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:
        counts.setdefault((row.spec, str(row.operation), str(row.cache or row.sync or "")), []).append(row.cutoff)
    methods: dict[str, list[str]] = {}
    for (spec, operation, level), numbers in counts.items():
        methods.setdefault(f"{operation}/{','.join(map(str, sorted(set(numbers))))} {level}", []).append(spec)
    names = (
        f"{specs[0]}/{name}" if len(specs) == 1 else f"{name} of {', '.join(specs)}" for name, specs in methods.items()
    )
    return safe_text("; ".join(names))


def _purpose(given: DatasetAdvice) -> str:
    use = given.situation.use
    if use is not None:
        return f" for {use.phrase}"
    return "" if given.situation.weights else " for training"


def _choice(given: DatasetAdvice) -> Statement:
    ranking, purpose = given.advice.ranking, _purpose(given)
    if ranking.reason:
        return Statement("choice", f"No advice{purpose}: {ranking.reason}.")
    rows = _rows(ranking, [method.spec for method in ranking.methods])
    own = given.advice.own_files
    if own is not None and given.advice.keeps_own_files:
        return Statement(
            "choice",
            f"Stay with your files{purpose}: nothing that was measured surely costs less by these weights.",
            _rows(own, [method.spec for method in own.methods]),
        )
    best = ranking.best
    if len(best) == 1:
        return Statement("choice", f"Take {best[0]}{purpose}.", rows)
    which = "either" if len(best) == 2 else "any of them"
    if ranking.are_alike:
        return Statement("choice", f"{listed(best, 'or')}{purpose}: {which} will do.", rows)
    return Statement(
        "choice",
        f"{listed(best, 'or')}{purpose}: too close to call; more rounds may decide. "
        f"Until then take {given.advice.pick}.",
        rows,
    )


def _continuation(given: DatasetAdvice) -> Iterator[Statement]:
    """Yield what to measure where there is no advice for want of rounds or methods."""
    reason = given.advice.ranking.reason
    if not reason:
        return
    if given.resumable_run:
        text = "The run ended before all of its plan was measured. To measure what is missing: imgstore-tui resume "
        yield Statement("missing", text + given.resumable_run)
    elif "rounds" in reason:
        many = counted(given.planned_rounds, "round")
        yield Statement("missing", f"The plan has {many}: run it again with more, such as --rounds 12.")


def _rows(ranking: Ranking, specs: Sequence[str]) -> tuple[Cell, ...]:
    """Return the rows of the figures that count, of some methods."""
    methods = [method for spec in specs if (method := ranking.method(spec)) is not None]
    return tuple(dict.fromkeys(row for method in methods for row in _counted_rows(method, ranking)))


def _counted_rows(method: MethodCost, ranking: Ranking) -> list[Cell]:
    return [figure.row for criterion, figure in method.figures.items() if criterion in ranking.shares]


def _weights(given: DatasetAdvice) -> Iterator[Statement]:
    shares = given.advice.ranking.shares
    if not shares:
        return
    named = ", ".join(f"{criterion.describe} {format_percent(share)}" for criterion, share in shares.items())
    use = given.situation.use
    about = f" ({use.describe})" if use is not None else ""
    many = counted(given.advice.cutoff, "image")
    levels = " and ".join(
        text
        for text in (
            f"reads {given.advice.levels.cache}" if given.advice.levels.cache else "",
            f"writes {given.advice.levels.sync}" if given.advice.levels.sync else "",
        )
        if text
    )
    yield Statement("weights", f"Weights{about}: {named}. Compared at {many}, {levels}.")


def _costs(given: DatasetAdvice) -> Iterator[Statement]:
    """Yield how much more the other methods cost by the weights."""
    ranking = given.advice.ranking
    if ranking.reason or len(ranking.standings) < 2:
        return
    first = ranking.standings[0].name
    others = [entry for entry in ranking.standings[1:] if entry.ratio is not None]
    named = "; ".join(
        f"{entry.name} {times(entry.ratio)}{mostly(ranking, entry.name, first)}"
        for entry in others
        if entry.ratio is not None
    )
    unclear = [entry.name for entry in others if entry.placement is Placement.NONE]
    text = f"By these weights, beside {first}, the others cost: {named}."
    if unclear:
        text += f" Too few rounds to judge: {listed(unclear)}."
    yield Statement("cost", text, _rows(ranking, [first, *(entry.name for entry in others)]))


def _own_files(given: DatasetAdvice) -> Iterator[Statement]:
    own = given.advice.own_files
    if own is None or own.reason:
        return
    standing = own.standing(IN_PLACE.label)
    if standing is None or standing.ratio is None:
        return
    first = own.standings[0].name
    rows = _rows(own, [IN_PLACE.label, first])
    if standing.placement is Placement.BEST:
        yield Statement("own files", "Your files as they are come first by these weights, writing not counted.", rows)
    elif standing.placement is Placement.TIE:
        yield Statement(
            "own files",
            f"Your files as they are cost {times(standing.ratio)} beside {first}, writing not counted: they cannot be "
            "told apart from it.",
            rows,
        )
    else:
        yield Statement(
            "own files",
            f"Your files as they are cost {times(standing.ratio)} beside {first}"
            f"{mostly(own, IN_PLACE.label, first)}, writing not counted.",
            rows,
        )


def _keeping(given: DatasetAdvice) -> Iterator[Statement]:
    """Yield which programs open the store to take, and what it keeps of the files."""
    spec = IN_PLACE.label if given.advice.keeps_own_files else given.advice.pick
    kept = next((keeping for keeping in given.keepings if keeping.spec == spec), None)
    if kept is None or spec == IN_PLACE.label:
        return
    opened = f"{spec} is opened by {kept.opened_by}" if kept.opened_by else f"Which programs open {spec} is not known"
    names = "names of files" if kept.names else ""
    if kept.originals:
        yield Statement("keeping", f"{opened}. Kept: the files themselves, byte for byte{names and f', and {names}'}.")
        return
    lost = [
        *kept.drops,
        *([] if kept.names else ["names of files"]),
        *([] if kept.lossless else ["bits of the pixels"]),
    ]
    text = f"{opened}. Kept: pixels{names and f' and {names}'}" + (f"; lost: {', '.join(lost)}" if lost else "")
    if others := [keeping.spec for keeping in given.keepings if keeping.originals and keeping.spec != IN_PLACE.label]:
        text += f". To keep the files themselves: {listed(others, 'or')}"
    yield Statement("keeping", f"{text}.")


def _clients(given: DatasetAdvice) -> Iterator[Statement]:
    """Yield what several clients of one store reach together."""
    situation = given.situation
    for curve in given.scalings:
        for kind, text, rows in client_sentences(curve, clients=situation.clients, images_per_s=situation.images_per_s):
            yield Statement(kind, text, rows)
    if not given.scalings and (situation.clients is not None or situation.images_per_s is not None):
        yield Statement(
            "clients", "What several clients reach was not measured. To measure it: imgstore-tui run --clients 1,2,4"
        )


def _shares(given: DatasetAdvice) -> Iterator[Statement]:
    """Yield how much of the read that matters most is storage."""
    if given.headroom is not None:
        yield Statement("share", headroom_sentence(given.headroom), (given.headroom.row,))
        return
    shares = given.shares
    if shares is None or shares.codec < _LEAST_CODEC:
        return
    text = (
        f"Of {shares.row.operation} with {shares.row.spec}, {format_percent(shares.codec)} of the time is the codec "
        f"and {format_percent(shares.storage)} storage: storage that took no time would make it "
        f"{format_number(shares.most_gain)} times as fast"
    )
    if shares.storage <= LITTLE_STORAGE:
        text += ", so that no other storage can help; another codec, smaller images or more workers can"
    yield Statement("share", f"{text}.", (shares.row,))


def _pareto(given: DatasetAdvice) -> Iterator[Statement]:
    ranking = given.advice.ranking
    efficient = [method.spec for method in ranking.methods if method.is_efficient]
    beaten = [method.spec for method in ranking.methods if not method.is_efficient]
    if len(ranking.methods) < 2 or not beaten:
        return
    yield Statement(
        "pareto",
        f"Another method is as good as {listed(beaten, 'or')} in everything that has a weight, and better in "
        f"something; that is not so of {listed(efficient)} (the Pareto set).",
        _rows(ranking, [method.spec for method in ranking.methods]),
    )


def _weight_changes(given: DatasetAdvice) -> Iterator[Statement]:
    """Yield at which weights another method would be taken."""
    pick, ranking = given.advice.pick, given.advice.ranking
    if not pick:
        return
    clauses = []
    rows = tuple(dict.fromkeys(row for method in ranking.methods for row in method.rows))
    for threshold in given.advice.thresholds:
        if not _LEAST_SHARE <= threshold.share <= 1 - _LEAST_SHARE:
            continue  # nobody weighs one thing alone
        over = "over" if threshold.is_upper else "under"
        clauses.append(
            f"{threshold.criterion.describe} weighs {over} {format_percent(threshold.share)} (now "
            f"{format_percent(ranking.shares.get(threshold.criterion, 0.0))}; then {threshold.spec})"
        )
    if clauses:
        yield Statement(
            "weight",
            f"{pick} unless {listed(clauses, 'or')}, the other weights in proportion.",
            rows,
        )
    elif len(ranking.methods) > len(ranking.best):
        yield Statement("weight", "No single weight changes that, however much or little it is.", rows)


def _size_changes(given: DatasetAdvice) -> Iterator[Statement]:
    """Yield from how many images on another method takes less time in the read that matters most."""
    for crossing in given.crossings:
        beyond = ""
        if crossing.images > crossing.measured_up_to:
            beyond = f"; predicted, as {format_count(crossing.measured_up_to)} were measured at most"
        yield Statement(
            "size",
            f"In {crossing.below.operation} {crossing.above.spec} takes less time than {crossing.below.spec} from "
            f"about {count_text(crossing.images)} images on ({count_text(crossing.low)} to {count_text(crossing.high)}"
            f"{beyond}).",
            crossing.rows,
        )


def _omissions(given: DatasetAdvice) -> Iterator[Statement]:
    """Yield what the advice does not take into account, and why."""
    advice = given.advice
    if given.situation.use is Use.ARCHIVE and advice.pick:
        line = shell_line("imgstore-tui", "damage", "-b", *(method.spec for method in advice.ranking.methods[:3]), "-d",
                          advice.dataset)  # fmt: skip
        if line:
            yield Statement("omission", f"What a flipped byte costs is not counted here. To measure it: {line}")
    for criterion in advice.unmeasured:
        how = f": add {criterion.operations[0]} to the operations of a run (-o)" if criterion.operations else ""
        yield Statement("omission", f"The {criterion.describe} has a weight and was not measured{how}.")
    for criterion, operation in advice.stands_for:
        yield Statement(
            "omission", f"{criterion.operations[0]} was not measured: {operation} stands for the {criterion.describe}."
        )
    for spec, reason in advice.left_out:
        yield Statement("omission", f"Left out: {spec} ({reason}).")
    if given.is_beyond_memory and advice.levels.cache is not CacheState.COLD:
        yield Statement(
            "omission",
            f"{counted(given.images, 'image')} do not stay in memory, and only {advice.levels.cache} reads "
            "were measured. To measure those that count: --cache cold.",
        )
    lossy = [method for method in advice.ranking.methods if method.psnr_db is not None]
    if lossy and len(lossy) < len(advice.ranking.methods):
        named = ", ".join(f"{method.spec} ({method.psnr_db:.0f} dB)" for method in lossy)
        yield Statement("omission", f"Not like for like: lossy {'is' if len(lossy) == 1 else 'are'} {named}.")


def times(ratio: Interval) -> str:
    """Return a ratio and its interval: ``1.32 times as much (1.21 to 1.44)``; alone where it is exact."""
    text = f"{format_number(ratio.median)} times as much"
    return text if ratio.low == ratio.high else f"{text} ({format_number(ratio.low)} to {format_number(ratio.high)})"


def count_text(images: float) -> str:
    """Return a number of images that is not exact, with two digits: ``240``, ``24,000``."""
    digits = len(str(round(images))) - 2
    return format_count(round(images, -max(0, digits)))
