"""The backend lance: the conformance suite, and the dataset as plain pylance has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.bench.system.environment import library_versions
from imgstore_tui.core.errors import StoreError
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, is_sentence

lance = pytest.importorskip("lance", reason="pylance is not installed (extra lance)")
pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")

LABELS = [-3, 0, 300, 2**40]
FOLDER = "images.lance"


class TestLance(BackendConformance):
    backend = "lance"
    more = ("lance+raw:rows=5", "lance+png:rows=5")


@pytest.mark.parametrize("options", ["", ":rows=3"])
def test_plain_pylance_reads_it(options: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"lance{options}")
    material = setup.material([(6, 4, 3), (1, 1), (90, 70, 4), (40, 41, 3)], LABELS)
    setup.make(tmp_path / "store", material)
    dataset = lance.dataset(str(tmp_path / "store" / FOLDER))
    table = dataset.to_table()
    assert table.column("image").to_pylist() == material.payloads
    assert table.column("label").to_pylist() == LABELS
    assert dataset.take([2]).column("image").to_pylist() == [material.payloads[2]]
    assert dataset.to_table(filter="label = 300", columns=["image"]).to_pylist() == [{"image": material.payloads[2]}]
    assert len(dataset.get_fragments()) == (2 if options else 1)
    assert dataset.version == 1


def test_pixels_are_bare(tmp_path: Path) -> None:
    setup = StoreSetup.of("lance+raw")
    material = setup.material([(6, 4)] * 5, dtype="uint16")
    setup.make(tmp_path / "store", material)
    (row,) = lance.dataset(str(tmp_path / "store" / FOLDER)).take([3]).to_pylist()
    assert np.frombuffer(row["image"], "<u2").tolist() == material.array[3].ravel().tolist()


def test_it_reads_what_pylance_writes(tmp_path: Path) -> None:
    setup = StoreSetup.of("lance")
    location = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 5))
    other = setup.material([(9, 9)] * 5)
    schema = pa.schema([("image", pa.large_binary()), ("label", pa.int64())])
    table = pa.table({"image": other.payloads, "label": other.labels}, schema=schema)
    lance.write_dataset(table, str(location / FOLDER), mode="overwrite", max_rows_per_file=2)
    with setup.backend.open(location) as reader:
        other.check(reader)
        other.check(reader, [3, 3, 0])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": pa.array([b"x"] * 4, pa.large_binary()), "label": pa.array(range(4))}, "4 rows, not 5"),
        ({"image": pa.array(["x"] * 5), "label": pa.array(range(5))}, "columns are not"),
        ({"image": pa.array([b"x"] * 5, pa.large_binary())}, "columns are not"),
        ({"image": pa.array([b"x"] * 5, pa.large_binary()), "label": pa.array(range(5))}, "not of 72 bytes"),
        ({"image": pa.array([None] * 5, pa.large_binary()), "label": pa.array(range(5))}, "missing"),
    ],
)
def test_another_table_is_refused(columns: dict[str, object], message: str, tmp_path: Path) -> None:
    setup = StoreSetup.of("lance+raw")
    material = setup.material([(6, 4, 3)] * 5)
    location = setup.make(tmp_path / "store", material)
    lance.write_dataset(pa.table(columns), str(location / FOLDER), mode="overwrite")
    for ids in (range(5), [4, 0]):
        with pytest.raises(StoreError, match=message), setup.backend.open(location) as reader:
            material.get(reader, ids)


def test_a_run_says_which_pylance_it_was() -> None:
    assert library_versions(["lance"]) == {"lance": lance.__version__}


def test_what_the_library_gives_up_on_is_damage(tmp_path: Path) -> None:
    """It panics, which reaches Python as something that is no Exception."""
    setup = StoreSetup.of("lance")
    location = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 5))
    (versions,) = (location / FOLDER / "_versions").glob("*.manifest")
    data = versions.read_bytes()
    assert b"large_binary" in data
    versions.write_bytes(data.replace(b"large_binary", b"large_bina\0y"))
    with pytest.raises(StoreError, match="is damaged or no Lance dataset: the library gave up on it") as caught:
        setup.backend.open(location)
    assert is_sentence(caught.value, location)
