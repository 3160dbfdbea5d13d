"""The backend safetensors: the conformance suite, and the file as the package of that name sees it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup

LABELS = [-3, 0, 300, 2**40]


class TestSafetensors(BackendConformance):
    backend = "safetensors"


def test_its_header_is_the_one_of_the_format(tmp_path: Path) -> None:
    setup = StoreSetup.of("safetensors")
    data = (setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert header["images"] == {"dtype": "U8", "shape": [4, 6, 4, 3], "data_offsets": [32, 32 + 288]}
    assert len(data) == 8 + length + 32 + 288
    assert length % 8 == 0


@pytest.mark.skipif(
    importlib.util.find_spec("safetensors") is None, reason="safetensors is not installed (extra interop)"
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_the_package_reads_it_equal(dtype: str, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file

    setup = StoreSetup.of("safetensors")
    material = setup.pack(list(setup.material([(7, 5)] * 4, dtype=dtype).array), LABELS)
    path = setup.make(tmp_path / "store", material)
    tensors = load_file(path)
    np.testing.assert_array_equal(tensors["images"], material.array)
    assert tensors["labels"].tolist() == LABELS
    with safe_open(path, "numpy") as file:
        np.testing.assert_array_equal(file.get_slice("images")[1:3], material.array[1:3])


@pytest.mark.skipif(
    importlib.util.find_spec("safetensors") is None, reason="safetensors is not installed (extra interop)"
)
def test_the_package_reads_payloads(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    setup = StoreSetup.of("safetensors+png")
    material = setup.material([(6, 4, 3), (1, 1), (90, 70, 4), (40, 41, 3)], LABELS)
    tensors = load_file(setup.make(tmp_path / "store", material))
    assert tensors["payloads"].tobytes() == b"".join(material.payloads)
    assert tensors["ends"].tolist() == np.cumsum([len(payload) for payload in material.payloads]).tolist()


def test_another_header_is_refused(tmp_path: Path) -> None:
    setup = StoreSetup.of("safetensors")
    path = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"U8"', b'"I8"'))
    with pytest.raises(StoreError, match="header is another") as caught:
        setup.backend.open(tmp_path / "store")
    assert str(path) in str(caught.value)
