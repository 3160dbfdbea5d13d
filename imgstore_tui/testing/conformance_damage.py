"""Tests what every local backend must do with damaged, foreign and missing stores."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from imgstore_tui.core.errors import ImgstoreError, StoreError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.store_material import Material, StoreSetup, copy_store, is_sentence, snapshot, walk

_FLIPS = 24
_KILLED = {-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT}


class DamageConformance:
    """The part of the conformance suite that damages stores; inherited through ``LocalFilesConformance``."""

    def test_what_is_no_store_is_refused(self, preset: StoreSetup, tmp_path: Path) -> None:
        file, empty, foreign = tmp_path / "a-file", tmp_path / "empty", tmp_path / "foreign"
        file.write_bytes(b"just a file, but long enough to be looked at" * 100)
        empty.mkdir()
        foreign.mkdir()
        good = preset.make(tmp_path / "good", preset.material([(3, 3, 3)]))
        for path in walk(good):  # files of the right names that hold something else
            target = foreign / (path.relative_to(good) if good.is_dir() else path.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"not what the name says" * 1000)
        for location in (tmp_path / "missing", tmp_path / "missing" / "below", file, file / "below", empty, foreign):
            with pytest.raises(StoreError) as caught:
                preset.backend.open(location)
            assert is_sentence(caught.value, location)
        assert not (tmp_path / "missing").exists()
        assert not list(empty.iterdir())

    def test_nothing_is_made_over_what_is_there(self, preset: StoreSetup, tmp_path: Path) -> None:
        material = preset.material([(3, 3, 3)] * 3)
        store, file, empty = tmp_path / "store", tmp_path / "file", tmp_path / "empty"
        preset.make(store, material)
        file.write_text("mine")
        empty.mkdir()
        before = snapshot(tmp_path)
        for location in (store, file, empty, tmp_path / "missing" / "parent", file / "below"):
            with pytest.raises(StoreError) as caught:
                preset.backend.create(location, material.content, SyncLevel.BUFFERED)
            assert is_sentence(caught.value, location)
        assert snapshot(tmp_path) == before

    def test_a_file_cut_short_or_gone_is_noticed(self, setup: StoreSetup, tmp_path: Path) -> None:
        material = setup.material([(40, 41, 3)] * 12)
        location = setup.make(tmp_path / "store", material)
        for path in _some(walk(location)):
            whole = path.read_bytes()
            for length in {0, 1, len(whole) // 2, max(0, len(whole) - 1), None}:
                if length is None:
                    path.unlink()
                else:
                    os.truncate(path, length)
                self._whole_or_refused(setup, material, location)
                path.write_bytes(whole)
        material.check_store(setup.backend, location)

    @pytest.mark.timeout(60)
    def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(self, preset: StoreSetup, tmp_path: Path) -> None:
        material = preset.material([(3, 3, 3)] * 4)
        location = preset.make(tmp_path / "store", material)
        for path in _some(walk(location)):
            whole = path.read_bytes()
            path.unlink()
            os.mkfifo(path)
            self._whole_or_refused(preset, material, location)
            path.unlink()
            path.write_bytes(whole)
        material.check_store(preset.backend, location)

    def _whole_or_refused(self, setup: StoreSetup, material: Material, location: Path) -> None:
        """Read everything and assert that every pixel and label is right, or that it is refused in a sentence."""
        try:
            with setup.backend.open(location) as reader:
                everything = range(material.content.count)
                labels = reader.read_labels()
                images, image_labels = material.get(reader, everything)
                if material.array is None:
                    # A backend cannot know that a payload is shorter than it was; its codec must.
                    decoded = [setup.codec.decode(payload) for payload in images]
                    expected = [setup.codec.decode(payload) for payload in material.payloads]
                    assert all((a == b).all() for a, b in zip(decoded, expected, strict=True))
                else:
                    assert not material.difference(everything, (images, image_labels))
                assert labels.tolist() == material.labels.tolist()
        except ImgstoreError as error:
            assert is_sentence(error)

    def test_a_flipped_byte_raises_nothing_but_our_own(self, preset: StoreSetup, tmp_path: Path) -> None:
        """Read in a child process, as a driver may kill the process over a damaged file, like that of a trial."""
        material = preset.material([(40, 41, 3)] * 12)
        location = preset.make(tmp_path / "store", material)
        flips = [(path, offset) for path in _some(walk(location)) for offset in _offsets(path.stat().st_size)]
        copy = tmp_path / "copy"
        while flips:
            copy_store(location, copy)
            lines = [f"{copy}{str(path)[len(str(location)) :]}\t{offset}" for path, offset in flips]
            child = subprocess.run(
                [sys.executable, "-m", "imgstore_tui.testing.flip_bytes", preset.text, str(copy)],
                input="\n".join(lines),
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
                cwd=Path(__file__).parents[2],
            )
            done = child.stdout.count("\n")
            assert child.returncode == 0 or child.returncode in _KILLED, (
                flips[min(done, len(flips) - 1)],
                child.stderr,
            )
            if child.returncode == 0:
                assert done == len(flips)
            flips = flips[done + 1 :]
            preset.backend.destroy(copy)

    @pytest.mark.parametrize("most", [1_000, 100_000])
    def test_a_full_disk_is_a_sentence(self, preset: StoreSetup, most: int, tmp_path: Path) -> None:
        location = tmp_path / "store"
        command = [sys.executable, "-m", "imgstore_tui.testing.disk_full", preset.text, str(location), str(most)]
        child = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60, cwd=Path(__file__).parents[2]
        )
        assert child.returncode == 0, child.stderr
        assert child.stdout.startswith(("refused: ", "written"))
        if child.stdout.startswith("refused: "):
            with pytest.raises(StoreError):
                preset.backend.open(location)


def _some(files: list[Path]) -> list[Path]:
    """Return a few files: all of up to six, else the first, the last and one in between."""
    return files if len(files) <= 6 else [*files[:2], files[len(files) // 2], *files[-3:]]


def _offsets(size: int) -> list[int]:
    """Return offsets to flip: evenly over the file, and more at its start, where headers are."""
    steps = {size * number // _FLIPS for number in range(_FLIPS)}
    return sorted(offset for offset in steps | set(range(0, 64, 7)) if offset < size)
