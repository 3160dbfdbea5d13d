"""Writes a store and waits to be killed: ``python -m imgstore_tui.testing.killed_writer SPEC ADDRESS LEVEL``.

One line on standard input holds the secrets as JSON; one line on standard output says that half of the images are put.
"""

from __future__ import annotations

import json
import sys
import time

from imgstore_tui.core import credentials
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import StoreSetup


def main() -> None:
    """Put half of the images."""
    credentials.hold(json.loads(sys.stdin.readline()))
    setup = StoreSetup.of(sys.argv[1])
    material = setup.material([(40, 41, 3)] * 40)
    location = registry.parse_location(sys.argv[2])
    writer = setup.backend.create(location, material.content, SyncLevel(sys.argv[3]))
    material.put(writer, 0, 20)
    print("half", flush=True)  # noqa: T201 - it is what the suite waits for
    time.sleep(600)


if __name__ == "__main__":
    main()
