"""Tests previews of datasets and of the scratch folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import DataError, ImgstoreError
from imgstore_tui.jobs.preview import (
    LARGEST_EDGE,
    PreviewCancelledError,
    find_scratch_place,
    preview_dataset,
    thumbnail,
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, edge in (("cats", 300), ("dogs", 20)):
        (tmp_path / name).mkdir()
        for index in range(4):
            Image.new("RGB", (edge, 2 * edge), (index * 60, 90, 200)).save(tmp_path / name / f"{index}.png")
    (tmp_path / "broken.png").write_text("no picture")
    return tmp_path


def test_what_is_there_is_told(photos: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in photos.rglob("*")}
    preview = preview_dataset(f"folder:{photos}", 1000, thumbnails=6)
    assert preview.size.images == 8
    assert preview.size.has_files
    facts = dict(preview.facts)
    assert facts["labels"] == "cats (4), dogs (4)"
    assert facts["sizes"] == "20x40 to 300x600 among those shown"
    assert facts["left out"].startswith("1 file, e.g. broken.png")
    assert len(preview.thumbnails) == 6
    assert {picture.label for picture in preview.thumbnails} == {"cats", "dogs"}
    assert all(max(picture.pixels.shape) <= LARGEST_EDGE for picture in preview.thumbnails)
    assert before == {path: path.stat().st_mtime_ns for path in photos.rglob("*")}, "only ever read"


def test_data_without_pixels_has_no_pictures(photos: Path) -> None:
    preview = preview_dataset(f"folder:{photos},decode=no", 10, thumbnails=6)
    assert preview.thumbnails == ()
    assert preview.size.images == 9


def test_endless_data_is_looked_at_in_no_time() -> None:
    preview = preview_dataset("synthetic,varying=yes", 10, thumbnails=3)
    assert [picture.label for picture in preview.thumbnails] == ["0", "1", "2"]
    assert dict(preview.facts).keys() == {"sizes"}


@pytest.mark.parametrize("text", ["folder:/no/such/place", "nonsense", "cifar10:/etc/passwd", "folder:/etc/passwd"])
def test_what_cannot_be_seen_is_said(text: str) -> None:
    with pytest.raises(ImgstoreError):
        preview_dataset(text, 10)


def test_it_can_be_left_also_where_nothing_is_found(tmp_path: Path) -> None:
    for number in range(1200):
        (tmp_path / f"{number}.txt").touch()
    steps = []

    def leave(what: str, done: int, total: int | None) -> None:
        steps.append(what)
        raise PreviewCancelledError

    with pytest.raises(PreviewCancelledError):
        preview_dataset(f"folder:{tmp_path}", 10, progress=leave)
    assert steps == ["looking for pictures"]
    with pytest.raises(DataError):
        preview_dataset(f"folder:{tmp_path}", 10)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (7, 9, 1), (7, 9, 3), (7, 9, 4), (300, 200, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_any_image_is_made_small(shape: tuple[int, ...], dtype: type) -> None:
    made = thumbnail(np.zeros(shape, dtype))
    assert made.dtype == np.uint8
    assert made.shape[2] == 3
    assert 1 <= max(made.shape[:2]) <= LARGEST_EDGE
    assert min(made.shape[:2]) >= 1


def test_the_place_for_the_stores_is_the_one_that_a_run_takes(tmp_path: Path) -> None:
    scratch = find_scratch_place(str(tmp_path), ["synthetic"])
    assert scratch.path == tmp_path.resolve()
    assert str(tmp_path) in scratch.text
    assert "free" in scratch.text
    assert scratch.shortage(None) == ""
    assert find_scratch_place(None, ["synthetic"]).path == Path.cwd()


def test_a_place_in_the_data_is_refused(photos: Path) -> None:
    with pytest.raises(ImgstoreError, match="lies in the data"):
        find_scratch_place(str(photos / "cats"), [f"folder:{photos}"])
    assert find_scratch_place(str(photos), ["folder:/no/such"]).path == photos.resolve()
