"""Writes a store under a file size limit: ``python -m imgstore_tui.testing.disk_full SPEC LOCATION BYTES``.

The kernel refuses to let a file grow, as on a full disk. The output is ``refused`` and the sentence, or ``written``;
an exception that is not a ``StoreError`` ends the process.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from imgstore_tui.core.errors import StoreError
from imgstore_tui.testing.store_material import StoreSetup, is_sentence


def main() -> None:
    """Write a store, print the outcome, and exit without clean-up, in which a driver may crash over its broken file."""
    setup, location, most = StoreSetup.of(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    material = setup.material([(40, 41, 3)] * 200)
    setup.make(location.parent / "warm", setup.material([(3, 3, 3)]))  # libraries loaded, caches written
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        setup.make(location, material)
    except StoreError as error:
        if not is_sentence(error):
            raise
        sys.stdout.write(f"refused: {error}\n")
    else:
        sys.stdout.write("written\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
