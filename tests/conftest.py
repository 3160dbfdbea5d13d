"""What every test gets: a home and a lock of its own, so that no test meets the user's runs or another test."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support import selection, servers

# What starts the tests may ignore these, as nohup does, or a shell in the background; the program would heed that.
for _number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL if _number is signal.SIGHUP else signal.default_int_handler)

# Hundreds of programs are started here, each of which would compile the whole package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

SKIPS, SKIPS_IN_FULL = (Path(__file__).with_name(name) for name in ("allowed_skips.txt", "allowed_skips_full.txt"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run every test, not the representative part alone")


def pytest_configure(config: pytest.Config) -> None:
    servers.begin_session(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    servers.end_session()


def pytest_report_header(config: pytest.Config) -> str:
    return "every test" if _is_full(config) else "a representative part of the tests; --full runs them all"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a full run tests."""
    if not _is_full(config):
        items[:], others = selection.split(items)
        config.hook.pytest_deselected(items=others)


def _is_full(config: pytest.Config) -> bool:
    """Whether every test runs that was named; a test that is named by itself runs, full or not."""
    return config.getoption("full") or any("::" in argument for argument in config.args)


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Fail, if ``IMGSTORE_TUI_STRICT`` is set, when a test skipped for a reason that is not listed as allowed.

    At ``full`` the list is that of a full run, in which everything is installed, whichever tests run.
    """
    strict = os.environ.get("IMGSTORE_TUI_STRICT")
    if not strict:
        return
    lines = (SKIPS_IN_FULL if config.getoption("full") or strict == "full" else SKIPS).read_text().splitlines()
    allowed = [line for line in lines if line and not line.startswith("#")]
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(part in reason for part in allowed):
            terminalreporter.write_line(f"unexpected skip: {report.nodeid}: {reason}", red=True)
            assert terminalreporter._session is not None
            terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED
