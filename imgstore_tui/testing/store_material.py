"""Makes images to fill stores with, and inspects stores without their backend, for the conformance suites."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.backend import Backend, Content, PayloadKind, Reader, Writer
from imgstore_tui.core.codec import Codec, payload_kind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.location import Location
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.local import LocalBackend

if TYPE_CHECKING:
    import pytest  # children that tests start use this module too, and need no pytest

    from imgstore_tui.core.content import Labels, Pixels

Shape = tuple[int, ...]
BATCH = 5
"""Images per call, so that even small stores are written in several calls."""


def is_sentence(error: BaseException | str, *named: Location) -> bool:
    """Return whether an error is one printable line that ends like a sentence, and names the locations.

    Its words have less than 400 characters; the locations do not count, which may have any length.
    """
    text = words = str(error)
    for path in named:
        words = words.replace(str(path), "")
    plain = text.isprintable() and 10 < len(words) < 400 and text.endswith((".", "?"))
    return plain and all(str(path) in text for path in named)


def pixels(shape: Shape, seed: int, dtype: str = "uint8") -> Pixels:
    """Return an image of noise; the same seed gives the same image."""
    generator = np.random.default_rng([seed, *shape])
    if dtype == "uint16":
        return generator.integers(0, 2**16, shape, np.uint16)
    return generator.integers(0, 2**8, shape, np.uint8)


def picture_file(image: Pixels, number: int) -> bytes:
    """Return an image as the bytes of a picture file, as ``original`` stores; the number decides its format."""
    from PIL import Image

    formats = ("PNG",) if image.dtype == np.uint16 else ("PNG", "BMP", "WEBP")
    buffer = io.BytesIO()
    picture = Image.fromarray(image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image)
    picture.save(buffer, formats[number % len(formats)], lossless=True, method=0)
    return buffer.getvalue()


@dataclass(frozen=True)
class StoreSetup:
    """A resolved spec: its backend, codec and whether its stores are uniform only."""

    text: str
    backend: Backend
    codec: Codec
    uniform_only: bool

    @property
    def local(self) -> LocalBackend:
        """The backend, if its stores are files."""
        if not isinstance(self.backend, LocalBackend):
            raise TypeError(f"{self.text} stores no files")
        return self.backend

    @classmethod
    def of(cls, text: str) -> StoreSetup:
        """Return the setup of a spec; which server it is for is not looked up yet."""
        spec = registry.resolve_spec(text, require_available=False)
        registry.check_installed(registry.backends.get(spec.backend), dict(spec.options))
        registry.check_available(registry.codecs.get(spec.codec))
        backend_class = registry.backends.get(spec.backend)
        narrow = backend_class.capabilities.uniform_only or registry.preset_of(backend_class, spec.preset).uniform_only
        return cls(text, registry.make_backend(spec), registry.make_codec(spec), narrow)

    def material(self, shapes: Sequence[Shape], labels: Sequence[int] | None = None, dtype: str = "uint8") -> Material:
        """Return one image of noise for each shape, in the form that the backend takes."""
        images = [pixels(shape, number, dtype) for number, shape in enumerate(shapes)]
        return self.pack(images, labels)

    def pack(self, images: Sequence[Pixels], labels: Sequence[int] | None = None) -> Material:
        """Return images in the form that the backend takes: one array where possible, else payloads."""
        numbers = np.array(range(len(images)) if labels is None else labels, np.int64)
        kinds = {(image.shape, image.dtype.name) for image in images} or {((4, 4, 3), "uint8")}
        shape, dtype = next(iter(kinds)) if len(kinds) == 1 else (None, None)
        size = sum(image.nbytes for image in images)
        if payload_kind(self.backend, self.codec, uniform=shape is not None) is PayloadKind.ARRAY:
            array = np.stack(images) if images else np.zeros((0, *(shape or ())), dtype)
            return Material(
                Content(len(images), PayloadKind.ARRAY, self.codec.name, shape, dtype, size), array, [], numbers
            )
        encode = self.codec.encode
        payloads = [picture_file(x, i) if self.codec.from_file else encode(x) for i, x in enumerate(images)]
        content = Content(len(images), PayloadKind.BYTES, self.codec.name, shape, dtype, size)
        return Material(content, None, payloads, numbers)

    def make(self, location: Any, material: Material, sync: SyncLevel = SyncLevel.BUFFERED) -> Any:
        """Write a store and return its location."""
        with self.backend.create(location, material.content, sync) as writer:
            material.put(writer)
        return location


@dataclass(frozen=True)
class Material:
    """Images and labels that go into a store and must come out of it."""

    content: Content
    array: Any
    payloads: list[bytes]
    labels: Labels

    def put(
        self,
        writer: Writer,
        start: int = 0,
        stop: int | None = None,
        batch: int = BATCH,
        names: Sequence[str] = (),
    ) -> None:
        """Write images by batches, each from memory that is overwritten after the call.

        Args:
            writer: Writer of the store.
            start: First id.
            stop: Id after the last; None for all.
            batch: Images per call.
            names: Names of all images; empty to give none.
        """
        stop = self.content.count if stop is None else stop
        for first in range(start, stop, batch):
            last = min(first + batch, stop)
            labels = self.labels[first:last].copy()
            if names:
                writer.put_names(range(first, last), names[first:last])
            if self.array is not None:
                images = self.array[first:last].copy()
                writer.put_array(range(first, last), images, labels)
                images[...] = 0
            else:
                writer.put_bytes(range(first, last), self.payloads[first:last], labels)
            labels[...] = 77

    def get(self, reader: Reader, ids: Sequence[int]) -> tuple[Any, Labels]:
        """Read images, as one array or as a list of payloads, and their labels; a single array both ways."""
        labels = np.full(len(ids), -99, np.int64)
        if self.array is None:
            return reader.read_bytes(ids, labels), labels
        out = np.full((len(ids), *self.array.shape[1:]), 99, self.array.dtype)
        if len(ids) != 1:
            reader.read_array(ids, out, labels)
            return out, labels
        try:
            image = reader.read_image(ids[0])
        except StoreError:
            reader.read_array(ids, out, labels)
            raise AssertionError("read_image refuses what read_array reads") from None
        reader.read_array(ids, out, labels)
        assert image.dtype == out.dtype
        np.testing.assert_array_equal(image, out[0])
        assert image.flags.writeable
        return out, labels

    def difference(self, ids: Sequence[int], read: tuple[Any, Labels]) -> str:
        """Return the difference of read images and labels to those of these ids; empty if there is none."""
        images, labels = read
        if labels.tolist() != [int(self.labels[number]) for number in ids]:
            return f"labels of {list(ids)[:8]}: {labels.tolist()[:8]}"
        if self.array is None:
            same = images == [self.payloads[number] for number in ids] and all(type(x) is bytes for x in images)
        else:
            same = np.array_equal(images, self.array[list(ids)] if len(ids) else images)
        return "" if same else f"images of {list(ids)[:8]}"

    def check(self, reader: Reader, ids: Sequence[int] | None = None) -> None:
        """Assert that images and labels read by ids are right; None reads all in order."""
        ids = range(self.content.count) if ids is None else ids
        assert not self.difference(ids, self.get(reader, ids))

    def check_store(self, backend: Backend, location: Any) -> None:
        """Assert that a store opens and holds every image and label, read in batches and as labels alone."""
        with backend.open(location) as reader:
            assert reader.content.count == self.content.count
            for first in range(0, self.content.count, BATCH):
                self.check(reader, range(first, min(first + BATCH, self.content.count)))
            labels = reader.read_labels()
            assert labels.dtype == np.int64
            assert labels.tolist() == self.labels.tolist()


def walk(location: Path) -> list[Path]:
    """Return every regular file of a store: those below a folder, or a file and those that are called after it."""
    if not location.is_dir():
        return parts_of(location)
    return sorted(Path(folder) / name for folder, _, names in os.walk(location) for name in names)


def parts_of(location: Path) -> list[Path]:
    """Return what is at a location, and beside it under its name with a dot or a hyphen and more."""
    names = (f"{location.name}.", f"{location.name}-")
    around = location.parent.iterdir() if location.parent.is_dir() else ()
    return sorted(path for path in around if path.name == location.name or path.name.startswith(names))


def copy_store(location: Path, target: Path) -> None:
    """Copy what is at a location, and beside it under its name, to another name."""
    for path in parts_of(location):
        copy = target.with_name(target.name + path.name[len(location.name) :])
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            shutil.copy2(path, copy)


def remove_store(location: Path) -> None:
    """Remove what is at a location, and beside it under its name."""
    for path in parts_of(location):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def snapshot(location: Path) -> dict[str, tuple[int, int, str]]:
    """Return size, modification time and SHA-256 of a store, or of everything below a folder."""
    files = {}
    for path in [*parts_of(location), *sorted(location.rglob("*"))]:
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        files[str(path)] = (0 if path.is_dir() else status.st_size, status.st_mtime_ns, content)
    return files


def open_files() -> list[str]:
    """Return the paths of files that this process has open, those of /proc aside."""
    targets = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            targets.append(str(entry.readlink()))
    return sorted(target for target in targets if target.startswith("/") and not target.startswith("/proc"))


def specs_of(backend: str, codecs: Sequence[str]) -> list[str]:
    """Return a spec for every preset of a backend with each of the codecs that are installed."""
    backend_class = registry.backends.get(backend)
    names = [name for name in codecs if not registry.missing_imports(registry.codecs.get(name))]
    return [f"{backend}+{name}:preset={preset.name}" for preset in backend_class.presets for name in names]


def spread(metafunc: pytest.Metafunc, backend: str, codecs: Sequence[str], more: Sequence[str] = ()) -> None:
    """Parametrise a test: by spec if it uses the fixture ``setup``, by preset if it uses ``preset``.

    Args:
        metafunc: The test.
        backend: Name of the backend.
        codecs: Codecs of the specs; those that are not installed are left out.
        more: Further specs.
    """
    if "setup" in metafunc.fixturenames:
        texts = [*specs_of(backend, codecs), *more]
        metafunc.parametrize("setup", [StoreSetup.of(text) for text in texts], ids=lambda x: x.text)
    if "preset" in metafunc.fixturenames:
        backend_class = registry.backends.get(backend)
        setups = [StoreSetup.of(f"{backend}:preset={preset.name}") for preset in backend_class.presets]
        metafunc.parametrize("preset", setups, ids=lambda x: x.text)
