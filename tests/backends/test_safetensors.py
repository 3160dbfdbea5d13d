"""The backend safetensors: the conformance suite, and the file as the package of that name sees it."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError, UnavailableError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup

LABELS = [-3, 0, 300, 2**40]


INSTALLED = pytest.mark.skipif(
    importlib.util.find_spec("safetensors") is None, reason="safetensors is not installed (extra safetensors)"
)


@INSTALLED
class TestSafetensors(BackendConformance):
    backend = "safetensors"

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if importlib.util.find_spec("safetensors") is not None:  # else no setup of it can be made
            super().pytest_generate_tests(metafunc)


class TestSafetensorsDirect(BackendConformance):
    backend = "safetensors"

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        setups = [StoreSetup.of(f"safetensors{codec}:access=direct") for codec in ("", "+png", "+original")]
        for name in {"setup", "preset"} & set(metafunc.fixturenames):
            metafunc.parametrize(name, setups, ids=lambda setup: setup.text)


@pytest.fixture(params=["library", "direct"])
def access(request: pytest.FixtureRequest) -> str:
    """Return each way to write and read that is possible here."""
    if request.param == "library":
        pytest.importorskip("safetensors", reason="safetensors is not installed (extra safetensors)")
    return str(request.param)


def test_its_header_is_the_one_of_the_format(access: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"safetensors:access={access}")
    data = (setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert header["images"] == {"dtype": "U8", "shape": [4, 6, 4, 3], "data_offsets": [32, 32 + 288]}
    assert len(data) == 8 + length + 32 + 288
    assert length % 8 == 0


@INSTALLED
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_the_package_reads_it_equal(dtype: str, access: str, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file

    setup = StoreSetup.of(f"safetensors:access={access}")
    material = setup.pack(list(setup.material([(7, 5)] * 4, dtype=dtype).array), LABELS)
    path = setup.make(tmp_path / "store", material)
    tensors = load_file(path)
    np.testing.assert_array_equal(tensors["images"], material.array)
    assert tensors["labels"].tolist() == LABELS
    with safe_open(path, "numpy") as file:
        np.testing.assert_array_equal(file.get_slice("images")[1:3], material.array[1:3])


@INSTALLED
def test_the_package_reads_payloads(access: str, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    setup = StoreSetup.of(f"safetensors+png:access={access}")
    material = setup.material([(6, 4, 3), (1, 1), (90, 70, 4), (40, 41, 3)], LABELS)
    tensors = load_file(setup.make(tmp_path / "store", material))
    assert tensors["payloads"].tobytes() == b"".join(material.payloads)
    assert tensors["ends"].tolist() == np.cumsum([len(payload) for payload in material.payloads]).tolist()


def test_another_header_is_refused(access: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"safetensors:access={access}")
    path = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"U8"', b'"I8"'))
    with pytest.raises(StoreError, match="header is another") as caught:
        setup.backend.open(tmp_path / "store")
    assert str(path) in str(caught.value)


@INSTALLED
def test_each_way_reads_what_the_other_has_written(tmp_path: Path) -> None:
    for codec in ("raw", "png"):
        setups = {access: StoreSetup.of(f"safetensors+{codec}:access={access}") for access in ("library", "direct")}
        for access, setup in setups.items():
            material = setup.material([(6, 4, 3)] * 5, [*LABELS, 7])
            path = setup.make(tmp_path / f"{codec}-{access}", material)
            for other in setups.values():
                material.check_store(other.backend, path)


def test_a_spec_without_the_package_is_refused_and_direct_access_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "safetensors" else True)
    with pytest.raises(UnavailableError, match=r"needs safetensors, not installed\. Run: .*safetensors"):
        registry.resolve_spec("safetensors")
    assert registry.resolve_spec("safetensors:access=direct").label == "safetensors:access=direct"


def test_a_store_is_data_without_the_package_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    setup = StoreSetup.of("safetensors:access=direct")
    material = setup.material([(6, 4, 3)] * 4, LABELS)
    path = setup.make(tmp_path / "store", material)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "safetensors" else True)
    kind, reader = registry.open_store(path)
    with reader:
        assert (kind.name, reader.read_labels().tolist()) == ("safetensors", LABELS)


@INSTALLED
def test_what_the_library_leaves_when_it_is_killed_is_part_of_the_store(tmp_path: Path) -> None:
    setup = StoreSetup.of("safetensors")
    material = setup.material([(6, 4, 3)] * 4)
    writer = setup.backend.create(tmp_path / "store", material.content, SyncLevel.BUFFERED)
    folder = tmp_path / "store.saving"
    folder.mkdir()
    (folder / ".tmp0123").write_bytes(b"half")  # the name is the library's own
    writer.abort()
    assert setup.backend.exists(tmp_path / "store")
    setup.backend.destroy(tmp_path / "store")
    assert not list(tmp_path.iterdir())


@INSTALLED
def test_a_file_that_the_library_writes_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    setup = StoreSetup.of("safetensors")
    path = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    (tmp_path / "other").touch()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["other", "store"]


@INSTALLED
def test_more_images_than_memory_are_refused(tmp_path: Path) -> None:
    setup = StoreSetup.of("safetensors")
    content = replace(setup.material([(6, 4, 3)]).content, count=2**40)
    with pytest.raises(UnsupportedError, match=r"from memory: .* are needed.* Write safetensors:access=direct\."):
        setup.backend.create(tmp_path / "store", content, SyncLevel.BUFFERED)
    assert not list(tmp_path.iterdir())


@INSTALLED
@pytest.mark.parametrize("access", ["library", "direct"])
@pytest.mark.parametrize("codec", ["raw", "png"])
@pytest.mark.parametrize("count", [2, 100, 500])
def test_the_names_of_many_classes_are_kept(count: int, codec: str, access: str, tmp_path: Path) -> None:
    names = tuple(f"a class called {number}" for number in range(count))
    setup = StoreSetup.of(f"safetensors+{codec}:access={access}")
    material = setup.material([(6, 4, 3)] * 3)
    material = replace(material, content=replace(material.content, label_names=names))
    setup.make(tmp_path / "store", material)
    material.check_store(setup.backend, tmp_path / "store")
    with setup.backend.open(tmp_path / "store") as reader:
        assert reader.content.label_names == names
    tensors = importlib.import_module("safetensors.numpy").load_file(tmp_path / "store")
    assert tensors["labels"].tolist() == list(material.labels)
    assert ("label_names" in tensors) == (count > 2)
    if "label_names" in tensors:
        assert tuple(json.loads(tensors["label_names"].tobytes())) == names
