"""Implements the integer recipe of the dataset ``synthetic``.

The pictures compress like small photographs but show clouds: suited for storage, useless for training. Only integers
and the raw bits of Philox are used, so the same seed gives the same bytes under every numpy; at 32x32x3 a hash in the
tests pins them. Philox is counter-based: any image is generated without those before it.

The recipe works in blocks of 1,000 images, each with a stream (key: seed and block number). A *draw* takes a number of
bytes per image for all images of the block, rounded up to whole 64-bit words. A *field* is a sum over grids: k x k
bytes, (byte - 128) * 4, bilinear upsampling that wraps around, times weight // 256. Other sizes than 32 use the same
words:

* Grids double up to the *edge*, the smallest power of two that holds the picture (8 or more); beyond 32, each finer
  grid of the texture weighs (r + 64) // 256 of the one before. Grids finer than the edge are left out.
* A picture is the first ``height`` rows and ``width`` columns of its fields; noise is drawn for these only.
* If sizes vary, pictures of the largest size are cut to a height and width drawn from a separate stream.
* Grey is luma with the first base colour. The fourth channel is a cut-out with soft edges along the mask.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 1000
"""Images per stream."""
_SIZES = 1 << 63
"""Key of the stream from which varying sizes are drawn."""
_STRIP = 1 << 17
"""Pixels that are computed at a time: the planes of one strip stay in the processor's cache."""
_SMOOTH = {2: 73, 4: 31}
_MASK = {4: 256, 8: 100}
_CHROMA = {2: 44, 4: 40, 8: 25, 16: 10}

Plane = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Draw:
    """The position of one draw in a block's stream."""

    start: int
    """Offset of the draw in the stream, in bytes."""
    each: int
    """Bytes per image."""


