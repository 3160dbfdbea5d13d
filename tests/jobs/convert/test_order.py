"""The order in which a conversion stores images: that of the data, or shuffled by a seed; and the record as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import imgstore_tui
from tests.support.datasets import save
from tests.support.program import program, sentence

NAMES = [f"{'cats' if number % 3 else 'dogs'}/{number:02}.png" for number in range(20)]


def names_of(*words: str) -> list[str]:
    """Convert the folder ``photos`` and return the names in the order of the store."""
    done = program("convert", "folder:photos", "lmdb+original", "out", "--replace", "--quiet", *words)
    assert done.returncode == 0, done.stderr
    with imgstore_tui.open("out") as store:
        return list(store.names() or [])


def photos() -> None:
    for number, name in enumerate(NAMES):
        save(Path("photos") / name, seed=number)


def test_images_are_stored_in_the_order_that_is_asked_for() -> None:
    photos()
    assert names_of("--order", "original") == sorted(NAMES)
    assert names_of("--order", "original", "-n", "5") == sorted(NAMES)[:5]
    shuffled = names_of("--order", "shuffled", "--seed", "3")
    assert sorted(shuffled) == sorted(NAMES)
    assert shuffled not in (sorted(NAMES), names_of("--order", "shuffled"))
    assert shuffled == names_of("--order", "shuffled", "--seed", "3")


def test_the_order_of_a_store_is_kept_or_shuffled() -> None:
    photos()
    stored = names_of()
    for words, expected in ((("--order", "original"), True), (("--order", "shuffled"), False), ((), True)):
        assert program("convert", "store:out", "npy+original", "again", "--replace", *words).returncode == 0
        with imgstore_tui.open("again") as store:
            assert (store.names() == stored) is expected


def test_the_record_says_order_losses_and_labels() -> None:
    photos()
    done = program("convert", "folder:photos", "lmdb+png", "out", "--order", "shuffled", "--seed", "7", "--json")
    record = json.loads(done.stdout)
    assert record["order"] == {"name": "shuffled", "seed": 7}
    assert (record["images"], record["requested"], record["lost"]) == (20, 20, [])
    assert record["label_names"] == ["cats", "dogs"]
    assert record["has_labels"] is True
    assert len(record["fingerprint"]) == 64
    output = program("convert", "folder:photos", "lmdb", "other", "--order", "shuffled", "--seed", "7").stdout
    assert "shuffled by the seed 7" in output


def test_a_seed_without_a_shuffled_order_and_an_endless_one_are_refused() -> None:
    done = program("convert", "synthetic,count=4", "lmdb", "out", "--seed", "7")
    assert done.returncode == 2
    assert "--order shuffled" in sentence(done)
    done = program("convert", "synthetic", "lmdb", "out", "--order", "original", "-n", "3")
    assert done.returncode == 2
    assert "never ends" in sentence(done)
