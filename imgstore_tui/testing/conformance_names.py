"""Tests what every backend must do with names of images; what it does not claim must be refused."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from imgstore_tui.core.backend import Reader
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.store_material import Material, StoreSetup, is_sentence

NAMES = (
    *(
        "cats/a.png",
        "cats/b b.png",
        "a.png",
        "dogs/old/été.PNG",
        "dogs/old.v2/x.y.z.png",
        "été.png",
        "e\u0301te\u0301.png",
    ),
    *("A.png", "a.webp", "100%.png", "a%2Eb.png", "dogs/'quoted', \"twice\".png", "no ending", "x" * 240 + ".png"),
    *("/".join(["deep" * 10] * 20) + "/z.bmp", "-rf.png", "\N{SMILING FACE WITH SMILING EYES}.png", "a,b;c\\d.png"),
    *("cats/a.jpg", "cats/c", "x/12.png"),
)
REFUSED = ("../up.png", "a/../../up.png", "/etc/a.png", "a//b.png", "./a.png", "a\0b.png", "", "a\nb.png", "\udcff.png")


def are_kept(names: Sequence[str], stored: Sequence[str]) -> bool:
    """Return whether stored names are those that were given, some with an ending for their payload."""
    pairs = zip(names, stored, strict=True)
    return all(after == name or after.startswith(f"{name}.") for name, after in pairs)


def named(setup: StoreSetup, names: Sequence[str] = NAMES) -> Material:
    """Return material of as many images as there are names, announced to have names."""
    material = setup.material([(7, 5, 3)] * len(names))
    return replace(material, content=replace(material.content, name_bytes=max(len(x.encode()) for x in NAMES)))


class NamesConformance:
    """The part of the conformance suite for names; inherited through ``StoreConformance``."""

    def test_names_come_back_or_are_refused(self, setup: StoreSetup, place: Any) -> None:
        material = named(setup)
        if not setup.backend.capabilities.names:
            with pytest.raises(UnsupportedError) as caught:
                self._write(setup, material, place / "store", NAMES)
            assert is_sentence(caught.value)
            return
        self._write(setup, material, place / "store", NAMES)
        material.check_store(setup.backend, place / "store")
        with setup.backend.open(place / "store") as reader:
            assert reader.content.name_bytes == material.content.name_bytes
            self._check(reader, NAMES)
            with pytest.raises(StoreError) as refused:
                reader.read_names([len(NAMES)])
            assert is_sentence(refused.value)

    def _write(self, setup: StoreSetup, material: Material, location: Any, names: Sequence[str]) -> None:
        with setup.backend.create(location, material.content, SyncLevel.BUFFERED) as writer:
            material.put(writer, names=names)

    def _check(self, reader: Reader, names: Sequence[str]) -> None:
        count = len(names)
        for ids in (range(count), [*range(count)], [3, 0, 3], [count - 1], range(2, 5), []):
            assert are_kept([names[number] for number in ids], reader.read_names(ids))

    def test_a_store_without_names_has_none(self, preset: StoreSetup, place: Any) -> None:
        preset.make(place / "store", preset.material([(7, 5, 3)] * 3))
        with preset.backend.open(place / "store") as reader:
            assert reader.content.name_bytes == 0
            with pytest.raises(UnsupportedError) as caught:
                reader.read_names([0])
            assert is_sentence(caught.value)

    def test_names_grow_with_the_store(self, setup: StoreSetup, place: Any) -> None:
        claims = setup.backend.capabilities
        if not (claims.names and claims.append):
            return
        whole = named(setup)
        first = replace(whole, content=replace(whole.content, count=5))
        self._write(setup, first, place / "store", NAMES)
        with contextlib.suppress(UnsupportedError):
            for start, stop in ((5, 9), (9, len(NAMES))):
                with setup.backend.edit(place / "store", SyncLevel.BUFFERED) as editor:
                    whole.put(editor, start, stop, names=NAMES)
            whole.check_store(setup.backend, place / "store")
            with setup.backend.open(place / "store") as reader:
                self._check(reader, NAMES)
            with setup.backend.edit(place / "store", SyncLevel.BUFFERED) as editor:
                editor.put_names(range(len(NAMES), len(NAMES) + 1), ["dropped.png"])
                editor.abort()
            with setup.backend.open(place / "store") as reader:
                self._check(reader, NAMES)

    def test_images_without_the_names_that_were_announced_are_no_store(self, preset: StoreSetup, place: Any) -> None:
        if not preset.backend.capabilities.names:
            return
        with pytest.raises(StoreError) as caught:
            self._write(preset, named(preset), place / "store", ())
        assert is_sentence(caught.value)
        with pytest.raises(StoreError):
            preset.backend.open(place / "store")

    def test_names_that_may_not_be_kept_are_refused(self, preset: StoreSetup, place: Any) -> None:
        if not preset.backend.capabilities.names:
            return
        for number, name in enumerate((*REFUSED, f"{'long' * 300}.png")):
            with pytest.raises(StoreError) as caught:
                self._write(preset, named(preset, ["fine.png", name]), place / f"{number}", ["fine.png", name])
            assert is_sentence(caught.value)