class Recipe:
    """Generates pictures of one size, number of channels and seed."""

    def __init__(self, height: int, width: int, channels: int, seed: int) -> None:
        self.shape: tuple[int, ...] = (height, width) if channels == 1 else (height, width, channels)
        self._height, self._width, self._channels, self._seed = height, width, channels, seed
        self._edge = max(8, 1 << (max(height, width) - 1).bit_length())
        self._draws: dict[str, _Draw] = {}
        self._end = 0
        texture = [1 << power for power in range(1, self._edge.bit_length())]
        self._place("roughness", 1)
        self._place("contrast", 1)
        self._grids = {
            "texture": self._place_field("texture", texture),
            "smooth": self._place_field("smooth", _SMOOTH),
            "mask": self._place_field("mask", _MASK),
        }
        self._place("threshold", 1)
        self._place("use", 1)
        for name in ("cb", "cr"):
            self._grids[name] = self._place_field(name, _CHROMA)
        self._place("saturation", 1)
        self._place("base", 3)
        self._place("amplitude", 1)
        self._place("noise", height * width * min(channels, 3))

    def _place(self, name: str, each: int) -> None:
        self._draws[name] = _Draw(self._end, each)
        self._end += -(-BLOCK * each // 8) * 8

    def _place_field(self, name: str, grids: Sequence[int] | dict[int, int]) -> tuple[int, ...]:
        used = tuple(grid for grid in grids if grid <= self._edge)
        for grid in used:
            self._place(f"{name}{grid}", grid * grid)
        return used

    def images(self, first: int, count: int) -> NDArray[np.uint8]:
        """Return images ``first`` to ``first + count`` as one array (count, ...)."""
        out = np.empty((count, *self.shape), np.uint8)
        at = 0
        while at < count:
            block, offset = divmod(first + at, BLOCK)
            # As many images at a time as fill a strip, all of one block.
            batch = min(count - at, BLOCK - offset, max(1, _STRIP // (self._height * self._width)))
            self._make(_Stream(self._seed, block, offset, batch, self._draws), out[at : at + batch])
            at += batch
        return out

    def edges(self, index: int, low: int) -> tuple[int, int]:
        """Return height and width of image ``index`` for varying sizes, between ``low`` and the recipe's size."""
        # The upper half of the block numbers is free for this: no picture reaches it.
        random_words = np.random.Philox(key=np.array([self._seed, _SIZES], np.uint64), counter=index).random_raw(2)
        height, width = (int(word) >> 32 for word in random_words)
        return low + height % (self._height - low + 1), low + width % (self._width - low + 1)

    def _make(self, stream: _Stream, out: NDArray[np.uint8]) -> None:
        roughness = stream.range("roughness", 63, 182)
        contrast = stream.range("contrast", 25, 300)
        weights: dict[str, list[Plane | int]] = {
            "texture": list(_texture_weights(roughness, len(self._grids["texture"]))),
            "smooth": list(_SMOOTH.values()),
            "mask": list(_MASK.values()),
            "cb": list(_CHROMA.values()),
            "cr": list(_CHROMA.values()),
        }
        fields = {
            name: _Field([(stream.squares(f"{name}{grid}", grid), self._edge // grid) for grid in grids], weights[name])
            for name, grids in self._grids.items()
        }
        threshold = stream.range("threshold", -124, 195)
        use = stream.numbers("use") < 242
        saturation = stream.range("saturation", 24, 230)
        base = stream.range("base", 50, 195)
        amplitude = stream.range("amplitude", 0, 9)
        colours = min(self._channels, 3)
        noise = stream.take("noise").reshape(-1, self._height, self._width, colours)
        rows = self._height if len(out) > 1 else max(1, _STRIP // self._width)
        for top in range(0, self._height, rows):
            part = slice(top, min(top + rows, self._height))
            mask = fields["mask"].at(part, self._width)
            inside = (mask > threshold) & use
            luma = np.where(inside, fields["smooth"].at(part, self._width), fields["texture"].at(part, self._width))
            luma *= contrast
            luma >>= 8
            planes = [luma]
            if colours == 3:
                cb, cr = (_tint(fields[name].at(part, self._width), inside, saturation) for name in ("cb", "cr"))
                planes = [luma + cr, luma - ((cb + cr) >> 2), luma + cb]
            pixels = out[:, part]
            for channel, plane in enumerate(planes):
                grain = noise[:, part, :, channel].astype(np.int32)
                grain -= 128
                grain *= amplitude
                grain >>= 8
                grain >>= inside
                grain += plane
                grain += base[..., channel : channel + 1]
                target = pixels if self._channels == 1 else pixels[..., channel]
                np.clip(grain, 0, 255, out=target, casting="unsafe")
            if self._channels == 4:
                mask -= threshold
                mask += 64
                np.clip(np.where(use, mask, 255), 0, 255, out=pixels[..., 3], casting="unsafe")


def _tint(chroma: Plane, inside: NDArray[np.bool_], saturation: Plane) -> Plane:
    tint: Plane = np.where(inside, chroma // 3, chroma)
    tint *= saturation
    tint >>= 8
    return tint


def _texture_weights(roughness: Plane, grids: int) -> Iterator[Plane | int]:
    yield from (100, 53, 57)[:grids]
    weight: Plane = 50 * roughness >> 8
    for power in range(4, grids + 1):
        if power == 5:
            weight = (41 * roughness >> 8) * roughness >> 8
        elif power > 5:
            weight = weight * (roughness + 64) >> 8
        yield weight


class _Stream:
    """The bytes of some images of one block."""

    def __init__(self, seed: int, block: int, offset: int, count: int, draws: dict[str, _Draw]) -> None:
        self._key = np.array([seed, block], np.uint64)
        self._offset, self._count, self._draws = offset, count, draws

    def take(self, name: str) -> NDArray[np.uint8]:
        """Return the bytes of one draw, uint8 array (count, bytes per image)."""
        draw = self._draws[name]
        start = draw.start + self._offset * draw.each
        stop = start + self._count * draw.each
        counter, skipped = divmod(start, 32)  # one step of the counter makes four 64-bit words
        random_words = np.random.Philox(key=self._key, counter=counter).random_raw(math.ceil((stop - counter * 32) / 8))
        every: NDArray[np.uint8] = np.asarray(random_words).astype("<u8", copy=False).view(np.uint8)
        return every[skipped : skipped + stop - start].reshape(self._count, draw.each)

    def numbers(self, name: str) -> Plane:
        """Return a draw as numbers that broadcast over planes (count, height, width)."""
        return self.take(name)[:, None, :].astype(np.int32)

    def range(self, name: str, low: int, high: int) -> Plane:
        """Return a draw as whole numbers in ``low..high``."""
        return low + self.numbers(name) * (high - low) // 255

    def squares(self, name: str, grid: int) -> NDArray[np.uint8]:
        """Return a draw as grids (count, grid, grid)."""
        return self.take(name).reshape(-1, grid, grid)


class _Field:
    """A weighted sum of upsampled grids, which is computed by rows."""

    def __init__(self, grids: list[tuple[NDArray[np.uint8], int]], weights: Sequence[Plane | int]) -> None:
        self._layers = [(grid, step, weight) for (grid, step), weight in zip(grids, weights, strict=False)]

    def at(self, rows: slice, width: int) -> Plane:
        """Return rows of the field (count, rows, width)."""
        total = np.zeros((len(self._layers[0][0]), rows.stop - rows.start, width), np.int32)
        for grid, step, weight in self._layers:
            layer = _upsample(grid, step, rows, width)
            layer *= weight
            layer >>= 8
            total += layer
        return total


def _upsample(grid: NDArray[np.uint8], step: int, rows: slice, width: int) -> Plane:
    """Return ``rows`` of the grids, upsampled by ``step``: bilinear, wrapping around, floored."""
    size = grid.shape[1]
    top, bottom = rows.start // step, (rows.stop - 1) // step + 2
    right = (width - 1) // step + 2
    corner = grid[:, np.arange(top, bottom) % size][:, :, np.arange(right) % size].astype(np.int32)
    corner -= 128
    corner <<= 2
    if step == 1:
        return corner[:, :-1, :-1]
    along = np.arange(width)
    left = corner[:, :, along // step]
    across = corner[:, :, along // step + 1]
    across -= left
    across *= (along % step).astype(np.int32)
    left *= step
    across += left
    down = np.arange(rows.start, rows.stop)
    above = across[:, down // step - top]
    below = across[:, down // step - top + 1]
    below -= above
    below *= (down % step).astype(np.int32)[:, None]
    above *= step
    below += above
    below >>= 2 * (step.bit_length() - 1)
    return below
