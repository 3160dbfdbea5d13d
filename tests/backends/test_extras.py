"""Plug-ins that want a library: they are listed without it, with the command that gets it."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from imgstore_tui.plugins import registry

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
KINDS: list[Any] = [*registry.backends.all().values(), *registry.codecs.all().values()]


def requirements(lines: Iterable[str]) -> set[tuple[str, str]]:
    """Return names and versions of requirements, however they are spelt."""
    return {
        (canonicalize_name(requirement.name), str(requirement.specifier)) for requirement in map(Requirement, lines)
    }


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.extra], ids=lambda kind: kind.name)
def test_it_is_listed_with_the_command_that_gets_it(kind: Any) -> None:
    command = shlex.split(registry.how_to_get(kind))
    assert requirements(command[command.index("install") + 1 :]) == requirements(EXTRAS[kind.extra])


def test_what_wants_a_library_that_is_not_always_there_names_an_extra() -> None:
    always = {re.split("[<>=]", line)[0] for line in PROJECT["dependencies"]} | {"PIL"} | sys.stdlib_module_names
    wanting = {kind.name for kind in KINDS if {name.partition(".")[0] for name in kind.requires} - always}
    assert {"arrow", "qoi"} <= wanting <= {kind.name for kind in KINDS if kind.extra}
