"""What every test gets: a home and a lock of its own, so that no test meets the user's runs or another test."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# What starts the tests may ignore these, as nohup does, or a shell in the background; the program would heed that.
for _number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL if _number is signal.SIGHUP else signal.default_int_handler)

ALLOWED_SKIPS = Path(__file__).with_name("allowed_skips.txt")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point saved runs, the run lock and the current directory at folders of this test."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("IMGSTORE_TUI_HOME", str(home))
    monkeypatch.setenv("IMGSTORE_TUI_LOCK", str(home / "lock"))
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    return home


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where ``IMGSTORE_TUI_STRICT`` is set, a skip for a reason that ``allowed_skips.txt`` does not know fails."""
    if not os.environ.get("IMGSTORE_TUI_STRICT"):
        return
    allowed = [line for line in ALLOWED_SKIPS.read_text().splitlines() if line and not line.startswith("#")]
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(words in reason for words in allowed):
            terminalreporter.write_line(f"unexpected skip: {report.nodeid}: {reason}", red=True)
            assert terminalreporter._session is not None
            terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED
