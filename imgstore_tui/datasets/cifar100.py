"""CIFAR-100, as its makers publish it."""

from __future__ import annotations

from imgstore_tui.cifar.dataset import SPLIT, CifarDataset
from imgstore_tui.cifar.layout import CIFAR100, Labels
from imgstore_tui.core.options import Option


class Cifar100(CifarDataset):
    """60,000 colour images of 32x32 in 100 classes, or in 20 of these together."""

    name = "cifar100"
    title = "CIFAR-100"
    describe = (
        "60,000 colour images of 32x32 in 100 classes: cifar-100-python.tar.gz or cifar-100-binary.tar.gz, "
        "its folder, or one of its files. No pickle is run."
    )
    options = (
        SPLIT,
        Option("labels", "fine", "The 100 fine classes, or the 20 coarse ones.", choices=("fine", "coarse")),
    )
    layout = CIFAR100

    def _kind_of_labels(self) -> Labels:
        coarse, fine = self.layout.labels
        return coarse if self.values["labels"] == "coarse" else fine
