"""Decodes picture files by Pillow, with bounds on size and formats; the only module that does.

Eight formats are accepted, recognised by their first bytes and not by their names; HEIF only if pillow-heif is
installed. A picture of more than 128 Mpx is refused before a pixel is decoded. Any defect of a file is a ``DataError``
of one sentence, without the path.

The result is the first picture of a file, with pixels as stored. The EXIF orientation of JPEG, PNG, WebP and AVIF is
not applied: ``original`` (the file's own bytes) and the other codecs would hold different pixels, and rotating takes
time that no storage system causes. (The orientation of TIFF and HEIF is part of the format; the libraries apply it to
shape and pixels.) Colour profiles are not applied either.

Modes: grey stays (H, W), uint8, or uint16 at more than 8 bits; 1 bit becomes 0 and 255; a palette becomes RGB, or RGBA
where it is transparent; grey with alpha becomes RGBA, and so do grey and RGB with a transparent colour (tRNS of PNG);
CMYK and YCbCr become RGB; 0 is black, also where a TIFF stores it as white. Colour at 16 bits a channel is
refused, because Pillow would quietly cut it to 8; so are 32-bit and floating-point pixels, and grey of 16 bits with a
transparent value.
"""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np

from imgstore_tui.core.errors import DataError
from imgstore_tui.core.install_hint import install_command
from imgstore_tui.images.further import further_pictures, may_hold_further

if TYPE_CHECKING:
    from PIL import Image

    from imgstore_tui.core.content import Pixels

MAX_PIXELS = 128_000_000
"""Pictures of more pixels are refused, however small their file is."""

SUFFIXES: frozenset[str] = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".bmp", ".dib", ".tif", ".tiff"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".heic", ".heif", ".hif", ".jxl"),
    }
)
"""Suffixes, in lower case, of files that are probably pictures."""

UNDECODED_SUFFIXES: frozenset[str] = frozenset({
    ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dcm", ".dds", ".dng", ".erf", ".exr", ".fits", ".gif", ".hdr",
    ".iiq", ".j2c", ".j2k", ".jp2", ".jpc", ".jpf", ".jpx", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf",
    ".pcx", ".pef", ".psd", ".raf", ".raw", ".rw2", ".rwl", ".sgi", ".sr2", ".srf", ".srw", ".svg", ".tga", ".x3f",
})  # fmt: skip
"""Suffixes, in lower case, of pictures without a decoder here."""

EXTENSIONS = {
    "PNG": "png",
    "JPEG": "jpg",
    "WEBP": "webp",
    "BMP": "bmp",
    "TIFF": "tif",
    "PPM": "ppm",
    "AVIF": "avif",
    "HEIF": "heic",
    "JXL": "jxl",
}
"""Accepted formats by Pillow's names, each with the suffix of files that are written, without the dot."""

_HEAD = 32  # first bytes that show the format, and the depth of a PNG
_POINTER = b"version https://git-lfs"
_BOXES = 2**16  # first bytes of an AVIF that show how it is coded
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_JXL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")

# Conversions of Pillow's modes that are not kept. A palette is handled apart; any other mode is refused.
_CONVERT = {"1": "L", "LA": "RGBA", "PA": "RGBA", "RGBa": "RGBA", "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}
_CHANNELS: dict[str, tuple[int, ...]] = {"L": (), "RGB": (3,), "RGBA": (4,)}
_ORIENTED = frozenset({"JPEG", "PNG", "WEBP", "AVIF"})
"""Formats whose EXIF orientation is not applied."""
_ORIENTATION = 0x0112
_EXIF_MARKS = (b"Exif", b"eXIf", b"EXIF")
"""One of them stands before EXIF in a JPEG and an AVIF, a PNG, and a WebP."""
_PHOTOMETRIC, _WHITE_IS_0 = 262, 0
"""The tag of a TIFF that says what its values mean, and its value for *0 is white*."""
_GREY_16 = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})


class NoDecoderError(DataError):
    """A picture of a known format without a decoder here; its bytes can be stored as they are."""


