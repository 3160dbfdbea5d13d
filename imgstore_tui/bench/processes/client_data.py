"""Makes the pictures that clients compare with, on a machine that does not see those of the run; proven the same."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from imgstore_tui.bench.processes.child import reason_of
from imgstore_tui.bench.protocol.client_messages import ClientData
from imgstore_tui.bench.trial.pixel_cache_writer import build_pixel_cache
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.json_values import from_json
from imgstore_tui.plugins import registry


def folder_name(fingerprint: str, count: int) -> str:
    """Return the name of the folder of some pictures: named by what is in it."""
    return f"imgstore-tui-{fingerprint}-{count}"


def make_pictures(data: ClientData, folder: Path) -> None:
    """Write the pixel cache of a dataset, unless it is there.

    Args:
        data: Which pictures.
        folder: Where; whole or absent.

    Raises:
        DataError: If they are other pictures here than where the run began.
        ImgstoreError: If they cannot be read here.
    """
    if folder.exists():
        return
    dataset = registry.make_dataset(data.dataset)
    dataset.image_limit = data.count
    dataset.scan()
    partial = folder.with_name(f"{folder.name}.part")
    partial.mkdir(parents=True, exist_ok=True)
    facts = build_pixel_cache(
        dataset, data.dataset, data.count, partial, originals=data.originals,
        progress=lambda _done, _total: None, cancel=threading.Event(),
    )  # fmt: skip
    if facts.fingerprint != data.fingerprint:
        raise DataError(f"{data.dataset} holds other pictures here than where the run was begun.")
    partial.rename(folder)


def main() -> None:
    """Run as ``python -m imgstore_tui.bench.processes.client_data FOLDER`` with the data as JSON on stdin."""
    try:
        make_pictures(from_json(ClientData, json.load(sys.stdin)), Path(sys.argv[1]))
    except Exception as error:  # a driver's own error is a failed client
        sys.stdout.write(reason_of(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
