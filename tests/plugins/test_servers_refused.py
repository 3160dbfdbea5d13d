"""A backend that claims to be a server is refused in a sentence, before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry
from tests.support.entry_points import offer
from tests.support.program import program


@pytest.fixture(autouse=True)
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path / "package", {"imgstore_tui.backends": {"served": "tests.outside.served:Served"}}, monkeypatch)


def test_a_run_with_it_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = program("run", "-b", "served", "-n", "1", "--rounds", "1", "--scratch", str(scratch))
    assert done.returncode == 3
    assert "Backend served is a server" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(scratch.iterdir())


def test_a_saved_spec_with_it_is_refused() -> None:
    with pytest.raises(UnavailableError, match="Backend served is a server"):
        registry.make_backend(Spec("served", "png", "tuned", label="served"))
