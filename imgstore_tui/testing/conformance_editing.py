"""Tests what every backend must do when a store is edited, against a plain dict; unclaimed edits must be refused."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from imgstore_tui.core.backend import Backend, Editor, Reader
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.store_material import Material, StoreSetup, is_sentence

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels

_POOL = 60
_FIRST = 23
CHANGES = ("append", "overwrite", "delete")


@dataclass
class ExpectedStore:
    """The expected content of a store: for each id an image of the pool and a label."""

    pool: Material
    contents: dict[int, tuple[int, int]]
    next_id: int
    rng: random.Random = field(default_factory=lambda: random.Random(11))  # noqa: S311 - an order, not a secret

    @classmethod
    def of(cls, setup: StoreSetup, count: int = _FIRST) -> ExpectedStore:
        """Return the expected content of a store of the first images of a pool."""
        pool = setup.material([(7, 5, 3)] * _POOL)
        return cls(pool, {number: (number, int(pool.labels[number])) for number in range(count)}, count)

    def make(self, setup: StoreSetup, location: Any) -> Any:
        """Write the store before any edit."""
        return setup.make(location, replace(self.pool, content=replace(self.pool.content, count=self.next_id)))

    def change(self, editor: Editor, change: str, most: int = 9) -> None:
        """Make a random edit of one kind to the store and to the expected content."""
        getattr(self, change)(editor, self.rng.randint(1, most))

    def append(self, editor: Editor, count: int) -> None:
        """Append images after the highest id ever used."""
        self.put(editor, range(self.next_id, self.next_id + count))
        self.next_id += count

    def overwrite(self, editor: Editor, count: int) -> None:
        """Replace images in any order; sometimes consecutive ones."""
        ids = sorted(self.contents)
        start = self.rng.randrange(max(1, len(ids)))
        consecutive = self.rng.random() < 0.3
        some = ids[start : start + count] if consecutive else self.rng.sample(ids, min(count, len(ids)))
        self.put(editor, some)

    def delete(self, editor: Editor, count: int) -> None:
        """Delete images; sometimes the highest, whose ids must not be reused."""
        ids = sorted(self.contents)
        some = ids[-count:] if self.rng.random() < 0.3 else self.rng.sample(ids, min(count, len(ids)))
        editor.delete(some)
        for image_id in some:
            del self.contents[image_id]

    def put(self, editor: Editor, ids: Sequence[int]) -> None:
        """Write random images and labels under these ids."""
        numbers = [self.rng.randrange(_POOL) for _ in ids]
        values = [self.rng.choice([-5, 3, 2**40, 9]) for _ in ids]
        labels = np.array(values, np.int64)
        if self.pool.array is None:
            editor.put_bytes(ids, [self.pool.payloads[number] for number in numbers], labels)
        else:
            images = self.pool.array[numbers].copy()
            editor.put_array(ids, images, labels)
            images[...] = 0  # a backend must not keep the caller's memory
        labels[...] = 77
        self.contents.update(zip(ids, zip(numbers, values, strict=True), strict=True))

    def check(self, backend: Backend, location: Any) -> None:
        """Assert that the store holds the expected content and nothing else."""
        held = sorted(self.contents)
        with backend.open(location) as reader:
            assert reader.content.count == len(held)
            assert reader.read_labels().tolist() == [self.contents[image_id][1] for image_id in held]
            shuffled = self.rng.sample(held, len(held))
            for ids in (held, shuffled, shuffled[:3], held[:1], held[-1:], held[3:7]):
                self._check_images(self.pool.get(reader, ids), ids)
            for missing in {*range(self.next_id), self.next_id, -1} - set(held):
                for ids in ([missing], [*held[:2], missing], list(range(missing - 1, missing + 2))):
                    with pytest.raises(StoreError) as caught:
                        self.pool.get(reader, ids)
                    assert is_sentence(caught.value)

    def _check_images(self, read: tuple[Any, Labels], ids: Sequence[int]) -> None:
        images, labels = read
        assert labels.tolist() == [self.contents[image_id][1] for image_id in ids]
        numbers = [self.contents[image_id][0] for image_id in ids]
        if self.pool.array is None:
            assert images == [self.pool.payloads[number] for number in numbers]
        else:
            np.testing.assert_array_equal(images, self.pool.array[numbers])


class EditingConformance:
    """The part of the conformance suite that edits stores; inherited through ``StoreConformance``."""

    def trace(self, location: Any) -> Any:
        """Return what must stay as it is when an edit is refused; of files, their content."""

    def check_changed(self, setup: StoreSetup, location: Any, editor: Editor) -> None:
        """Assert what must hold of a store that was edited, beside its content; files are forced here."""

    def test_a_change_is_made_or_refused_and_then_nothing_has_changed(self, setup: StoreSetup, place: Any) -> None:
        permitted = self.permitted(setup, place)
        claims = setup.backend.capabilities
        assert permitted <= {change for change in CHANGES if getattr(claims, change)}

    def permitted(self, setup: StoreSetup, place: Any) -> set[str]:
        """Return the kinds of edit that a store permits; a refusal must be a sentence and leave the store as it is."""
        permitted = set()
        for change in CHANGES:
            expected = ExpectedStore.of(setup)
            location = expected.make(setup, place / f"try-{change}")
            before = self.trace(location)
            try:
                with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
                    expected.change(editor, change)
            except UnsupportedError as error:
                assert is_sentence(error)
                after = self.trace(location)
                if not getattr(setup.backend.capabilities, change):
                    assert after == before
            else:
                permitted.add(change)
            expected.check(setup.backend, location)
        return permitted

    @pytest.mark.parametrize("level", SyncLevel)
    def test_a_history_of_changes_ends_as_a_dict_does(self, setup: StoreSetup, level: SyncLevel, place: Any) -> None:
        changes = sorted(self.permitted(setup, place))
        if not changes:
            return
        expected = ExpectedStore.of(setup)
        location = expected.make(setup, place / "store")
        for _ in range(12):
            editor = setup.backend.edit(location, level)
            assert editor.content.count == len(expected.contents)
            for _ in range(expected.rng.randint(1, 4)):
                possible = changes if expected.contents else [change for change in changes if change == "append"]
                if possible:
                    expected.change(editor, expected.rng.choice(possible))
            editor.close()
            editor.close()
            self.check_changed(setup, location, editor)
            assert (editor.syncs > 0) == (level is SyncLevel.BATCH)
            expected.check(setup.backend, location)

    def test_everything_may_be_deleted_and_a_store_grow_from_nothing(self, setup: StoreSetup, place: Any) -> None:
        permitted = self.permitted(setup, place)
        for count in (0, 5):
            expected = ExpectedStore.of(setup, count)
            location = expected.make(setup, place / f"{count}")
            if "delete" in permitted and count:
                with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
                    expected.delete(editor, count)
                expected.check(setup.backend, location)
            if "append" in permitted:
                with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
                    expected.append(editor, 7)
                    expected.append(editor, 1)
                expected.check(setup.backend, location)

    def test_an_edit_that_does_nothing_changes_nothing(self, setup: StoreSetup, place: Any) -> None:
        if not self.permitted(setup, place):
            return
        expected = ExpectedStore.of(setup)
        location = expected.make(setup, place / "store")
        for end in ("close", "abort"):
            editor = setup.backend.edit(location, SyncLevel.BUFFERED)
            empty = np.zeros(0, np.int64)
            if expected.pool.array is None:
                editor.put_bytes([], [], empty)
            else:
                editor.put_array([], expected.pool.array[:0], empty)
            getattr(editor, end)()
            expected.check(setup.backend, location)

    def test_after_an_abort_it_is_still_a_store(self, setup: StoreSetup, place: Any) -> None:
        for change in sorted(self.permitted(setup, place)):
            expected = ExpectedStore.of(setup)
            location = expected.make(setup, place / change)
            old = dict(expected.contents)
            editor = setup.backend.edit(location, SyncLevel.BUFFERED)
            for _ in range(3):
                expected.change(editor, change)
            editor.abort()
            editor.abort()
            with setup.backend.open(location) as reader:
                held = self._held_ids(expected, reader)
                assert reader.content.count == len(held) == len(reader.read_labels())
                for image_id in held:
                    images, labels = expected.pool.get(reader, [image_id])
                    versions = [contents[image_id] for contents in (old, expected.contents) if image_id in contents]
                    assert int(labels[0]) in {label for _, label in versions}
                    permitted = [self._image(expected.pool, number) for number, _ in versions]
                    assert any(np.array_equal(images[0], image) for image in permitted)
            # The store that the abort left can be edited again.
            with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
                expected = ExpectedStore(expected.pool, {}, expected.next_id)
                expected.contents = dict.fromkeys(held, (0, 0))
                expected.next_id = max(held) + 1
                if change == "append":
                    expected.append(editor, 2)
                elif change == "overwrite":
                    expected.overwrite(editor, 2)
                else:
                    expected.delete(editor, 2)
            with setup.backend.open(location) as reader:
                assert reader.content.count == len(expected.contents)

    @staticmethod
    def _held_ids(expected: ExpectedStore, reader: Reader) -> list[int]:
        held = []
        for image_id in range(expected.next_id + 1):
            try:
                expected.pool.get(reader, [image_id])
            except StoreError:
                continue
            held.append(image_id)
        return held

    @staticmethod
    def _image(pool: Material, number: int) -> Any:
        return pool.payloads[number] if pool.array is None else pool.array[number]

    def test_ids_that_make_no_sense_are_refused(self, setup: StoreSetup, place: Any) -> None:
        permitted = self.permitted(setup, place)
        if not permitted:
            return
        expected = ExpectedStore.of(setup)
        location = expected.make(setup, place / "store")
        end = expected.next_id
        for ids in ([end + 1], [end, end + 2], [end - 1, end], [-1], [3, 3], [end + 1, end]):
            editor = setup.backend.edit(location, SyncLevel.BUFFERED)
            with pytest.raises((StoreError, UnsupportedError)) as caught:
                expected.put(editor, ids)
            assert is_sentence(caught.value)
            editor.abort()
        for ids in ([end], [-1], [2, 2]):
            editor = setup.backend.edit(location, SyncLevel.BUFFERED)
            with pytest.raises((StoreError, UnsupportedError)) as caught:
                editor.delete(ids)
            assert is_sentence(caught.value)
            editor.abort()
        expected.check(setup.backend, location)
        if "delete" not in permitted:
            return
        with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
            editor.delete([4])
            del expected.contents[4]
            with pytest.raises(StoreError) as caught:
                editor.delete([4])
            assert is_sentence(caught.value)
            if "overwrite" in permitted:
                with pytest.raises(StoreError) as caught:
                    expected.put(editor, [4])
                assert is_sentence(caught.value)
        expected.check(setup.backend, location)