def undecoded_reason(suffix: str) -> str:
    """Return why a picture is left out whose kind, by its suffix, has no decoder here."""
    return f"Pictures of the kind {suffix} are not decoded here."


def sniff(data: bytes) -> str | None:
    """Return the format (a key of ``EXTENSIONS``) by a file's first bytes, or None."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if data.startswith(b"BM"):
        return "BMP"
    if data[:1] == b"P" and data[1:2] in {b"1", b"2", b"3", b"4", b"5", b"6"} and data[2:3].isspace():
        return "PPM"
    if data[4:8] == b"ftyp":
        brands = {data[offset : offset + 4] for offset in range(16, _HEAD, 4)} | {data[8:12]}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        return "HEIF" if data[8:12] in _HEIF_BRANDS else None
    return "JXL" if data.startswith(_JXL) else None


def decode(data: bytes, only: str | None = None) -> Pixels:
    """Decode a picture file.

    Args:
        data: All bytes of the file.
        only: The expected format; None for any.

    Returns:
        An owned array: uint8 (H, W), (H, W, 3) or (H, W, 4), or uint16 (H, W).

    Raises:
        DataError: If it is not a picture, of a format that is not accepted, too large, truncated or damaged.
    """
    with _Opened(io.BytesIO(data), data[:_HEAD], only) as picture:
        pixels = picture.pixels()
    # Pillow returns read-only memory; callers may write to an owned array.
    return pixels if pixels.flags.writeable else pixels.copy()


def decode_into(data: bytes, out: Pixels, only: str | None = None) -> None:
    """Decode a picture file into the caller's array, with one copy less than ``decode``.

    Raises:
        DataError: As ``decode``, and if the picture does not have the shape and dtype of ``out``.
    """
    with _Opened(io.BytesIO(data), data[:_HEAD], only) as picture:
        if picture.shape != out.shape or out.dtype != picture.dtype:
            raise DataError(
                f"The picture has shape {picture.shape} and type {picture.dtype}, not {out.shape} and {out.dtype}."
            )
        np.copyto(out, picture.pixels())


def probe(path: Path) -> tuple[tuple[int, ...], str]:
    """Return shape and dtype of what ``decode`` would return, from the file's header alone.

    Raises:
        DataError: As ``decode``, as far as the header shows the defect, and if the file cannot be read.
    """
    return probe_whole(path)[:2]


def probe_whole(path: Path) -> tuple[tuple[int, ...], str, bool, int]:
    """Return shape and dtype as ``probe`` does, and what pixels do not keep.

    That is whether EXIF says that the picture is to be turned to be shown, and the number of further pictures in the
    file: pages, frames.

    Raises:
        DataError: As ``probe``.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(0)
            with _Opened(file, head, None) as picture:
                return picture.shape, picture.dtype, picture.turned, picture.further
    except OSError as error:
        raise DataError(f"The file cannot be read: {error.strerror or error}.") from None


def is_turned(data: bytes) -> bool:
    """Whether EXIF says that a picture, of which these are all bytes, is to be turned to be shown."""
    if not any(mark in data for mark in _EXIF_MARKS):  # without a look by Pillow, which takes longer
        return False
    try:
        with _Opened(io.BytesIO(data), data[:_HEAD], None) as picture:
            return picture.turned
    except DataError:
        return False


def further_in(data: bytes) -> int:
    """Return how many pictures a file, of which these are all bytes, holds behind its first; 0 if it is damaged."""
    kind = sniff(data[:_HEAD].ljust(_HEAD, b"\0"))
    if kind is None or not may_hold_further(data, kind):
        return 0
    try:
        with _Opened(io.BytesIO(data), data[:_HEAD], None) as picture:
            return picture.further
    except DataError:
        return 0


