"""Tests what a backend must do whose stores are files: what it knows of them, forces, weighs, leaves and removes."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.backend import Continuation, Editor
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.conformance_damage import DamageConformance
from imgstore_tui.testing.store_material import (
    StoreSetup,
    copy_store,
    is_sentence,
    open_files,
    parts_of,
    snapshot,
    walk,
)


class LocalFilesConformance(DamageConformance):
    """The part of the conformance suite for local stores; inherited through ``BackendConformance``."""

    def check_durable(self, setup: StoreSetup, location: Any) -> None:
        """Assert that all files can be forced."""
        assert setup.local.make_durable(location) >= len(walk(location)) + 1

    def trace(self, location: Any) -> Any:
        """Return the content of all files."""
        return {name: content for name, (_, _, content) in snapshot(location).items()}

    def check_changed(self, setup: StoreSetup, location: Any, editor: Editor) -> None:
        """Assert that what changed is known and can be forced, and that the files are counted right."""
        changed = editor.changed_paths()
        if changed is not None:
            names = [path for path in changed if path.is_file()]
            assert set(names) <= set(setup.local.files(location))
            assert setup.local.make_durable(location, changed) > len(names)
        assert setup.local.disk_usage(location).files == len(list(setup.local.files(location)))
        assert setup.local.make_durable(location) > 0

    def test_it_knows_its_own_files_and_no_others(self, setup: StoreSetup, tmp_path: Path) -> None:
        location = setup.make(tmp_path / "store", setup.material([(40, 41, 3)] * 12))
        kind = type(setup.local)
        if setup.backend.capabilities.append:
            with contextlib.suppress(UnsupportedError), setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
                setup.material([(40, 41, 3)] * 15).put(editor, start=12)
        assert not list(kind.unowned_files(location))
        assert sorted(setup.local.files(location)) == walk(location)
        if not location.is_dir():
            return
        folders = [location, *(path for path in location.rglob("*") if path.is_dir())]
        others = {folder / "my_notes.txt" for folder in folders} | {location / "link"}
        for other in others - {location / "link"}:
            other.write_text("mine")
        (location / "link").symlink_to(next(setup.local.files(location)))
        assert set(kind.unowned_files(location)) == others

    def test_reading_changes_nothing(self, setup: StoreSetup, tmp_path: Path) -> None:
        material = setup.material([(7, 5, 3)] * 12)
        location = setup.make(tmp_path / "store", material)
        before = snapshot(location)
        with setup.backend.open(location) as reader:
            material.check(reader)
            material.check(reader, [7, 3])
            reader.read_labels()
            assert snapshot(location) == before
        assert snapshot(location) == before

    def test_no_handle_stays_open(self, setup: StoreSetup, tmp_path: Path) -> None:
        material = setup.material([(7, 5, 3)] * 12)
        setup.make(tmp_path / "warm", material)
        material.check_store(setup.backend, tmp_path / "warm")
        before = open_files()
        for number in range(3):
            location = setup.make(tmp_path / f"{number}", material)
            material.check_store(setup.backend, location)
            writer = setup.backend.create(tmp_path / f"{number}a", material.content, SyncLevel.BUFFERED)
            material.put(writer, 0, 7)
            writer.abort()
            for path in (tmp_path / f"{number}a", tmp_path):
                with pytest.raises(StoreError):
                    setup.backend.open(path)
        # A library may close in a thread of its own.
        until = time.monotonic() + 2.0
        while open_files() != before and time.monotonic() < until:
            time.sleep(0.05)
        assert open_files() == before

    def test_what_a_dead_process_has_left_is_gone_on_with_or_refused(self, setup: StoreSetup, tmp_path: Path) -> None:
        material = setup.material([(40, 41, 3)] * 23)
        content, labels = material.content, material.labels
        sizes = np.array([len(payload) for payload in material.payloads] or [40 * 41 * 3] * 23, np.int64)
        location, left = tmp_path / "store", tmp_path / "left"
        writer = setup.backend.create(location, content, SyncLevel.BUFFERED)
        material.put(writer, 0, 17)
        if setup.backend.continuation(content.kind) is not Continuation.RESUME:
            with pytest.raises(UnsupportedError) as caught:
                writer.checkpoint()
            assert is_sentence(caught.value)
            writer.abort()
            with pytest.raises(UnsupportedError) as caught:
                setup.backend.resume(location, content, labels[:17], sizes[:17])
            assert is_sentence(caught.value)
            return
        safe = writer.checkpoint()
        assert 0 <= safe <= 17
        copy_store(location, left)  # the store as a kill leaves it
        material.put(writer, 17, 20)
        writer.abort()
        for folder in (left, location):
            with pytest.raises(StoreError):
                setup.backend.open(folder)
            with setup.backend.resume(folder, content, labels[:safe], sizes[:safe]) as writer:
                material.put(writer, safe)
            material.check_store(setup.backend, folder)
            assert not list(type(setup.local).unowned_files(folder))
        (tmp_path / "empty").mkdir()
        with pytest.raises(StoreError) as missing:
            setup.backend.resume(tmp_path / "empty", content, labels[:safe], sizes[:safe])
        assert is_sentence(missing.value, tmp_path / "empty")

    def test_its_weight_agrees_with_du(self, setup: StoreSetup, tmp_path: Path) -> None:
        location = setup.make(tmp_path / "store", setup.material([(40, 41, 3)] * 30))
        usage = setup.local.disk_usage(location)
        command = ["du", "-s", "-c", "--block-size=1", *map(str, parts_of(location))]
        du = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert usage.allocated_bytes == int(du.splitlines()[-1].split()[0])
        files = walk(location)
        assert usage.apparent_bytes == sum(path.stat().st_size for path in files)
        assert usage.files == len(files)
        assert sorted(setup.local.files(location)) == files

    def test_destroy_leaves_a_neighbour_alone(self, setup: StoreSetup, tmp_path: Path) -> None:
        material = setup.material([(7, 5, 3)] * 6)
        for name in ("store", "store2", "stor"):
            setup.make(tmp_path / name, material)
        neighbours = ["mine.txt", "stor", "store-of-others", "store.txt", "store2"]
        for name in neighbours:
            if not (tmp_path / name).exists():
                (tmp_path / name).write_text("mine")
        setup.backend.destroy(tmp_path / "store")
        assert sorted(path.name for path in tmp_path.iterdir()) == neighbours
        material.check_store(setup.backend, tmp_path / "store2")
        material.check_store(setup.backend, tmp_path / "stor")

    def test_what_is_no_store_is_not_edited(self, preset: StoreSetup, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "file").write_bytes(b"no store")
        for name in ("missing", "empty", "file"):
            with pytest.raises((StoreError, UnsupportedError)) as caught:
                preset.backend.edit(tmp_path / name, SyncLevel.BUFFERED)
            assert is_sentence(caught.value)
        assert not (tmp_path / "missing").exists()
        assert not list((tmp_path / "empty").iterdir())
