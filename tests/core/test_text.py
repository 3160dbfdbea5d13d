"""What drivers and data say, before it reaches a terminal."""

from __future__ import annotations

import errno

import pytest

from imgstore_tui.core.text import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("cannot seek.\nDebug source:\n  Io(...)"), "cannot seek"),
        (ValueError("  \n"), "ValueError"),
        (OSError(errno.ENOSPC, "No space left on device", "/somewhere"), "No space left on device"),
        (RuntimeError("\x1b[31mred\u202e"), "?[31mred?"),
        (RuntimeError("x" * 500), "x" * 200),
    ],
)
def test_one_harmless_line_of_what_a_driver_says(error: Exception, line: str) -> None:
    assert first_line(error) == line
