"""Encodes AVIF by Pillow: lossy, smaller than JPEG and WebP at the same quality, and many times slower to write."""

from __future__ import annotations

import re
from typing import Any

from imgstore_tui.core.codec import DEPTH
from imgstore_tui.core.options import Option
from imgstore_tui.images.picture_codec import SUBSAMPLING, PictureCodec, check_picture, check_sides

_MOST = 32_768  # longest side that libavif decodes
_XMP = re.compile(rb'<imgstore shape="(HW[134]?(?:/16)?)"/>')


class AvifCodec(PictureCodec):
    """Takes RGB and RGBA of 8 bits, grey, which is stored as colours, and of 16 bits the upper 8."""

    name = "avif"
    title = "AVIF"
    picture = "AVIF"
    grey = False
    deep = False
    lossless = False
    extension = "avif"
    drops = (*PictureCodec.drops, DEPTH)
    requires = ("PIL._avif",)
    options = (
        Option(
            "quality",
            75,
            "0 to 100; 75, as Pillow does by itself, where a photograph looks like its original.",
            minimum=0,
            maximum=100,
        ),
        Option(
            "speed",
            6,
            "0 (small) to 10 (quick); 6, as Pillow does by itself; at 10 writing is several times quicker.",
            minimum=0,
            maximum=10,
        ),
        SUBSAMPLING,
    )

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Raise UnsupportedError for what AVIF cannot hold."""
        check_picture(self.name, shape, dtype)
        check_sides(self.name, shape, _MOST)

    def settings(self, note: str | None) -> dict[str, Any]:
        """Return the options, one thread, and the note as metadata."""
        chosen: dict[str, Any] = {name: self.values[name] for name in ("quality", "speed", "subsampling")}
        chosen["max_threads"] = 1  # a run sets the number of workers, and a child must not start more
        if note is not None:
            chosen["xmp"] = f'<imgstore shape="{note}"/>'.encode()
        return chosen

    def note_in(self, payload: bytes) -> str | None:
        """Return the note in the metadata, which may be anywhere in the file."""
        match = _XMP.search(payload)
        return match[1].decode("ascii") if match else None
