"""A conversion to a server that says how much room it has is refused where its images cannot fit."""

from __future__ import annotations

import pytest

from imgstore_tui.core.location import ServerLocation
from imgstore_tui.jobs.convert.prepare import ImagePreparer
from imgstore_tui.jobs.convert.space import SpaceError, check_server_space
from imgstore_tui.plugins import registry

COUNT = 1000
PIXELS = 32 * 32 * 3 * COUNT
PLACE = ServerLocation("mongodb", "photos.example", 27017, "archive")


@pytest.mark.parametrize("text", ["lmdb+raw", "lmdb+png", "hdf5"])
def test_a_store_that_has_no_room_on_a_server_is_refused(text: str) -> None:
    dataset = registry.make_dataset(f"synthetic,size=32,count={COUNT}")
    dataset.scan()
    spec = registry.resolve_spec(text)
    kind = sorted(registry.backends.get(spec.backend).payloads)[0]
    preparer = ImagePreparer(dataset, registry.make_codec(spec), kind, COUNT)
    for free in (None, PIXELS):
        check_server_space(preparer, COUNT, COUNT, PLACE, free)
    with pytest.raises(SpaceError, match=r"needs about .* and mongodb://photos.example:27017/archive has 293 KiB free"):
        check_server_space(preparer, COUNT, COUNT, PLACE, 300_000)
    check_server_space(preparer, COUNT, 10, PLACE, 300_000)
