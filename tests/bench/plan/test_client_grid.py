"""Which rounds of several clients a plan has, what they take, and what is refused before anything runs."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from imgstore_tui.bench.plan.client_grid import check_clients, client_blocks, client_seconds, shuffled_rounds
from imgstore_tui.bench.system import client_libraries
from imgstore_tui.core.client_round import ClientWork
from imgstore_tui.core.errors import ImgstoreError, UnavailableError, UsageError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins.registry import resolve_spec

PLAN = Plan(
    specs=(resolve_spec("lmdb"), resolve_spec("disk")),
    cutoffs=(2, 100),
    operations=(Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM, Operation.GET_ONE),
    clients=(1, 2, 4),
    client_window_s=10.0,
)


def test_reads_are_shared_and_made_by_each_and_single_images_are_for_all() -> None:
    blocks = client_blocks(PLAN)
    assert [(block.spec.label, block.cutoff) for block in blocks] == [
        ("lmdb", 2), ("lmdb", 100), ("disk", 2), ("disk", 100),
    ]  # fmt: skip
    works = {(entry.operation, entry.work) for entry in blocks[1].rounds}
    both = {(operation, work) for operation in (Operation.READ_MANY, Operation.READ_RANDOM) for work in ClientWork}
    assert works == {*both, (Operation.GET_ONE, ClientWork.ALL)}
    assert len(blocks[1].rounds) == 5 * 3
    assert {entry.clients for entry in blocks[0].rounds} == {1, 2}, "four clients cannot share two images"


def test_the_order_is_the_same_for_a_seed_and_another_in_every_round() -> None:
    rounds = list(client_blocks(PLAN)[1].rounds)
    second = [replace(entry, round=1) for entry in rounds]
    assert shuffled_rounds(rounds, 7) == shuffled_rounds(rounds, 7)
    assert sorted(map(str, shuffled_rounds(rounds, 7))) == sorted(map(str, rounds))
    assert [entry.key for entry in shuffled_rounds(rounds, 7)] != [entry.key for entry in shuffled_rounds(second, 7)]


def test_the_time_counts_every_window() -> None:
    count = sum(len(block.rounds) for block in client_blocks(PLAN))
    longer = replace(PLAN, client_window_s=30.0)
    difference = client_seconds(longer, lambda _: 1.0) - client_seconds(PLAN, lambda _: 1.0)
    assert difference == pytest.approx(count * 20.0)
    assert client_seconds(replace(PLAN, clients=()), lambda _: 1.0) == 0.0


@pytest.mark.parametrize(
    ("changes", "kind", "sentence"),
    [
        ({"clients": (0,)}, UsageError, "A plan takes 1 to 1,000 clients, not 0."),
        ({"clients": (2, 2)}, UsageError, "The plan names a number of clients twice."),
        ({"client_window_s": -1.0}, UsageError, "not -1"),
        ({"cluster": "host:8786"}, UsageError, "'host:8786' is no address of a Dask scheduler. Write tls://HOST:PORT"),
        ({"clients": (), "cluster": "tls://a:1"}, UsageError, "none are asked for. Name how many with --clients."),
        ({"operations": (Operation.WRITE_MANY,)}, UsageError, "Several clients run read-many, read-random, get-one"),
    ],
)
def test_what_cannot_be_run_is_refused(changes: dict[str, object], kind: type[ImgstoreError], sentence: str) -> None:
    with pytest.raises(kind, match=re.escape(sentence)):
        check_clients(replace(PLAN, **changes))  # type: ignore[arg-type]


def test_without_dask_one_sentence_has_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_libraries, "REQUIRES", ("no_such_library",))
    with pytest.raises(UnavailableError, match=r"^Several clients need Dask, which is not installed\. Run: .*pip inst"):
        check_clients(PLAN)
    check_clients(replace(PLAN, clients=()))
