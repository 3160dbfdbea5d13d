"""Tests thumbnails drawn with characters."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.color import Color

from imgstore_tui.present.charts.contact_sheet import PixelStyle, contact_sheet, full_rows

RED, BLUE = (250, 10, 20), (10, 20, 250)


def picture(height: int, width: int, colour: tuple[int, int, int] = RED) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


@pytest.mark.parametrize("drawing", list(PixelStyle))
@pytest.mark.parametrize(("width", "height"), [(34, 9), (34, 16), (80, 30), (120, 5), (12, 40), (5, 3)])
@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_it_never_goes_beyond_its_room(drawing: PixelStyle, width: int, height: int, count: int) -> None:
    pictures = [(picture(3 + 7 * number, 40), "a long label [red]") for number in range(count)]
    lines = contact_sheet(pictures, width, height, drawing).plain.split("\n")
    assert len(lines) <= height
    assert max(cell_len(line) for line in lines) <= width


@pytest.mark.parametrize("room", [(0, 0), (3, 3), (80, 1), (-1, 5)])
def test_no_room_and_no_pictures_are_nothing(room: tuple[int, int]) -> None:
    assert contact_sheet([(picture(8, 8), "x")], *room, PixelStyle.BLOCKS).plain == ""
    assert contact_sheet([], 80, 24, PixelStyle.BLOCKS).plain == ""


def test_blocks_have_the_colours_of_the_pixels() -> None:
    pixels = np.concatenate([picture(4, 8), picture(4, 8, BLUE)])
    sheet = contact_sheet([(pixels, "flag")], 8, 5, PixelStyle.BLOCKS)
    assert sheet.plain == "\n".join(["▀" * 8] * 4 + ["  flag  "])
    styles = [span.style for span in sheet.spans if span.style != "dim"]
    assert styles[0].color == Color.from_rgb(*RED)  # type: ignore[union-attr]
    assert styles[-1].bgcolor == Color.from_rgb(*BLUE)  # type: ignore[union-attr]


def test_proportions_are_kept() -> None:
    wide = contact_sheet([(picture(10, 40), "w")], 20, 11, PixelStyle.SHADES).plain.split("\n")
    drawn = [line for line in wide[:-1] if line.strip()]
    assert len(drawn) in (2, 3), "20 cells across are 5 pixels down, two of them a line"
    assert all(len(line.strip()) == 20 for line in drawn)


def test_shades_go_from_dark_to_light_and_the_other_way_on_a_light_background() -> None:
    ramp = np.repeat(np.linspace(0, 255, 20).astype(np.uint8)[None, :, None], 20, 0).repeat(3, 2)
    dark, light = (contact_sheet([(ramp, "")], 20, 11, PixelStyle.SHADES, light=on).plain for on in (False, True))
    assert (dark.split("\n")[3][0], dark.split("\n")[3][-1]) == (" ", "@")
    assert (light.split("\n")[3][0], light.split("\n")[3][-1]) == ("@", " ")
    assert dark.isascii()


def test_labels_of_wide_letters_are_cut_to_whole_letters() -> None:
    sheet = contact_sheet([(picture(8, 8), "猫猫猫猫猫猫")], 7, 5, PixelStyle.SHADES)
    assert cell_len(sheet.plain.split("\n")[-1]) == 7


@pytest.mark.parametrize("room", [(32, 18), (74, 30), (40, 8), (8, 40)])
@pytest.mark.parametrize("pictures", range(2, 13))
def test_every_row_is_full_where_there_are_pictures_enough(room: tuple[int, int], pictures: int) -> None:
    count = full_rows(pictures, 13, *room)
    assert 1 <= count <= 13
    shown = [(picture(8, 8), "here")] * count
    captions = [line for line in contact_sheet(shown, *room, PixelStyle.SHADES).plain.split("\n") if "here" in line]
    assert len({line.count("here") for line in captions}) == 1
    assert full_rows(pictures, 2, *room) == 2, "few are shown as they are"
