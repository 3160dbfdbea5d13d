"""What a user names in files of other programs, as options of the dataset store."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgstore_tui.core.errors import DataError, UsageError
from imgstore_tui.core.foreign_layout import NOTHING_NAMED, OPTIONS, ForeignLayout
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import StoreSetup, is_sentence


def test_every_field_is_an_option() -> None:
    assert ForeignLayout.of({option.name: option.default for option in OPTIONS}) == NOTHING_NAMED
    assert NOTHING_NAMED.named == ()
    assert ForeignLayout.of({"axes": "nchw", "image": "x"}).named == ("image", "axes")


@pytest.mark.parametrize("axes", ["NN", "N", "NHWX", "HWHC", "NHC"])
def test_an_order_that_is_none_is_refused(axes: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Option 'axes'") as caught:
        registry.make_dataset(f"store:{tmp_path},axes={axes}")
    assert is_sentence(str(caught.value))


def test_a_store_of_this_program_takes_no_layout(tmp_path: Path) -> None:
    setup = StoreSetup.of("npy")
    setup.make(tmp_path / "store", setup.material([(4, 4, 3)] * 2))
    dataset = registry.make_dataset(f"store:{tmp_path / 'store'},image=x,axes=NCHW")
    with pytest.raises(DataError, match="leave out image, axes") as caught:
        dataset.scan()
    assert is_sentence(str(caught.value))
