"""What is known of the data before the first trial is said in sentences, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.bench.run.data_warnings import warnings_of
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Payload
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.listed_images import build_listed

RGB = np.zeros((4, 4, 3), np.uint8)
RGBA = np.zeros((4, 4, 4), np.uint8)
DEEP = np.zeros((4, 4), np.uint16)
RUN = fake_run(["lmdb"], [1, 3])


def warnings(folder: Path, images: list[Any], run: Run = RUN, text: str = "synthetic", **changes: Any) -> list[str]:
    facts, _ = build_listed(folder, images, len(images))
    facts = replace(facts, text=text, **changes)
    return list(warnings_of(run, {text: facts}, {text: folder}))


def with_specs(*texts: str, payload: Payload = Payload.END_TO_END) -> Run:
    return replace(RUN, plan=replace(RUN.plan, specs=tuple(map(resolve_spec, texts)), payload=payload))


def test_ordinary_data_needs_no_warning(tmp_path: Path) -> None:
    assert warnings(tmp_path, [RGB, RGB, RGB], with_specs("disk+jpeg", "lmdb")) == []


def test_repeated_images_are_warned_of(tmp_path: Path) -> None:
    assert warnings(tmp_path, [RGB], repeated=True) == [
        "synthetic has 1 image: cutoffs beyond that repeat them, which a store or file system that deduplicates would "
        "notice."
    ]


@pytest.mark.parametrize(("upto", "most"), [(2, "up to 1 image"), (0, "one image only")])
def test_larger_cutoffs_that_are_left_out_are_warned_of(upto: int, most: str, tmp_path: Path) -> None:
    run = RUN if upto else replace(RUN, plan=replace(RUN.plan, cutoffs=(2, 3)))
    text = f"synthetic,upto={upto or 1}"
    assert warnings(tmp_path, [RGB], run, text) == [
        f"{text} is run with {most}: its option upto leaves larger cutoffs out."
    ]


def test_files_that_cannot_take_part_are_counted(tmp_path: Path) -> None:
    assert warnings(tmp_path, [RGB], excluded_count=1_234) == [
        f"synthetic: 1,234 files could not be used and were left out; to list them: imgstore-tui show {RUN.id} all"
    ]


def test_what_a_codec_drops_is_said_once_for_all_its_methods(tmp_path: Path) -> None:
    run = with_specs("disk+jpeg", "lmdb+jpeg", "disk+png", "lmdb")
    assert warnings(tmp_path, [RGBA, RGB, RGBA], run) == [
        "synthetic: 2 images have an alpha channel; jpeg drops transparency."
    ]


def test_one_deep_image_is_said_in_the_singular(tmp_path: Path) -> None:
    (warning,) = warnings(tmp_path, [DEEP, RGB], with_specs("disk+jpeg"))
    assert warning.startswith("synthetic: 1 image has 16 bits a channel; jpeg drops ")


def test_no_codec_drops_anything_of_raw_pixels(tmp_path: Path) -> None:
    assert warnings(tmp_path, [RGBA], with_specs("disk+jpeg", payload=Payload.RAW)) == []


def test_another_device_than_that_of_the_data_is_warned_of(tmp_path: Path) -> None:
    run = replace(RUN, environment=replace(RUN.environment, same_device_as_data=False))
    assert warnings(tmp_path, [RGB], run) == ["The stores are made on another device than the data: /scratch."]
