"""From one image to ten thousand, of one shape and of many, and one of 20 MB, into each server and back."""

from __future__ import annotations

import numpy as np
import pytest

from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.store_material import Shape
from tests.support.server_places import setup_of
from tests.support.servers import PREFIX

SERVERS = (
    "postgres", "mysql", "mariadb", "mongodb", "cassandra", "seaweedfs", "s3proxy", "fake-gcs", "azurite",
)  # fmt: skip
SHAPES: dict[str, list[Shape]] = {
    "uniform": [(32, 32, 3)] * 10_000,
    "varying": [(1 + number % 40, 1 + number % 30, 3) for number in range(10_000)],
}
pytestmark = pytest.mark.timeout(600)


@pytest.mark.full
@pytest.mark.parametrize("count", [1, 100, 10_000])
@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", SERVERS, indirect=True)
def test_so_many_images_come_back(name: str, count: int, shapes: list[Shape], place: ServerLocation) -> None:
    one = setup_of(name)
    material = one.material(shapes[:count])
    location = place.child(f"{PREFIX}many")
    with one.backend.create(location, material.content, SyncLevel.BUFFERED) as writer:
        material.put(writer, batch=256)
    with one.backend.open(location) as reader:
        for first in range(0, count, 1000):
            material.check(reader, range(first, min(first + 1000, count)))
        material.check(reader, list(range(count - 1, -1, -37)))
        assert reader.read_labels().tolist() == material.labels.tolist()


@pytest.mark.parametrize("name", SERVERS, indirect=True)
def test_an_image_of_20_mb_comes_back(name: str, place: ServerLocation) -> None:
    one = setup_of(name)
    image = np.random.default_rng(1).integers(0, 255, (2600, 2600, 3), np.uint8)
    material = one.pack([image], [7])
    material.check_store(one.backend, one.make(place.child(f"{PREFIX}large"), material))
