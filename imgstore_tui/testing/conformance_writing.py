"""Tests what every backend must do while it writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.store_material import Shape, StoreSetup, is_sentence


class WritingConformance:
    """The part of the conformance suite that writes stores; inherited through ``StoreConformance``."""

    def check_durable(self, setup: StoreSetup, location: Any) -> None:
        """Assert what must hold of a store that was written, beside its content; files are forced here."""

    @pytest.mark.parametrize("level", SyncLevel)
    def test_every_sync_level_holds_the_same_or_is_refused(
        self, setup: StoreSetup, level: SyncLevel, place: Any
    ) -> None:
        material = setup.material([(7, 5, 3)] * 12)
        location = place / "store"
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
        self.check_durable(setup, location)

    def test_what_does_not_fit_is_refused(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material([(7, 5, 3)] * 6)
        content, empty = material.content, np.zeros(0, np.int64)
        for number, (start, stop) in enumerate([(1, 3), (0, 7)]):
            with (
                pytest.raises(StoreError) as caught,
                setup.backend.create(place / f"{number}", Content(5, *_rest(content)), SyncLevel.BUFFERED) as writer,
            ):
                material.put(writer, start, min(stop, 6), batch=6)
            assert is_sentence(caught.value)
        with setup.backend.create(place / "other", content, SyncLevel.BUFFERED) as writer:
            with pytest.raises(StoreError) as caught:
                if content.kind is PayloadKind.ARRAY:
                    writer.put_array(range(2), material.array[:2], empty)
                else:
                    writer.put_bytes(range(2), material.payloads[:2], empty)
            assert is_sentence(caught.value)
            material.put(writer)
        material.check_store(setup.backend, place / "other")

    def test_fewer_than_announced_is_no_store(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material([(7, 5, 3)] * 6)
        writer = setup.backend.create(place / "store", material.content, SyncLevel.BUFFERED)
        material.put(writer, 0, 4)
        with pytest.raises(StoreError) as caught:
            writer.close()
        assert is_sentence(caught.value)
        with pytest.raises(StoreError):
            setup.backend.open(place / "store")

    def test_the_form_that_it_does_not_take_is_refused(self, preset: StoreSetup, place: Any) -> None:
        image = np.zeros((2, 3, 3, 3), np.uint8)
        labels = np.zeros(2, np.int64)
        for kind in PayloadKind:
            location = place / kind
            content = Content(2, kind, "raw", (3, 3, 3), "uint8", 54)
            if kind not in preset.backend.payloads:
                with pytest.raises(UnsupportedError) as caught:
                    preset.backend.create(location, content, SyncLevel.BUFFERED)
                assert is_sentence(caught.value)
                assert not preset.backend.exists(location)
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

    def test_an_aborted_write_is_no_store(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material([(7, 5, 3)] * 12)
        for number, put in enumerate((0, 5, 12)):
            location = place / f"{number}"
            writer = setup.backend.create(location, material.content, SyncLevel.BUFFERED)
            material.put(writer, 0, put)
            writer.abort()
            writer.abort()
            with pytest.raises(StoreError) as caught:
                setup.backend.open(location)
            assert is_sentence(caught.value, location)
            setup.backend.destroy(location)
            assert not setup.backend.exists(location)
        location = place / "raised"
        with pytest.raises(KeyError), setup.backend.create(location, material.content, SyncLevel.BUFFERED) as writer:
            material.put(writer)
            raise KeyError
        with pytest.raises(StoreError):
            setup.backend.open(location)


def _rest(content: Content) -> tuple[PayloadKind, str, Shape | None, str | None, int]:
    return content.kind, content.codec, content.shape, content.dtype, content.payload_bytes
