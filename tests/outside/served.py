"""A backend that claims to be a server and keeps its data in a folder."""

from __future__ import annotations

from imgstore_tui.core.backend import Capabilities
from tests.outside.ledger import Ledger


class Served(Ledger):
    name = "served"
    title = "A ledger that claims to be a server"
    capabilities = Capabilities(server=True)
