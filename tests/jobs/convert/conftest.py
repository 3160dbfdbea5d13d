"""Fixtures of the tests of conversions."""

from __future__ import annotations

import pytest

from imgstore_tui.jobs.convert import fill, prepare
from tests.support.conversions import AVAILABLE


@pytest.fixture
def short_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of few images, so that a small data set takes several."""
    monkeypatch.setattr(fill, "FIRST_SESSION", 6)
    monkeypatch.setattr(fill, "SESSION_S", 0)
    monkeypatch.setattr(prepare, "BATCH", 6)
    if "zarr" in AVAILABLE:
        monkeypatch.setattr("imgstore_tui.backends.zarr.writer._AT_ONCE", 1)
