"""Says what a method keeps of the user's files beside their pixels, and which programs open what it writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.spec import IN_PLACE, Spec
from imgstore_tui.plugins import registry


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a method keeps, as its backend and its codec declare it."""

    spec: str
    opened_by: str
    """Programs that open a store; empty where that is not known."""
    names: bool
    """Whether the names of files and their folders are kept."""
    originals: bool
    """Whether the files are kept byte for byte."""
    drops: tuple[str, ...]
    """What is lost of a file, such as ``EXIF``."""
    lossless: bool
    """Whether every bit of the pixels is kept."""


OWN_FILES = Keeping(IN_PLACE.label, "whatever opens them now", names=True, originals=True, drops=(), lossless=True)


def keepings(specs: Sequence[Spec], labels: Iterable[str]) -> tuple[Keeping, ...]:
    """Return what methods keep; those whose backend or codec is not installed are left out.

    Args:
        specs: The methods of the plan.
        labels: Labels of the methods that are asked for; that of the user's own files may be among them.
    """
    known = {spec.label: spec for spec in specs}
    entries = [
        OWN_FILES if label == IN_PLACE.label else _keeping(known[label])
        for label in labels
        if label in known or label == IN_PLACE.label
    ]
    return tuple(keeping for keeping in entries if keeping is not None)


def _keeping(spec: Spec) -> Keeping | None:
    try:
        backend = registry.backends.get(spec.backend)
        codec = registry.make_codec(spec)
    except ImgstoreError:
        return None
    return Keeping(
        spec.label, backend.opened_by, backend.capabilities.names, codec.from_file, tuple(codec.drops), codec.lossless
    )


def unsuitable_for_archive(methods: Sequence[Keeping]) -> dict[str, str]:
    """Return which methods an archive of files does without, and why, where another one keeps the files themselves.

    Args:
        methods: What the methods keep, the user's own files not among them.
    """
    if not any(keeping.originals for keeping in methods):
        return {keeping.spec: "it is lossy" for keeping in methods if not keeping.lossless}
    return {
        keeping.spec: f"it does not keep the files themselves{_lost(keeping)}"
        for keeping in methods
        if not keeping.originals
    }


def _lost(keeping: Keeping) -> str:
    lost = [*keeping.drops, *([] if keeping.lossless else ["bits of the pixels"])]
    return f": {', '.join(lost)} would be lost" if lost else ""
