"""Options that are sizes: what may be written, and what was saved before they had units."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.options import OptionValue, SizeOption, size_bytes
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins.saved_specs import relabelled

OPTION = SizeOption("shard", "1M", "Size of an object.", minimum=2**16, maximum=2**26)


@pytest.mark.parametrize(
    ("value", "text", "size"),
    [
        ("256K", "256K", 2**18), ("256 KiB", "256K", 2**18), ("4m", "4M", 2**22), ("4MB", "4M", 2**22),
        ("1024K", "1M", 2**20), ("1536K", "1536K", 3 * 2**19), ("4", "4M", 2**22), (4, "4M", 2**22),
    ],
)  # fmt: skip
def test_a_size_is_written_in_the_largest_unit_of_which_it_is_a_whole_number(
    value: OptionValue, text: str, size: int
) -> None:
    assert OPTION.parse(value, "backend x") == text
    assert size_bytes(text) == size_bytes(value) == size


@pytest.mark.parametrize("value", ["", "much", "1.5M", "-1M", "256B", "4T", "M", "1M1", True])
def test_what_is_no_size_is_refused(value: OptionValue) -> None:
    with pytest.raises(UsageError, match=r"Option 'shard' of backend x takes a size such as 256K or 4M, not '"):
        OPTION.parse(value, "backend x")


@pytest.mark.parametrize("value", ["1K", "0", "65M", "1G", "999999999G"])
def test_a_size_out_of_range_is_refused_with_the_range(value: str) -> None:
    with pytest.raises(UsageError, match=r"takes a size in 64K\.\.64M, not "):
        OPTION.parse(value, "backend x")


def test_a_spec_that_was_saved_with_a_number_of_mib_is_what_it_was() -> None:
    options = (("layout", "packed"), ("concurrency", 32), ("shard", 4), ("gap", 256))
    saved = Spec("s3", "raw", "tuned", options, label="s3+raw:shard=4")
    assert relabelled(saved).label == "s3:shard=4M"
    assert relabelled(replace(saved, options=(*options[:2], ("shard", "256K"), *options[3:]))).label == (
        "s3:shard=256K"
    )
