"""Tests that what a command prints gets into the page of results, and nowhere else."""

from __future__ import annotations

import importlib.util

import pytest

from tests.benchmarks.results import RESULTS, commands, with_printed

PAGE = "a\n<!-- printed by speed -->\nold\n<!-- end -->\nb\n<!-- printed by formats -->\nkept\n<!-- end -->\n"


def test_what_is_printed_replaces_what_stands_between_the_marks_of_its_command() -> None:
    page = with_printed(PAGE, "speed", "| new |\n\n")
    assert page == PAGE.replace("old", "| new |")
    assert with_printed(page, "speed", "| new |") == page


def test_a_page_without_the_marks_stays_as_it_is() -> None:
    assert with_printed(PAGE, "agreement", "| new |") == PAGE


def test_a_mark_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="end"):
        with_printed("<!-- printed by speed -->\nold\n", "speed", "new")


def test_every_command_of_the_page_is_a_module_and_every_mark_has_a_command() -> None:
    named = {words[2] for words in commands() if words[1] == "-m"}
    assert "tests.benchmarks.speed" in named
    assert all(importlib.util.find_spec(name) for name in named)
    for line in RESULTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("<!-- printed by "):
            assert f"tests.benchmarks.{line.split()[3]}" in named
