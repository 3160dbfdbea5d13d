from __future__ import annotations

from tests.benchmarks.fuzz_cifar import run


def test_two_hundred_mutated_files_end_in_a_sentence_or_a_right_result() -> None:
    ends = run(first=0, count=200)
    assert set(ends) == {"sentence", "right result"}
    assert sum(ends.values()) == 200
