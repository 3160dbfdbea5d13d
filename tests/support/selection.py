"""Selects the representative part of the tests: what runs without ``--full``.

Nothing is chosen by hand that is not marked where it is written:

* the conformance suites run for the first preset of a backend with its default codec, and for the first of a codec's
  settings; every test of a suite runs, with every shape and level that it names;
* a test marked ``sample_diagonal`` runs for every value of each of its parameters, but not for every combination;
* a test marked ``sample_first`` runs for the first of its parameters' values, or the first few;
* a test marked ``full`` runs with ``--full`` alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance
from imgstore_tui.testing.conformance_store import StoreConformance


def split(items: Iterable[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the tests of the representative part and the others, each in the order in which they came."""
    functions: dict[tuple[object, str], list[pytest.Item]] = defaultdict(list)
    for item in items:
        functions[item.parent, getattr(item, "originalname", None) or item.name].append(item)
    representative: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for variants in functions.values():
        sample = set(_sample(variants))
        for item in variants:
            (representative if item in sample else others).append(item)
    return representative, others


def _sample(variants: list[pytest.Item]) -> list[pytest.Item]:
    """Return those of one test's variants that represent it."""
    variants = [item for item in variants if not item.get_closest_marker("full")]
    if len(variants) < 2:
        return variants
    if first := variants[0].get_closest_marker("sample_first"):
        return variants[: first.args[0] if first.args else 1]
    if variants[0].get_closest_marker("sample_diagonal"):
        return _diagonal(variants)
    suite = getattr(variants[0], "cls", None)
    if suite is not None and issubclass(suite, StoreConformance):
        default = _default_spec(suite.backend)
        return [item for item in _of_the_first(variants, "preset") if _spec(item) in (None, default)]
    if suite is not None and issubclass(suite, CodecConformance):
        return _of_the_first(variants, "coder")
    return variants


def _diagonal(variants: list[pytest.Item]) -> list[pytest.Item]:
    """Return a variant for each value of the parameter that has most, with values of the others in turn."""
    # One id for each ``parametrize``, however many names it has.
    ids = [tuple(item.callspec._idlist) for item in variants]  # type: ignore[attr-defined]
    axes = [list(dict.fromkeys(axis)) for axis in zip(*ids, strict=True)]
    diagonal = {tuple(axis[step % len(axis)] for axis in axes) for step in range(max(map(len, axes)))}
    return [item for item, names in zip(variants, ids, strict=True) if names in diagonal]


def _of_the_first(variants: list[pytest.Item], name: str) -> list[pytest.Item]:
    """Return the variants in which a parameter has its first value; all where there is no such parameter."""
    first = _parameters(variants[0]).get(name)
    return [item for item in variants if _parameters(item).get(name) is first]


def _parameters(item: pytest.Item) -> dict[str, Any]:
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}


def _spec(item: pytest.Item) -> str | None:
    """Return the spec of a conformance suite's variant, None where it has no such parameter."""
    return _parameters(item)["setup"].text if "setup" in _parameters(item) else None


def _default_spec(backend: str) -> str:
    kind = registry.backends.get(backend)
    preset = kind.presets[0]
    return f"{backend}+{preset.codec or kind.default_codec}:preset={preset.name}"
