"""The tree of tests: what several test modules share has its place in ``tests/support``."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent


def imported_modules(path: Path) -> set[str]:
    """Return the dotted names of all that a file imports: modules, and names out of modules."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_no_test_module_is_imported_by_another_file() -> None:
    test_modules = {".".join(path.relative_to(HERE.parent).with_suffix("").parts) for path in HERE.rglob("test_*.py")}
    assert len(test_modules) > 100
    imports = [
        f"{path.relative_to(HERE)} imports {name}"
        for path in sorted(HERE.rglob("*.py"))
        for name in sorted(imported_modules(path))
        if name in test_modules or name.rpartition(".")[0] in test_modules
    ]
    assert imports == []
