"""JPEG by Pillow: lossy, small, and what cameras write."""

from __future__ import annotations

from typing import Any

from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.options import Option
from imgstore_tui.picture_codec import ONE_CHANNEL, PictureCodec

_MOST = 65_500  # libjpeg's own limit a side
_COMMENT = f"imgstore {ONE_CHANNEL}".encode()
_NOTE_AT = slice(0, 128)  # the comment stands right behind the JFIF header; readers of JPEG skip it


class JpegCodec(PictureCodec):
    """Grey and RGB at 8 bits, as alike as the quality says and no more."""

    name = "jpeg"
    title = "JPEG"
    picture = "JPEG"
    lossless = False
    extension = "jpg"
    options = (
        Option(
            "quality",
            90,
            "1 to 100; 90, where the eye sees no difference and a photograph takes about a tenth of its pixels.",
            minimum=1,
            maximum=100,
        ),
        Option(
            "subsampling",
            "4:2:0",
            "How fine colour is kept beside brightness; 4:2:0, a quarter, as cameras and Pillow do by themselves.",
            choices=("4:4:4", "4:2:2", "4:2:0"),
        ),
    )

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Refuse what JPEG has no place for."""
        channels = shape[2] if len(shape) == 3 else 1
        if len(shape) not in (2, 3) or channels not in (1, 3) or dtype != "uint8" or 0 in shape:
            raise UnsupportedError(f"Codec jpeg takes 8-bit grey and RGB images, not {dtype} of shape {shape}.")
        if max(shape) > _MOST:
            raise UnsupportedError(f"Codec jpeg takes images of at most {_MOST:,} pixels a side, not {max(shape):,}.")

    def settings(self, note: str | None) -> dict[str, Any]:
        """Return quality and subsampling, and a comment for an axis of one."""
        chosen: dict[str, Any] = {"quality": self.values["quality"], "subsampling": self.values["subsampling"]}
        if note == ONE_CHANNEL:
            chosen["comment"] = _COMMENT
        return chosen

    def note_in(self, payload: bytes) -> str | None:
        """Look for the comment."""
        return ONE_CHANNEL if _COMMENT in payload[_NOTE_AT] else None