class _Opened:
    """A picture whose header has been read and checked; every failure becomes a ``DataError``."""

    def __init__(self, file: IO[bytes], head: bytes, only: str | None) -> None:
        format_name = sniff(head)
        if format_name is None and head.startswith(_POINTER):
            raise DataError("It is a pointer of git-lfs, not the picture; get that first: git lfs pull.")
        if format_name is None:
            raise DataError(f"It is no picture of a kind that is taken ({', '.join(EXTENSIONS)}).")
        if only is not None and format_name != only:
            raise DataError(f"It is a {format_name} picture, not {only}.")
        self._file, self._format, self._head = file, format_name, head

    def __enter__(self) -> Self:
        opener = _opener(self._format)
        try:
            self._image = opener(self._file)
        except Exception as error:
            raise _damaged(self._format, error) from None
        # The file belongs to the caller, and Pillow's image has nothing else to close.
        width, height = self._image.size
        if width * height > MAX_PIXELS:
            raise DataError(f"It has {width} x {height} pixels, more than the {MAX_PIXELS:,} that are taken.")
        self._mode, channels, self.dtype = self._target()
        self.shape: tuple[int, ...] = (height, width, *channels)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, DataError | MemoryError):
            raise _damaged(self._format, error) from None

    @property
    def turned(self) -> bool:
        """Whether EXIF, which no pixels keep, gives an orientation other than as stored."""
        if self._format not in _ORIENTED or "exif" not in self._image.info:
            return False
        try:
            return self._image.getexif().get(_ORIENTATION, 1) in range(2, 9)
        except Exception:
            return False

    @property
    def further(self) -> int:
        """Number of pictures behind the first; asked for before ``pixels``, or instead."""
        return further_pictures(self._image, self._format, self._file)

    def pixels(self) -> Pixels:
        """Decode into memory that only the caller references, but that may be read-only."""
        image = self._image if self._image.mode == self._mode else self._image.convert(self._mode)
        pixels: Pixels = np.asarray(image)
        if self._transparent is not None:
            pixels = _with_alpha(pixels, self._transparent)
        if self._white_is_0:
            pixels = np.invert(pixels.astype(np.uint16))
        if self.dtype == "uint16":
            pixels = pixels.astype(
                np.uint16, copy=False
            )  # from either byte order, or from 32 bits with 16 significant ones
        if pixels.shape != self.shape:
            raise DataError(f"It decodes to {pixels.shape} where its header says {self.shape}.")
        return pixels

    def _target(self) -> tuple[str, tuple[int, ...], str]:
        mode = self._image.mode
        self._transparent = self._transparent_colour()
        self._white_is_0 = False
        if mode in _GREY_16:
            if self._transparent is not None:
                raise DataError("It is 16-bit grey with a transparent value, which would be lost; no kind keeps both.")
            # Pillow inverts 8 bits, but not 16.
            self._white_is_0 = self._format == "TIFF" and self._tag(_PHOTOMETRIC) == _WHITE_IS_0
            return mode, (), "uint16"
        if mode == "I" and self._format == "PPM":
            return mode, (), "uint16"
        if mode == "P":
            mode = "RGBA" if "transparency" in self._image.info else "RGB"
        mode = _CONVERT.get(mode, mode)
        if mode not in _CHANNELS:
            raise DataError(
                f"Its pixels are of mode {mode}, which is not taken; 8-bit grey, RGB, RGBA, 16-bit grey are."
            )
        if self._cut_to_8_bits():
            raise DataError("It has more than 8 bits a channel in colour, which would be lost; only grey keeps 16.")
        return mode, _CHANNELS["RGBA" if self._transparent is not None else mode], "uint8"

    def _tag(self, tag: int) -> Any:
        tags: Any = getattr(self._image, "tag_v2", {})
        return tags.get(tag)

    def _transparent_colour(self) -> tuple[int, ...] | None:
        """Return the value or the colour that a PNG without a palette says is transparent; None if it says none."""
        if self._format != "PNG" or self._image.mode == "P":
            return None
        value = self._image.info.get("transparency")
        if isinstance(value, int):  # in the bits of the file, and pixels are scaled to 8
            depth = self._head[24]
            return (value,) if depth > 8 else ((value & (1 << depth) - 1) * (255 // ((1 << depth) - 1)),)
        return tuple(part & 255 for part in value) if isinstance(value, tuple) and len(value) == 3 else None

    def _cut_to_8_bits(self) -> bool:
        """Whether Pillow would silently drop bits."""
        image: Any = self._image
        if self._format == "PNG":
            return self._head[24] == 16  # the depth in IHDR; grey at 16 bits is handled before
        if self._format == "TIFF":
            return any(bits > 8 for bits in image.tag_v2.get(258, ()))  # BitsPerSample
        if self._format == "PPM":
            arguments = image.tile[0].args  # (raw mode, largest value) if that is not 255
            return isinstance(arguments, tuple) and len(arguments) > 1 and int(arguments[1]) > 255
        if self._format == "HEIF":
            return int(image.info.get("bit_depth", 8)) > 8
        if self._format == "AVIF":
            self._file.seek(0)
            boxes = self._file.read(_BOXES).split(b"av1C")[1:]
            return any(len(box) > 2 and box[2] & 0x40 for box in boxes)  # high_bitdepth
        return False


def _with_alpha(pixels: Any, transparent: tuple[int, ...]) -> Any:
    """Return grey (H, W) or RGB (H, W, 3) as RGBA (H, W, 4), where one colour is transparent."""
    colours = pixels if pixels.ndim == 3 else pixels[..., None]
    out = np.empty((*pixels.shape[:2], 4), np.uint8)
    out[..., :3] = colours
    out[..., 3] = np.where((colours == np.array(transparent, np.uint8)).all(-1), 0, 255)
    return out


def _damaged(kind: str, error: Exception) -> DataError:
    lines = str(error).strip().splitlines()
    detail = f" ({lines[0][:120].rstrip('.')})" if lines else ""
    return DataError(f"The {kind} picture is damaged or cut short{detail}.")


@functools.cache
def _opener(kind: str) -> Callable[[IO[bytes]], Image.Image]:
    """Return the opener of a format: a class of a Pillow plug-in, which skips the limit of ``Image.open``.

    Raises:
        NoDecoderError: If there is no decoder for it.
    """
    if kind in (classes := _classes()):
        return classes[kind]
    if kind == "AVIF":
        from PIL import AvifImagePlugin

        if AvifImagePlugin.SUPPORTED:
            AvifImagePlugin.DEFAULT_MAX_THREADS = (
                1  # otherwise one image uses every core, whatever number of workers is set
            )
            return AvifImagePlugin.AvifImageFile
        raise NoDecoderError("It is an AVIF picture, which this build of Pillow does not decode.")
    if kind == "HEIF":
        try:
            import pillow_heif
            from pillow_heif.as_plugin import HeifImageFile
        except ImportError:
            raise NoDecoderError(
                f"It is a HEIF picture, which needs pillow-heif (under the GPLv2). Run: {_heif_command()}."
            ) from None
        pillow_heif.options.DECODE_THREADS = 1
        opened: Callable[[IO[bytes]], Image.Image] = HeifImageFile
        return opened
    raise NoDecoderError("It is a JPEG XL picture, which is not decoded here.")


@functools.cache
def _heif_command() -> str:
    return install_command("imgstore_tui", "heif", ["pillow-heif"])


@functools.cache
def _classes() -> dict[str, Callable[[IO[bytes]], Image.Image]]:
    """Import Pillow on first use."""
    from PIL import (
        BmpImagePlugin,
        Image,
        JpegImagePlugin,
        PngImagePlugin,
        PpmImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # the TIFF plug-in has its own check, which would warn from 89 Mpx on
    # Warnings about odd metadata must not be printed into a terminal that shows a screen.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    return {
        "PNG": PngImagePlugin.PngImageFile,
        "JPEG": JpegImagePlugin.jpeg_factory,
        "WEBP": WebPImagePlugin.WebPImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
        "PPM": PpmImagePlugin.PpmImageFile,
    }
