"""Writes the advice in plain sentences, each with the rows of the run that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from imgstore_tui.analysis.advice.missing import MissingRow
from imgstore_tui.analysis.advice.ranking import MethodCost, Ranking
from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.advice.weights import Use
from imgstore_tui.analysis.verdict import listed
from imgstore_tui.core.model import Cell, Plan
from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count, format_number, format_percent
from imgstore_tui.present.text.advice_reasons import memory_sentences, mostly, reason_sentences
from imgstore_tui.present.text.advice_times import price_sentences, time_sentences
from imgstore_tui.present.text.ceilings import LITTLE_STORAGE, headroom_sentence
from imgstore_tui.present.text.clients import client_sentences, request_cost_text
from imgstore_tui.present.text.next_commands import measuring_command, shell_line
from imgstore_tui.present.text.shared_options import short_names
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.stats.ranking import Placement

COMMAND = "imgstore-tui "
"""What every command begins with."""
MANY_ROUNDS = 12
"""Rounds that are advised where there are too few: those of the plans of a use."""
_LEAST_CODEC = 0.05
"""Share of the codec below which all is storage, which needs no sentence."""


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


def statements(advice: DatasetAdvice) -> tuple[Statement, ...]:
    """Return the advice on a dataset, sentence by sentence; the first one is the answer in short."""
    parts = [
        _choice(advice),
        *_missing(advice),
        *(Statement(kind, text, rows) for kind, text, rows in memory_sentences(advice)),
        *_keeping(advice),
        *(Statement(kind, text, rows) for kind, text, rows in time_sentences(advice)),
        *_clients(advice),
        *(Statement(kind, text, rows) for kind, text, rows in reason_sentences(advice)),
        *_shares(advice),
        *_costs(advice),
        *_own_files(advice),
        *_weight_changes(advice),
    ]
    prices = (Statement(kind, text, rows) for kind, text, rows in price_sentences(advice))
    return (*parts, *_size_changes(advice), *_pareto(advice), *prices, *_weights(advice), *_omissions(advice))


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


def _purpose(advice: DatasetAdvice) -> str:
    use = advice.situation.use
    if use is not None:
        return f" for {use.phrase}"
    return "" if advice.situation.weights else " for training"


def _choice(advice: DatasetAdvice) -> Statement:
    ranking, purpose = advice.choice.ranking, _purpose(advice)
    ranking_specs = [method.spec for method in ranking.methods]
    if ranking.reason:
        return Statement("choice", f"No advice{purpose}: {ranking.reason}.", _rows(ranking, ranking_specs))
    rows = _rows(ranking, ranking_specs)
    own = advice.choice.own_files
    if own is not None and advice.choice.keeps_own_files:
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
        f"Until then take {advice.choice.pick}, which costs least so far.",
        rows,
    )


def _missing(advice: DatasetAdvice) -> Iterator[Statement]:
    """Yield which rows the advice lacks, and the command that measures them."""
    if not advice.missing:
        return
    rows = tuple(entry.row for entry in advice.missing if entry.rounds)
    yield Statement("missing", f"Missing: {'; '.join(_missing_clauses(advice.missing))}.", rows)
    if advice.resumable_run:
        text = (
            f"The run ended before all of its plan was measured. To go on: imgstore-tui resume {advice.resumable_run}"
        )
        yield Statement("missing", text)
        if any(entry.row.operation in advice.plan.operations for entry in advice.missing):
            return
    timed = [criterion for criterion in advice.choice.weights if criterion.operations]
    operations = list(dict.fromkeys(criterion.operations[0] for criterion in timed))
    line = measuring_command(advice.plan, advice.choice.dataset, operations, MANY_ROUNDS)
    if line:
        yield Statement("missing", f"To measure what this advice takes: {line}")


def _missing_clauses(missing: Sequence[MissingRow]) -> Iterator[str]:
    """Yield what is missing, methods of the same operation and rounds together."""
    groups: dict[tuple[Operation, int], list[MissingRow]] = {}
    for entry in missing:
        groups.setdefault((entry.row.operation, entry.rounds), []).append(entry)
    for (operation, rounds), entries in groups.items():
        row = entries[0].row
        head = f"{operation} of {listed([entry.row.spec for entry in entries])} with {counted(row.cutoff, 'image')}"
        level = f" ({row.cache or row.sync})" if row.cache or row.sync else ""
        verb = "has" if len(entries) == 1 else "have"
        yield (
            f"{head}{level} {verb} {format_count(rounds)} of {entries[0].needed} rounds"
            if rounds
            else f"{head}{level} was not measured"
        )


def _rows(ranking: Ranking, specs: Sequence[str]) -> tuple[Cell, ...]:
    """Return the rows of the figures that count, of some methods."""
    methods = [method for spec in specs if (method := ranking.method(spec)) is not None]
    return tuple(dict.fromkeys(row for method in methods for row in _counted_rows(method, ranking)))


def _counted_rows(method: MethodCost, ranking: Ranking) -> list[Cell]:
    return [figure.row for criterion, figure in method.figures.items() if criterion in ranking.shares]


def _weights(advice: DatasetAdvice) -> Iterator[Statement]:
    shares = advice.choice.ranking.shares
    if not shares:
        return
    named = ", ".join(f"{criterion.describe} {format_percent(share)}" for criterion, share in shares.items())
    use = advice.situation.use
    about = f" ({use.describe})" if use is not None else ""
    many = counted(advice.choice.cutoff, "image")
    levels = " and ".join(
        text
        for text in (
            f"reads {advice.choice.levels.cache}" if advice.choice.levels.cache else "",
            f"writes {advice.choice.levels.sync}" if advice.choice.levels.sync else "",
        )
        if text
    )
    yield Statement("weights", f"Weights{about}: {named}. Compared at {many}, {levels}.")


def _costs(advice: DatasetAdvice) -> Iterator[Statement]:
    """Yield how much more the other methods cost by the weights."""
    ranking = advice.choice.ranking
    if ranking.reason or len(ranking.standings) < 2:
        return
    first = ranking.standings[0].name
    others = [(entry, entry.ratio) for entry in ranking.standings[1:] if entry.ratio is not None]
    clauses = [
        f"{entry.name} {'costs ' if number == 0 else ''}{times(ratio, '' if number else f'as much as {first}')}"
        f"{mostly(ranking, entry.name, first)}"
        for number, (entry, ratio) in enumerate(others)
    ]
    unclear = [entry.name for entry, _ in others if entry.placement is Placement.NONE]
    text = f"By these weights {'; '.join(clauses)}."
    if unclear:
        text += f" Too few rounds to judge: {listed(unclear)}."
    yield Statement("cost", text, _rows(ranking, [first, *(entry.name for entry, _ in others)]))


def _own_files(advice: DatasetAdvice) -> Iterator[Statement]:
    own = advice.choice.own_files
    if own is None or own.reason:
        return
    standing = own.standing(IN_PLACE.label)
    if standing is None or standing.ratio is None:
        return
    first = own.standings[0].name
    rows = _rows(own, [IN_PLACE.label, first])
    if standing.placement is Placement.BEST:
        yield Statement("own files", "Your files as they are come first by these weights, writing not counted.", rows)
        return
    text = f"Your files as they are cost {times(standing.ratio, f'as much as {first}')}"
    if standing.placement is Placement.TIE:
        text += ", writing not counted: they cannot be told apart from it."
    else:
        text += f"{mostly(own, IN_PLACE.label, first)}, writing not counted."
    yield Statement("own files", text, rows)


def _keeping(advice: DatasetAdvice) -> Iterator[Statement]:
    """Yield which programs open the store to take, and what it keeps of the files."""
    spec = IN_PLACE.label if advice.choice.keeps_own_files else advice.choice.pick
    keeping = next((entry for entry in advice.keepings if entry.spec == spec), None)
    if keeping is None or spec == IN_PLACE.label:
        return
    opened = (
        f"{spec} is opened by {keeping.opened_by}" if keeping.opened_by else f"Which programs open {spec} is not known"
    )
    others = [entry for entry in advice.keepings if entry.spec in advice.choice.ranking.best and entry.spec != spec]
    opened += "".join(f"; {entry.spec} by {entry.opened_by}" for entry in others if entry.opened_by)
    names = "names of files" if keeping.names else ""
    if keeping.originals:
        yield Statement("keeping", f"{opened}. Kept: the files themselves, byte for byte{names and f', and {names}'}.")
        return
    lost = [
        *keeping.drops,
        *([] if keeping.names else ["names of files"]),
        *([] if keeping.lossless else ["bits of the pixels"]),
    ]
    text = f"{opened}. Kept: pixels{names and f' and {names}'}" + (f"; lost: {', '.join(lost)}" if lost else "")
    if whole := [entry.spec for entry in advice.keepings if entry.originals and entry.spec != IN_PLACE.label]:
        text += f". To keep the files themselves: {listed(whole, 'or')}"
    yield Statement("keeping", f"{text}.")


def _clients(advice: DatasetAdvice) -> Iterator[Statement]:
    """Yield what several clients of one store reach together."""
    situation = advice.situation
    costs = {cost.spec: cost for cost in advice.set_costs if cost.is_measured and advice.images}
    for curve in advice.scalings:
        for kind, text, rows in client_sentences(curve, clients=situation.clients, images_per_s=situation.images_per_s):
            yield Statement(kind, text, rows)
        cost = costs.get(curve.row.spec)
        if cost is not None and not curve.row.operation.writes:
            image_price = cost.read / (advice.images * situation.passes)
            text = request_cost_text(curve, situation.clients, image_price, situation.prices.currency)
            if text:
                yield Statement("client price", text, (curve.row, *cost.rows))
    if not advice.scalings and (situation.clients is not None or situation.images_per_s is not None):
        yield Statement(
            "clients", "What several clients reach was not measured. To measure it: imgstore-tui run --clients 1,2,4"
        )


def _shares(advice: DatasetAdvice) -> Iterator[Statement]:
    """Yield how much of the read that matters most is storage."""
    if advice.headroom is not None:
        yield Statement("share", headroom_sentence(advice.headroom), (advice.headroom.row,))
        return
    shares = advice.shares
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


def _pareto(advice: DatasetAdvice) -> Iterator[Statement]:
    ranking = advice.choice.ranking
    efficient = [method.spec for method in ranking.methods if method.is_efficient]
    beaten = [method.spec for method in ranking.methods if not method.is_efficient]
    if len(ranking.methods) < 2 or not beaten:
        return
    verb, winner = "is" if len(beaten) == 1 else "are each", "it" if len(efficient) == 1 else "one of them"
    yield Statement(
        "pareto",
        f"Pareto set, by the medians: {listed(efficient)}. {listed(beaten)} {verb} equalled in everything that has a "
        f"weight, and beaten in something, by {winner}.",
        _rows(ranking, [method.spec for method in ranking.methods]),
    )


def _weight_changes(advice: DatasetAdvice) -> Iterator[Statement]:
    """Yield at which weights another method would be taken."""
    pick, ranking = advice.choice.pick, advice.choice.ranking
    if not pick:
        return
    clauses = []
    beside = "Among the methods to convert to: " if advice.choice.keeps_own_files else ""
    rows = tuple(dict.fromkeys(row for method in ranking.methods for row in method.rows))
    for threshold in advice.choice.thresholds:
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
            f"{beside}{pick} unless {listed(clauses, 'or')}, the other weights in proportion.",
            rows,
        )
    elif len(ranking.methods) > len(ranking.best):
        least, most = format_percent(_LEAST_SHARE), format_percent(1 - _LEAST_SHARE)
        yield Statement(
            "weight",
            f"No single weight from {least} to {most}, the others in proportion, puts another method before "
            f"{listed(ranking.best, 'or')}.",
            rows,
        )


def _size_changes(advice: DatasetAdvice) -> Iterator[Statement]:
    """Yield from how many images on another method takes less time in the read that matters most."""
    for crossing in advice.crossings:
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


def _omissions(advice: DatasetAdvice) -> Iterator[Statement]:
    """Yield what the advice does not take into account, and why."""
    choice = advice.choice
    if advice.situation.use is Use.ARCHIVE and choice.pick:
        line = shell_line("imgstore-tui", "damage", "-b", *(method.spec for method in choice.ranking.methods[:3]), "-d",
                          choice.dataset)  # fmt: skip
        if line:
            yield Statement("omission", f"What a flipped byte costs is not counted here. To measure it: {line}")
    for criterion in choice.unmeasured:
        if not criterion.operations:  # times are among the rows that are missing
            yield Statement("omission", f"The {criterion.describe} has a weight and was not measured.")
    for criterion, operation in choice.stands_for:
        yield Statement(
            "omission", f"{criterion.operations[0]} was not measured: {operation} stands for the {criterion.describe}."
        )
    for spec, reason in choice.left_out:
        yield Statement("omission", f"Left out: {spec} ({reason}).")
    if advice.is_beyond_memory and choice.levels.cache is not CacheState.COLD:
        yield Statement(
            "omission",
            f"{counted(advice.images, 'image')} do not stay in memory, and only {choice.levels.cache} reads "
            "were measured. To measure those that count: --cache cold.",
        )
    lossy = [method for method in choice.ranking.methods if method.psnr_db is not None]
    if lossy and len(lossy) < len(choice.ranking.methods):
        named = ", ".join(f"{method.spec} ({method.psnr_db:.0f} dB)" for method in lossy)
        yield Statement("omission", f"Not like for like: lossy {'is' if len(lossy) == 1 else 'are'} {named}.")


def times(ratio: Interval, than: str) -> str:
    """Return a ratio and its interval: ``1.32 times as much as lmdb (1.21 to 1.44)``; alone where it is exact."""
    text = f"{format_number(ratio.median)} times{than and ' '}{than}"
    return text if ratio.low == ratio.high else f"{text} ({format_number(ratio.low)} to {format_number(ratio.high)})"


def count_text(images: float) -> str:
    """Return a number of images that is not exact, with two digits: ``240``, ``24,000``."""
    digits = len(str(round(images))) - 2
    return format_count(round(images, -max(0, digits)))
