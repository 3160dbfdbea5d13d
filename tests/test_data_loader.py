"""Tests ``imgstore_tui.open`` in the workers of a data loader: that of torch, and processes that do what it does."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imgstore_tui
from imgstore_tui.core.content import Content, PayloadKind
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry

IMAGES = np.random.default_rng(9).integers(0, 256, (50, 6, 5, 3), np.uint8)
LABELS = np.arange(50, dtype=np.int64) - 7
WORKERS, BATCH = 2, 8


class Labelled:
    """A map-style data set of images and labels, as the manual shows it."""

    def __init__(self, images: Any) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.images[index], int(self.images.labels[index])


@pytest.fixture(params=["lmdb", "hdf5", "npy", "sqlite+png"])
def images(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    spec = registry.resolve_spec(str(request.param))
    made, location = registry.make_local(spec), tmp_path / "store"
    if spec.codec == "raw":
        content = Content(50, PayloadKind.ARRAY, "raw", IMAGES.shape[1:], "uint8", IMAGES.nbytes)
        with made.create(location, content, SyncLevel.BUFFERED) as writer:
            writer.put_array(range(50), IMAGES, LABELS)
    else:
        codec = registry.make_codec(spec)
        content = Content(50, PayloadKind.BYTES, spec.codec, IMAGES.shape[1:], "uint8", IMAGES.nbytes)
        with made.create(location, content, SyncLevel.BUFFERED) as writer:
            writer.put_bytes(range(50), [codec.encode(image) for image in IMAGES], LABELS)
    with imgstore_tui.open(location) as opened:
        yield opened


def work(dataset: Any, requests: Any, answers: Any) -> None:
    """Do as a worker of torch does: take the numbers of a batch, read each image, send all with the batch's number."""
    while (task := requests.get()) is not None:
        number, indices = task
        try:
            answers.put((number, [dataset[index] for index in indices]))
        except Exception as error:  # as torch hands it to the process that iterates
            answers.put((number, error))


def load(dataset: Any, method: str, order: list[int]) -> list[Any]:
    """Return all samples in an order, read by several processes, a queue of batches for each and one for answers."""
    context: Any = multiprocessing.get_context(method)
    batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    answers, queues = context.Queue(), [context.Queue() for _ in range(WORKERS)]
    processes = [context.Process(target=work, args=(dataset, queue, answers)) for queue in queues]
    for process in processes:
        process.start()
    for number, batch in enumerate(batches):
        queues[number % WORKERS].put((number, batch))
    for queue in queues:
        queue.put(None)
    read = dict(answers.get(timeout=60) for _ in batches)
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    for answer in read.values():
        if isinstance(answer, Exception):
            raise answer
    return [sample for number in sorted(read) for sample in read[number]]


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.full)])
def test_the_workers_of_a_loader_read_what_they_are_asked_for(images: Any, method: str) -> None:
    assert (images[0] == IMAGES[0]).all()  # the store is open here before a worker starts
    assert images.labels is not None
    order = random.Random(1).sample(range(50), 50)
    samples = load(Labelled(images), method, order)
    np.testing.assert_array_equal([image for image, _ in samples], IMAGES[order])
    assert [label for _, label in samples] == LABELS[order].tolist()
    assert (images[49] == IMAGES[49]).all()  # and is read here afterwards


def test_a_batch_is_read_by_one_call(images: Any) -> None:
    batch = images.__getitems__([3, 0, 49, 3])
    assert isinstance(batch, list)
    np.testing.assert_array_equal(batch, IMAGES[[3, 0, 49, 3]])
    with pytest.raises(IndexError, match="there is no image 50"):
        images.__getitems__([1, 50])


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("labelled", [False, True])
def test_a_loader_of_torch_reads_in_its_workers(images: Any, method: str, labelled: bool) -> None:
    torch: Any = pytest.importorskip("torch", reason="torch is not installed")
    dataset: Any = Labelled(images) if labelled else images
    assert (images[0] == IMAGES[0]).all()
    order = random.Random(3).sample(range(50), 50)
    loader = torch.utils.data.DataLoader(
        dataset, BATCH, sampler=order, num_workers=WORKERS, multiprocessing_context=method, persistent_workers=True
    )
    for _ in range(2):
        batches = list(loader)
        pixels = torch.cat([batch[0] if labelled else batch for batch in batches])
        np.testing.assert_array_equal(pixels.numpy(), IMAGES[order])
        if labelled:
            assert torch.cat([batch[1] for batch in batches]).tolist() == LABELS[order].tolist()
    del loader
