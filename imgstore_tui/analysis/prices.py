"""Turns requests and bytes of object storage into money, by a price sheet that the user edits."""

from __future__ import annotations

import statistics
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.model import Measurement, Run
from imgstore_tui.core.operations import Operation, Status

GB = 1e9
"""Services bill decimal gigabytes."""
_MOST_SHEET_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """Prices of one class of storage in one region."""

    service: str
    source: str
    """Where the prices stand."""
    date: str
    """When they were read there."""
    currency: str
    put_per_1000: float
    """Price of a thousand requests that write or list."""
    get_per_1000: float
    """Price of a thousand requests that read."""
    gb_month: float
    """Price of a billion bytes kept for a month."""


EXAMPLE = PriceSheet(
    "Amazon S3 Standard, us-east-1", "https://aws.amazon.com/s3/pricing/", "2024", "USD", 0.005, 0.0004, 0.023
)
"""An example, not a promise: prices change."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a method costs for the images of one dataset and cutoff; None for what was not measured."""

    dataset: str
    spec: str
    images: int
    write_requests: int | None
    write: float | None
    """Price of the requests that write all images once."""
    read_requests: int | None
    read: float | None
    """Price of the requests that read all in order once."""
    random_requests: int | None
    random: float | None
    """Price of the requests that read all shuffled once."""
    month: float | None
    """Price of keeping them for a month."""


def read_prices(path: Path) -> PriceSheet:
    """Read a price sheet.

    Raises:
        UsageError: If it cannot be read, or a price is missing, unknown or no price.
    """
    try:
        with path.open("rb") as file:
            values = tomllib.loads(file.read(_MOST_SHEET_BYTES).decode())
    except OSError as error:
        raise UsageError(f"The price sheet {path} cannot be read: {error.strerror or error}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The price sheet {path} is no TOML: {error}.") from None
    names = {entry.name: entry.type for entry in fields(PriceSheet)}
    wrong = [name for name in {**names, **values} if (name in names) != (name in values)]
    if wrong:
        state = "is missing" if wrong[0] in names else "is not known"
        raise UsageError(f"The price sheet {path} must have {', '.join(names)}; '{wrong[0]}' {state}.")
    return PriceSheet(**{name: _checked(path, name, values[name], kind == "float") for name, kind in names.items()})


def _checked(path: Path, name: str, value: Any, is_price: bool) -> Any:
    if is_price:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9:
            return float(value)
        raise UsageError(f"The price sheet {path} has no price as {name}: write a number of 0 or more.")
    if name == "date" and hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, str) and value:
        return value
    raise UsageError(f"The price sheet {path} has no text as {name}.")


def costs(run: Run, sheet: PriceSheet) -> list[Cost]:
    """Return the costs of every method whose requests were counted, by dataset, cutoff and the plan's order."""
    trials: dict[tuple[str, int, str], list[Measurement]] = {}
    for trial in run.measurements:
        if trial.status is Status.OK and trial.requests is not None:
            trials.setdefault((trial.dataset, trial.cutoff, trial.spec), []).append(trial)
    order = {spec.label: number for number, spec in enumerate(run.plan.specs)}
    keys = sorted(trials, key=lambda key: (key[0], key[1], order.get(key[2], len(order))))
    return [_cost(key, trials[key], sheet) for key in keys]


def _cost(key: tuple[str, int, str], trials: list[Measurement], sheet: PriceSheet) -> Cost:
    dataset, cutoff, spec = key

    def requests(operation: Operation) -> int | None:
        return _median(trial.requests for trial in trials if trial.operation is operation)

    def price(count: int | None, per_1000: float) -> float | None:
        return None if count is None else count * per_1000 / 1000

    write, read, random = map(requests, (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM))
    size = _median(trial.apparent_bytes for trial in trials if trial.operation is Operation.WRITE_MANY)
    return Cost(
        dataset, spec, cutoff, write, price(write, sheet.put_per_1000), read, price(read, sheet.get_per_1000), random,
        price(random, sheet.get_per_1000), None if size is None else size / GB * sheet.gb_month,
    )  # fmt: skip


def _median(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return statistics.median_low(known) if known else None
