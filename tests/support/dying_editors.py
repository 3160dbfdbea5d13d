"""Changes of stores that a process does not live to close, and what must be there afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.store_material import Material, StoreSetup
from tests.support.entry_points import ROOT

_SHAPE = (6, 4, 3)
_SCRIPT = """
import os, sys
from pathlib import Path
import numpy as np
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.store_material import StoreSetup

editor = StoreSetup.of(sys.argv[1]).backend.edit(Path(sys.argv[2]), SyncLevel(sys.argv[3]))
editor.put_array([8], np.full((1, 6, 4, 3), 5, np.uint8), np.array([55]))
os._exit(0)
"""


def check_put_of_a_process_that_dies(method: str, location: Path, durable: dict[SyncLevel, bool]) -> None:
    """Let a process put a ninth image and die; the store is whole, with the image or without, and can be changed.

    Args:
        method: The storage method; its store is made.
        location: Where.
        durable: Whether the image is there afterwards, by the sync level, in this order.
    """
    setup = StoreSetup.of(method)
    material = setup.material([_SHAPE] * 8)
    setup.make(location, material)
    for level, is_there in durable.items():
        subprocess.run([sys.executable, "-c", _SCRIPT, method, str(location), level.value], check=True, cwd=ROOT)
        with setup.backend.open(location) as reader:
            assert reader.read_labels().tolist() == [*range(8), *([55] if is_there else [])]
            material.check(reader, range(8))
    with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
        editor.delete([8])
    with setup.backend.open(location) as reader:
        assert reader.read_labels().tolist() == [*range(8)]


def check_editor_that_is_not_closed(setup: StoreSetup, location: Path, first: Material) -> None:
    """Add images and drop the editor as the kernel does: the store is as it was, and the same images can be added.

    Args:
        setup: The storage method; its store is made.
        location: Where.
        first: The five images that are stored before.
    """
    material = setup.material([_SHAPE] * 12)
    setup.make(location, first)
    editor = setup.backend.edit(location, SyncLevel.BUFFERED)
    material.put(editor, 5, 9)
    editor._release()  # type: ignore[attr-defined] # as the kernel does, without a word
    first.check_store(setup.backend, location)
    with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
        material.put(editor, 5, 12)
    material.check_store(setup.backend, location)
