"""Tests what every backend must do, whether its stores are files or on a server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from imgstore_tui.core.backend import Content, Family
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import resolve_options
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_editing import EditingConformance
from imgstore_tui.testing.conformance_names import NamesConformance
from imgstore_tui.testing.conformance_writing import WritingConformance
from imgstore_tui.testing.store_material import Shape, StoreSetup, is_sentence, spread

SHAPES: dict[str, Shape] = {
    "grey": (7, 5),
    "one-channel": (7, 5, 1),
    "rgb": (7, 5, 3),
    "rgba": (7, 5, 4),
    "one-pixel-grey": (1, 1),
    "one-pixel-rgb": (1, 1, 3),
    "a-row": (1, 300, 3),
    "beyond-a-page": (40, 41, 3),
}
VARYING: list[Shape] = [(7, 5, 3), (1, 1, 3), (64, 48, 3), (30, 2), (9, 9, 4), (1, 1), (120, 90, 3), (7, 5, 3)]


class StoreConformance(WritingConformance, EditingConformance, NamesConformance):
    """What holds wherever a store is. Inherit ``BackendConformance`` for files, ``ServerConformance`` for a server."""

    backend: ClassVar[str]
    codecs: ClassVar[tuple[str, ...]] = ("raw", "png", "original")
    """Codecs whose payloads are stored; ``raw`` also makes arrays, ``original`` files of several formats."""

    more: ClassVar[tuple[str, ...]] = ()
    """Further specs, whose options make another layout than the presets."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Any:
        """Return where stores are made: ``place / name`` is the location of one."""
        return tmp_path

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        spread(metafunc, self.backend, self.codecs, self.more)

    # Declarations

    def test_it_declares_what_lists_and_forms_need(self) -> None:
        kind = registry.backends.get(self.backend)
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", kind.name)
        assert kind.name == self.backend
        assert kind.title
        assert kind.family in set(Family)
        assert kind.payloads
        assert kind.default_codec in registry.codecs.all()
        assert is_sentence(kind.caveats)
        assert is_sentence(kind.when_to_choose)
        assert len({option.name for option in kind.options}) == len(kind.options)
        for option in kind.options:
            assert option.parse(option.default, "it") == option.default
            assert is_sentence(option.summary)
        assert kind.presets
        assert len({preset.name for preset in kind.presets}) == len(kind.presets)
        for preset in kind.presets:
            assert preset.summary
            resolve_options(kind.options, preset.options, "it")

    def test_listing_it_loads_no_driver(self) -> None:
        script = (
            "import sys; from imgstore_tui import registry; kind = registry.backends.get(sys.argv[1]); "
            "print([name for name in kind.requires if name in sys.modules])"
        )
        command = [sys.executable, "-c", script, self.backend]
        listed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        assert listed.stdout.strip() == "[]"

    # Round trip

    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_images_of_one_shape_come_back(self, setup: StoreSetup, shape: Shape, place: Any) -> None:
        material = setup.material([shape] * 12)
        setup.make(place / "store", material)
        material.check_store(setup.backend, place / "store")

    def test_16_bit_images_come_back_or_are_refused(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material([(7, 5)] * 6, dtype="uint16")
        try:
            setup.make(place / "store", material)
        except UnsupportedError as error:
            assert is_sentence(error)
            return
        material.check_store(setup.backend, place / "store")

    def test_images_of_varying_shapes_come_back_or_are_refused(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material(VARYING)
        if setup.uniform_only:
            with pytest.raises(UnsupportedError) as caught:
                setup.make(place / "store", material)
            assert is_sentence(caught.value)
            return
        setup.make(place / "store", material)
        material.check_store(setup.backend, place / "store")
        with setup.backend.open(place / "store") as reader:
            material.check(reader, [7, 2, 2, 0])

    def test_an_image_of_50_megapixels_comes_back(self, preset: StoreSetup, place: Any) -> None:
        image = np.zeros((5000, 10_000), np.uint8)
        image[::997, ::13] = 7
        method, _, options = preset.text.partition(":")
        raw = StoreSetup.of(f"{method.partition('+')[0]}+raw:{options}")
        material = raw.pack([image], [3])
        raw.make(place / "store", material)
        with raw.backend.open(place / "store") as reader:
            material.check(reader, [0])

    def test_an_empty_store(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material([])
        setup.make(place / "store", material)
        with setup.backend.open(place / "store") as reader:
            assert reader.content.count == 0
            assert reader.read_labels().shape == (0,)
            material.check(reader, [])
            material.check(reader, range(0))
            for ids in ([0], range(1)):
                with pytest.raises(StoreError) as caught:
                    material.get(reader, ids)
                assert is_sentence(caught.value)

    def test_a_store_of_one_image(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material([(7, 5, 3)], [9])
        setup.make(place / "store", material)
        material.check_store(setup.backend, place / "store")
        with setup.backend.open(place / "store") as reader:
            material.check(reader, [0, 0, 0])

    def test_one_call_or_many(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material([(7, 5, 3)] * 23)
        for batch in (1, 7, 23):
            location = place / f"{batch}"
            with setup.backend.create(location, material.content, SyncLevel.BUFFERED) as writer:
                material.put(writer, batch=batch)
            material.check_store(setup.backend, location)

    def test_what_was_expected_of_the_size_may_be_wrong(self, preset: StoreSetup, place: Any) -> None:
        material = preset.material([(90, 70, 3)] * 60)
        for guess in (0, 1, 10**9):
            location = place / f"{guess}"
            content = Content(
                60, material.content.kind, material.content.codec, (90, 70, 3), "uint8", payload_bytes=guess
            )
            with preset.backend.create(location, content, SyncLevel.BUFFERED) as writer:
                material.put(writer, batch=20)
            material.check_store(preset.backend, location)

    def test_labels_of_any_size(self, preset: StoreSetup, place: Any) -> None:
        claims = preset.backend.capabilities
        values = [0, 1, 255, 256, 300, 70_000, -1, -300, 2**31, 2**53 + 1, -(2**63), 2**63 - 1]
        inside = [label for label in values if claims.label_minimum <= label <= claims.label_maximum]
        material = preset.material([(3, 3, 3)] * len(inside), inside)
        preset.make(place / "store", material)
        material.check_store(preset.backend, place / "store")
        for number, label in enumerate(sorted(set(values) - set(inside))):
            with pytest.raises((StoreError, UnsupportedError)) as caught:
                preset.make(place / f"{number}", preset.material([(3, 3, 3)], [label]))
            assert is_sentence(caught.value)

    # Reading

    def test_ids_in_any_order_with_repeats(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material([(7, 5, 3)] * 40)
        setup.make(place / "store", material)
        shuffled = np.random.default_rng(3).permutation(40).tolist()
        with setup.backend.open(place / "store") as reader:
            for ids in (
                *(shuffled, [39], [0], [5, 5, 5], [39, 0, 39], [3, 4, 5, 6], [6, 5, 4], [0, 1, 3], [1, 3, 2, 4], []),
                *(range(40), range(7, 9), range(39, 40), range(0), range(0, 40, 3), range(39, -1, -1)),
            ):
                material.check(reader, ids)

    @pytest.mark.parametrize("ids", [[-1], [40], [0, 40], [39, -1, 0], range(38, 41), [2**40]], ids=str)
    def test_an_id_that_does_not_exist_is_refused(self, setup: StoreSetup, ids: list[int], place: Any) -> None:
        material = setup.material([(3, 2, 3)] * 40)
        location = setup.make(place / "store", material)
        with setup.backend.open(location) as reader:
            with pytest.raises(StoreError) as caught:
                material.get(reader, ids)
            assert is_sentence(caught.value, location)
            material.check(reader, [39, 0])

    def test_it_says_what_it_holds(self, setup: StoreSetup, place: Any) -> None:
        for name, shapes in (("one", [(7, 5, 3)] * 6), ("grey", [(2, 9)] * 3), ("varying", VARYING), ("none", [])):
            material = setup.material(shapes)
            if material.content.shape is None and setup.uniform_only:
                continue
            setup.make(place / name, material)
            with setup.backend.open(place / name) as reader:
                read, written = reader.content, material.content
                assert (read.count, read.kind, read.codec) == (written.count, written.kind, written.codec)
                assert (read.shape, read.dtype) == (written.shape, written.dtype)

    def test_two_readers_at_once(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material([(7, 5, 3)] * 20)
        location = setup.make(place / "store", material)
        first, second = setup.backend.open(location), setup.backend.open(location)
        material.check(first, [3, 1])
        material.check(second, range(20))
        first.close()
        first.close()
        material.check(second, [19, 0])
        assert second.read_labels().tolist() == material.labels.tolist()
        second.close()
        material.check_store(setup.backend, location)

    def test_what_was_read_is_the_callers_own(self, setup: StoreSetup, place: Any) -> None:
        material = setup.material([(40, 41, 3)] * 8)
        location = setup.make(place / "store", material)
        reader = setup.backend.open(location)
        runs, picks = material.get(reader, range(8)), material.get(reader, [5, 2])
        labels = reader.read_labels()
        labels[...] = 5
        assert reader.read_labels().tolist() == material.labels.tolist()
        reader.close()
        setup.backend.destroy(location)
        assert not material.difference(range(8), runs)
        assert not material.difference([5, 2], picks)
        assert labels.tolist() == [5] * 8
