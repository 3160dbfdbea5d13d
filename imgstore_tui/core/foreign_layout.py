"""Describes what a user names in files of other programs, where it is not plain to see: options of ``store:``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.options import Option, OptionValue

OPTIONS = (
    Option(
        "image",
        "",
        "In a file of another program: the dataset, column, key, array or member that holds the pictures; empty takes "
        "it where only one can be meant.",
    ),
    Option("label", "", "In a file of another program: the dataset, column, key, array or member of the labels."),
    Option(
        "axes",
        "",
        "In a file of another program: the order of the axes of an array of pictures, such as NHWC, NCHW, NHW or HWCN; "
        "empty takes it where only one order can be meant.",
    ),
    Option(
        "scale",
        0.0,
        "In a file of another program: the number by which values are multiplied that are not whole numbers of 8 or 16 "
        "bits, 255 for 0..1; the results are rounded to 8 bits. 0 refuses such values, because it changes them.",
        minimum=0,
        maximum=65535,
    ),
    Option(
        "split",
        "",
        "In a folder or a file of another program that holds several splits, such as train and test: the one to read; "
        "all for all of them in one.",
    ),
)
"""Declarations of the options, by the names of the fields of ``ForeignLayout``."""


@dataclass(frozen=True, slots=True)
class ForeignLayout:
    """What the user names; empty and 0 where nothing is named."""

    image: str = ""
    label: str = ""
    axes: str = ""
    """Letters N, H, W and C, each once; without C for grey, without N where each dataset is one picture."""
    scale: float = 0.0
    split: str = ""

    @classmethod
    def of(cls, values: Mapping[str, OptionValue]) -> Self:
        """Take the values of the options that are set.

        Raises:
            UsageError: If the order of axes is no order.
        """
        known = {field.name for field in fields(cls)}
        named: dict[str, Any] = {name: value for name, value in values.items() if name in known}
        named["axes"] = axes = str(named.get("axes", "")).upper()
        if axes and (len(set(axes)) < len(axes) or not set("HW") <= set(axes) <= set("NHWC")):
            raise UsageError(
                f"Option 'axes' of dataset store takes the letters H and W, and N and C if there are such axes, each "
                f"once, e.g. NHWC, not '{axes}'."
            )
        return cls(**named)

    @property
    def named(self) -> tuple[str, ...]:
        """Names of the options that are set."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name))

    def refuse_other_than(self, format_name: str, *usable: str) -> None:
        """Check that the user names only what a format has.

        Args:
            format_name: Name of the format, for the message.
            *usable: Names of options that it takes.

        Raises:
            UsageError: If another option is set.
        """
        if surplus := [name for name in self.named if name not in usable]:
            raise UsageError(
                f"Files of the format {format_name} say that themselves; leave out the options {', '.join(surplus)}."
            )


NOTHING_NAMED = ForeignLayout()
"""The user names nothing: what is read is what is plain to see."""
