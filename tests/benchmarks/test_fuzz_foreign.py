"""Every foreign format as usual, and with one property at a time that is not: read as its ecosystem reads it."""

from __future__ import annotations

import pytest

from tests.benchmarks.fuzz_foreign import LAYOUTS, run

EXTRAS = {"pyarrow": "arrow", "google_crc32c": "tfrecord", "zarr": "zarr", "webdataset": "webdataset"}


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LAYOUTS)
def test_one_property_at_a_time(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    layout = LAYOUTS[name]
    if layout.requires:
        extra = EXTRAS[layout.requires]
        pytest.importorskip(layout.requires, reason=f"{layout.requires} is not installed (extra {extra})")
    tally = run(layout, count=0, seed=0, verbose=False)
    assert tally["wrong"] == 0, capsys.readouterr().out
    assert tally["equal"] > tally.total() // 2
