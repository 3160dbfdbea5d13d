"""Converts the frozen dataclasses of the core to JSON values and back, with every value checked."""

from __future__ import annotations

import functools
import math
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from operator import attrgetter
from typing import Any

LARGEST_NUMBER = 2**63
"""No whole number of a plan or a run is as large."""

_Converter = Callable[[Any], Any]


def to_json(value: Any) -> Any:
    """Return a dataclass (or a part of one) as plain JSON values."""
    if hasattr(value, "__dataclass_fields__"):
        names, get_all, nested = _fields_of(value.__class__)
        values = dict(zip(names, get_all(value), strict=True))
        for name in nested:
            values[name] = _part_to_json(values[name])
        return values
    return _part_to_json(value)


_PLAIN = frozenset((str, int, float, bool, type(None)))


def _part_to_json(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    return to_json(value) if hasattr(value, "__dataclass_fields__") else value


@functools.cache
def _fields_of(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[str, ...]]:
    """Return the names of a dataclass's fields, what returns all values at once, and which fields hold further ones.

    By the types that are declared: to look at each of the 50 values of each measurement takes twice as long.
    """
    names = tuple(entry.name for entry in fields(kind))
    hints = typing.get_type_hints(kind)
    nested = tuple(name for name in names if not _is_plain(hints[name]))
    if len(names) > 1:
        return names, attrgetter(*names), nested
    return names, lambda value: tuple(getattr(value, name) for name in names), nested


def _is_plain(kind: Any) -> bool:
    """Whether all values of a type are JSON values as they are, such as members of text enumerations."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return all(map(_is_plain, typing.get_args(kind)))
    return kind in _PLAIN or (isinstance(kind, type) and issubclass(kind, Enum))


def from_json(kind: Any, values: Any) -> Any:
    """Return JSON values as ``kind``: a dataclass, an enumeration, a tuple, a dict, a plain type.

    Raises:
        TypeError, ValueError: If the values do not fit; the message names the field.
    """
    return _converter(kind)(values)


@functools.cache
def _converter(kind: Any) -> _Converter:
    """Return what converts JSON values to ``kind``.

    Made once for each kind: to look at the kind anew for each of the 50 values of each measurement takes ten times
    as long as to convert them.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return lambda values: values
    if origin in (typing.Union, types.UnionType):
        return _union(kind)
    if origin is tuple:
        return _tuple(arguments)
    if origin is dict:
        return _dict(arguments[1])
    if hasattr(kind, "__dataclass_fields__"):
        return _dataclass(kind)
    if issubclass(kind, Enum):
        return _enumeration(kind)
    return _number(kind) if kind in (int, float) else _plain(kind)


def _union(kind: Any) -> _Converter:
    may_be_none, convert = _unless_none(kind)
    return (lambda values: None if values is None else convert(values)) if may_be_none else convert


def _tuple(arguments: tuple[Any, ...]) -> _Converter:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        convert_item = _converter(arguments[0])

        def convert_all(values: Any) -> Any:
            _require(values, list, "a list")
            return tuple([convert_item(item) for item in values])

        return convert_all
    converters = [_converter(argument) for argument in arguments]

    def convert(values: Any) -> Any:
        _require(values, list, "a list")
        if len(converters) != len(values):
            raise ValueError(f"expected {len(converters)} values, not {len(values)}")
        return tuple(convert_one(item) for convert_one, item in zip(converters, values, strict=True))

    return convert


def _dict(item_kind: Any) -> _Converter:
    convert_item = _converter(item_kind)

    def convert(values: Any) -> Any:
        _require(values, dict, "an object")
        return {key: convert_item(item) for key, item in values.items()}

    return convert


def _dataclass(kind: Any) -> _Converter:
    hints = typing.get_type_hints(kind)
    converters = [(entry.name, *_unless_none(hints[entry.name])) for entry in fields(kind)]

    def convert(values: Any) -> Any:
        _require(values, dict, "an object")
        arguments = {}
        name = ""
        try:
            for name, may_be_none, convert_one in converters:
                if name in values:
                    value = values[name]
                    arguments[name] = None if value is None and may_be_none else convert_one(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {error}") from None
        return kind(**arguments)

    return convert


def _unless_none(kind: Any) -> tuple[bool, _Converter]:
    """Return whether None is a value of a kind, and what converts the others: most values of a run are None."""
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return False, _converter(kind)
    choices = [argument for argument in typing.get_args(kind) if argument is not type(None)]
    return len(choices) < len(typing.get_args(kind)), _converter(choices[0] if len(choices) == 1 else Any)


def _enumeration(kind: Any) -> _Converter:
    members = {member.value: member for member in kind}

    def convert(values: Any) -> Any:
        # The enumeration itself says what is wrong with a value that is none of its.
        return (members.get(values) if isinstance(values, str) else None) or kind(values)

    return convert


def _number(kind: type[int] | type[float]) -> _Converter:
    def convert_float(values: Any) -> Any:
        if type(values) is not float:
            if isinstance(values, int) and not isinstance(values, bool):
                try:
                    return float(values)
                except OverflowError:
                    raise ValueError("the number is too large") from None
            _require_plain(values, float)
        if not math.isfinite(values):
            raise ValueError("the number is not finite")
        return values

    def convert_int(values: Any) -> Any:
        if type(values) is not int:
            _require_plain(values, int)
        if not -LARGEST_NUMBER <= values < LARGEST_NUMBER:
            raise ValueError("the number is too large")
        return values

    return convert_float if kind is float else convert_int


def _plain(kind: Any) -> _Converter:
    def convert_text(values: Any) -> Any:
        # A run says the same words thousands of times: they are kept once.
        if type(values) is not str:
            _require_plain(values, str)
        return sys.intern(values)

    def convert(values: Any) -> Any:
        _require_plain(values, kind)
        return values

    return convert_text if kind is str else convert


def _require_plain(values: Any, kind: Any) -> None:
    if kind is not bool and isinstance(values, bool):
        raise TypeError(f"expected {kind.__name__}, not a truth value")
    _require(values, kind, kind.__name__)


def _require(values: Any, kind: Any, word: str) -> None:
    if not isinstance(values, kind):
        raise TypeError(f"expected {word}, not {type(values).__name__}")
