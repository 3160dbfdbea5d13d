"""The test file of a third party's package; run by ``test_outsider`` with the package on the path."""

from __future__ import annotations

from imgstore_tui.testing.conformance_backend import BackendConformance


class TestLedger(BackendConformance):
    backend = "ledger"
