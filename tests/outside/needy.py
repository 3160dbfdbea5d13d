"""A backend whose driver nobody has."""

from __future__ import annotations

from tests.outside.ledger import Ledger


class Needy(Ledger):
    name = "needy"
    title = "A ledger that wants a driver"
    requires = ("a_driver_nobody_has",)
