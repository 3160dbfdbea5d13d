"""Spans a plan's client rounds, gathered in blocks that share a store."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from imgstore_tui.bench.plan.grid import cutoffs_of
from imgstore_tui.bench.system.client_libraries import how_to_get
from imgstore_tui.core.client_round import ClientRound, ClientWork
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.model import Cell, Plan
from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.units import parse_duration
from imgstore_tui.plugins import registry

CLIENT_WORKS = {
    Operation.READ_MANY: (ClientWork.SHARE, ClientWork.ALL),
    Operation.READ_RANDOM: (ClientWork.SHARE, ClientWork.ALL),
    # A service is asked for any image by anyone.
    Operation.GET_ONE: (ClientWork.ALL,),
}
"""What several clients do together, by operation."""
MOST_CLIENTS = 1_000
_MOST_DIGITS = 10
LONGEST_WINDOW_S = 24 * 3600.0
SCHEMES = ("tls://", "tcp://")
_ROUND_S = 3.0
"""Assumed seconds around the window of a client round: processes, their check, the common start."""
_START_S = 8.0
"""Assumed seconds in which a cluster starts and ends."""


@dataclass(frozen=True, slots=True)
class ClientBlock:
    """The client rounds of one method, dataset and number of images."""

    dataset: str
    spec: Spec
    cutoff: int
    rounds: tuple[ClientRound, ...]
    """Without results, of round 0."""


def client_blocks(plan: Plan) -> tuple[ClientBlock, ...]:
    """Return the client rounds of a plan, in the order in which tables show them."""
    blocks = []
    for dataset in plan.datasets:
        for spec in plan.specs:
            for cutoff in cutoffs_of(plan, dataset):
                rounds = tuple(_rounds(plan, dataset, spec, cutoff))
                if rounds:
                    blocks.append(ClientBlock(dataset, spec, cutoff, rounds))
    return tuple(blocks)


def _rounds(plan: Plan, dataset: str, spec: Spec, cutoff: int) -> Iterable[ClientRound]:
    claims = registry.backends.get(spec.backend).capabilities.claims
    for operation, works in CLIENT_WORKS.items():
        if operation not in plan.operations or not claims(operation):
            continue
        for work in works:
            for clients in plan.clients:
                # With fewer images than clients there is nothing to share.
                if clients <= cutoff:
                    yield ClientRound(
                        spec.label, dataset, operation, cutoff, 0, clients, work, plan.client_window_s,
                        cache=CacheState.HOT, backend=spec.backend, codec=spec.codec, options=spec.all_options,
                        cluster=plan.cluster,
                    )  # fmt: skip


def shuffled_rounds(rounds: list[ClientRound], seed: int) -> list[ClientRound]:
    """Return the client rounds of a block in the order of a round: the same for the same seed."""
    order = list(rounds)
    key = f"{seed}/{order[0].round}/{order[0].spec}/{order[0].cutoff}/clients" if order else ""
    random.Random(key).shuffle(order)  # noqa: S311 - an order, not a secret
    return order


def client_seconds(plan: Plan, expect: Callable[[Cell], float]) -> float:
    """Return the expected seconds of what several clients do in one round of a plan, their stores included.

    Args:
        plan: The plan.
        expect: Returns the expected seconds of a trial.
    """
    blocks = client_blocks(plan)
    total = _START_S if blocks else 0.0
    for block in blocks:
        cell = partial(Cell, block.dataset, block.spec.label, cutoff=block.cutoff, cache=CacheState.HOT, sync=None)
        total += expect(cell(operation=Operation.WRITE_MANY)) + expect(cell(operation=Operation.READ_MANY))
        for entry in block.rounds:
            # Each client compares all that it will read, then makes one pass, or goes on for its window.
            share = 1 / entry.clients if entry.work is ClientWork.SHARE else 1.0
            one_pass = expect(cell(operation=entry.operation)) * share
            total += _ROUND_S + one_pass + (entry.window_s or one_pass)
    return total


def parse_client_numbers(text: str) -> tuple[int, ...]:
    """Return numbers of clients, ascending, each once: ``1,2,4``.

    Raises:
        UsageError: If the text is no list of whole numbers.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < _MOST_DIGITS for part in parts):
        raise UsageError(f"Clients are numbers such as 1,2,4, not '{text}'.")
    return tuple(sorted({int(part) for part in parts}))


def parse_client_window(text: str) -> float:
    """Return how long clients go on, seconds: a time, or 0 for one pass.

    Raises:
        UsageError: If the text is neither.
    """
    return 0.0 if text.strip() == "0" else parse_duration(text)


def check_clients(plan: Plan) -> None:
    """Check what a plan says of clients.

    Raises:
        UsageError: If a number is out of range, or nothing is to be done by several clients.
        UnavailableError: If the libraries are missing that run them.
    """
    if not plan.clients:
        if plan.cluster is not None:
            raise UsageError(f"Clients run on {plan.cluster}, and none are asked for. Name how many with --clients.")
        return
    if len(set(plan.clients)) != len(plan.clients):
        raise UsageError("The plan names a number of clients twice. Name it once.")
    for count in plan.clients:
        if not 1 <= count <= MOST_CLIENTS:
            raise UsageError(f"A plan takes 1 to {MOST_CLIENTS:,} clients, not {count}.")
    if not 0 <= plan.client_window_s <= LONGEST_WINDOW_S:
        raise UsageError(
            f"Clients go on for 0 (one pass) to {LONGEST_WINDOW_S:,.0f} seconds, not {plan.client_window_s:g}."
        )
    if plan.cluster is not None and not plan.cluster.startswith(SCHEMES):
        raise UsageError(
            f"'{plan.cluster}' is no address of a Dask scheduler. Write tls://HOST:PORT or tcp://HOST:PORT."
        )
    if not client_blocks(plan):
        raise UsageError(
            f"Several clients run {', '.join(CLIENT_WORKS)}, on no fewer images than clients, and the plan asks for "
            "none of that. Add one with -o, or leave --clients out."
        )
    if command := how_to_get():
        raise UnavailableError(f"Several clients need Dask, which is not installed. Run: {command}")
