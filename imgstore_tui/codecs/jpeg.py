"""JPEG by Pillow: lossy, small, and what cameras write."""

from __future__ import annotations

import re
from typing import Any

from imgstore_tui.core.codec import DEPTH, TRANSPARENCY
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.options import Option
from imgstore_tui.picture_codec import PictureCodec

_MOST = 65_500  # libjpeg's own limit a side
_COMMENT = re.compile(rb"imgstore (HW[134]?(?:/16)?)(?![\w/])")
_NOTE_AT = slice(0, 128)  # the comment stands right behind the JFIF header; readers of JPEG skip it


class JpegCodec(PictureCodec):
    """Grey and RGB at 8 bits, as alike as the quality says and no more; of RGBA the colours, of 16 bits the upper 8."""

    name = "jpeg"
    title = "JPEG"
    picture = "JPEG"
    alpha = False
    deep = False
    lossless = False
    drops = (*PictureCodec.drops, TRANSPARENCY, DEPTH)
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
        fits = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))
        if not fits or dtype not in ("uint8", "uint16") or 0 in shape:
            raise UnsupportedError(
                f"Codec jpeg takes grey, RGB and RGBA images of 8 and 16 bits, not {dtype} of shape {shape}."
            )
        if max(shape) > _MOST:
            raise UnsupportedError(f"Codec jpeg takes images of at most {_MOST:,} pixels a side, not {max(shape):,}.")

    def settings(self, note: str | None) -> dict[str, Any]:
        """Return quality and subsampling, and the note as a comment."""
        chosen: dict[str, Any] = {"quality": self.values["quality"], "subsampling": self.values["subsampling"]}
        if note is not None:
            chosen["comment"] = f"imgstore {note}".encode()
        return chosen

    def note_in(self, payload: bytes) -> str | None:
        """Look for the comment."""
        found = _COMMENT.search(payload[_NOTE_AT])
        return found[1].decode("ascii") if found else None
