"""Decides which axis of an array of pictures is which, from its shape; what may mean two things is not decided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

CHANNELS = (1, 3, 4)
"""Numbers of channels that pictures have here: grey, RGB, RGBA."""


class NotImagesError(Exception):
    """An array cannot be read as pictures; the text says why and what to name, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class ImageAxes:
    """The order of the axes of an array of a certain shape, as letters N, H, W and C."""

    order: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of pictures."""
        return self.shape[self.order.index("N")] if "N" in self.order else 1

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of each picture, (H, W, C), or (H, W) where there is no axis C."""
        return tuple(self.shape[self.order.index(axis)] for axis in "HWC" if axis in self.order)

    def selection(self, start: int, stop: int) -> tuple[slice, ...]:
        """Return what to select of the array for the pictures from ``start`` to ``stop``."""
        return tuple(slice(start, stop) if axis == "N" else slice(None) for axis in self.order)

    def upright(self, part: Any) -> Any:
        """Return a selected part as an array (n, H, W[, C]), without a copy."""
        ordered = part.transpose([self.order.index(axis) for axis in "NHWC" if axis in self.order])
        return ordered if "N" in self.order else ordered[np.newaxis]


def image_axes(
    shape: tuple[int, ...], requested: str = "", count: int | None = None, *, named: bool = False
) -> ImageAxes:
    """Return the order of the axes of an array of pictures.

    Args:
        shape: Shape of the array.
        requested: The order that the user names; empty to decide by the shape.
        count: Number of labels beside it, if known.
        named: Whether the user says that the array holds pictures.

    Raises:
        NotImagesError: If it cannot hold pictures, or may be read in two ways.
    """
    order = requested or _order_of(shape, count)
    if len(order) != len(shape):
        raise NotImagesError(f"has {len(shape)} axes, and axes={order} names {len(order)}")
    axes = ImageAxes(order, shape)
    channels = axes.image_shape[2:]
    if 0 in shape:
        raise NotImagesError("is empty")
    if channels and channels[0] not in CHANNELS:
        raise NotImagesError(f"has {channels[0]} channels in the order {order}, where pictures have 1, 3 or 4")
    if not requested and not named and math.prod(axes.image_shape[:2]) == 1:
        raise NotImagesError("holds a number or a pixel each, as labels do; name it with image= if it holds pictures")
    return axes


def _order_of(shape: tuple[int, ...], count: int | None) -> str:
    if len(shape) == 4:
        return _order_of_four(shape, count)
    if len(shape) == 3:
        first, last = shape[0], shape[2]
        if last in CHANNELS:
            raise NotImagesError("may be one picture (axes=HWC) or many grey ones (axes=NHW)")
        if first in CHANNELS[1:] and count != first:
            raise NotImagesError("may be one picture (axes=CHW) or some grey ones (axes=NHW)")
        return "NHW"
    if len(shape) == 2 and shape[1] > 1:
        raise NotImagesError("holds rows of numbers; height and width are not said, or it is one picture (axes=HW)")
    raise NotImagesError("holds no pictures")


def _order_of_four(shape: tuple[int, ...], count: int | None) -> str:
    if math.prod(shape[1:]) == 1:
        return "NHWC"  # a number each, which is refused as such
    fitting = [order for order in ("NHWC", "NCHW", "HWCN") if shape[order.index("C")] in CHANNELS]
    agreeing = [order for order in fitting if shape[order.index("N")] == count]
    fitting = agreeing or fitting
    if fitting in (["NHWC"], ["NCHW"]):
        return fitting[0]
    if not fitting and shape[0] in CHANNELS:
        fitting = ["CHWN"]
    if fitting:
        raise NotImagesError(f"may be of the order axes={' or axes='.join(fitting)}")
    raise NotImagesError("has no axis of 1, 3 or 4 channels")


@dataclass(frozen=True, slots=True)
class PixelCast:
    """How the numbers of an array become pixels."""

    stored: np.dtype[Any]
    scale: float

    @property
    def dtype(self) -> str:
        """Type of the pixels: ``uint8`` or ``uint16``."""
        return "uint8" if self.scale else self.stored.newbyteorder("=").name

    def pixels(self, values: Any) -> Pixels:
        """Return numbers as pixels.

        Raises:
            ValueError: If one is outside of 8 bits after it is scaled.
        """
        if not self.scale:
            unscaled: Pixels = values.astype(self.dtype, copy=False)
            return unscaled
        scaled = np.rint(np.asarray(values, np.float64) * self.scale)
        if not (scaled.size == 0 or (scaled.min() >= 0 and scaled.max() <= 255)):  # also where one is no number
            raise ValueError(f"values times {self.scale:g} are not all in 0..255")
        pixels: Pixels = scaled.astype(np.uint8)
        return pixels


def pixel_cast(dtype: np.dtype[Any], scale: float = 0.0) -> PixelCast:
    """Return how numbers of a type become pixels.

    Args:
        dtype: Type of the numbers.
        scale: What the user multiplies them with; 0 for nothing.

    Raises:
        NotImagesError: If they are no pixels, or only after a change that the user must ask for.
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "u" and dtype.itemsize <= 2 and not scale:
        return PixelCast(dtype, 0.0)
    if dtype.kind not in "fiub":
        raise NotImagesError(f"is of type {dtype}, which is no number of a pixel")
    if scale:
        return PixelCast(dtype, scale)
    if dtype.kind == "f":
        raise NotImagesError("holds floats; add scale=255 if they are 0..1, scale=1 if they are 0..255")
    if dtype.kind == "b":
        raise NotImagesError("holds truth values; add scale=255 to take them as black and white")
    raise NotImagesError(f"holds {dtype.name}, not 8 or 16 bits; add scale=1 if all are in 0..255")
