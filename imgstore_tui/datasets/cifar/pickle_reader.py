"""Reads the data in a pickle without running it.

A pickle is a program whose opcodes may import and call anything. This interpreter knows only the opcodes that carry
data, and five names, which become inert markers. Anything else in a file is refused with a sentence. It imports
nothing, calls nothing, and its memory is bounded: long strings (pixels) are returned as ranges of the file; steps,
sizes of dictionaries and lengths of lines have limits; nothing that could be nested is hashed or compared.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from imgstore_tui.core.errors import DataError
from imgstore_tui.core.text import safe_text
from imgstore_tui.datasets.cifar.stream import Blob, DamagedError, ReadAt, Stream

_MAX_STEPS = 1_000_000
"""Most opcodes; CIFAR-100's training file has 300,000."""
_MAX_KEYS = 100


@dataclass(slots=True)
class Dtype:
    """Stands for a numpy dtype."""

    name: str


@dataclass(slots=True)
class Array:
    """Stands for a numpy array; the fields are as in the file, unchecked."""

    shape: object = None
    dtype: object = None
    fortran: object = None
    data: object = None


class _Name(Enum):
    RECONSTRUCT = auto()
    NDARRAY = auto()
    DTYPE = auto()
    ENCODE = auto()
    FROM_BUFFER = auto()


class _Mark:
    """Marks on the stack where a tuple, list or dictionary begins."""


_NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): _Name.RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _Name.RECONSTRUCT,
    ("numpy", "ndarray"): _Name.NDARRAY,
    ("numpy", "dtype"): _Name.DTYPE,
    ("_codecs", "encode"): _Name.ENCODE,
    ("numpy.core.numeric", "_frombuffer"): _Name.FROM_BUFFER,
    ("numpy._core.numeric", "_frombuffer"): _Name.FROM_BUFFER,
}
_MARK = _Mark()


def read_pickle(read_at: ReadAt, size: int) -> object:
    """Return the value of a pickle of ``size`` bytes.

    Integers, floats, strings, bytes, None, tuples, lists, dictionaries with simple keys, ``Array``, ``Blob``.

    Raises:
        DataError: If the pickle is damaged or contains anything else; the message does not name the file.
    """
    machine = _Machine(Stream(read_at, size))
    try:
        return machine.run()
    except DamagedError as error:
        reason = str(error)
    except (IndexError, KeyError):
        reason = "something is taken that was never put"
    except (ValueError, TypeError, AttributeError, struct.error):
        reason = "a value is not what it should be"
    raise DataError(f"It is damaged or no pickle of a CIFAR batch: at byte {machine.stream.offset:,} {reason}.")


