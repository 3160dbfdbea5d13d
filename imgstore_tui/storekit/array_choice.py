"""Chooses the arrays of a file that hold the pictures; what may mean two things is refused with what is there.

HDF5, npz and Zarr have no convention for such files: pictures are one array, picture files in rows or one array each,
in one group or in a group for each class.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.text import safe_text
from imgstore_tui.storekit.array_container import ArrayContainer
from imgstore_tui.storekit.array_facts import ArrayFacts, listed
from imgstore_tui.storekit.image_axes import CHANNELS, ImageAxes, NotImagesError, PixelCast, image_axes, pixel_cast
from imgstore_tui.storekit.label_names import candidates
from imgstore_tui.storekit.splits import of_split, split_of

_IMAGES = frozenset(
    {"images", "image", "data", "x", "x_train", "train_x", "train_set_x", "pixels", "imgs", "img", "jpeg", "jpegs"}
)
_LEAST_PIXELS = 64
"""Fewest numbers of a row that may be a picture: digits of 8x8."""
_WORD = re.compile("[^a-z]+")


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset that holds pictures."""

    facts: ArrayFacts
    axes: ImageAxes | None
    """Order of the axes of an array; None where values are picture files."""
    cast: PixelCast | None
    whole: bool = False
    """Whether the dataset is one picture."""

    @property
    def count(self) -> int:
        """Number of pictures."""
        if self.whole:
            return 1
        return self.axes.count if self.axes is not None else (self.facts.shape or (0,))[0]


@dataclass(frozen=True, slots=True)
class Choice:
    """The sources of a file, and the classes that their groups stand for."""

    sources: list[Source]
    classes: tuple[str, ...] = ()
    """Names of the groups, sorted, if there is one for each class."""
    passed: tuple[ArrayFacts, ...] = ()
    """Datasets that could hold pictures too, and are not read."""


def choose(file: ArrayContainer, datasets: list[ArrayFacts], layout: ForeignLayout) -> Choice:
    """Return the arrays that hold the pictures.

    Args:
        file: The open file.
        datasets: Its arrays.
        layout: What the user names.

    Raises:
        StoreError: If none holds pictures, or it is not plain to see which does.
    """
    if layout.image:
        return _named(file, datasets, layout)
    sources: list[Source] = []
    reasons: list[str] = []
    doubtful: dict[str, ArrayFacts] = {}
    for facts in datasets:
        if candidates([facts.name]) or facts.shape is None:
            continue
        try:
            sources.append(_source(file, facts, layout, _counts(datasets, facts)))
        except NotImagesError as reason:
            reasons.append(f"{safe_text(facts.path)} {reason}")
            if _may_be_images(facts):
                doubtful[reasons[-1]] = facts
    sources = [source for source in sources if not source.whole] or sources
    if not sources:
        sources = _single_arrays(datasets)
    if not sources:
        raise _refused(file, datasets, reasons)
    split, image_paths = split_of(layout.split), {source.facts.path for source in sources}
    doubtful = {
        why: facts for why, facts in doubtful.items()
        if facts.path not in image_paths and (not split or split_of(facts.path) == split)
    }  # fmt: skip
    if not doubtful:
        return _one_of(file, sources, layout)
    if any(map(_called_images, doubtful.values())) or not any(_called_images(source.facts) for source in sources):
        raise _refused(file, datasets, list(doubtful))
    choice = _one_of(file, sources, layout)
    return replace(choice, passed=(*choice.passed, *doubtful.values()))


def _may_be_images(facts: ArrayFacts) -> bool:
    """Whether a dataset that is not taken may hold pictures all the same, so that another must not stand for it."""
    shape = facts.shape or ()
    if facts.dtype is None or facts.dtype.kind not in "fiub" or 0 in shape:
        return False
    if len(shape) == 2:
        return shape[1] >= _LEAST_PIXELS and _called_images(facts)
    return len(shape) in {3, 4} and sorted(shape)[-3] > 1


def _called_images(facts: ArrayFacts) -> bool:
    """Whether a word in the name of a dataset is one that pictures have, as in ``x_train``."""
    return not _IMAGES.isdisjoint(_WORD.split(facts.name.lower()))


def _counts(datasets: list[ArrayFacts], image: ArrayFacts) -> int | None:
    """Return the number of labels beside a dataset, if all of its split that may be labels agree."""
    split = split_of(image.path)
    counts = {
        _labels_in(facts.shape)
        for facts in datasets
        if facts is not image
        and facts.shape
        and candidates([facts.name], image.name)
        and split_of(facts.path) in {split, ""}
    }
    return counts.pop() if len(counts) == 1 else None


def _labels_in(shape: tuple[int, ...]) -> int | None:
    """Return how many labels an array of a shape holds; None for one row, of labels or of the classes of one image."""
    return None if shape[0] == 1 and math.prod(shape) > 1 else shape[0]


