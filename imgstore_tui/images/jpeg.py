"""Defines what JPEG codecs share, whichever library writes: limits, options, and the note in a comment."""

from __future__ import annotations

import re

from imgstore_tui.core.codec import DEPTH, TRANSPARENCY
from imgstore_tui.core.options import Option
from imgstore_tui.images.picture_codec import SUBSAMPLING, NotedCodec, check_picture, check_sides

_MOST = 65_500  # libjpeg's limit per side
_COMMENT = re.compile(rb"imgstore (HW[134]?(?:/16)?)(?![\w/])")
_NOTE_AT = slice(0, 128)  # the comment follows the JFIF header; readers of JPEG skip it


class JpegFormat(NotedCodec):
    """Takes grey and RGB of 8 bits, lossily; of RGBA the colours, and of 16 bits the upper 8."""

    alpha = False
    deep = False
    lossless = False
    drops = (*NotedCodec.drops, TRANSPARENCY, DEPTH)
    extension = "jpg"
    options = (
        Option(
            "quality",
            90,
            "1 to 100; 90, where the eye sees no difference and a photograph takes about a tenth of its pixels.",
            minimum=1,
            maximum=100,
        ),
        SUBSAMPLING,
    )

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Raise UnsupportedError for what JPEG cannot hold."""
        check_picture(self.name, shape, dtype)
        check_sides(self.name, shape, _MOST)

    def note_in(self, payload: bytes) -> str | None:
        """Return the note in the comment."""
        match = _COMMENT.search(payload[_NOTE_AT])
        return match[1].decode("ascii") if match else None


def comment(note: str) -> bytes:
    """Return the text of the comment with a note."""
    return f"imgstore {note}".encode()
