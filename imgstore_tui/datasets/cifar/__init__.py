"""Reads CIFAR-10 and CIFAR-100 as published, python and binary, without running a pickle."""

from __future__ import annotations

from imgstore_tui.core.options import Option
from imgstore_tui.datasets.cifar.dataset import SPLIT, CifarDataset
from imgstore_tui.datasets.cifar.layout import CIFAR10, CIFAR100, LabelSet


class Cifar10(CifarDataset):
    """60,000 colour images of 32x32 in 10 classes."""

    name = "cifar10"
    title = "CIFAR-10"
    fetch_command = "imgstore-tui datasets fetch cifar10"
    describe = (
        "60,000 colour images of 32x32 in 10 classes: cifar-10-python.tar.gz or cifar-10-binary.tar.gz, "
        "its folder, or one batch. No pickle is run."
    )
    options = (SPLIT,)
    layout = CIFAR10


class Cifar100(CifarDataset):
    """60,000 colour images of 32x32 in 100 classes, or in 20 of these together."""

    name = "cifar100"
    title = "CIFAR-100"
    fetch_command = "imgstore-tui datasets fetch cifar100"
    describe = (
        "60,000 colour images of 32x32 in 100 classes: cifar-100-python.tar.gz or cifar-100-binary.tar.gz, "
        "its folder, or one of its files. No pickle is run."
    )
    options = (
        SPLIT,
        Option("labels", "fine", "The 100 fine classes, or the 20 coarse ones.", choices=("fine", "coarse")),
    )
    layout = CIFAR100

    def _label_set(self) -> LabelSet:
        coarse, fine = self.layout.labels
        return coarse if self.values["labels"] == "coarse" else fine
