"""The dataset store: whatever a backend has written is a source of images, and is only ever read."""

from __future__ import annotations

import concurrent.futures
import gc
import json
import multiprocessing
import os
import pickle
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.dataset import BrokenImageError, Dataset
from imgstore_tui.core.errors import DataError, UsageError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry, store_process
from imgstore_tui.storekit.messages import LENGTHS
from imgstore_tui.testing.conformance_dataset import DatasetConformance, MakeDataset
from imgstore_tui.testing.store_material import StoreSetup, is_sentence, pixels, snapshot

HERE = [kind.name for kind in registry.local_backends() if not registry.missing_imports(kind)]


def scanned(location: Path, **options: str) -> Dataset:
    suffix = "".join(f",{key}={value}" for key, value in options.items())
    dataset = registry.make_dataset(f'store:"{location}"{suffix}')
    dataset.scan()
    return dataset


@pytest.mark.sample_diagonal
@pytest.mark.parametrize(
    "text",
    ["lmdb", pytest.param("disk+png", marks=pytest.mark.full), pytest.param("sqlite+original", marks=pytest.mark.full)],
)
class TestStore(DatasetConformance):
    @pytest.fixture
    def make(self, text: str, tmp_path: Path) -> MakeDataset:
        setup = StoreSetup.of(text)
        setup.make(tmp_path / "store", setup.material([(7, 5, 3)] * 12, range(12, 0, -1)))
        return lambda: registry.make_dataset(f'store:"{tmp_path / "store"}"')


@pytest.fixture
def inherited(tmp_path: Path) -> Dataset:
    """Return a dataset of 40 images that has been read from, as forked workers inherit it."""
    setup = StoreSetup.of("disk+png")
    images = [pixels((7, 5, 3), number) for number in range(40)]
    setup.make(tmp_path / "store", setup.pack(images, list(range(40))))
    dataset = scanned(tmp_path / "store")
    np.testing.assert_array_equal(dataset.image(5), images[5])  # out of order, so that no others are fetched with it
    return dataset


def wrong_images(dataset: Dataset, seed: int) -> int:
    """Read images in a random order; return how many are others than those that were asked for."""
    order = np.random.default_rng(seed).integers(1, len(dataset), 200)
    return sum(not np.array_equal(dataset.image(int(n)), pixels((7, 5, 3), int(n))) for n in order)


def test_forked_processes_get_the_images_that_they_ask_for(inherited: Dataset) -> None:
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=lambda seed=seed: os._exit(0 if wrong_images(inherited, seed) == 0 else 1))
        for seed in (1, 2)
    ]
    for worker in workers:
        worker.start()
    assert wrong_images(inherited, 3) == 0
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert wrong_images(inherited, 4) == 0


def test_threads_get_the_images_that_they_ask_for(inherited: Dataset) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda seed: wrong_images(inherited, seed), range(4))) == [0] * 4


def test_an_unpickled_dataset_opens_its_store_itself(inherited: Dataset) -> None:
    assert wrong_images(pickle.loads(pickle.dumps(inherited)), 1) == 0


def test_a_forked_process_notices_that_the_store_is_another(inherited: Dataset, tmp_path: Path) -> None:
    def says_changed() -> bool:
        try:
            inherited.image(39)
        except DataError as error:
            return "has changed since it was opened" in str(error) and is_sentence(error)
        return False

    shutil.rmtree(tmp_path / "store")
    setup = StoreSetup.of("disk+png")
    setup.make(tmp_path / "store", setup.material([(7, 5, 3)] * 41))
    child = os.fork()
    if not child:
        good = False
        try:
            good = says_changed()
        finally:
            os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.sample_first(4)
@pytest.mark.sample_diagonal
@pytest.mark.parametrize("backend", HERE)
@pytest.mark.parametrize("varying", [False, True])
def test_a_store_of_any_backend_is_read(backend: str, varying: bool, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"{backend}+raw")
    if varying and setup.uniform_only:
        return
    images = [pixels((7, 5 + varying * number, 3), number) for number in range(11)]
    setup.make(tmp_path / "store", setup.pack(images, list(range(100, 111))))
    before = snapshot(tmp_path / "store")
    dataset = scanned(tmp_path / "store")
    assert dataset.uniform == (None if varying else ((7, 5, 3), "uint8"))
    for index in (*range(11), 3, 10, 0):
        np.testing.assert_array_equal(dataset.image(index), images[index])
        assert dataset.label(index) == 100 + index
    assert f"{backend}+raw" in dataset.summary
    assert not dataset.has_originals
    assert snapshot(tmp_path / "store") == before


def test_a_file_in_it_names_it_too(tmp_path: Path) -> None:
    setup = StoreSetup.of("hdf5")
    setup.make(tmp_path / "store", setup.material([(7, 5, 3)] * 3))
    assert len(scanned(tmp_path / "store")) == 3


def test_original_files_come_out_as_they_were(tmp_path: Path) -> None:
    setup = StoreSetup.of("webdataset+original")
    material = setup.material([(7, 5, 3), (6, 6), (9, 9, 4)])
    setup.make(tmp_path / "store", material)
    dataset = scanned(tmp_path / "store")
    assert dataset.has_originals
    assert [dataset.original(index) for index in range(3)] == material.payloads


