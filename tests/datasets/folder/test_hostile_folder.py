"""A folder in which everything is odd, through whole runs with real children: nothing speaks or is touched."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.errors import DataError, UnsupportedError
from imgstore_tui.core.events import Event, Preparing
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.core.operations import Operation, Payload, Status
from imgstore_tui.datasets.synthetic.recipe import Recipe
from imgstore_tui.plugins.registry import missing_imports, resolve_spec
from imgstore_tui.present import exports
from imgstore_tui.testing.conformance_dataset import snapshot
from tests.support.datasets import save
from tests.support.photos import broken_files, odd_files, save_files
from tests.support.program import program

NAMES = [
    b"new\nline", b"[red]x[_]", b"[@click=app.quit]q", b"\x1b[31mred", b"\x9b31m", b"caf\xe9", b"\xff\xfe",
    "\u202eevil".encode(), b"=1+1", b"a,b", b"-rf", b"<script>", b"%s{0}",
]  # fmt: skip
OPERATIONS = (Operation.WRITE_MANY, Operation.READ_ONE, Operation.READ_MANY, Operation.READ_RANDOM)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Make a tree of odd names, broken pictures, bombs and links; and what must not be reached beside it."""
    home = tmp_path / "home"
    for number, raw in enumerate(NAMES):
        save(Path(f"{home}/{os.fsdecode(raw)}/{os.fsdecode(raw)}.png"), 10 + number, 12, seed=number)
    picture = Image.fromarray(Recipe(60, 80, 3, 1).images(0, 1)[0])
    save_files(home / "odd", odd_files, picture)
    save_files(home / "broken", broken_files, picture)
    save(tmp_path / "outside" / "secret.png", 33, 44)
    links = home / "links"
    links.mkdir()
    (links / "inside.png").symlink_to(home / "odd" / "alpha.png")
    (links / "leaves.png").symlink_to(tmp_path / "outside" / "secret.png")
    (links / "circle.png").symlink_to("circle.png")
    (links / "nothing.png").symlink_to("gone.png")
    (links / "up").symlink_to(home)
    (links / "out").symlink_to(tmp_path / "outside")
    os.mkfifo(links / "pipe.png")
    return home


