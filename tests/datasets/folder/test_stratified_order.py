from __future__ import annotations

import os
from collections import Counter

import pytest

from imgstore_tui.datasets.folder.stratified_order import stratified_order

NAMES = [f"{name}/{number}.jpg" for name, count in (("a", 600), ("b", 300), ("c", 100)) for number in range(count)]
CLASSES = [ord(name[0]) for name in NAMES]


def test_all_names_come_once() -> None:
    assert sorted(stratified_order(NAMES, CLASSES, 0)) == sorted(NAMES)
    assert stratified_order([], [], 0) == []


@pytest.mark.parametrize("count", [10, 50, 100, 333, 999])
def test_every_beginning_has_each_class_by_its_share(count: int) -> None:
    counts = Counter(name[0] for name in stratified_order(NAMES, CLASSES, 0)[:count])
    for name, share in (("a", 0.6), ("b", 0.3), ("c", 0.1)):
        assert abs(counts[name] - share * count) <= 1


def test_in_a_class_it_is_chance_that_decides() -> None:
    order = [int(name[2:-4]) for name in stratified_order(NAMES, CLASSES, 0) if name[0] == "a"]
    assert abs(sum(order[:100]) / 100 - 300) < 60  # of 0..599: three standard errors are 52
    assert order != sorted(order)


def test_the_same_seed_gives_the_same_order_and_another_another() -> None:
    assert (
        stratified_order(NAMES, CLASSES, 1)
        == stratified_order(NAMES, CLASSES, 1)
        != stratified_order(NAMES, CLASSES, 2)
    )


def test_a_file_that_goes_changes_nothing_about_the_others_in_its_class() -> None:
    whole = [name for name in stratified_order(NAMES, CLASSES, 0) if name[0] == "b"]
    fewer = [name for name in NAMES if name != whole[7]]
    left = [name for name in stratified_order(fewer, [ord(name[0]) for name in fewer], 0) if name[0] == "b"]
    assert left == whole[:7] + whole[8:]


def test_names_of_any_bytes_have_a_place() -> None:
    names = [os.fsdecode(raw) for raw in (b"\xff", b"caf\xe9", b"a\nb", "日本".encode())]
    assert sorted(stratified_order(names, [0] * 4, 0)) == sorted(names)
