"""Declares and parses options; the command line, forms and documents are made from the declaration."""

from __future__ import annotations

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

    def parse(self, given: OptionValue, owner: str) -> OptionValue:
        """Return ``given`` (text from a spec, or a value from a plan file) as this option's type.

        Args:
            given: The value as written.
            owner: Whose option this is, for the error, e.g. ``backend hdf5``.

        Raises:
            UsageError: If the value is of the wrong type or out of range.
        """
        text = str(given).strip().lower() if not isinstance(given, str) else given.strip()
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
            value: int | float = kind(text)
        except ValueError:
            raise UsageError(f"{where} takes {word}, not '{text}'.") from None
        low, high = self.minimum, self.maximum
        if value != value or (low is not None and value < low) or (high is not None and value > high):
            bounds = f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"
            raise UsageError(f"{where} takes {word} in {bounds}, not {text}.")
        return value


def option_text(value: OptionValue) -> str:
    """Return the text of a value in a spec."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value}"


def resolve_options(
    declared: tuple[Option, ...], given: Mapping[str, OptionValue], owner: str
) -> dict[str, OptionValue]:
    """Return every declared option with its value: the given one, else the default.

    Raises:
        UsageError: If a name is not declared or a value does not fit.
    """
    names = {option.name for option in declared}
    for name in given:
        if name not in names:
            if not names:
                raise UsageError(f"Unknown option '{name}': {owner} has no options.")
            raise unknown_name(f"option of {owner}", name, names)
    return {
        option.name: option.parse(given[option.name], owner) if option.name in given else option.default
        for option in declared
    }
