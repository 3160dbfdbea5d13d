"""Locates the picture in a record of tf.train.Example: a picture file, or pixels with height, width and channels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imgstore_tui.backends.tfrecord.example import feature_values, features, list_items
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.images import decode
from imgstore_tui.images.decode import MAX_PIXELS
from imgstore_tui.storekit.image_axes import CHANNELS

BYTES, _INT64 = 1, 3
_KINDS = {1: "bytes", 2: "float", 3: "int64"}
_USUAL = (
    "image/encoded", "image", "image_raw", "encoded", "img_raw", "img", "image/bytes", "image_bytes", "jpeg", "jpg",
    "png", "image/raw", "raw", "x", "data", "picture",
)  # fmt: skip
"""Keys of pictures, the likeliest first."""
_SIDES = (
    ("height", "image/height", "rows", "h", "img_height", "image_height"),
    ("width", "image/width", "cols", "w", "img_width", "image_width"),
    ("depth", "channels", "image/channels", "image/depth", "image/colorspace_channels", "num_channels", "c"),
)
_SHAPES = ("image/shape", "shape", "image_shape")
_CERTAIN = frozenset({"PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF", "JXL"})
"""Formats whose first bytes are not those of some pixels: the two of BMP and PPM may be."""
_MOST_LISTED, _LONGEST_LIST = 8, 60
_HEAD = 32

Feature = tuple[int, int, int]
"""Kind of a list of values, where it begins and where it ends in the record."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a record."""

    key: str
    start: int
    stop: int
    shape: tuple[int, ...] | None
    """Shape (H, W, C), or (H, W) for grey, of pixels; None for a picture file."""


class NoPictureError(Exception):
    """A record holds no picture that can be taken; the text says why, as a sentence."""


def features_of(record: bytes) -> dict[str, Feature]:
    """Return the features of a record by name; of a name that is there twice, the last, as protocol buffers has it.

    Raises:
        StoreError: If it is no tf.train.Example.
    """
    return {name.decode("utf-8", "replace"): (kind, start, stop) for name, kind, start, stop in features(record)}


def find_picture(record: bytes, of: Mapping[str, Feature], key: str) -> Picture:
    """Return the picture under a key.

    Raises:
        NoPictureError: If there is none.
        StoreError: If the record is no tf.train.Example.
    """
    shown = safe_text(key)
    feature = of.get(key)
    if feature is None:
        raise NoPictureError(f"It has no feature {shown}.")
    kind, start, stop = feature
    if kind != BYTES:
        raise NoPictureError(f"Its feature {shown} is of {_KINDS[kind]}, not bytes.")
    spans = list(value_spans(record, start, stop, 2))
    if len(spans) != 1:
        number = "no value" if not spans else "several values"
        raise NoPictureError(f"Its feature {shown} has {number}.")
    (begin, end), *_ = spans
    file_kind = decode.sniff(record[begin : min(end, begin + _HEAD)].ljust(_HEAD, b"\0"))
    shape = None if file_kind in _CERTAIN else _shape_of(record, of, end - begin)
    if file_kind is not None and shape is None:
        return Picture(key, begin, end, None)
    if shape is None:
        raise NoPictureError(
            f"Its feature {shown} holds {format_count(end - begin)} bytes that are no picture file, and no fitting "
            "height and width stand beside."
        )
    return Picture(key, begin, end, shape)


def find_key(record: bytes, of: Mapping[str, Feature]) -> tuple[str, tuple[str, ...]]:
    """Return the key that holds the picture, and other keys that could; the first is empty if none does.

    Raises:
        StoreError: If the record is no tf.train.Example.
    """
    pictures: list[Picture] = []
    for key, (kind, _, _) in of.items():
        if kind == BYTES:
            try:
                pictures.append(find_picture(record, of, key))
            except NoPictureError:
                continue
    pictures.sort(
        key=lambda picture: (_USUAL.index(picture.key) if picture.key in _USUAL else len(_USUAL), picture.key)
    )
    files = [picture for picture in pictures if picture.shape is None]
    pixels = [picture for picture in pictures if picture.shape is not None and picture.key in _USUAL]
    chosen = files or pixels
    if not chosen:
        return "", ()
    others = tuple(picture.key for picture in [*files, *pixels] if picture is not chosen[0])
    if chosen[0].key not in _USUAL and len(chosen) > 1:
        return "", tuple(picture.key for picture in chosen)
    return chosen[0].key, others


def why_none(record: bytes, of: Mapping[str, Feature]) -> str:
    """Return as a sentence why a record has no picture: what the likeliest of its keys holds.

    Raises:
        StoreError: If the record is no tf.train.Example.
    """
    keys = [key for key, (kind, _, _) in of.items() if kind == BYTES]
    if not keys:
        return "It has no feature of bytes."
    sizes = {key: of[key][2] - of[key][1] for key in keys}
    key = min(keys, key=lambda key: (_USUAL.index(key) if key in _USUAL else len(_USUAL), -sizes[key], key))
    try:
        find_picture(record, of, key)
    except NoPictureError as reason:
        return str(reason)
    return f"It has no picture under a usual key; its feature {safe_text(key)} may be pixels."


def value_spans(record: bytes, start: int, stop: int, most: int) -> Iterator[tuple[int, int]]:
    """Yield where the values of a list of bytes begin and end, at most so many."""
    for number, (begin, end) in enumerate(list_items(record, start, stop)):
        if number == most:
            return
        yield begin, end


def _shape_of(record: bytes, of: Mapping[str, Feature], size: int) -> tuple[int, ...] | None:
    """Return the shape that is said beside pixels of 8 bits, if it has as many bytes."""
    for name in _SHAPES:
        sides = _whole(record, of, name, 3)
        if len(sides) in (2, 3):
            return _fitting(sides, size)
    height, width, depth = (
        next((values[0] for name in names if (values := _whole(record, of, name, 1))), 0) for names in _SIDES
    )
    if height <= 0 or width <= 0:
        return None
    if not depth and size % (height * width) == 0:
        depth = size // (height * width)
    return _fitting((height, width, depth), size)


def _fitting(sides: Sequence[int], size: int) -> tuple[int, ...] | None:
    height, width, depth = (*sides, 1)[:3]
    if min(height, width) <= 0 or depth not in CHANNELS or math.prod((height, width, depth)) != size:
        return None
    if height * width > MAX_PIXELS:
        return None
    return (height, width) if depth == 1 else (height, width, depth)


def _whole(record: bytes, of: Mapping[str, Feature], name: str, most: int) -> list[int]:
    feature = of.get(name)
    if feature is None or feature[0] != _INT64:
        return []
    return [int(value) for value in feature_values(record, *feature, most)]


def listed(record: bytes, of: Mapping[str, Feature]) -> str:
    """Return the keys of a record with their types, for messages."""
    shown: list[str] = []
    for key, (kind, start, stop) in list(of.items())[:_MOST_LISTED]:
        if sum(map(len, shown)) > _LONGEST_LIST:
            break
        if kind == BYTES:
            sizes = [end - begin for begin, end in value_spans(record, start, stop, 2)]
            size = f" ({format_count(sizes[0])} bytes)" if len(sizes) == 1 else ""
        else:
            size = ""
        shown.append(f"{safe_text(key)[:60]} {_KINDS[kind]}{size}")
    more = len(of) - len(shown)
    return ", ".join(shown) + (f" and {format_count(more)} more" if more > 0 else "") if shown else "no key"
