"""Lists the colours of methods in files: the same in every format, six that differ in grey, too, with their marks."""

from __future__ import annotations

ON_LIGHT = ("#0b7285", "#a61e8c", "#237a35", "#b35c00", "#364fc7", "#c92a2a")
"""On white; as text on white, they are readable."""
ON_DARK = ("#3bc9db", "#e599f7", "#69db7c", "#ffc078", "#91a7ff", "#ff8787")
"""The same hues on near black."""
