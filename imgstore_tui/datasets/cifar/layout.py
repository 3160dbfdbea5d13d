"""Declares the files, checksums and labels of CIFAR-10 and CIFAR-100 as published."""

from __future__ import annotations

from dataclasses import dataclass

PIXELS = 3 * 32 * 32
"""Bytes of an image: 1,024 red, 1,024 green, 1,024 blue, each row by row."""


@dataclass(frozen=True, slots=True)
class BatchFile:
    """One file of images."""

    name: str
    """Name of the python file; the binary one ends in ``.bin``."""
    split: str
    """``train`` or ``test``."""
    images: int
    md5: str
    """MD5 of the python file."""

    @property
    def binary_name(self) -> str:
        """Name of the binary file."""
        return f"{self.name}.bin"


@dataclass(frozen=True, slots=True)
class LabelSet:
    """One set of labels."""

    key: str
    """Key in a python file."""
    names_key: str
    """Key in the python file of names."""
    names_file: str
    """Name of the file of names in the binary archive."""
    column: int
    """Position of the label in a binary record."""
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CifarLayout:
    """One of the two data sets."""

    title: str
    parts: tuple[BatchFile, ...]
    labels: tuple[LabelSet, ...]
    """Sets of labels, in the order of a binary record."""
    meta: str
    """Name of the python file of names."""
    folders: tuple[str, ...]
    """Names of the unpacked archives."""
    archives: dict[str, str]
    """Names of the archives and their MD5."""

    @property
    def record(self) -> int:
        """Bytes of a binary record."""
        return len(self.labels) + PIXELS


CIFAR10 = CifarLayout(
    title="CIFAR-10",
    parts=(
        BatchFile("data_batch_1", "train", 10_000, "c99cafc152244af753f735de768cd75f"),
        BatchFile("data_batch_2", "train", 10_000, "d4bba439e000b95fd0a9bffe97cbabec"),
        BatchFile("data_batch_3", "train", 10_000, "54ebc095f3ab1f0389bbae665268c751"),
        BatchFile("data_batch_4", "train", 10_000, "634d18415352ddfa80567beed471001a"),
        BatchFile("data_batch_5", "train", 10_000, "482c414d41f54cd18b22e5b47cb7c3cb"),
        BatchFile("test_batch", "test", 10_000, "40351d587109b95175f43aff81a1287e"),
    ),
    labels=(
        LabelSet(
            "labels",
            "label_names",
            "batches.meta.txt",
            0,
            ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        ),
    ),
    meta="batches.meta",
    folders=("cifar-10-batches-bin", "cifar-10-batches-py"),
    archives={
        "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
        "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
    },
)

_COARSE = (
    "aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices "
    "household_furniture insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes "
    "large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles small_mammals trees "
    "vehicles_1 vehicles_2"
)
_FINE = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle "
    "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant "
    "flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man "
    "maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree "
    "plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper "
    "snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train "
    "trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)

CIFAR100 = CifarLayout(
    title="CIFAR-100",
    parts=(
        BatchFile("train", "train", 50_000, "16019d7e3df5f24257cddd939b257f8d"),
        BatchFile("test", "test", 10_000, "f0ef6b0ae62326f3e7ffdfab6717acfc"),
    ),
    labels=(
        LabelSet("coarse_labels", "coarse_label_names", "coarse_label_names.txt", 0, tuple(_COARSE.split())),
        LabelSet("fine_labels", "fine_label_names", "fine_label_names.txt", 1, tuple(_FINE.split())),
    ),
    meta="meta",
    folders=("cifar-100-binary", "cifar-100-python"),
    archives={
        "cifar-100-binary.tar.gz": "03b5dce01913d631647c71ecec9e9cb8",
        "cifar-100-python.tar.gz": "eb9058c3a382ffc7106e4002c42a8d85",
    },
)
