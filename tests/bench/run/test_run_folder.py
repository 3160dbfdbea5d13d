"""The folder of a run is marked, removed, found again after a crash; nothing else is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imgstore_tui.bench.run.run_folder import SENTINEL, Leftover, RunFolder, leftovers, remove_folder, sweep
from imgstore_tui.bench.system.app_folders import scratch_notes_folder
from imgstore_tui.core.errors import StoreError, UnavailableError
from imgstore_tui.storekit.safe_remove import remove_tree
from tests.support.mount_namespace import in_mount_namespace


def test_a_folder_of_ours_is_removed_and_forgotten(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "x")
    folder.claim("store-000001").mkdir()
    with pytest.raises(UnavailableError, match="File exists"):
        RunFolder(tmp_path, "x")
    assert leftovers() == []
    folder.remove()
    assert list(tmp_path.iterdir()) == []
    assert leftovers() == []


def test_a_note_of_a_folder_that_is_only_just_beginning_stays(tmp_path: Path) -> None:
    RunFolder(tmp_path, "x")
    (tmp_path / "imgstore-tui-x" / SENTINEL).unlink()
    (note,) = scratch_notes_folder().iterdir()
    assert leftovers() == []
    assert note.exists()
    os.utime(note, (0, 0))
    assert leftovers() == []
    assert not note.exists()


def dead_run(scratch: Path) -> Leftover:
    code = (
        "import os, sys; from pathlib import Path; from imgstore_tui.bench.run.run_folder import RunFolder; "
        "folder = RunFolder(Path(sys.argv[1]), 'dead'); folder.claim('store-000001').mkdir(); "
        "folder.claim('source-0'); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(scratch)], check=False)
    (leftover,) = leftovers()
    return leftover


def test_what_a_dead_run_leaves_is_found_and_swept(tmp_path: Path) -> None:
    leftover = dead_run(tmp_path)
    assert leftover == Leftover("dead", tmp_path / "imgstore-tui-dead")
    sweep(leftover)
    assert list(tmp_path.iterdir()) == []
    assert leftovers() == []


def test_what_a_run_did_not_make_is_left(tmp_path: Path) -> None:
    leftover = dead_run(tmp_path)
    (leftover.path / "letter.txt").write_text("mine")
    (leftover.path / "source-0").symlink_to(tmp_path)
    with pytest.raises(StoreError, match=r"letter\.txt was not made by a run"):
        sweep(leftover)
    assert [path.name for path in sorted(leftover.path.iterdir())] == [".imgstore-tui-scratch", "letter.txt"]
    (leftover.path / "letter.txt").unlink()
    sweep(leftover)
    assert leftovers() == []


def test_a_link_or_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "link").symlink_to(dead_run(tmp_path).path)
    for name in ("foreign", "link"):
        with pytest.raises(StoreError, match="was left alone"):
            remove_folder(tmp_path / name)
    assert len(leftovers()) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root: run as root")
def test_a_mount_is_never_crossed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "precious").write_text("mine")
    leftover = dead_run(tmp_path)
    code = "import sys\nfrom imgstore_tui.bench.run.run_folder import leftovers, sweep\nsweep(leftovers()[0])"
    script = f'mount --bind "{data}" "{leftover.path}/store-000001" && exec "{sys.executable}" -c "{code}"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"mounting is not possible here: {done.stderr.strip()}")
    assert "another file system is mounted at" in done.stderr
    assert (data / "precious").read_text() == "mine"
    sweep(leftover)


def test_a_bind_mount_of_the_same_file_system_is_not_crossed_when_a_store_is_removed(tmp_path: Path) -> None:
    for name in ("precious", "store/deep/inner"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "precious" / "letter").write_text("mine")
    code = """
import sys
from pathlib import Path
from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.safe_remove import remove_tree
try:
    remove_tree(Path(sys.argv[1]))
except StoreError as error:
    print(error)
"""
    mount = f'mount --bind "{tmp_path}/precious" "{tmp_path}/store/deep/inner"'
    output = in_mount_namespace(mount, code, str(tmp_path / "store"))
    assert (
        output
        == f"{tmp_path}/store/deep/inner was not removed: another file system is mounted there. Unmount it first.\n"
    )
    assert (tmp_path / "precious" / "letter").read_text() == "mine"
    remove_tree(tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_link_in_a_store_is_removed_and_what_it_leads_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "letter").write_text("mine")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "link").symlink_to(tmp_path / "precious")
    remove_tree(tmp_path / "store")
    (tmp_path / "store").symlink_to(tmp_path / "precious")
    remove_tree(tmp_path / "store")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
    assert (tmp_path / "precious" / "letter").read_text() == "mine"


def test_a_name_that_looks_like_ours_and_is_not_on_the_list_is_left(tmp_path: Path) -> None:
    leftover = dead_run(tmp_path)
    (leftover.path / "store-000002").mkdir()
    with pytest.raises(StoreError, match="store-000002 was not made by a run"):
        sweep(leftover)
    assert (leftover.path / "store-000002").is_dir()
    assert not (leftover.path / "store-000001").exists()


def test_a_removal_that_is_given_up_leaves_the_rest_for_the_next_sweep(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "x")
    store = folder.claim("store-000001")
    store.mkdir()
    for number in range(1000):
        (store / str(number)).touch()

    def enough(count: int) -> None:
        raise StoreError(f"{count} are enough.")

    with pytest.raises(StoreError, match="256 are enough"):
        folder.remove(enough)
    assert len(list(store.iterdir())) == 1000 - 256
    (leftover,) = leftovers()
    counts: list[int] = []
    sweep(leftover, counts.append)
    assert counts == [256, 512]
    assert list(tmp_path.iterdir()) == []


def test_what_is_being_swept_or_used_is_left_alone(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "x")
    with pytest.raises(StoreError, match="is in use by another process"):
        sweep(Leftover("x", folder.path))
    folder.remove()


def test_a_run_that_died_before_it_marked_its_folder_leaves_nothing(tmp_path: Path) -> None:
    leftover = dead_run(tmp_path)
    for name in ("store-000001", "work"):
        (leftover.path / name).rmdir()
    (leftover.path / ".imgstore-tui-scratch").unlink()
    os.utime(scratch_notes_folder() / "dead", (0, 0))
    assert leftovers() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
def test_runs_that_come_and_go_while_leftovers_are_looked_for_are_no_error(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from imgstore_tui.bench.run.run_folder import RunFolder
for number in range(400):
    folders = [RunFolder(Path(sys.argv[1]), f"{number}-{other}") for other in range(4)]
    for folder in folders:
        folder.remove()
"""
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) as runs:
        looked = 0
        while runs.poll() is None:
            assert leftovers() == []
            looked += 1
    assert runs.returncode == 0
    assert looked > 10
    assert leftovers() == []
