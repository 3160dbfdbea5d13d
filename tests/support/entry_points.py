"""Offers plug-ins the way an installed package does: by the entry points of a distribution on ``sys.path``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from imgstore_tui.plugins import registry

ROOT = Path(__file__).parents[2]


def offer(folder: Path, groups: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a distribution in ``folder`` and let this process and its children see it.

    Args:
        folder: Where to make it.
        groups: Entry points by group, e.g. ``{"imgstore_tui.backends": {"x": "module:Class"}}``.
        monkeypatch: Takes it all back.
    """
    info = folder / "outsider-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outsider\nVersion: 1.0\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for catalogue in (registry.backends, registry.codecs, registry.datasets):
        catalogue.all()  # so that there is a cache, which comes back after the test in place of the one made in it
        monkeypatch.delitem(catalogue.__dict__, "_plugins")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{ROOT}")
