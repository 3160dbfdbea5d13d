"""Flips bytes of a store that holds the first images of a dataset, and counts what each flip costs."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.run.run_folder import RunFolder
from imgstore_tui.bench.run.scratch import choose_scratch
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.spec import Spec
from imgstore_tui.jobs.convert import plan_conversion
from imgstore_tui.jobs.damage.reading_process import ReadingProcess
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.safe_remove import remove_tree


@dataclass(frozen=True, slots=True)
class FlipOutcome:
    """What one flipped byte cost."""

    file: str
    """The file below the store; empty where the store is one file."""
    offset: int
    """Position of the byte in the file, from 0."""
    changed: int
    """Images that came back different, without a word."""
    refused: int
    """Images that could not be read."""
    crashed: bool
    """Whether the process that read the store ended, or was ended as it hung; then all images count as lost."""

    @property
    def lost(self) -> int:
        """Images that did not come back as they were."""
        return self.changed + self.refused


@dataclass(frozen=True, slots=True)
class DamageResult:
    """What flipped bytes cost in a store."""

    spec: str
    """The method, as its label."""
    images: int
    """Number of images in the store."""
    stored_bytes: int
    """Length of all files of the store."""
    flips: tuple[FlipOutcome, ...]
    """One for each flipped byte, in the order of the draws."""

    @property
    def mean_lost(self) -> float:
        """Images lost by a flip, on average."""
        return sum(flip.lost for flip in self.flips) / max(1, len(self.flips))

    @property
    def most_lost(self) -> int:
        """Images lost by the worst flip."""
        return max((flip.lost for flip in self.flips), default=0)

    @property
    def harmless(self) -> int:
        """Number of flips that cost nothing."""
        return sum(flip.lost == 0 for flip in self.flips)

    @property
    def unnoticed(self) -> int:
        """Number of flips by which an image came back different without a word."""
        return sum(flip.changed > 0 for flip in self.flips)

    @property
    def total_losses(self) -> int:
        """Number of flips by which all images were lost."""
        return sum(flip.lost == self.images for flip in self.flips)

    @property
    def crashes(self) -> int:
        """Number of flips that ended the process that read, or made it hang."""
        return sum(flip.crashed for flip in self.flips)


FlipProgress = Callable[[str, int, int], None]
"""Called with the method, the number of flips done, and their number."""


def measure_damage(
    dataset: str, specs: Sequence[Spec], images: int, flips: int, seed: int, *, scratch: str | None = None,
    progress: FlipProgress = lambda *_: None,
) -> list[DamageResult]:  # fmt: skip
    """Store the first images of a dataset in every method and measure what a flipped byte costs.

    The bytes are drawn from all bytes of a store's files alike, so that a large file is hit more often than a small
    one, as it is by chance. Each byte is turned back before the next is flipped.

    Args:
        dataset: The dataset as the user wrote it.
        specs: The methods; all of them store files.
        images: Number of images.
        flips: Number of bytes that are flipped in each store.
        seed: Seeds the choice of the bytes.
        scratch: Folder in which the stores are made; None for the default place.
        progress: Called after each flip.

    Raises:
        UnsupportedError: If a method is on a server.
        ImgstoreError: If the data cannot be read or a store cannot be made.
    """
    for spec in specs:
        if registry.backends.get(spec.backend).capabilities.server:
            raise UnsupportedError(f"{spec} is on a server: no byte of its files can be flipped from here.")
    roots = registry.make_dataset(dataset).roots
    folder = RunFolder(choose_scratch(scratch, roots), f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-damage")
    try:
        return [
            _damage_of(dataset, spec, images, flips, seed, folder, number, progress)
            for number, spec in enumerate(specs)
        ]
    finally:
        folder.remove()


def _damage_of(
    dataset: str, spec: Spec, images: int, flips: int, seed: int, folder: RunFolder, number: int, progress: FlipProgress
) -> DamageResult:
    """Store images by one method, flip bytes of the store one at a time, and count the losses of each.

    Args:
        dataset: The dataset as the user wrote it.
        spec: The method.
        images: Number of images.
        flips: Number of bytes that are flipped.
        seed: Seeds the choice of the bytes.
        folder: The folder of the run, which removes what is left in it.
        number: Position of the method, which names its store in the folder.
        progress: Called after each flip.
    """
    location = folder.claim(f"store-{number}")
    folder.claim(f"store-{number}.converting")
    job = plan_conversion(dataset, spec.label, str(location), count=images, replace=False, restart=False)
    converted = job.run(lambda *_: None)
    files = sorted(path for path in registry.make_local(spec).files(location) if path.stat().st_size)
    lengths = [path.stat().st_size for path in files]
    generator = random.Random(f"{seed}/{spec.label}")  # noqa: S311 - a sample, not a secret
    outcomes = []
    with ReadingProcess(spec, location, converted.images) as process:
        for flip in range(flips):
            path, offset = _file_and_offset(files, lengths, generator.randrange(sum(lengths)))
            process.ensure_running()
            with _flipped(path, offset):
                counts = process.read()
            name = "" if path == location else str(path.relative_to(location))
            if counts is None:
                outcomes.append(FlipOutcome(name, offset, 0, converted.images, crashed=True))
            else:
                outcomes.append(FlipOutcome(name, offset, counts["changed"], counts["refused"], crashed=False))
            progress(spec.label, flip + 1, flips)
    with contextlib.suppress(OSError, StoreError):  # else it goes with the folder
        remove_tree(location)
    return DamageResult(spec.label, converted.images, sum(lengths), tuple(outcomes))


def _file_and_offset(files: Sequence[Path], lengths: Sequence[int], number: int) -> tuple[Path, int]:
    """Return the file and the offset in it of a byte, counted over all files."""
    for path, length in zip(files, lengths, strict=True):
        if number < length:
            return path, number
        number -= length
    raise IndexError(number)


@contextlib.contextmanager
def _flipped(path: Path, offset: int) -> Iterator[None]:
    """Flip all bits of one byte of a file, and turn them back."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        before = os.pread(descriptor, 1, offset)
        os.pwrite(descriptor, bytes([before[0] ^ 0xFF]), offset)
        try:
            yield
        finally:
            os.pwrite(descriptor, before, offset)
    finally:
        os.close(descriptor)
