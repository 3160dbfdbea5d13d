"""Provides a dataset of images from a list, and pixel caches of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.bench.trial.pixel_cache_writer import build_pixel_cache
from imgstore_tui.core.dataset import BrokenImageError, Dataset, ScanProgress
from imgstore_tui.core.model import DatasetFacts


class Listed(Dataset):
    name = "listed"
    title = "Listed"
    describe = "Images from a list."

    def __init__(self, images: list[Any], values: Mapping[str, Any] | None = None) -> None:
        super().__init__(None, values or {})
        self.images = images

    def scan(self, progress: ScanProgress | None = None) -> None:
        pass

    def __len__(self) -> int:
        return len(self.images)

    @property
    def uniform(self) -> None:
        return None

    def image(self, index: int) -> Any:
        if self.images[index] is None:
            raise BrokenImageError(f"bad{index}", "It is cut short.")
        return self.images[index]

    def label(self, index: int) -> int:
        return index - 1

    @property
    def summary(self) -> str:
        return "listed"


def build_listed(folder: Path, images: list[Any], count: int, **settings: Any) -> tuple[DatasetFacts, PixelCache]:
    facts = build_pixel_cache(
        Listed(images), "listed", count, folder, originals=settings.get("originals", False),
        progress=lambda done, total: None, cancel=threading.Event(),
    )  # fmt: skip
    return facts, PixelCache(folder)
