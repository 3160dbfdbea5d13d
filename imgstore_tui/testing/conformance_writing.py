"""Tests what every backend must do while it writes, and what it must know about its stores."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.backend import Content, Continuation, PayloadKind
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.store_material import Shape, StoreSetup, is_sentence, walk


class WritingConformance:
    """The part of the conformance suite that writes stores; inherited through ``BackendConformance``."""

    @pytest.mark.parametrize("level", SyncLevel)
    def test_every_sync_level_holds_the_same_or_is_refused(
        self, setup: StoreSetup, level: SyncLevel, tmp_path: Path
    ) -> None:
        material = setup.material([(7, 5, 3)] * 12)
        location = tmp_path / "store"
        try:
            writer = setup.backend.create(location, material.content, level)
        except UnsupportedError as error:
            assert level is SyncLevel.BATCH
            assert is_sentence(error)
            return
        material.put(writer)
        writer.close()
        writer.close()
        assert (writer.syncs > 0) == (level is SyncLevel.BATCH)
        material.check_store(setup.backend, location)
        assert setup.backend.make_durable(location) >= len(walk(location)) + 1

    def test_what_does_not_fit_is_refused(self, setup: StoreSetup, tmp_path: Path) -> None:
        material = setup.material([(7, 5, 3)] * 6)
        content, empty = material.content, np.zeros(0, np.int64)
        for number, (start, stop) in enumerate([(1, 3), (0, 7)]):
            with (
                pytest.raises(StoreError) as caught,
                setup.backend.create(tmp_path / f"{number}", Content(5, *_rest(content)), SyncLevel.BUFFERED) as writer,
            ):
                material.put(writer, start, min(stop, 6), batch=6)
            assert is_sentence(caught.value)
        with setup.backend.create(tmp_path / "other", content, SyncLevel.BUFFERED) as writer:
            with pytest.raises(StoreError) as caught:
                if content.kind is PayloadKind.ARRAY:
                    writer.put_array(range(2), material.array[:2], empty)
                else:
                    writer.put_bytes(range(2), material.payloads[:2], empty)
            assert is_sentence(caught.value)
            material.put(writer)
        material.check_store(setup.backend, tmp_path / "other")

    def test_fewer_than_announced_is_no_store(self, setup: StoreSetup, tmp_path: Path) -> None:
        material = setup.material([(7, 5, 3)] * 6)
        writer = setup.backend.create(tmp_path / "store", material.content, SyncLevel.BUFFERED)
        material.put(writer, 0, 4)
        with pytest.raises(StoreError) as caught:
            writer.close()
        assert is_sentence(caught.value)
        with pytest.raises(StoreError):
            setup.backend.open(tmp_path / "store")

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
        shutil.copytree(location, left)  # the store as a kill leaves it
        material.put(writer, 17, 20)
        writer.abort()
        for folder in (left, location):
            with pytest.raises(StoreError):
                setup.backend.open(folder)
            with setup.backend.resume(folder, content, labels[:safe], sizes[:safe]) as writer:
                material.put(writer, safe)
            material.check_store(setup.backend, folder)
            assert not list(type(setup.backend).unowned_files(folder))
        (tmp_path / "empty").mkdir()
        with pytest.raises(StoreError) as missing:
            setup.backend.resume(tmp_path / "empty", content, labels[:safe], sizes[:safe])
        assert is_sentence(missing.value, tmp_path / "empty")

    def test_the_form_that_it_does_not_take_is_refused(self, preset: StoreSetup, tmp_path: Path) -> None:
        image = np.zeros((2, 3, 3, 3), np.uint8)
        labels = np.zeros(2, np.int64)
        for kind in PayloadKind:
            location = tmp_path / kind
            content = Content(2, kind, "raw", (3, 3, 3), "uint8", 54)
            if kind not in preset.backend.payloads:
                with pytest.raises(UnsupportedError) as caught:
                    preset.backend.create(location, content, SyncLevel.BUFFERED)
                assert is_sentence(caught.value)
                assert not location.exists()
                continue
            writer = preset.backend.create(location, content, SyncLevel.BUFFERED)
            with pytest.raises(UnsupportedError) as caught:
                if kind is PayloadKind.ARRAY:
                    writer.put_bytes(range(2), [b"a", b"b"], labels)
                else:
                    writer.put_array(range(2), image, labels)
            assert is_sentence(caught.value)
            if kind is PayloadKind.ARRAY:
                writer.put_array(range(2), image, labels)
            else:
                writer.put_bytes(range(2), [b"a", b"b"], labels)
            writer.close()
            with preset.backend.open(location) as reader, pytest.raises(UnsupportedError) as caught:
                if kind is PayloadKind.ARRAY:
                    reader.read_bytes([0], labels[:1])
                else:
                    reader.read_array([0], image[:1], labels[:1])
            assert is_sentence(caught.value)

    # Accounts

    def test_its_weight_agrees_with_du(self, setup: StoreSetup, tmp_path: Path) -> None:
        location = setup.make(tmp_path / "store", setup.material([(40, 41, 3)] * 30))
        usage = setup.backend.disk_usage(location)
        du = subprocess.run(
            ["du", "-s", "--block-size=1", str(location)], capture_output=True, text=True, check=True
        ).stdout
        assert usage.allocated_bytes == int(du.split()[0])
        files = walk(location)
        assert usage.apparent_bytes == sum(path.stat().st_size for path in files)
        assert usage.files == len(files)
        assert sorted(setup.backend.files(location)) == files

    def test_destroy_leaves_a_neighbour_alone(self, setup: StoreSetup, tmp_path: Path) -> None:
        material = setup.material([(7, 5, 3)] * 6)
        for name in ("store", "store2", "stor"):
            setup.make(tmp_path / name, material)
        (tmp_path / "mine.txt").write_text("mine")
        setup.backend.destroy(tmp_path / "store")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", "stor", "store2"]
        material.check_store(setup.backend, tmp_path / "store2")
        material.check_store(setup.backend, tmp_path / "stor")


def _rest(content: Content) -> tuple[PayloadKind, str, Shape | None, str | None, int]:
    return content.kind, content.codec, content.shape, content.dtype, content.payload_bytes
