"""Tests ``imgstore_tui.open``: a store as a sequence, in threads and in forked and spawned processes."""

from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import imgstore_tui
from imgstore_tui.core.content import Content, PayloadKind
from imgstore_tui.core.errors import ImgstoreError, StoreError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.sequence import StoredImages

IMAGES = np.random.default_rng(7).integers(0, 256, (20, 5, 4, 3), np.uint8)
LABELS = np.arange(20, dtype=np.int64) * 3


def arrays(backend: str, location: Path) -> Path:
    content = Content(20, PayloadKind.ARRAY, "raw", (5, 4, 3), "uint8", IMAGES.nbytes)
    made = registry.make_local(registry.resolve_spec(backend))
    with made.create(location, content, SyncLevel.BUFFERED) as writer:
        writer.put_array(range(20), IMAGES, LABELS)
    return location


def pictures(backend: str, location: Path, *, uniform: bool = True) -> Path:
    codec = registry.codecs.get("png")({"level": 1, "strategy": "rle"})
    shape: tuple[tuple[int, ...] | None, str | None] = ((5, 4, 3), "uint8") if uniform else (None, None)
    payloads = [codec.encode(image if uniform else image[: 1 + number % 5]) for number, image in enumerate(IMAGES)]
    made = registry.make_local(registry.resolve_spec(f"{backend}+png"))
    content = Content(20, PayloadKind.BYTES, "png", shape[0], shape[1], 4000)
    with made.create(location, content, SyncLevel.BUFFERED) as writer:
        writer.put_bytes(range(20), payloads, LABELS)
    return location


def tar_of_another_program(path: Path) -> Path:
    with tarfile.open(path, "w") as tar:
        for number, image in enumerate(IMAGES):
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, "png")
            for name, data in (
                (f"{number:04}.png", buffer.getvalue()),
                (f"{number:04}.cls", str(LABELS[number]).encode()),
            ):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return path


def children() -> int:
    return len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.fixture(params=["lmdb", "hdf5", "npy", "disk+png", "sqlite+png", "tar", "trusted tar"])
def images(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    name = str(request.param)
    if name.endswith("tar"):
        opened = imgstore_tui.open(tar_of_another_program(tmp_path / "a.tar"), trust=name.startswith("trusted"))
    elif name.endswith("+png"):
        opened = imgstore_tui.open(pictures(name.removesuffix("+png"), tmp_path / "store"))
    else:
        opened = imgstore_tui.open(str(arrays(name, tmp_path / "store")))
    with opened:
        yield opened


def test_it_is_a_sequence_of_the_images(images: StoredImages) -> None:
    assert len(images) == 20
    assert images.labels is not None
    assert images.labels.tolist() == LABELS.tolist()
    for index in (0, 19, -1, -20, np.int64(3)):
        assert (images[index] == IMAGES[index]).all()
    for several in (slice(2, 9), slice(None, None, -3), slice(5, 5), [4, 1, 4, -1], np.array([7, 2])):
        assert len(images[several]) == len(IMAGES[several])
        assert all((have == want).all() for have, want in zip(images[several], IMAGES[several], strict=True))
    assert all((have == want).all() for have, want in zip(images, IMAGES, strict=True))
    for missing in (20, -21):
        with pytest.raises(IndexError, match="holds 20 images"):
            images[missing]


NO_INDEX = ("12", b"\x01", {1, 2}, {1: 2}, None, ..., 1.5, [1.0], [True, False], True, ["1"])


def test_what_chooses_no_images_is_refused_in_a_sentence(images: StoredImages) -> None:
    for index in (*NO_INDEX, np.array([0.9]), np.array([[1]]), np.array(3.0)):
        with pytest.raises(TypeError, match="are chosen by whole numbers"):
            images[index]  # type: ignore[index]


def test_truth_values_choose_as_they_do_in_numpy(images: StoredImages) -> None:
    assert images.labels is not None
    chosen = images.labels == images.labels[1]
    assert 0 < chosen.sum() < len(images)
    numbers = [int(number) for number in np.flatnonzero(chosen)]
    for one, number in zip(images[chosen], numbers, strict=True):
        np.testing.assert_array_equal(one, images[number])
    assert len(images[np.zeros(len(images), bool)]) == 0
    with pytest.raises(IndexError, match="truth values"):
        images[np.zeros(len(images) + 1, bool)]


def test_it_is_not_searched_for_an_image(images: StoredImages) -> None:
    with pytest.raises(TypeError, match="is not searched"):
        assert 3 in images


@pytest.mark.parametrize("trust", [False, True])
def test_a_pipe_or_a_device_is_refused_at_once(trust: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(ImgstoreError, match=path.name):
            len(imgstore_tui.open(path, trust=trust))


def test_what_it_gives_is_the_caller_s_own(images: StoredImages) -> None:
    images[3][:] = 0
    assert (images[3] == IMAGES[3]).all()


def test_threads_read_at_the_same_time(images: StoredImages) -> None:
    with ThreadPoolExecutor(4) as pool:
        equal = list(pool.map(lambda index: bool((images[index % 20] == IMAGES[index % 20]).all()), range(200)))
    assert all(equal)


def in_a_fork(check: Callable[[], bool]) -> bool:
    child = os.fork()
    if not child:
        good = False
        try:
            good = check()
        finally:
            os._exit(0 if good else 1)
    return os.waitpid(child, 0)[1] == 0


def test_forked_processes_read_the_images_that_they_ask_for(images: StoredImages) -> None:
    def half(start: int) -> bool:
        return all((images[index] == IMAGES[index]).all() for index in range(start, 20, 2) for _ in range(20))

    assert (images[0] == IMAGES[0]).all()
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=lambda start=start: os._exit(0 if half(start) else 1)) for start in (0, 1)]
    for worker in workers:
        worker.start()
    assert half(0)
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (images[1] == IMAGES[1]).all()


