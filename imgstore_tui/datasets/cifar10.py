"""CIFAR-10, as its makers publish it."""

from __future__ import annotations

from imgstore_tui.cifar.dataset import SPLIT, CifarDataset
from imgstore_tui.cifar.layout import CIFAR10


class Cifar10(CifarDataset):
    """60,000 colour images of 32x32 in 10 classes."""

    name = "cifar10"
    title = "CIFAR-10"
    describe = (
        "60,000 colour images of 32x32 in 10 classes: cifar-10-python.tar.gz or cifar-10-binary.tar.gz, "
        "its folder, or one batch. No pickle is run."
    )
    options = (SPLIT,)
    layout = CIFAR10
