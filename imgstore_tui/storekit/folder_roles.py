"""Tells folders that are classes from those that say what part of a data set they hold: images, masks, train, ..."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from imgstore_tui.core.text import safe_text
from imgstore_tui.storekit.splits import is_split

_IMAGES = frozenset({
    "images", "image", "imgs", "img", "jpegimages", "pngimages", "pictures", "photos", "data", "dataset", "input",
    "inputs", "rgb", "frames", "bit", "leftimg",
})  # fmt: skip
"""Words for pictures; ``leftImg8bit`` of Cityscapes has two of them."""
_ANNOTATIONS = frozenset({
    "masks", "mask", "labels", "label", "annotations", "annotation", "annots", "annot", "anno", "annos", "gt",
    "groundtruth", "ground", "truth", "segmentation", "segmentations", "segmentationclass", "segmentationobject",
    "segs", "seg", "depth", "depths", "bbox", "bboxes", "boxes", "gtfine", "gtcoarse", "target", "targets", "trimaps",
    "semantic", "instance", "instances", "panoptic", "labelids", "captions", "keypoints",
})  # fmt: skip
"""Words for what is said of pictures, as other pictures or as text."""
_GLUED = re.compile(r"(train|training|test|testing|val|valid|validation)(annots?|masks?|labels?|images?|imgs?|gt)")
"""A split and a role in one word, such as ``trainannot``."""
_WORD = re.compile("[^a-z]+")
_MOST_NAMED = 3


def holds_images(name: str) -> bool:
    """Whether a folder is called after the pictures of a data set, e.g. ``images`` or ``train_images``."""
    return any(word in _IMAGES for word in _words(name)) and is_role(name)


def holds_annotations(name: str) -> bool:
    """Whether a folder is called after what is said of pictures, e.g. ``masks`` or ``train_labels``."""
    return any(word in _ANNOTATIONS for word in _words(name)) and is_role(name)


def is_role(name: str) -> bool:
    """Whether a folder's name says a split, or which part of a data set it holds, and nothing else."""
    words = _words(name)
    return bool(words) and all(word in _IMAGES or word in _ANNOTATIONS or is_split(word) for word in words)


def are_roles(folders: Iterable[str]) -> bool:
    """Whether folders that lie beside each other are no classes: all are roles, or pictures and what is said of them.

    Args:
        folders: Their names.
    """
    names = list(folders)
    return all(map(is_role, names)) or (any(map(holds_images, names)) and any(map(holds_annotations, names)))


def roles_text(folders: Sequence[str]) -> str:
    """Return that folders of pictures are no classes, e.g. ``images and masks are parts of a data set, not classes``.

    Args:
        folders: Their names, sorted.
    """
    shown, one = listed(folders), len(folders) == 1
    classes = "a class" if one else "classes"
    if all(map(is_split, folders)):
        return f"{shown} {'is the name of a split' if one else 'are the names of splits'}, not of {classes}"
    return f"{shown} {'is a part' if one else 'are parts'} of a data set, not {classes}"


def listed(folders: Sequence[str]) -> str:
    """Return the first few folders, with the number of the others."""
    shown = [safe_text(folder) for folder in folders[:_MOST_NAMED]]
    if len(folders) > _MOST_NAMED:
        return f"{', '.join(shown)} and {len(folders) - _MOST_NAMED} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def _words(name: str) -> list[str]:
    """Return the words of a name, in lower case; a split and a role in one word are two."""
    words: list[str] = []
    for word in filter(None, _WORD.split(name.lower())):
        glued = _GLUED.fullmatch(word)
        words += glued.groups() if glued else [word]
    return words