def test_a_fork_while_a_thread_reads_is_not_locked_out(tmp_path: Path) -> None:
    opened = imgstore_tui.open(arrays("lmdb", tmp_path / "store"))
    with opened._lock:  # as another thread holds it at that moment
        assert in_a_fork(lambda: bool((opened[2] == IMAGES[2]).all()))


def test_pickled_it_is_its_location(images: StoredImages) -> None:
    data = pickle.dumps(images)
    assert len(data) < 400
    with pickle.loads(data) as again:
        assert (again[5] == IMAGES[5]).all()


def test_spawned_processes_read(tmp_path: Path) -> None:
    opened = imgstore_tui.open(arrays("lmdb", tmp_path / "store"))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert (pool.apply(opened.__getitem__, (4,)) == IMAGES[4]).all()


def test_a_library_that_does_not_survive_a_fork_says_spawn(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    opened = imgstore_tui.open(arrays("arrow", tmp_path / "store"))

    def says_spawn() -> bool:
        try:
            opened[0]
        except ImgstoreError as error:
            return "use spawn" in str(error)
        return False

    assert in_a_fork(says_spawn)
    assert (opened[0] == IMAGES[0]).all()


def test_images_of_varying_sizes_come_as_a_list(tmp_path: Path) -> None:
    with imgstore_tui.open(pictures("lmdb", tmp_path / "store", uniform=False)) as opened:
        several = opened[1:4]
        assert isinstance(several, list)
        assert [image.shape for image in several] == [(2, 4, 3), (3, 4, 3), (4, 4, 3)]


def test_a_closed_or_missing_store_is_refused_in_a_sentence(tmp_path: Path) -> None:
    opened = imgstore_tui.open(arrays("lmdb", tmp_path / "store"))
    opened.close()
    opened.close()
    with pytest.raises(StoreError, match="is closed"):
        opened[0]
    for trust in (False, True):
        with pytest.raises(ImgstoreError, match="does not exist"):
            imgstore_tui.open(tmp_path / "nowhere", trust=trust)
    with pytest.raises(ImgstoreError, match="option"):
        imgstore_tui.open(arrays("lmdb", tmp_path / "other"), access="direct")


@pytest.mark.parametrize("name", ["npy", "lmdb", "hdf5", "hdf5+png", "sqlite+png", "disk+png"])
def test_a_folder_that_holds_a_store_alone_is_that_store(name: str, tmp_path: Path) -> None:
    backend, _, codec = name.partition("+")
    made = (pictures if codec else arrays)(
        backend, tmp_path / f"images{registry.make_local(registry.resolve_spec(name)).file_suffix}"
    )
    before = children()
    for named in (made, tmp_path):
        with imgstore_tui.open(named) as opened:
            assert (opened[3] == IMAGES[3]).all()
            assert opened.labels is not None
            assert opened.labels.tolist() == LABELS.tolist()
            assert children() == before


@pytest.mark.parametrize("trust", [False, True])
def test_a_folder_that_holds_more_names_the_store_in_it(trust: bool, tmp_path: Path) -> None:
    made = pictures("hdf5", tmp_path / "images.h5")
    tar_of_another_program(tmp_path / "others.tar")
    with pytest.raises(ImgstoreError, match=rf"Name the store itself: {made}\."):
        imgstore_tui.open(tmp_path, trust=trust)


@pytest.mark.parametrize("trust", [False, True])
def test_a_folder_of_one_file_of_another_program_is_that_file(trust: bool, tmp_path: Path) -> None:
    tar_of_another_program(tmp_path / "images.tar")
    with imgstore_tui.open(tmp_path, trust=trust) as opened:
        assert (opened[3] == IMAGES[3]).all()
        assert opened.labels is not None
        assert opened.labels.tolist() == LABELS.tolist()


def test_only_what_is_opened_is_imported(tmp_path: Path) -> None:
    arrays("npy", tmp_path / "store")
    code = (
        "import sys, imgstore_tui\n"
        "assert not any(name.startswith('imgstore_tui.') for name in sys.modules)\n"
        f"imgstore_tui.open({str(tmp_path / 'store')!r})[0]\n"
        "print([name for name in ('textual', 'rich', 'h5py', 'lmdb', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["lmdb", "hdf5", "npy", "tar", "trusted tar"])
def test_only_a_file_of_another_program_is_read_in_a_child(name: str, tmp_path: Path) -> None:
    made = tar_of_another_program(tmp_path / "a.tar") if name.endswith("tar") else arrays(name, tmp_path / "store")
    before, expected = children(), 1 if name == "tar" else 0
    with imgstore_tui.open(made, trust=name == "trusted tar") as opened:
        assert children() - before == expected

        def reads_in_a_fork_alike() -> bool:
            return bool((opened[1] == IMAGES[1]).all()) and children() == expected

        assert in_a_fork(reads_in_a_fork_alike)


@pytest.mark.parametrize("trust", [False, True])
def test_a_file_that_needs_an_option_is_said_to_be_converted_first(trust: bool, tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", images=np.zeros((3, 8, 8, 3)))
    with pytest.raises(ImgstoreError) as caught:
        imgstore_tui.open(tmp_path / "f.npz", trust=trust)
    command = "imgstore-tui convert store:f.npz,scale=255 lmdb f.lmdb"
    assert str(caught.value).endswith(f"imgstore_tui.open takes none of them: convert the file first, {command}")
    with pytest.raises(ImgstoreError) as caught:
        imgstore_tui.open(tmp_path / "g.npz", trust=trust)
    assert "convert" not in str(caught.value)
