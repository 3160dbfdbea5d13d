"""A conversion says that it loses the orientation that EXIF gives to pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support.conversions import plan


@pytest.mark.parametrize(
    ("spec", "orientation", "said"),
    [("disk+png", 6, True), ("disk+png", 1, False), ("disk+original", 6, False)],
)
def test_a_lost_orientation_is_said(spec: str, orientation: int, said: bool, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (4, 8), (1, 2, 3)).save(tmp_path / "photos" / "1.jpg", exif=exif)
    conversion = plan(f'folder:"{tmp_path / "photos"}"', spec, tmp_path / "stored")
    sentences: list[str] = []
    conversion.notify = sentences.append
    conversion.run(lambda doing, done, total: None)
    assert any("1 picture has an orientation in EXIF" in sentence for sentence in sentences) is said
