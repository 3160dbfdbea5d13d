"""Encodes and searches tf.train.Example: a map from names to lists of bytes, integers or floats (protocol buffers).

The backend stores an encoded image as ``image/encoded`` with ``image/format``, as usual, and bare pixels as
``image/raw`` with ``image/shape`` and ``image/dtype``; the label is ``image/class/label``, if there is one,
and the name of the file ``image/filename``, if it is known.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from imgstore_tui.core.errors import StoreError

ENCODED, RAW, LABEL, FILE_NAME = b"image/encoded", b"image/raw", b"image/class/label", b"image/filename"

_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3
_FLOAT = struct.Struct("<f")
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def varint(number: int) -> bytes:
    """Return a number as a protocol buffers varint; negative ones as 64 bits of two's complement."""
    if number < 0:
        number += 1 << 64
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _delimited(field: int, *parts: bytes | memoryview) -> bytes:
    return b"".join((varint(field << 3 | _LENGTH), varint(sum(map(len, parts))), *parts))


def bytes_feature(name: bytes, *values: bytes) -> bytes:
    """Return an entry of the map with a list of bytes."""
    values_list = b"".join(_delimited(1, value) for value in values)
    return _entry(name, _delimited(_BYTES_LIST, values_list))


def int64_feature(name: bytes, *values: int) -> bytes:
    """Return an entry of the map with a packed list of integers."""
    return _entry(name, _delimited(_INT64_LIST, _delimited(1, b"".join(map(varint, values)))))


def _entry(name: bytes, feature: bytes) -> bytes:
    return _delimited(1, _delimited(1, name), _delimited(2, feature))


def head_and_tail(name: bytes, size: int, others: bytes) -> tuple[bytes, bytes]:
    """Return the bytes of an Example before and after a value of ``size`` bytes; it has other features too."""
    value = varint(1 << 3 | _LENGTH) + varint(size)
    values_list = varint(_BYTES_LIST << 3 | _LENGTH) + varint(len(value) + size) + value
    key = _delimited(1, name)
    feature = varint(2 << 3 | _LENGTH) + varint(len(values_list) + size) + values_list
    entry = varint(1 << 3 | _LENGTH) + varint(len(key) + len(feature) + size) + key + feature
    features = varint(1 << 3 | _LENGTH) + varint(len(entry) + size + len(others))
    return features + entry, others


def find_bytes(record: bytes, name: bytes) -> tuple[int, int] | None:
    """Return where the first value of a bytes feature begins and ends in an Example; None if it has none.

    Raises:
        StoreError: If the record is not an Example.
    """
    for values, values_stop in _lists(record, name, _BYTES_LIST):
        for _, value, value_stop in _fields(record, values, values_stop, 1):
            return value, value_stop
    return None


def features(record: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield the features of an Example: name, kind of list (1 bytes, 2 float, 3 int64), where it begins and ends.

    Raises:
        StoreError: If the record is not an Example.
    """
    for _, start, stop in _fields(record, 0, len(record), 1):
        for _, entry, entry_stop in _fields(record, start, stop, 1):
            name = next((record[a:b] for _, a, b in _fields(record, entry, entry_stop, 1)), b"")
            for _, feature, feature_stop in _fields(record, entry, entry_stop, 2):
                for kind in (_BYTES_LIST, _FLOAT_LIST, _INT64_LIST):
                    for _, values, values_stop in _fields(record, feature, feature_stop, kind):
                        yield name, kind, values, values_stop


def feature_values(record: bytes, kind: int, start: int, stop: int, most: int) -> list[bytes] | list[float] | list[int]:
    """Return the values of a list in an Example.

    Args:
        record: The Example.
        kind: Kind of list, as ``features`` yields it.
        start: Where it begins.
        stop: Where it ends.
        most: Most values that are returned.

    Raises:
        StoreError: If the record is not an Example.
    """
    if kind == _BYTES_LIST:
        return [record[a:b] for _, a, b in _fields(record, start, stop, 1)[:most]]
    whole, floats = list[int](), list[float]()
    at = start
    while at < stop and len(whole) + len(floats) < most:
        tag, at = _read_varint(record, at, stop)
        end = stop
        if packed := tag == 1 << 3 | _LENGTH:
            length, at = _read_varint(record, at, stop)
            end = at + length
        if end > stop:
            raise StoreError("A record is no tf.train.Example.")
        while at < end and len(whole) + len(floats) < most:
            if kind == _INT64_LIST:
                number, at = _read_varint(record, at, end)
                whole.append((number & (1 << 64) - 1 ^ 1 << 63) - (1 << 63))
            else:
                if at + _FLOAT.size > end:
                    raise StoreError("A record is no tf.train.Example.")
                floats.append(_FLOAT.unpack_from(record, at)[0])
                at += _FLOAT.size
            if not packed:
                break
        at = end if packed else at
    return whole if kind == _INT64_LIST else floats


def _lists(record: bytes, name: bytes, kind: int) -> Iterator[tuple[int, int]]:
    """Yield where the lists of one kind under a name begin and end in an Example."""
    for _, start, stop in _fields(record, 0, len(record), 1):  # features
        for _, entry, entry_stop in _fields(record, start, stop, 1):  # an entry of the map
            if next((record[a:b] for _, a, b in _fields(record, entry, entry_stop, 1)), b"") != name:
                continue
            for _, feature, feature_stop in _fields(record, entry, entry_stop, 2):
                for _, values, values_stop in _fields(record, feature, feature_stop, kind):
                    yield values, values_stop


def _fields(record: bytes, at: int, stop: int, number: int) -> list[tuple[int, int, int]]:
    """Return number, start and stop of the length-delimited fields of a message with this number."""
    fields = []
    while at < stop:
        tag, at = _read_varint(record, at, stop)
        kind = tag & 7
        if kind == _LENGTH:
            length, at = _read_varint(record, at, stop)
            if tag >> 3 == number:
                fields.append((number, at, at + length))
            at += length
        elif kind == _VARINT:
            _, at = _read_varint(record, at, stop)
        elif kind in {_FIXED64, _FIXED32}:
            at += 8 if kind == _FIXED64 else 4
        else:
            raise StoreError("A record is no tf.train.Example.")
    if at > stop:
        raise StoreError("A record is no tf.train.Example.")
    return fields


def _read_varint(record: bytes, at: int, stop: int) -> tuple[int, int]:
    number = shift = 0
    while at < stop and shift < 70:
        byte = record[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise StoreError("A record is no tf.train.Example.")


def list_items(record: bytes, start: int, stop: int) -> list[tuple[int, int]]:
    """Return where the values of a list of bytes begin and end."""
    return [(begin, end) for _, begin, end in _fields(record, start, stop, 1)]
