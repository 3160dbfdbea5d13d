"""Holds the secrets of servers in the memory of this process, and takes them out of what is said.

The front process takes them from its environment; a child gets them as the first message through its pipe. They are in
no argument, no file and no child's environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from imgstore_tui.core.location import secrets_in

_LONG = 12
"""A secret as long as this is taken out wherever it stands; a shorter one where it is a word of its own."""
HIDDEN = "***"

_values: dict[str, str] = {}


def hold(values: Mapping[str, str]) -> None:
    """Keep secrets, by the name of the variable that they come from; addresses with a password among them."""
    _values.update(values)


def held() -> dict[str, str]:
    """Return all of them, to be handed on to a child through a pipe."""
    return dict(_values)


def get(variable: str) -> str | None:
    """Return the secret of a variable."""
    return _values.get(variable)


def forget(*variables: str) -> None:
    """Drop those of some variables; all of them if none is named."""
    for variable in variables or tuple(_values):
        _values.pop(variable, None)


def scrub(text: str) -> str:
    """Return a text of somebody else, a driver's message for one, without any of the secrets."""
    for value in _values.values():
        for secret in secrets_in(value) if "://" in value else [value]:
            for form in {secret, unquote(secret), quote(unquote(secret), safe="")}:
                pattern = re.escape(form)
                text = re.sub(pattern if len(form) >= _LONG else rf"(?<!\w){pattern}(?!\w)", HIDDEN, text)
    return text
