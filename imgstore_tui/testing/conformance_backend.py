"""Tests what every local backend must do. The test of a backend inherits the class and names the backend.

class TestMine(BackendConformance):
    backend = "mine"

Every test runs for each preset, most of them with several codecs too. What a backend does not claim must be refused in
a sentence; no test is skipped. For a backend of a server there is ``conformance_server``.
"""

from __future__ import annotations

from imgstore_tui.testing.conformance_files import LocalFilesConformance
from imgstore_tui.testing.conformance_store import StoreConformance


class BackendConformance(LocalFilesConformance, StoreConformance):
    """The conformance suite of a local backend: inherit it and name the backend."""
