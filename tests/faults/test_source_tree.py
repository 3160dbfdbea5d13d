"""The user's data is only read: byte for byte and time for time what it was, after runs, kills and sweeps."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.faults.places import run_in
from tests.support.datasets import save

NAMES = [
    b"plain",
    b"new\nline",
    b"[red]x",
    b"\x1b[31m",
    b"\xff\xfe",
    "\u202eevil".encode(),
    b"-rf",
    b" ",
    b"$(x)",
    b"a'b\"c",
]


@pytest.mark.full
def test_a_tree_of_links_bind_mounts_and_odd_names_stays_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "place"
    for number, raw in enumerate(NAMES):
        save(Path(f"{place}/tree/{os.fsdecode(raw)}/{os.fsdecode(raw)}.png"), 10 + number, 12, seed=number)
    for name in ("mounted/far.png", "secret.png"):
        save(place / "outside" / name, 33, 44)
    tree = place / "tree"
    (tree / "mounted").mkdir()
    (tree / "link.png").symlink_to("plain/plain.png")
    (tree / "leaves.png").symlink_to(place / "outside" / "secret.png")
    (tree / "up").symlink_to(place)
    (tree / "nowhere.png").symlink_to("gone.png")
    os.link(tree / "plain" / "plain.png", tree / "hard.png")
    os.mkfifo(tree / "pipe.png")
    (tree / "plain" / "plain.png").chmod(0o400)
    # A part of what lies outside is seen within, and the tree is seen within itself.
    mount = (
        'mount --bind "$1/outside/mounted" "$1/tree/mounted" && mkdir "$1/tree/itself" && '
        'mount --bind "$1/tree/plain" "$1/tree/itself"'
    )
    outcome = json.loads(run_in(place, mount, "-m", "tests.faults.tree", str(place), timeout=170))
    assert outcome["entries"] > 25
    assert outcome["killed"] >= 3
    assert (outcome["changed"], outcome["beside"], outcome["left"]) == ([], True, [])
    assert (outcome["code"], outcome["failed"]) == (0, [])
