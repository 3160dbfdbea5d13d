"""File systems without locks, as NFS without its daemon: work goes on, and it is said; no lack is called damage."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.bench.run import run_folder
from imgstore_tui.jobs.convert import plan_conversion
from imgstore_tui.storekit.store_errors import damaged_error
from imgstore_tui.testing.store_material import is_sentence


@pytest.fixture
def nolocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which no file can be locked."""
    real, folder = fcntl.flock, tmp_path / "nolocks"
    folder.mkdir()

    def flock(descriptor: int, operation: int) -> None:
        if str(folder) in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    return folder


def test_a_conversion_goes_on_and_says_so(nolocks: Path) -> None:
    (nolocks / "photos").mkdir()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(nolocks / "photos" / "1.png")
    notes: list[str] = []
    job = plan_conversion(
        f"folder:{nolocks / 'photos'}", "disk", nolocks / "out", count=None, replace=False, restart=False
    )
    job.notify = notes.append
    assert job.run(lambda step, done, total: None).images == 1
    without = [note for note in notes if "has no locks (No locks available)" in note]
    assert len(without) == 1
    assert is_sentence(without[0], nolocks)


def test_a_run_is_known_to_live_by_its_note(nolocks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setattr(run_folder, "scratch_notes_folder", lambda: notes)
    folder = run_folder.RunFolder(nolocks, "20260102-030405-x")
    assert "has no locks (No locks available)" in folder.warning
    assert is_sentence(folder.warning, nolocks)
    assert run_folder.is_run_alive("20260102-030405-x")
    assert run_folder.leftovers() == []
    os.close(folder._held)  # as the kernel does when the process dies
    folder._held = -1
    assert not run_folder.is_run_alive("20260102-030405-x")
    run_folder.sweep(run_folder.Leftover("20260102-030405-x", folder.path))
    assert not folder.path.exists()


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOLCK, errno.EIO, errno.EACCES, errno.ESTALE])
def test_a_lack_of_the_machine_is_never_called_damage(code: int) -> None:
    error = damaged_error("x.h5", f"[Errno {code}] {os.strerror(code)}", "HDF5 file")
    assert str(error).startswith("x.h5 cannot be read: ")
    assert "damaged" not in str(error)
    assert is_sentence(str(error))


def test_a_lack_of_descriptors_says_how_many_there_may_be() -> None:
    assert "see ulimit -n" in str(damaged_error("x.h5", os.strerror(errno.EMFILE)))
