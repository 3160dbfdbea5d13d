"""What is declared in pyproject.toml: extras by their old and new names, what `all` leaves out, bounds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui import registry
from imgstore_tui.present import exports

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
OLD_EXTRAS = (
    "plot", "web", "fastpng", "fastjpeg", "zstd", "qoi", "blosc2", "jxl", "heif", "tfrecord", "arrow", "zarr",
    "arrayrecord", "rocksdb", "duckdb", "lance", "all", "interop", "test", "dev",
)  # fmt: skip
"""Extras of version 0.1.0: what a user has written into a file of requirements goes on installing what it did."""


def libraries(extra: str) -> set[str]:
    """Return the names of all that an extra installs, those of the extras in it included."""
    names: set[str] = set()
    for requirement in EXTRAS[extra]:
        name, inner = re.match(r"([\w.-]+)(?:\[([\w,]+)\])?", requirement).groups()  # type: ignore[union-attr]
        if name == "imgstore-tui":
            names.update(*(libraries(part) for part in inner.split(",")))
        else:
            names.add(name)
    return names


@pytest.mark.parametrize("extra", OLD_EXTRAS)
def test_extras_of_before_stay(extra: str) -> None:
    assert libraries(extra)


def test_every_plug_in_names_an_extra_that_there_is() -> None:
    kinds: list[Any] = [
        *registry.backends.all().values(),
        *registry.codecs.all().values(),
        *exports.all_exporters().values(),
    ]
    named = {kind.extra for kind in kinds if kind.extra and kind.__module__.startswith("imgstore_tui.")}
    assert named <= set(EXTRAS)
    assert {"fastpng", "rocksdb", "plot"} <= named


def test_fast_has_what_every_codec_needs() -> None:
    for codec in registry.codecs.all().values():
        if codec.extra and codec.__module__.startswith("imgstore_tui."):
            assert libraries(codec.extra) <= libraries("fast"), codec.name


def test_nothing_under_the_gpl_comes_with_all() -> None:
    assert libraries("heif") == {"pillow-heif"}
    assert "pillow-heif" not in libraries("all")
    assert libraries("fast") <= libraries("all")
