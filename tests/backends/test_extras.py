"""Backends that want a library: they are listed without it, with the command that gets it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui import registry

EXTRAS = {
    "tfrecord": "tfrecord",
    "arrow": "arrow",
    "parquet": "arrow",
    "arrayrecord": "arrayrecord",
    "zarr": "zarr",
    "rocksdb": "rocksdb",
    "duckdb": "duckdb",
    "lance": "lance",
}
PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(("backend", "extra"), EXTRAS.items())
def test_it_is_listed_with_the_command_that_gets_it(backend: str, extra: str) -> None:
    kind = registry.backends.get(backend)
    wanted = " ".join(f"'{line}'" for line in PROJECT["optional-dependencies"][extra])
    assert registry.how_to_get(kind).endswith(f" -m pip install {wanted}")


def test_every_extra_that_a_plug_in_names_is_one() -> None:
    kinds: list[Any] = [*registry.backends.all().values(), *registry.codecs.all().values()]
    assert {kind.extra for kind in kinds if kind.extra} <= set(PROJECT["optional-dependencies"])