@pytest.mark.parametrize("backend", ["disk", "lmdb", "sqlite"])
def test_what_was_deleted_is_left_out(backend: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"{backend}+png")
    setup.make(tmp_path / "store", setup.material([(7, 5, 3)] * 9, range(9)))
    with setup.backend.edit(tmp_path / "store", SyncLevel.BUFFERED) as editor:
        editor.delete([0, 4, 8])
    dataset = scanned(tmp_path / "store")
    assert [dataset.label(index) for index in range(len(dataset))] == [1, 2, 3, 5, 6, 7]
    for index, number in enumerate([1, 2, 3, 5, 6, 7]):
        np.testing.assert_array_equal(dataset.image(index), pixels((7, 5, 3), number))


def test_one_broken_image_is_left_out_and_not_the_others(tmp_path: Path) -> None:
    setup = StoreSetup.of("disk+png")
    setup.make(tmp_path / "store", setup.material([(7, 5, 3)] * 9))
    (tmp_path / "store" / "00000000" / "00000004.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    dataset = scanned(tmp_path / "store")
    for index in range(9):
        if index == 4:
            with pytest.raises(BrokenImageError) as caught:
                dataset.image(index)
            assert is_sentence(caught.value)
        else:
            np.testing.assert_array_equal(dataset.image(index), pixels((7, 5, 3), index))


def _answers(location: Path, what: str) -> list[tuple[int, int]]:
    """Return how many images, and how many bytes, each answer has that all images take one after the other."""
    store, facts, _ = store_process.open_served_store(location)
    answers, first = [], 0
    with store.reader:
        while first < facts["count"]:
            answer, parts = store.answer(first, 256, what)
            answers.append((len(answer["images"]), sum(map(len, parts))))
            first += len(answer["images"])
    return answers


@pytest.mark.parametrize("varying", [False, True])
def test_no_more_is_sent_ahead_than_a_few_mib_however_small_it_is_stored(varying: bool, tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb+png")
    images = [np.full((1000 - varying * number, 1000, 3), number, np.uint8) for number in range(12)]
    small = [np.zeros((4, 4 + varying, 3), np.uint8)] * (100 * varying)  # what comes first does not tell what follows
    setup.make(tmp_path / "store", setup.pack([*small, *images]))
    answers = _answers(tmp_path / "store", "pixels")
    assert sum(count for count, _ in answers) == len(small) + 12
    assert max(size for _, size in answers) < store_process.ANSWER_BYTES + 3_000_000
    assert len(_answers(tmp_path / "store", "payloads")) <= 2
    dataset = scanned(tmp_path / "store")
    for number, image in enumerate(images, len(small)):
        np.testing.assert_array_equal(dataset.image(number), image)


def test_small_images_are_sent_many_at_once(tmp_path: Path) -> None:
    for spec in ("lmdb", "lmdb+png"):
        setup = StoreSetup.of(spec)
        location = setup.make(tmp_path / spec, setup.material([(7, 5, 3)] * 600))
        assert [count for count, _ in _answers(location, "pixels")] == [256, 256, 88]


def test_what_is_beyond_4_gib_can_be_said() -> None:
    assert LENGTHS.unpack(LENGTHS.pack(2**33, 2**34)) == (2**33, 2**34)


def test_what_no_image_is_stays_out(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb+raw")
    with setup.backend.create(
        tmp_path / "store", Content(2, PayloadKind.BYTES, "raw", None, None, 99), SyncLevel.BUFFERED
    ) as writer:
        payloads = [setup.codec.encode(np.zeros((3, 3), kind)) for kind in (np.float32, np.uint8)]  # type: ignore[arg-type]
        writer.put_bytes(range(2), payloads, np.zeros(2, np.int64))
    dataset = scanned(tmp_path / "store")
    with pytest.raises(BrokenImageError, match="float32"):
        dataset.image(0)
    assert dataset.image(1).shape == (3, 3)


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"x")
    for name in ("missing", "empty", "photos"):
        with pytest.raises(DataError) as caught:
            scanned(tmp_path / name)
        assert is_sentence(caught.value, tmp_path / name)
    with pytest.raises(UsageError, match="needs a path"):
        registry.make_dataset("store")


def test_damage_is_told_as_the_backend_tells_it(tmp_path: Path) -> None:
    setup = StoreSetup.of("disk+png")
    setup.make(tmp_path / "store", setup.material([(7, 5, 3)] * 3))
    path = tmp_path / "store" / "store.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    with pytest.raises(DataError, match="newer imgstore-tui"):
        scanned(tmp_path / "store")
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 1, "codec": "of-tomorrow"}))
    with pytest.raises(DataError, match="'of-tomorrow', which is not known"):
        scanned(tmp_path / "store")


def test_an_empty_store_is_refused(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb")
    setup.make(tmp_path / "store", setup.material([]))
    with pytest.raises(DataError, match="holds no images"):
        scanned(tmp_path / "store")


def test_a_driver_that_dies_is_a_sentence(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb")
    setup.make(tmp_path / "store", setup.material([(7, 5, 3)] * 600))
    dataset = scanned(tmp_path / "store")
    dataset.image(0)
    process = dataset._child._process  # type: ignore[attr-defined]
    os.kill(process.pid, signal.SIGBUS)
    with pytest.raises(DataError, match="signal 7") as caught:
        dataset.image(599)
    assert is_sentence(caught.value)


def test_no_process_is_left(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb")
    setup.make(tmp_path / "store", setup.material([(7, 5, 3)] * 3))
    dataset = scanned(tmp_path / "store")
    process = dataset._child._process  # type: ignore[attr-defined]
    del dataset
    gc.collect()
    assert process.returncode == 0
