"""The list of mutants fits the source: each can be applied, and names tests that are there."""

from __future__ import annotations

import ast

from tests.benchmarks.mutants import ROOT, problems_of, read_mutants

MUTANTS = read_mutants()


def test_every_mutant_can_be_applied() -> None:
    assert [problem for mutant in MUTANTS for problem in problems_of(mutant)] == []


def test_names_are_told_apart_and_each_rule_has_a_test() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 60
    assert all(mutant.tests for mutant in MUTANTS)


def test_what_a_mutant_leaves_is_python() -> None:
    for mutant in MUTANTS:
        for edit in mutant.edits:
            ast.parse((ROOT / edit.file).read_text().replace(edit.text, edit.replacement), edit.file)
