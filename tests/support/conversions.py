"""Converts small datasets, and interrupts conversions."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgstore_tui.core.backend import Continuation, PayloadKind
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.jobs.convert import Conversion, ConversionResult, plan_conversion
from imgstore_tui.plugins import registry
from tests.support.datasets import save

AVAILABLE = [backend.name for backend in registry.local_backends() if not registry.missing_imports(backend)]
FINE_SPECS = {"arrow": "arrow:rows=4", "zarr": "zarr:chunk=4"}
"""Specs of backends whose default groups are larger than a small dataset."""
DATA = "synthetic,size=8,count=40"


def continuation_of(backend: str) -> Continuation:
    return registry.make_backend(registry.resolve_spec(backend)).continuation(PayloadKind.ARRAY)


RESUMABLE = [FINE_SPECS.get(name, name) for name in AVAILABLE if continuation_of(name) is not Continuation.RESTART]


def plan(text: str, spec: str, destination: Path, **options: bool) -> Conversion:
    """Return the conversion of a dataset; ``options`` are ``replace`` and ``restart``."""
    return plan_conversion(
        text,
        spec,
        destination,
        count=None,
        replace=options.get("replace", False),
        restart=options.get("restart", False),
    )


def convert(text: str, spec: str, destination: Path, **options: bool) -> ConversionResult:
    """Convert a dataset and return the result."""
    return plan(text, spec, destination, **options).run(lambda doing, done, total: None)


def stored_images(location: Path) -> list[tuple[bytes, int]]:
    """Return the pixels and the label of each image of a store."""
    return source_images(f'store:"{location}"')


def source_images(text: str) -> list[tuple[bytes, int]]:
    """Return the pixels and the label of each image of a dataset."""
    dataset = registry.make_dataset(text)
    dataset.scan()
    return [(dataset.image(index).tobytes(), dataset.label(index)) for index in range(len(dataset))]


def interrupt_at(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let a dataset raise KeyboardInterrupt from an image on, as Ctrl-C does while a store is filled."""
    original = dataset.image
    # Before, a sample of images from everywhere is read to see whether the store will fit.
    monkeypatch.setattr("imgstore_tui.jobs.convert.fill.check_space", lambda *_: None)

    def image(index: int) -> object:
        if index >= number:
            raise KeyboardInterrupt
        return original(index)

    monkeypatch.setattr(dataset, "image", image)


def folder_with_faults(root: Path, count: int = 30, cut: tuple[int, ...] = (3, 17, 29)) -> str:
    """Make a folder of pictures, some of them truncated, and two that the scan leaves out; return the dataset."""
    for number in range(count):
        file = save(root / f"{number:02}.png", seed=number)
        if number in cut:
            file.write_bytes(file.read_bytes()[:-200])
    (root / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    (root / "none.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    return f"folder:{root}"


def begin_and_interrupt(text: str, destination: Path, monkeypatch: pytest.MonkeyPatch, spec: str = "lmdb") -> None:
    """Begin a conversion that is interrupted at its 16th image."""
    job = plan(text, spec, destination)
    with monkeypatch.context() as patch:
        interrupt_at(job.dataset, patch, 15)
        with pytest.raises(KeyboardInterrupt):
            job.run(lambda doing, done, total: None)
