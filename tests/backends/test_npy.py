"""The backend npy: the conformance suite, and the files as NumPy and other eyes see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.npy_file import NpyOutput
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, open_files, pixels
from tests.support.dying_editors import check_editor_that_is_not_closed


class TestNpy(BackendConformance):
    backend = "npy"


LABELS = [-3, 0, 300, 2**40]


def test_numpy_loads_it(tmp_path: Path) -> None:
    setup = StoreSetup.of("npy")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4, LABELS))
    images = np.load(tmp_path / "store" / "images.npy", allow_pickle=False, mmap_mode="r")
    assert images.shape == (4, 6, 4, 3)
    for number, image in enumerate(images):
        np.testing.assert_array_equal(image, pixels((6, 4, 3), number))
    assert np.load(tmp_path / "store" / "labels.npy", allow_pickle=False).tolist() == LABELS


def test_numpy_loads_it_after_it_has_grown(tmp_path: Path) -> None:
    setup = StoreSetup.of("npy")
    material = setup.material([(6, 4, 3)] * 12)
    with setup.backend.create(tmp_path / "store", setup.material([(6, 4, 3)] * 4).content, SyncLevel.BUFFERED) as new:
        material.put(new, 0, 4)
    with setup.backend.edit(tmp_path / "store", SyncLevel.BUFFERED) as editor:
        material.put(editor, 4, 12)
    np.testing.assert_array_equal(np.load(tmp_path / "store" / "images.npy"), material.array)


def test_payloads_lie_one_behind_the_other(tmp_path: Path) -> None:
    setup = StoreSetup.of("npy+png")
    material = setup.material([(6, 4, 3), (1, 1), (9, 9, 4)])
    setup.make(tmp_path / "store", material)
    row, ends = (np.load(tmp_path / "store" / f"{name}.npy") for name in ("payloads", "ends"))
    assert row.tobytes() == b"".join(material.payloads)
    assert ends.tolist() == np.cumsum([len(payload) for payload in material.payloads]).tolist()


@pytest.mark.parametrize("text", ["npy", "npy+png"])
def test_a_process_that_dies_while_it_adds_leaves_the_store_as_it_was(text: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(text)
    first = setup.pack([pixels((6, 4, 3), number) for number in range(5)])
    check_editor_that_is_not_closed(setup, tmp_path / "store", first)


@pytest.mark.parametrize("name", ["images.npy", "labels.npy"])
@pytest.mark.parametrize("harm", ["pickle", "fortran", "shape", "short", "nothing", "link"])
def test_another_array_in_its_place_is_refused(name: str, harm: str, tmp_path: Path) -> None:
    setup = StoreSetup.of("npy")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    path = tmp_path / "store" / name
    array = np.load(path)
    path.unlink()
    if harm == "pickle":
        np.save(path, np.array([{}], object), allow_pickle=True)
    elif harm == "fortran":
        np.save(path, np.asfortranarray(np.stack([array, array], -1)))
    elif harm == "shape":
        np.save(path, array[:3].copy())
    elif harm == "short":
        path.write_bytes(b"\x93NUMPY\x01\x00")
    elif harm == "link":
        np.save(tmp_path / "elsewhere.npy", array)
        path.symlink_to(tmp_path / "elsewhere.npy")
    with pytest.raises(StoreError) as caught:
        setup.backend.open(tmp_path / "store")
    assert str(path) in str(caught.value)


def test_ends_are_not_believed(tmp_path: Path) -> None:
    setup = StoreSetup.of("npy+png")
    material = setup.material([(6, 4, 3)] * 3)
    setup.make(tmp_path / "store", material)
    for ends in ([10**6, 3, 4], [-5, 3, 4], [5, 4, 3], [-(2**63), 2**63 - 1, 0]):
        np.save(tmp_path / "store" / "ends.npy", np.array(ends))
        with setup.backend.open(tmp_path / "store") as reader:
            for ids in (range(3), [2, 0, 1]):
                with pytest.raises(StoreError, match="do not fit"):
                    material.get(reader, ids)


def test_no_handle_is_left_of_a_store_that_cannot_be_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = StoreSetup.of("npy+png")
    content = setup.material([(6, 4, 3)] * 3).content
    original = NpyOutput.__init__

    def init(self: NpyOutput, path: Path, *rest: Any) -> None:
        if path.name == "ends.npy":
            raise StoreError("No room is left.")
        original(self, path, *rest)

    monkeypatch.setattr(NpyOutput, "__init__", init)
    before = open_files()
    with pytest.raises(StoreError, match="No room"):
        setup.backend.create(tmp_path / "store", content, SyncLevel.BUFFERED)
    assert open_files() == before


@pytest.mark.parametrize("backend", ["npy", "webdataset", "tfrecord"])
def test_what_is_no_store_before_its_end_promises_no_single_batch(backend: str, tmp_path: Path) -> None:
    if registry.missing_imports(registry.backends.get(backend)):
        return
    setup = StoreSetup.of(backend)
    with pytest.raises(UnsupportedError, match="no single batch can be made durable"):
        setup.backend.create(tmp_path / "store", setup.material([(6, 4, 3)] * 3).content, SyncLevel.BATCH)
    assert not (tmp_path / "store").exists()
