"""Checks of what every key of the screen does, in modules by what binds them; ``test_keys`` runs them all."""

import pytest

for _name in ("dialogs", "effects", "forms", "panes", "saved_runs", "workbench"):
    pytest.register_assert_rewrite(f"{__name__}.{_name}")
