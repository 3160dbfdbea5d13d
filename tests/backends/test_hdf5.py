"""The backend hdf5: the conformance suite, the store as bare h5py and h5dump see it, and files made to do harm."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, is_sentence, pixels


class TestHdf5(BackendConformance):
    backend = "hdf5"
    more = ("hdf5:chunks=4", "hdf5:chunks=3,filter=lzf", "hdf5+png:access=direct", "hdf5:access=direct")


LABELS = [-3, 0, 300, 2**40]


def made(text: str, location: Path, **options: Any) -> StoreSetup:
    setup = StoreSetup.of(text)
    setup.make(location, setup.material([(6, 4, 3)] * 4, LABELS, **options))
    return setup


@pytest.mark.parametrize(("text", "labels"), [("hdf5", "labels"), ("hdf5:preset=article", "meta")])
def test_bare_h5py_reads_it(text: str, labels: str, tmp_path: Path) -> None:
    made(text, tmp_path / "store")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    with h5py.File(tmp_path / "store", "r") as file:
        assert set(file) == {"images", labels}
        assert file["images"].chunks is None
        assert file["images"].dtype == np.uint8
        assert file[labels].dtype == np.int64
        assert file[labels][:].tolist() == LABELS
        for number in range(4):
            np.testing.assert_array_equal(file["images"][number], pixels((6, 4, 3), number))
        assert json.loads(file.attrs["manifest"])["count"] == 4


def test_bare_h5py_reads_payloads(tmp_path: Path) -> None:
    setup = StoreSetup.of("hdf5+png")
    material = setup.material([(6, 4, 3), (1, 1), (90, 80, 3)])
    setup.make(tmp_path / "store", material)
    with h5py.File(tmp_path / "store", "r") as file:
        ends = file["offsets"][:]
        row = file["images"][:].tobytes()
        assert len(row) == ends[-1]
        assert [row[a:b] for a, b in itertools.pairwise(ends)] == material.payloads


@pytest.mark.skipif(shutil.which("h5dump") is None, reason="h5dump is not installed (apt-get install hdf5-tools)")
def test_h5dump_reads_it(tmp_path: Path) -> None:
    made("hdf5", tmp_path / "store")
    path = str(tmp_path / "store")
    output = subprocess.run(["h5dump", "-p", "-d", "/images", path], capture_output=True, text=True, check=True).stdout
    assert "H5T_STD_U8LE" in output
    assert "CONTIGUOUS" in output
    labels = subprocess.run(
        ["h5dump", "-y", "-w", "0", "-d", "/labels", path], capture_output=True, text=True, check=True
    )
    assert "-3, 0, 300, 1099511627776" in labels.stdout


@pytest.mark.parametrize(
    "options",
    ["chunks=4", "chunks=4,filter=lzf", "chunks=7,filter=gzip", "chunks=1000", "access=direct", "filter=gzip+png"],
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_every_layout_holds_the_same(options: str, dtype: str, tmp_path: Path) -> None:
    options, plus, codec = options.partition("+")
    setup = StoreSetup.of(f"hdf5{plus}{codec}:{options}")
    material = setup.material([(40, 30)] * 50, dtype=dtype)
    setup.make(tmp_path / "store", material)
    material.check_store(setup.backend, tmp_path / "store")
    with setup.backend.open(tmp_path / "store") as reader:
        material.check(reader, np.random.default_rng(1).permutation(50).tolist())
        material.check(reader, [7])


def test_payloads_across_chunks(tmp_path: Path) -> None:
    """The row is cut into chunks of 1 MiB; payloads do not care."""
    for options in ("", ":access=direct"):
        setup = StoreSetup.of(f"hdf5+original{options}")
        material = setup.material([(300, 400, 3), (5, 5, 3)] * 6)
        location = setup.make(tmp_path / f"store{len(options)}", material)
        material.check_store(setup.backend, location)
        with setup.backend.open(location) as reader:
            material.check(reader, [9, 0, 11, 4])


def test_large_images_in_any_order(tmp_path: Path) -> None:
    setup = StoreSetup.of("hdf5")
    material = setup.material([(120, 100, 3)] * 20)
    setup.make(tmp_path / "store", material)
    with setup.backend.open(tmp_path / "store") as reader:
        material.check(reader, [19, 3, 3, 0, 11])


def test_a_filter_needs_chunks(tmp_path: Path) -> None:
    setup = StoreSetup.of("hdf5:filter=lzf")
    with pytest.raises(UnsupportedError, match="chunks=64"):
        setup.make(tmp_path / "store", setup.material([(6, 4, 3)]))
    assert not (tmp_path / "store").exists()


def test_another_reader_is_not_in_the_way(tmp_path: Path) -> None:
    setup = made("hdf5", tmp_path / "store")
    path = tmp_path / "store"
    with setup.backend.open(tmp_path / "store") as reader, h5py.File(path, "r") as file:
        assert file["labels"][0] == reader.read_labels()[0] == -3
    with h5py.File(path, "r+"):  # no lock is left behind
        pass


# Files made to do harm


def replaced(file: h5py.File, name: str, **made_of: Any) -> None:
    del file[name]
    file.create_dataset(name, **made_of)


def external_link(file: h5py.File) -> None:
    other = Path(file.filename).with_name("other.h5")
    file.copy("images", h5py.File(other, "w"))
    del file["images"]
    file["images"] = h5py.ExternalLink(str(other), "/images")


def soft_link(file: h5py.File) -> None:
    file.move("images", "elsewhere")
    file["images"] = h5py.SoftLink("/elsewhere")


def virtual(file: h5py.File) -> None:
    file.move("images", "elsewhere")
    layout = h5py.VirtualLayout((4, 6, 4, 3), "u1")
    layout[:] = h5py.VirtualSource(file["elsewhere"])
    file.create_virtual_dataset("images", layout)


def external_storage(file: h5py.File) -> None:
    secret = Path(file.filename).with_name("secret")
    secret.write_bytes(b"s" * 288)
    replaced(file, "images", shape=(4, 6, 4, 3), dtype="u1", external=[(str(secret), 0, 288)])


def objects(file: h5py.File) -> None:
    replaced(file, "images", data=["a", "b", "c", "d"], dtype=h5py.string_dtype())


def other_shape(file: h5py.File) -> None:
    replaced(file, "images", data=np.zeros((4, 6, 4), np.uint8))


def other_type(file: h5py.File) -> None:
    replaced(file, "images", data=np.zeros((4, 6, 4, 3), np.int8))


def a_group(file: h5py.File) -> None:
    del file["images"]
    file.create_group("images")


def gone(file: h5py.File) -> None:
    del file["labels"]


def fewer_labels(file: h5py.File) -> None:
    replaced(file, "labels", data=np.zeros(3, np.int64))


def compact(file: h5py.File) -> None:
    del file["labels"]
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(file.id, b"labels", h5py.h5t.STD_I64LE, h5py.h5s.create_simple((4,)), plan)


def huge(file: h5py.File) -> None:
    manifest = json.loads(file.attrs["manifest"])
    file.attrs["manifest"] = np.bytes_(json.dumps({**manifest, "count": 10**12}))
    replaced(file, "images", shape=(10**12, 6, 4, 3), dtype="u1", chunks=(1, 6, 4, 3))
    replaced(file, "labels", shape=(10**12,), dtype="i8", chunks=(1000,))


def no_manifest(file: h5py.File) -> None:
    del file.attrs["manifest"]


def manifest_of_any_length(file: h5py.File) -> None:
    file.attrs["manifest"] = str(file.attrs["manifest"])


def manifest_of_numbers(file: h5py.File) -> None:
    file.attrs["manifest"] = np.zeros(5)


def newer(file: h5py.File) -> None:
    manifest = json.loads(file.attrs["manifest"])
    file.attrs["manifest"] = np.bytes_(json.dumps({**manifest, "version": 2}))


def foreign(file: h5py.File) -> None:
    file.attrs["manifest"] = np.bytes_(b'{"format": "of another"}')


HARM = (
    *(
        external_link,
        soft_link,
        virtual,
        external_storage,
        objects,
        other_shape,
        other_type,
        a_group,
        gone,
        fewer_labels,
    ),
    *(compact, huge, no_manifest, manifest_of_any_length, manifest_of_numbers, newer, foreign),
)


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_what_is_not_ours_is_refused_before_it_is_followed(harm: Callable[[h5py.File], None], tmp_path: Path) -> None:
    setup = made("hdf5", tmp_path / "store")
    with h5py.File(tmp_path / "store", "r+") as file:
        harm(file)
    with pytest.raises(StoreError) as caught:
        setup.backend.open(tmp_path / "store")
    assert str(tmp_path / "store") in str(caught.value)


@pytest.mark.timeout(30)
def test_what_a_virtual_dataset_leads_to_is_not_even_looked_at(tmp_path: Path) -> None:
    """One without an end asks the files that it leads to how long it is: a pipe there would be waited for."""
    setup = made("hdf5", tmp_path / "store")
    os.mkfifo(tmp_path / "pipe.h5")
    endless = h5py.h5s.create_simple((4, 6, 4, 3), (h5py.h5s.UNLIMITED, 6, 4, 3))
    endless.select_hyperslab((0, 0, 0, 0), (h5py.h5s.UNLIMITED, 1, 1, 1), None, (1, 6, 4, 3))
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_virtual(endless, str(tmp_path / "pipe.h5").encode(), b"images", endless)
    with h5py.File(tmp_path / "store", "r+") as file:
        del file["images"]
        h5py.h5d.create(file.id, b"images", h5py.h5t.STD_U8LE, endless, plan)
    with pytest.raises(StoreError, match="images is not what it should be"):
        setup.backend.open(tmp_path / "store")


@pytest.mark.parametrize(
    ("text", "name"), [("hdf5:chunks=2", "images"), ("hdf5:chunks=2", "labels"), ("hdf5+png", "images")]
)
@pytest.mark.parametrize("offset", [2**64 - 1, 2**64 - 2, 2**63, 2**62])
def test_where_chunks_lie_is_not_believed(text: str, name: str, offset: int, tmp_path: Path) -> None:
    setup = StoreSetup.of(text)
    material = setup.material([(6, 4, 3)] * 4)
    path = setup.make(tmp_path / "store", material)
    with h5py.File(path) as file:
        stored_offset = file[name].id.get_chunk_info(0).byte_offset
    data = path.read_bytes()
    assert data.count(struct.pack("<Q", stored_offset)) == 1
    path.write_bytes(data.replace(struct.pack("<Q", stored_offset), struct.pack("<Q", offset)))
    with pytest.raises(StoreError, match="damaged") as caught, setup.backend.open(path) as reader:
        material.get(reader, range(4))
    assert is_sentence(caught.value, path)


def test_a_file_that_another_program_writes_is_not_called_damaged(tmp_path: Path) -> None:
    setup = made("hdf5", tmp_path / "store")
    script = "import sys, h5py; file = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(tmp_path / "store")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match="open for writing in another program"):
            setup.backend.open(tmp_path / "store")
    setup.backend.open(tmp_path / "store").close()


def test_a_packed_chunk_is_unpacked_once_for_all_its_images(tmp_path: Path) -> None:
    """Chunks of more than what the library keeps by itself: 1 MiB, or 8 from HDF5 2.0 on."""
    setup = StoreSetup.of("hdf5:chunks=24,filter=gzip")
    material = setup.material([(400, 400, 3)] * 24)
    location = setup.make(tmp_path / "store", material)
    with setup.backend.open(location) as reader:
        before = read_so_far()
        material.check(reader, np.random.default_rng(1).permutation(24).tolist())
        assert read_so_far() - before < 2 * location.stat().st_size


def read_so_far() -> int:
    """Return the bytes that this process has read by system calls."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_what_a_network_says_only_at_the_end_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There, a full disk may be told when a file is closed; no such disk is at hand, so its word is put in."""
    setup = StoreSetup.of("hdf5:access=direct")
    material = setup.material([(6, 4, 3)] * 4)
    writer = setup.backend.create(tmp_path / "store", material.content, SyncLevel.BUFFERED)
    material.put(writer, 0, 2)
    material.put(writer, 2, 4)
    closed = os.close

    def full(descriptor: int) -> None:
        closed(descriptor)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("imgstore_tui.backends.hdf5.columns.os.close", full)
        with pytest.raises(StoreError, match="No space left"):
            writer.close()
    with pytest.raises(StoreError):
        setup.backend.open(tmp_path / "store")


@pytest.mark.parametrize("offsets", [[0, 10**6, 3, 4], [0, -5, 3, 4], [5, 4, 3, 2], [-(2**63), 2**63 - 1, 0, 0]])
def test_offsets_are_not_believed(offsets: list[int], tmp_path: Path) -> None:
    setup = StoreSetup.of("hdf5+png")
    material = setup.material([(6, 4, 3)] * 3)
    setup.make(tmp_path / "store", material)
    with h5py.File(tmp_path / "store", "r+") as file:
        file["offsets"][:] = offsets
    with setup.backend.open(tmp_path / "store") as reader:
        for ids in (range(3), [2, 0, 1]):
            with pytest.raises(StoreError, match="offsets"):
                material.get(reader, ids)