def plan_of(home: Path, *specs: str, **changes: object) -> Plan:
    plan = Plan(
        specs=tuple(resolve_spec(spec) for spec in specs),
        datasets=(f'folder:"{home}"',),
        cutoffs=(1, 100),
        operations=OPERATIONS,
        rounds=1,
        budget_s=None,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def all_well(run: Run) -> None:
    assert run.measurements
    assert [(m.spec, m.reason) for m in run.measurements if m.status is not Status.OK or not m.verified] == []


@pytest.mark.full
def test_a_run_over_it_is_whole_verified_and_leaves_it_as_it_was(home: Path) -> None:
    before = snapshot((home.parent,))
    run = run_plan(plan_of(home, "disk+original", "disk+raw", "lmdb", "lmdb+png", "hdf5"))
    assert snapshot((home.parent,)) == before
    all_well(run)
    facts = run.datasets[0]
    assert facts.used == len(NAMES) + 15 + 1  # the names, the odd ones that are taken, the link that stays inside
    reasons = dict(facts.excluded)
    assert "pixels, more than" in reasons["broken/bomb header.png"]
    assert "pixels, more than" in reasons["broken/bomb whole.png"]
    assert "leaves the folder" in reasons["links/leaves.png"]
    assert "circle" in reasons["links/circle.png"]
    assert {"links/nothing.png", "links/up", "links/out", "links/pipe.png", "broken/empty.jpg"} <= set(reasons)
    assert len([name for name in reasons if name.startswith("broken/")]) == len(list((home / "broken").iterdir()))
    exporters = exports.all_exporters().values()
    for exporter in (
        kind for kind in exporters if not kind.binary and kind.name != "json" and not missing_imports(kind)
    ):
        text = exporter().export(run).decode()
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "<script>" not in text


def test_the_command_says_what_is_left_out_and_prints_nothing_that_a_terminal_obeys(home: Path, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    inner = Path(f"{home}/{os.fsdecode(NAMES[3])}")
    before = snapshot((home.parent,))
    for data in (f'folder:"{home}"', f'folder:"{inner}"'):
        done = program(
            "run", "-d", data, "-b", "disk+original", "-n", "3", "-o", "write-many", "read-many", "--rounds", "1",
            "--scratch", str(tmp_path / "scratch"),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert (done.stdout + done.stderr).replace("\n", "").isprintable()
        assert "source" in done.stdout
    assert (tmp_path / "scratch").exists()
    assert list((tmp_path / "scratch").iterdir()) == []
    assert snapshot((home.parent / "home",)) == {
        name: entry for name, entry in before.items() if name.startswith(str(home))
    }


def test_a_picture_that_goes_between_scan_and_decoding_is_left_out_by_name(home: Path) -> None:
    gone = home / "odd" / "grey.jpg"
    changed = home / "odd" / "progressive.jpg"

    def spoil(event: Event) -> None:
        if isinstance(event, Preparing) and event.what == "reading headers" and event.done == event.total:
            gone.unlink(missing_ok=True)
            changed.write_bytes(changed.read_bytes() + b"x")

    run = run_plan(plan_of(home, "disk+original", operations=(Operation.READ_MANY,)), listen=spoil)
    all_well(run)
    reasons = dict(run.datasets[0].excluded)
    assert reasons["odd/grey.jpg"] == "The file is gone since the folder was scanned."
    assert reasons["odd/progressive.jpg"] == "The file has changed since the folder was scanned."


@pytest.mark.full
def test_files_that_nobody_decodes_take_part_as_bytes(home: Path) -> None:
    (home / "raw").mkdir()
    (home / "raw" / "IMG_1.CR2").write_bytes(b"II*\0camera raw" * 999)
    (home / "raw" / "IMG_2.heic").write_bytes(b"\0\0\0\x18ftypheic" * 99)
    before = snapshot((home.parent,))
    plan = plan_of(
        home, "disk+original", "lmdb+original", "hdf5+original", payload=Payload.ENCODED,
        datasets=(f'folder:"{home}",decode=no',),
    )  # fmt: skip
    run = run_plan(plan)
    assert snapshot((home.parent,)) == before
    all_well(run)
    assert {m.spec for m in run.measurements} == {"source", "disk+original", "lmdb+original", "hdf5+original"}
    facts = run.datasets[0]
    # Of the broken ones only the empty one has no bytes to store.
    broken = {name for name, _ in facts.excluded if name.startswith(("broken/", "odd/", "raw/"))}
    assert broken == {"broken/empty.jpg"}
    assert facts.used == len(NAMES) + 17 + 13 + 1 + 2
    assert facts.original_bytes is not None
    assert (facts.shape, facts.pixel_bytes) == (None, 0)
    assert all(m.pixel_bytes is None for m in run.measurements)
    assert "not decoded" in facts.summary


@pytest.mark.sample_first
@pytest.mark.parametrize(
    ("spec", "payload"), [("disk+original", Payload.END_TO_END), ("lmdb", Payload.ENCODED), ("disk", Payload.RAW)]
)
def test_bytes_that_are_not_decoded_have_no_pixels_to_store(home: Path, spec: str, payload: Payload) -> None:
    plan = plan_of(home, spec, payload=payload, datasets=(f'folder:"{home}",decode=no',))
    with pytest.raises(UnsupportedError, match="Use the codec original and --payload encoded"):
        run_plan(plan)


def test_labels_of_a_csv_go_through_a_run(home: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for number in range(6):
        save(tree / f"{number}.png", 10 + number)
    (tree / "labels.csv").write_text("".join(f"{number}.png,{'<U+202E>ab'[number % 3]}\n" for number in range(6)))
    plan = plan_of(tree, "disk", "lmdb", datasets=(f"folder:{tree},labels=labels.csv",), cutoffs=(3, 6))
    run = run_plan(plan)
    all_well(run)
    assert run.datasets[0].label_names == ("+", "<", "U")
    (tree / "labels.csv").write_text("0.png,a\n")
    with pytest.raises(DataError, match=r"5 of 6 pictures have no row, for example '1\.png'"):
        run_plan(plan)
