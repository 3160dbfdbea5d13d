"""Limits of processor time that control groups of both versions set."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgstore_tui.bench.system import cgroups
from imgstore_tui.bench.system.environment import quota_text
from imgstore_tui.testing.store_material import is_sentence


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.cfs_quota_us": "50000\n", "cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "nonsense"}, None),
        ({"cpu.max": "1 0\n"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_a_group_is_read(
    files: dict[str, str], quota: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / "cpu.max").write_text("400000 100000\n")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(cgroups, "_groups", lambda controller: iter([tmp_path, outer] if controller == "cpu" else []))
    assert cgroups.processor_quota() == (4.0 if quota is None else quota)


def test_a_quota_below_the_cores_is_said() -> None:
    assert quota_text(None, 8) == quota_text(8.0, 8) == ""
    text = quota_text(1.5, 8)
    assert "may use the time of 1.5 of 8 cores" in text
    assert is_sentence(text)