class _Machine:
    """Interprets the opcodes that carry data, with a stack and a memo."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> object:
        take, operations = self.stream.take, _OPERATIONS
        for _ in range(_MAX_STEPS):
            code = take(1)
            if code == b".":
                return self._stack.pop()
            operation = operations.get(code)
            if operation is None:
                raise DamagedError(f"stands an opcode that carries no data ({code.hex()})")
            operation(self)
        raise DamagedError("it has taken more steps than any batch needs")

    def push(self, value: object) -> None:
        self._stack.append(value)

    def pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise DamagedError("a value is missing")
        return value

    def since_mark(self) -> list[Any]:
        """Pop everything above the last mark, and the mark."""
        values: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        values.reverse()
        return values

    def tuple_of(self, count: int) -> None:
        values = tuple(self.pop() for _ in range(count))
        self.push(values[::-1])

    def skip(self, count: int) -> None:
        self.stream.take(count)

    def drop_to_mark(self) -> None:
        self.since_mark()

    def drop(self) -> None:
        self._stack.pop()

    def duplicate(self) -> None:
        self.push(self._stack[-1])

    def keep(self, number: int) -> None:
        self._memo[number] = self._stack[-1]

    def recall(self, number: int) -> None:
        self.push(self._memo[number])

    def append(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise DamagedError("something is appended to what is no list")
        target.extend(values)

    def set_items(self, pairs: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict) or len(pairs) % 2:
            raise DamagedError("something is put into what is no dictionary")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            # Hashing a nested key could overflow the stack, and many colliding keys would take years.
            if not isinstance(key, str | bytes | int) or len(target) >= _MAX_KEYS:
                raise DamagedError("stands a dictionary that no batch holds")
            target[key] = value

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.set_items([key, value])

    def dictionary(self) -> None:
        pairs = self.since_mark()
        self.push({})
        self.set_items(pairs)

    def name(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise DamagedError("a name is no text")
        marker = _NAMES.get((module, name))
        if marker is None:
            raise DataError(
                f"It asks for '{safe_text(module[:80])}.{safe_text(name[:80])}', which no CIFAR batch needs. "
                "Nothing of it was run."
            )
        self.push(marker)

    def name_from_stack(self) -> None:
        name, module = self.pop(), self.pop()
        self.name(module, name)

    def reduce(self) -> None:
        values, function = self.pop(), self.pop()
        if not isinstance(values, tuple):
            raise DamagedError("a call has no tuple of arguments")
        if function is _Name.RECONSTRUCT and len(values) == 3 and values[0] is _Name.NDARRAY:
            self.push(Array())
        elif function is _Name.DTYPE and values and isinstance(values[0], str | bytes):
            self.push(Dtype(_ascii(values[0])))
        elif function is _Name.ENCODE and len(values) == 2 and isinstance(values[1], str | bytes):
            self.push(_encoded(values[0], _ascii(values[1])))
        elif function is _Name.FROM_BUFFER and len(values) == 4 and isinstance(values[3], str | bytes):
            self.push(Array(values[2], values[1], _ascii(values[3]) != "C", values[0]))
        else:
            raise DamagedError("stands a call that no batch needs")

    def build(self) -> None:
        state, target = self.pop(), self._stack[-1]
        if isinstance(target, Array) and isinstance(state, tuple) and len(state) == 5:
            _, target.shape, target.dtype, target.fortran, target.data = state
        elif not (isinstance(target, Dtype) and isinstance(state, tuple)):
            raise DamagedError("stands a state that no batch holds")

    def integer_from_line(self) -> None:
        line = self.stream.line()
        # Protocols 0 and 1 write booleans like this.
        self.push({"00": False, "01": True}[line] if line in {"00", "01"} else _integer(line.removesuffix("L")))

    def text_from_line(self) -> None:
        line = self.stream.line()
        if len(line) < 2 or line[0] != line[-1] or line[0] not in "'\"" or "\\" in line:
            raise DamagedError("stands a string that is not spelled plainly")
        self.push(line[1:-1].encode("ascii", "replace"))

    def number(self, layout: str) -> None:
        packed = struct.Struct(layout)
        self.push(packed.unpack(self.stream.take(packed.size))[0])

    def long_number(self) -> None:
        data = self.stream.take(self.stream.take(1)[0])
        self.push(int.from_bytes(data, "little", signed=True))


def _integer(line: str) -> int:
    if len(line) > 20:
        raise DamagedError("stands a number that is too long")
    return int(line)


def _ascii(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("ascii", "replace")


def _encoded(text: object, encoding: str) -> bytes | Blob:
    if encoding not in {"latin1", "latin-1"}:
        raise DamagedError("stands an encoding other than latin1")
    if isinstance(text, Blob) and text.text:
        return Blob(text.offset, text.length, latin1=True)
    if isinstance(text, str):
        return text.encode("latin-1")  # UnicodeEncodeError is a ValueError
    raise DamagedError("something is encoded that is no text")


_OPERATIONS: dict[bytes, Callable[[_Machine], None]] = {
    b"\x80": lambda m: m.skip(1),  # PROTO
    b"\x95": lambda m: m.skip(8),  # FRAME
    b"(": lambda m: m.push(_MARK),
    b"0": lambda m: m.drop(),
    b"1": lambda m: m.drop_to_mark(),
    b"2": lambda m: m.duplicate(),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": lambda m: m.integer_from_line(),
    b"L": lambda m: m.integer_from_line(),
    b"J": lambda m: m.number("<i"),
    b"K": lambda m: m.number("<B"),
    b"M": lambda m: m.number("<H"),
    b"\x8a": lambda m: m.long_number(),
    b"G": lambda m: m.number(">d"),
    b"S": lambda m: m.text_from_line(),
    b"T": lambda m: m.push(m.stream.string(4)),  # BINSTRING
    b"U": lambda m: m.push(m.stream.string(1)),
    b"B": lambda m: m.push(m.stream.string(4)),  # BINBYTES
    b"C": lambda m: m.push(m.stream.string(1)),
    b"\x8e": lambda m: m.push(m.stream.string(8)),
    b"\x96": lambda m: m.push(m.stream.string(8)),  # BYTEARRAY8
    b"X": lambda m: m.push(m.stream.string(4, text=True)),  # BINUNICODE
    b"\x8c": lambda m: m.push(m.stream.string(1, text=True)),
    b"\x8d": lambda m: m.push(m.stream.string(8, text=True)),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.since_mark())),
    b"\x85": lambda m: m.tuple_of(1),
    b"\x86": lambda m: m.tuple_of(2),
    b"\x87": lambda m: m.tuple_of(3),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.since_mark()),
    b"a": lambda m: m.append([m.pop()]),
    b"e": lambda m: m.append(m.since_mark()),
    b"}": lambda m: m.push({}),
    b"d": lambda m: m.dictionary(),
    b"s": lambda m: m.set_item(),
    b"u": lambda m: m.set_items(m.since_mark()),
    b"p": lambda m: m.keep(_integer(m.stream.line())),
    b"q": lambda m: m.keep(m.stream.take(1)[0]),
    b"r": lambda m: m.keep(int.from_bytes(m.stream.take(4), "little")),
    b"\x94": lambda m: m.keep(len(m._memo)),  # MEMOIZE
    b"g": lambda m: m.recall(_integer(m.stream.line())),
    b"h": lambda m: m.recall(m.stream.take(1)[0]),
    b"j": lambda m: m.recall(int.from_bytes(m.stream.take(4), "little")),
    b"c": lambda m: m.name(m.stream.line(), m.stream.line()),
    b"\x93": lambda m: m.name_from_stack(),
    b"R": lambda m: m.reduce(),
    b"b": lambda m: m.build(),
}
