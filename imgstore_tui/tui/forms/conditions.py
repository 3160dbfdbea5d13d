"""Holds the conditions of a run while they are edited, and checks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from imgstore_tui.bench.plan.client_grid import parse_client_numbers, parse_client_window
from imgstore_tui.bench.plan.plans import MOST_ROUNDS, MOST_WORKERS
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.model import DEFAULT_BATCH, Plan
from imgstore_tui.core.operations import CacheState, Payload, SyncLevel
from imgstore_tui.core.options import Option, option_text
from imgstore_tui.core.units import parse_duration, spell_duration

SCRATCH = "scratch"
_AND = " and "
_NONE = "none"

_DEFAULT = Plan()
OPTIONS = (
    Option(
        "cache", CacheState.HOT.value,
        "Whether a store is in memory when the clock of a read starts. For cold reads it is evicted first, and checked "
        "to be; that takes longer, and needs a file system on a device.",
        choices=("hot", "cold", f"hot{_AND}cold"),
    ),
    Option(
        "sync", SyncLevel.BUFFERED.value,
        "What a write promises when its clock stops: nothing, that every file was forced to the device at the end, or "
        "that every batch was.",
        choices=("buffered", "end", f"buffered{_AND}end", "batch"),
    ),
    Option(
        "payload", Payload.END_TO_END.value,
        "What backends are given: pixels, the codec inside the clock; ready bytes (encoded); or pixels without any "
        "codec (raw).",
        choices=tuple(payload.value for payload in Payload),
    ),
    Option("workers", _DEFAULT.workers, "Codec threads and reading processes, the same for every method.", minimum=1,
           maximum=MOST_WORKERS),
    Option("rounds", _DEFAULT.rounds, "How often everything is repeated, or at most, where the plan lets rounds stop "
           "sooner; a verdict needs at least 6.", minimum=1,
           maximum=MOST_ROUNDS),
    Option("settle", _DEFAULT.looks, "Whether methods that are compared stop together before the last round, as soon "
           "as their order is certain."),
    Option("budget", "60s", "No new trial starts after this time: 90s, 5m, 1h30m, or none for no limit."),
    Option(SCRATCH, "", "Folder in which the stores are made: its file system is what is measured. Empty: a place is "
           "found, here or beside the data."),
    Option("batch", DEFAULT_BATCH, "At most this many images per call; fewer where images are large.", minimum=1,
           maximum=1_000_000),
    Option("seed", _DEFAULT.seed, "Random seed of everything that is shuffled.", minimum=0,
           maximum=2**63 - 1),
    Option("source", _DEFAULT.baseline, "Whether your own files, read in place as they are, take part."),
    Option("drop-caches", _DEFAULT.drop_caches, "For cold reads, drop the caches of the whole machine as well; "
           "needs root."),
    Option("ceilings", _DEFAULT.ceilings, "Whether a codec alone, a plain file and a copy of memory are measured "
           "beside the methods."),
    Option("clients", "", "Also let 1,2,4 processes read the same store at once, through Dask; empty for none."),
    Option("client-window", "10s", "How long each of them goes on: 10s, 1m, or 0 for one pass."),
    Option("cluster", "", "Address of the Dask scheduler on whose workers they run, tls://HOST:PORT; empty for "
           "processes on this machine."),
    Option("probes", _DEFAULT.probes, "At the end, check each storage method for habits that no operation shows; the "
           "article's report uses them."),
)  # fmt: skip
"""The conditions that can be edited, in the order of the form."""


def _time(text: str) -> float | None:
    return None if text in ("", _NONE) else parse_duration(text)


def _client_numbers_text(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _client_window_text(seconds: float) -> str:
    return spell_duration(seconds) if seconds else "0"


_FIELDS: dict[str, tuple[str, Callable[[Any], str], Callable[[Any], Any]]] = {
    "cache": ("cache", _AND.join, lambda text: tuple(CacheState(word) for word in text.split(_AND))),
    "sync": ("sync", _AND.join, lambda text: tuple(SyncLevel(word) for word in text.split(_AND))),
    "payload": ("payload", str, Payload),
    "budget": ("budget_s", lambda value: _NONE if value is None else spell_duration(value), _time),
    SCRATCH: ("scratch", lambda value: value or "", lambda text: text or None),
    "source": ("baseline", option_text, bool),
    "drop-caches": ("drop_caches", option_text, bool),
    "settle": ("looks", option_text, bool),
    "clients": ("clients", _client_numbers_text, lambda text: parse_client_numbers(text) if text.strip() else ()),
    "client-window": ("client_window_s", _client_window_text, parse_client_window),
    "cluster": ("cluster", lambda value: value or "", lambda text: text.strip() or None),
}
"""By option: field of the plan, function that writes its value, function that reads it; the others need none."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Every condition as written."""

    values: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, plan: Plan) -> Conditions:
        """Return the conditions of a plan."""
        values = []
        for option in OPTIONS:
            field, write, _ = _FIELDS.get(option.name, (option.name, option_text, None))
            values.append((option.name, write(getattr(plan, field))))
        return cls(tuple(values))

    def with_value(self, name: str, text: str) -> Conditions:
        """Return the conditions with another text for an option."""
        return replace(self, values=tuple((key, text if key == name else value) for key, value in self.values))

    @property
    def fields(self) -> list[tuple[Option, str, tuple[str, ...]]]:
        """Every option, its value as written, and its choices if it has some."""
        values = dict(self.values)
        return [(option, values[option.name], _choices(option, values[option.name])) for option in OPTIONS]

    @property
    def scratch(self) -> str | None:
        """The folder for the stores as written; None for none."""
        return dict(self.values)[SCRATCH].strip() or None

    def problems(self) -> dict[str, str]:
        """Return the problems, a sentence by name of the option."""
        problems = {}
        for option, text, choices in self.fields:
            try:
                _parsed(option, text, choices)
            except UsageError as error:
                problems[option.name] = str(error)
        return problems

    def changes(self) -> dict[str, Any]:
        """Return the fields of a plan as these conditions set them.

        Raises:
            UsageError: If a value is invalid.
        """
        return {
            _FIELDS.get(option.name, (option.name,))[0]: _parsed(option, text, choices)
            for option, text, choices in self.fields
        }


def _choices(option: Option, text: str) -> tuple[str, ...]:
    """Return the choices of an option, and the value of a plan file that the form does not offer."""
    choices = option.allowed_values
    return choices if not choices or text in choices else (*choices, text)


def _parsed(option: Option, text: str, choices: tuple[str, ...]) -> Any:
    value = text if text in choices and not isinstance(option.default, bool) else option.parse(text, "the plan")
    _, _, read = _FIELDS.get(option.name, ("", None, None))
    return value if read is None else read(value)
