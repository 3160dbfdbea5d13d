"""Stores that are one file: the file that the user names, what lies beside it, and folders of earlier versions."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from imgstore_tui.core.errors import NotAStoreError, StoreError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.storekit import atomic_write
from imgstore_tui.storekit.one_file import OneFileBackend
from imgstore_tui.testing.store_material import StoreSetup, is_sentence, snapshot
from tests.support.conversions import DATA, convert, source_images, stored_images

BEFORE = Path(__file__).parents[1] / "golden" / "fixtures" / "stores_as_folders.tar.gz"
"""Stores of five images of 6 x 4 x 3 that a version wrote for which every store was a folder."""
FOLDERS = {
    **{name: name for name in ("hdf5", "hdf5+png", "sqlite", "sqlite+png", "duckdb", "parquet", "parquet+raw")},
    **{name: name for name in ("arrow", "arrow+png", "safetensors", "safetensors+png")},
    "hdf5_chunks_2": "hdf5:chunks=2",
}
LABELS = [-3, 0, 300, 2**40, 7]


def setup_of(text: str) -> StoreSetup:
    """Return the setup of a spec; the test is skipped where its driver is missing."""
    kind = registry.backends.get(text.partition("+")[0].partition(":")[0])
    for name in kind.requires:
        pytest.importorskip(name, reason=f"{name} is not installed (extra {kind.extra})")
    return StoreSetup.of(text)


ONE_FILE = sorted(
    (kind for kind in registry.local_backends() if issubclass(kind, OneFileBackend)),
    key=lambda kind: (kind.extra or "", kind.name),
)
by_kind = pytest.mark.parametrize("kind", ONE_FILE, ids=lambda kind: kind.name)


def test_formats_that_are_one_file_are_stored_so() -> None:
    names = ["arrow", "duckdb", "hdf5", "parquet", "safetensors", "sqlite"]
    assert sorted(kind.name for kind in ONE_FILE) == names
    assert len({kind.file_suffix for kind in ONE_FILE}) == len({kind.file_signature for kind in ONE_FILE}) == 6


@by_kind
def test_what_is_not_closed_has_a_temporary_name(kind: type[OneFileBackend], tmp_path: Path) -> None:
    setup = setup_of(kind.name)
    material = setup.material([(6, 4, 3)] * 4)
    writer = setup.backend.create(tmp_path / "store", material.content, SyncLevel.BUFFERED)
    material.put(writer)
    assert {path.name.removesuffix(".wal") for path in tmp_path.iterdir()} == {"store.partial"}
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_an_earlier_version_is_read_changed_and_removed(name: str, tmp_path: Path) -> None:
    setup = setup_of(FOLDERS[name])
    with tarfile.open(BEFORE) as archive:
        archive.extractall(tmp_path, [info for info in archive if info.name.split("/")[0] == name], filter="data")
    location = tmp_path / name
    material = setup.material([(6, 4, 3)] * 5, LABELS)
    before = snapshot(location)
    material.check_store(setup.backend, location)
    assert snapshot(location) == before
    assert [label for _, label in stored_images(location)] == LABELS
    assert [label for _, label in stored_images(next(location.iterdir()))] == LABELS
    assert convert(f'store:"{location}"', "npy", tmp_path / "other").images == 5
    if setup.backend.capabilities.append and setup.text != "hdf5":  # which is one block there
        more = setup.material([(6, 4, 3)] * 8, [*LABELS, 1, 2, 3])
        with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
            more.put(editor, start=5)
        setup.local.make_durable(location, editor.changed_paths())
        more.check_store(setup.backend, location)
    (tmp_path / "mine.txt").write_text("mine")
    setup.backend.destroy(location)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", "other"}


@pytest.mark.sample_first(2)
@by_kind
def test_a_store_is_the_file_that_the_user_names(kind: type[OneFileBackend], tmp_path: Path) -> None:
    setup_of(kind.name)
    path = tmp_path / f"photos{kind.file_suffix}"
    done = convert(DATA, kind.name, path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.is_file()
    assert kind.has_signature(path)
    assert (done.usage.files, done.usage.apparent_bytes) == (1, path.stat().st_size)
    assert stored_images(path) == source_images(DATA)
    (tmp_path / "link").symlink_to(path)
    assert stored_images(tmp_path / "link") == source_images(DATA)
    with pytest.raises(StoreError, match="is a link"):
        convert(DATA, kind.name, tmp_path / "link", replace=True)
    convert("synthetic,size=9,count=3", kind.name, path, replace=True)
    assert len(stored_images(path)) == 3
    convert("synthetic,count=3", "npy", path, replace=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link", path.name]
    assert path.is_dir()


@by_kind
@pytest.mark.sample_first
def test_what_is_not_complete_lies_beside_it_and_is_weighed_and_removed(
    kind: type[OneFileBackend], tmp_path: Path
) -> None:
    setup = setup_of(kind.name)
    material, location = setup.material([(40, 41, 3)] * 12), tmp_path / "store"
    writer = setup.backend.create(location, material.content, SyncLevel.BUFFERED)
    material.put(writer, 0, 7)
    assert setup.backend.exists(location)
    assert not location.exists()
    present = sorted(tmp_path.iterdir())
    assert tmp_path / "store.partial" in present
    assert sorted(setup.local.files(location)) == present
    usage = setup.backend.disk_usage(location)
    assert usage.files == len(present)
    assert usage.apparent_bytes == sum(path.stat().st_size for path in present)
    with pytest.raises(StoreError, match="exists already") as caught:
        setup.backend.create(location, material.content, SyncLevel.BUFFERED)
    assert is_sentence(caught.value, location)
    writer.abort()
    setup.backend.destroy(location)
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError):
        setup.backend.destroy(location)


@by_kind
@pytest.mark.sample_first
def test_a_name_that_is_taken_meanwhile_is_not_written_over(kind: type[OneFileBackend], tmp_path: Path) -> None:
    setup = setup_of(kind.name)
    material, location = setup.material([(7, 5, 3)] * 12), tmp_path / "store"
    writer = setup.backend.create(location, material.content, SyncLevel.BUFFERED)
    material.put(writer)
    location.write_text("mine")
    with pytest.raises(StoreError) as caught:
        writer.close()
    assert is_sentence(caught.value, location)
    assert location.read_text() == "mine"


@by_kind
@pytest.mark.sample_first
def test_what_would_be_taken_for_a_part_of_it_is_no_neighbour(kind: type[OneFileBackend], tmp_path: Path) -> None:
    setup_of(kind.name)
    path = tmp_path / "photos"
    for side in kind.side_files(path):
        side.write_text("mine")
        with pytest.raises(StoreError, match="would be taken for a part of photos") as caught:
            convert(DATA, kind.name, path)
        assert is_sentence(caught.value, side)
        assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [(side.name, "mine")]
        side.unlink()


def test_a_file_of_another_program_is_no_store_and_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "theirs.h5"
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((3, 8, 8, 3), np.uint8)
    with pytest.raises(NotAStoreError, match="is not a store of the backend hdf5"):
        registry.open_store(path)
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match="is not a store of the backend hdf5"):
        convert(DATA, "hdf5", path, replace=True)
    assert snapshot(tmp_path) == before
    assert len(stored_images(path)) == 3


def test_a_damaged_store_is_not_read_as_a_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "photos.h5"
    convert(DATA, "hdf5", path)
    with h5py.File(path, "r+") as file:
        del file["labels"]
        file["labels"] = np.zeros(3)
    with pytest.raises(Exception, match="is damaged") as caught:
        stored_images(path)
    assert is_sentence(caught.value, path)


def no_renameat2() -> None:
    """Stand for a C library without the call."""


@pytest.mark.parametrize("way", [None, no_renameat2])
@pytest.mark.parametrize("folder", [False, True])
def test_a_rename_takes_no_other_place(
    way: Callable[[], None] | None, folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way is not None:
        monkeypatch.setattr(atomic_write, "_renameat2", way)
    source, target, existing = tmp_path / "source", tmp_path / "target", tmp_path / "taken"
    for path in (source, existing):
        if folder:
            path.mkdir()
            (path / "file").write_text(path.name)
        else:
            path.write_text(path.name)
    before = snapshot(tmp_path)
    for name in (existing, source):
        with pytest.raises(FileExistsError):
            atomic_write.rename_new(source, name)
        assert snapshot(tmp_path) == before
    atomic_write.rename_new(source, target)
    assert not os.path.lexists(source)
    assert (target / "file" if folder else target).read_text() == "source"
    with pytest.raises(FileNotFoundError):
        atomic_write.rename_new(source, tmp_path / "other")
