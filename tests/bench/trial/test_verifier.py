"""What was read is compared with the source: labels, bytes and pixels, each where it matters."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.bench.trial.pixel_cache_writer import build_pixel_cache
from imgstore_tui.bench.trial.read_buffer import ReadBuffer
from imgstore_tui.bench.trial.verifier import Verifier
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.content import Content
from imgstore_tui.core.errors import StoreError
from imgstore_tui.plugins import registry
from tests.support.listed_images import build_listed

NOISE = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
IDS = range(3)
LABELS = (-1, 0, 1)


class MemoryReader(Reader):
    """Returns prepared payloads or arrays, as a store would."""

    def __init__(self, images: Sequence[Any], labels: Sequence[int]) -> None:
        self.content = Content(len(images), PayloadKind.BYTES, "raw")
        self._images, self._labels = images, labels

    def read_bytes(self, ids: Sequence[int], labels: Any) -> list[bytes]:
        labels[:] = [self._labels[image_id] for image_id in ids]
        return [self._images[image_id] for image_id in ids]

    def read_array(self, ids: Sequence[int], out: Any, labels: Any) -> None:
        labels[:] = [self._labels[image_id] for image_id in ids]
        out[:] = [self._images[image_id] for image_id in ids]

    def read_labels(self) -> Any:
        return np.array(self._labels)

    def close(self) -> None:
        pass


@pytest.fixture
def source(tmp_path: Path) -> PixelCache:
    _, cache = build_listed(tmp_path, list(NOISE), 3)
    return cache


def codec_of(text: str) -> Codec:
    return registry.make_codec(registry.resolve_spec(f"disk+{text}"))


def buffer_of(
    source: PixelCache, codec: Codec, payloads: Sequence[bytes], labels: Sequence[int] = LABELS
) -> ReadBuffer:
    buffer = ReadBuffer(source, codec, PayloadKind.BYTES, 3)
    buffer.fetch(MemoryReader(payloads, labels), IDS)
    buffer.decode()
    return buffer


def test_equal_images_and_labels_pass(source: PixelCache) -> None:
    codec = codec_of("png")
    verifier = Verifier(source, codec)
    verifier.check_batch(IDS, buffer_of(source, codec, [codec.encode(image) for image in NOISE]))
    assert verifier.psnr_db is None


def test_arrays_need_no_decoding(source: PixelCache) -> None:
    buffer = ReadBuffer(source, codec_of("png"), PayloadKind.ARRAY, 3)
    assert (buffer.encoded, buffer.has_pixels) == (False, False)
    buffer.fetch(MemoryReader(list(NOISE), LABELS), IDS)
    assert buffer.has_pixels
    Verifier(source, codec_of("png")).check_batch(IDS, buffer)


def test_another_pixel_is_named_by_its_image(source: PixelCache) -> None:
    codec, images = codec_of("png"), NOISE.copy()
    images[1, 2, 3, 0] ^= 1
    with pytest.raises(StoreError, match="Image 1 came back with other pixels than were stored"):
        Verifier(source, codec).check_batch(IDS, buffer_of(source, codec, [codec.encode(image) for image in images]))


def test_another_label_is_named_by_its_image(source: PixelCache) -> None:
    codec = codec_of("png")
    buffer = buffer_of(source, codec, [codec.encode(image) for image in NOISE], (-1, 5, 1))
    with pytest.raises(StoreError, match="Image 1 came back with label 5, not 0"):
        Verifier(source, codec).check_batch(IDS, buffer)


def test_what_was_never_decoded_does_not_pass(source: PixelCache) -> None:
    codec = codec_of("png")
    buffer = ReadBuffer(source, codec, PayloadKind.BYTES, 3)
    buffer.fetch(MemoryReader([b""] * 3, LABELS), IDS)
    with pytest.raises(StoreError, match="Image 0 was not compared"):
        Verifier(source, codec).check_batch(IDS, buffer)


def test_a_lossy_codec_may_lose_only_what_it_always_loses(source: PixelCache) -> None:
    codec, verifier = codec_of("jpeg"), Verifier(source, codec_of("jpeg"))
    payloads = [codec.encode(image) for image in NOISE]
    verifier.check_batch(IDS, buffer_of(source, codec, payloads))
    mean_square = np.mean([np.mean((codec.decode(codec.encode(image)) - image.astype(float)) ** 2) for image in NOISE])
    assert verifier.psnr_db == pytest.approx(10 * np.log10(255**2 / mean_square), abs=0.5)
    with pytest.raises(StoreError, match="Image 0 came back with other pixels"):
        Verifier(source, codec).check_batch(IDS, buffer_of(source, codec, payloads[1:] + payloads[:1]))


def test_the_bytes_of_a_file_are_compared_and_not_only_its_pixels(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for number, image in enumerate(NOISE):
        Image.fromarray(image).save(tmp_path / "photos" / f"{number}.png")
    (tmp_path / "cache").mkdir()
    dataset = registry.make_dataset(f"folder:{tmp_path / 'photos'}")
    dataset.scan()
    build_pixel_cache(
        dataset, "photos", 3, tmp_path / "cache", originals=True, progress=lambda *_: None, cancel=threading.Event()
    )
    source, codec = PixelCache(tmp_path / "cache"), codec_of("original")
    files = [source.original(number) for number in range(3)]
    assert set(files) == {path.read_bytes() for path in (tmp_path / "photos").iterdir()}
    labels = [int(label) for label in source.labels_of(IDS)]
    Verifier(source, codec).check_batch(IDS, buffer_of(source, codec, files, labels))
    with pytest.raises(StoreError, match="Image 2 came back with other bytes than its file has"):
        Verifier(source, codec).check_batch(IDS, buffer_of(source, codec, [*files[:2], files[2] + b"more"], labels))


def test_ids_may_stand_for_other_images_of_the_source(source: PixelCache) -> None:
    codec = codec_of("png")
    swapped = [codec.encode(NOISE[source_id]) for source_id in (1, 0, 2)]
    buffer = buffer_of(source, codec, swapped, (0, -1, 1))
    Verifier(source, codec, {0: 1, 1: 0, 2: 2}).check_batch(IDS, buffer)
    with pytest.raises(StoreError, match="Image 0 came back with label 0, not -1"):
        Verifier(source, codec).check_batch(IDS, buffer)


def test_images_of_varying_shapes_are_compared_one_by_one(tmp_path: Path) -> None:
    images = [NOISE[0], NOISE[1, :8], NOISE[2, :, :4]]
    _, cache = build_listed(tmp_path, images, 3)
    codec = codec_of("png")
    Verifier(cache, codec).check_batch(IDS, buffer_of(cache, codec, [codec.encode(image) for image in images]))
    with pytest.raises(StoreError, match=r"Image 1 came back as \(16, 16, 3\) uint8, not \(8, 16, 3\) uint8"):
        Verifier(cache, codec).check_batch(IDS, buffer_of(cache, codec, [codec.encode(image) for image in NOISE]))


@pytest.mark.parametrize(
    ("labels", "message"),
    [((-1, 0), "The store gave 2 labels, not 3"), ((-1, 0, 7), "Image 2 came back with label 7, not 1")],
)
def test_all_labels_are_compared(source: PixelCache, labels: tuple[int, ...], message: str) -> None:
    verifier, expected = Verifier(source, codec_of("png")), source.labels_of(IDS)
    verifier.check_labels(np.array(LABELS), expected)
    with pytest.raises(StoreError, match=message):
        verifier.check_labels(np.array(labels), expected)