def _source(file: ArrayContainer, facts: ArrayFacts, layout: ForeignLayout, count: int | None) -> Source:
    """Return how a dataset holds pictures.

    Raises:
        NotImagesError: If it holds none, or it is not plain to see how.
    """
    if facts.refusal:
        raise NotImagesError(facts.refusal)
    shape = facts.shape
    if shape is None or facts.dtype is None:
        raise NotImagesError("is empty" if shape is None else "is of a type that NumPy does not know")
    if 0 in shape:
        raise NotImagesError("is empty")
    if facts.holds_bytes:
        if len(shape) > 1 or not file.is_picture(facts, 0 if shape else None):
            raise NotImagesError("holds no picture files")
        return Source(facts, None, None, whole=not shape)
    if len(shape) == 1 and facts.dtype == np.uint8 and file.is_picture(facts, None):
        return Source(facts, None, None, whole=True)
    axes = image_axes(shape, layout.axes or facts.axes, count, named=bool(layout.image))
    return Source(facts, axes, pixel_cast(facts.dtype, layout.scale), whole="N" not in axes.order)


def _single_arrays(datasets: list[ArrayFacts]) -> list[Source]:
    """Return datasets that are a picture (H, W, C) each, if there are several and none has the name of an array."""
    sources = []
    for facts in datasets:
        if facts.refusal or facts.shape is None or len(facts.shape) != 3 or facts.shape[2] not in CHANNELS:
            continue
        if facts.name.lower() in _IMAGES or facts.dtype not in (np.uint8, np.uint16) or 0 in facts.shape:
            continue
        axes = ImageAxes("HWC", facts.shape)
        sources.append(Source(facts, axes, pixel_cast(np.dtype(facts.dtype)), whole=True))
    return sources if len(sources) > 1 else []


def _named(file: ArrayContainer, datasets: list[ArrayFacts], layout: ForeignLayout) -> Choice:
    """Return the dataset that the user names, or the datasets of the group that the user names."""
    path, name = file.path, layout.image.strip("/")
    chosen = [facts for facts in datasets if facts.path == name]
    below = [facts for facts in datasets if facts.path.startswith(f"{name}/")]
    if not chosen and not below:
        raise StoreError(f"{path} has no {file.what} {safe_text(name)}; {listed(datasets, file.what)}.")
    try:
        if chosen:
            return Choice([_source(file, chosen[0], layout, _counts(datasets, chosen[0]))])
        sources = [_source(file, facts, layout, None) for facts in below]
    except NotImagesError as reason:
        raise StoreError(f"{path}: {safe_text(name)} {reason}; {listed(datasets, file.what)}.") from None
    return _one_of(file, sources, layout)


def _one_of(file: ArrayContainer, sources: list[Source], layout: ForeignLayout) -> Choice:
    """Return the sources that belong together, of one split.

    Raises:
        StoreError: If it is not plain to see which are meant.
    """
    by_path = {source.facts.path: source for source in sources}
    sources = list(of_split(file.path, by_path, layout.split, file.what, file.path.name).values())
    groups = sorted({source.facts.group for source in sources})
    if len(sources) == 1:
        return Choice(sources)
    if len(groups) == 1 and all(source.whole for source in sources):
        return Choice(sources)
    if classes := _classes(sources, groups):
        return Choice(sources, classes)
    usual = [source for source in sources if source.facts.name.lower() in _IMAGES]
    if len(usual) == 1:
        return Choice(usual, passed=tuple(source.facts for source in sources if source is not usual[0]))
    raise StoreError(
        f"{file.path} has several {file.what}s that may hold the images: "
        f"{listed([source.facts for source in sources])}. "
        "Name one with image=."
    )


def _classes(sources: list[Source], groups: list[str]) -> tuple[str, ...]:
    """Return the names of groups that stand for classes: beside each other, each with one array or single pictures."""
    above = {group.rpartition("/")[0] for group in groups}
    if len(groups) < 2 or len(above) != 1 or any(map(split_of, groups)):
        return ()
    if len({source.axes and source.axes.image_shape for source in sources if not source.whole}) > 1:
        return ()
    for group in groups:
        own = [source for source in sources if source.facts.group == group]
        if len(own) > 1 and not all(source.whole for source in own):
            return ()
    return tuple(group.rpartition("/")[2] for group in groups)


def _refused(file: ArrayContainer, datasets: list[ArrayFacts], reasons: list[str]) -> StoreError:
    large = next((reason for reason in reasons if "repack it" in reason or "larger than the file" in reason), "")
    if large:
        return StoreError(f"{file.path} cannot be read: its {file.what} {large}.")
    why = f" The {file.what} {reasons[0]}." if reasons else ""
    labels = [facts for facts in datasets if candidates([facts.name]) and facts.shape is not None]
    if labels and len(labels) == len(datasets):
        why = f" The {file.what} {safe_text(labels[0].path)} has the name of labels."
    return StoreError(
        f"{file.path} has no {file.what} of images that is plain to see; {listed(datasets, file.what)}.{why} "
        "The options image=, axes= and scale= say which and how."
    )
