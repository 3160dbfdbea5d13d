"""Encodes JPEG by Pillow: lossy, small, and what cameras write."""

from __future__ import annotations

from typing import Any

from imgstore_tui.images.jpeg import JpegFormat, comment
from imgstore_tui.images.picture_codec import PictureCodec


class JpegCodec(JpegFormat, PictureCodec):
    """Writes and reads JPEG by Pillow."""

    name = "jpeg"
    title = "JPEG"
    picture = "JPEG"

    def settings(self, note: str | None) -> dict[str, Any]:
        """Return quality and subsampling, and the note as a comment."""
        chosen: dict[str, Any] = {"quality": self.values["quality"], "subsampling": self.values["subsampling"]}
        if note is not None:
            chosen["comment"] = comment(note)
        return chosen
