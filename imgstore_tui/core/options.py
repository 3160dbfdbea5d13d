"""Declares and parses options; the command line, forms and documents are made from the declaration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from imgstore_tui.core.errors import UsageError, unknown_name

OptionValue = bool | int | float | str

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a backend, a codec or a dataset."""

    name: str
    """Name before ``=`` in a spec."""
    default: OptionValue
    """Value if none is given; its type is the type of the option."""
    summary: str
    """What the option sets, and the reason for the default, in one sentence."""
    choices: tuple[str, ...] = ()
    """Values that a text option takes; empty for any."""
    minimum: float | None = None
    maximum: float | None = None
    former: OptionValue | None = None
    """What a spec meant that was saved before this option existed; None for the default."""

    @property
    def allowed_values(self) -> tuple[str, ...]:
        """Texts of which the option takes one; empty if it takes any."""
        return ("no", "yes") if isinstance(self.default, bool) else self.choices

    def bound_text(self, bound: float) -> str:
        """Return the minimum or maximum as a reader knows it."""
        return f"{bound:,.0f}" if bound == int(bound) else f"{bound:,g}"

    def parse(self, value: OptionValue, owner: str) -> OptionValue:
        """Return ``value`` (text from a spec, or a value from a plan file) as this option's type.

        Args:
            value: The value as written.
            owner: Whose option this is, for the error, e.g. ``backend hdf5``.

        Raises:
            UsageError: If the value is of the wrong type or out of range.
        """
        text = str(value).strip().lower() if not isinstance(value, str) else value.strip()
        where = f"Option '{self.name}' of {owner}"
        if isinstance(self.default, bool):
            if text.lower() in _TRUE:
                return True
            if text.lower() in _FALSE:
                return False
            raise UsageError(f"{where} takes yes or no, not '{text}'.")
        if isinstance(self.default, str):
            if self.choices and text not in self.choices:
                raise UsageError(f"{where} takes one of {', '.join(self.choices)}, not '{text}'.")
            return text
        kind, word = (int, "a whole number") if isinstance(self.default, int) else (float, "a number")
        try:
            number: int | float = kind(text)
        except ValueError:
            raise UsageError(f"{where} takes {word}, not '{text}'.") from None
        low, high = self.minimum, self.maximum
        if number != number or (low is not None and number < low) or (high is not None and number > high):
            bounds = f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"
            raise UsageError(f"{where} takes {word} in {bounds}, not {text}.")
        return number


_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}
_SIZE = re.compile(r"([0-9]{1,9}) ?(?:([KMG])(?:i?B)?)?", re.IGNORECASE)
_BARE_UNIT = "M"
"""Unit of a size without one."""


@dataclass(frozen=True, slots=True)
class SizeOption(Option):
    """A number of bytes, written as whole KiB, MiB or GiB: ``256K``, ``4M``; MiB without a unit.

    Its bounds are in bytes.
    """

    def parse(self, value: OptionValue, owner: str) -> OptionValue:
        """Return ``value`` in the largest unit of which it is a whole number.

        Args:
            value: The value as written.
            owner: Whose option this is, for the error.

        Raises:
            UsageError: If it is no size, or out of range.
        """
        where, text = f"Option '{self.name}' of {owner}", str(value).strip()
        if _SIZE.fullmatch(text) is None:
            raise UsageError(f"{where} takes a size such as 256K or 4M, not '{text}'.")
        size = size_bytes(text)
        if not (self.minimum or 0) <= size <= (self.maximum or size):
            least, most = ("" if bound is None else self.bound_text(bound) for bound in (self.minimum, self.maximum))
            raise UsageError(f"{where} takes a size in {least}..{most}, not {text}.")
        return size_text(size)

    def bound_text(self, bound: float) -> str:
        """Return the minimum or maximum as a reader knows it."""
        return size_text(int(bound))


def size_text(size: int) -> str:
    """Return bytes, whole KiB of them, in the largest unit of which they are a whole number, e.g. ``256K``."""
    unit = next((unit for unit in reversed(_UNITS) if size and size % _UNITS[unit] == 0), "K")
    return f"{size // _UNITS[unit]}{unit}"


def size_bytes(value: OptionValue) -> int:
    """Return the bytes of a value of a ``SizeOption``, of one that was saved as a number of MiB, too."""
    match = _SIZE.fullmatch(str(value))
    if match is None:
        raise ValueError(f"{value} is no size")
    return int(match[1]) * _UNITS[(match[2] or _BARE_UNIT).upper()]


def option_text(value: OptionValue) -> str:
    """Return the text of a value in a spec."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value}"


def resolve_options(
    declared: tuple[Option, ...], values: Mapping[str, OptionValue], owner: str
) -> dict[str, OptionValue]:
    """Return every declared option with its value: that in ``values``, else the default.

    Raises:
        UsageError: If a name is not declared or a value does not fit.
    """
    names = {option.name for option in declared}
    for name in values:
        if name not in names:
            if not names:
                raise UsageError(f"Unknown option '{name}': {owner} has no options.")
            raise unknown_name(f"option of {owner}", name, names)
    return {
        option.name: option.parse(values[option.name], owner) if option.name in values else option.default
        for option in declared
    }
