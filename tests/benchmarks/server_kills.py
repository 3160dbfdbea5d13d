"""Kills at random moments of runs on a server: ``python -m tests.benchmarks.server_kills [--count 30] [--seed 0]``.

Runs with PostgreSQL are hit by KILL at the run, its fork server, its child, or the server, in turn. After ``sweep``
nothing of theirs is on the server, and the table of a neighbour is as it was. The password of the server is searched
for in all that was written or printed, and in the environment and command line of every process of the run.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from tests.support.postgres_server import PASSWORD, PostgresServer, postgres_server
from tests.support.processes import descendants

WORDS = [
    "run", "-b", "postgres", "-n", "1,60", "-o", "write-one,write-many,read-one,append", "-d", "synthetic,size=32",
    "--sync", "buffered,end", "--rounds", "4",
]  # fmt: skip
TARGETS = ("run", "fork server", "child", "server")
LONGEST_WAIT_S = 4.0
CANARIES = {PASSWORD.encode(), quote(PASSWORD, safe="").encode()}


def main() -> None:
    """Kill and sweep, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    dice = random.Random(words.seed)
    hits: collections.Counter[str] = collections.Counter()
    left = 0
    with tempfile.TemporaryDirectory(prefix="server-kills-") as folder, postgres_server("fsync=on") as server:
        home, scratch = Path(folder, "home"), Path(folder, "scratch")
        scratch.mkdir()
        settings = {"IMGSTORE_TUI_HOME": str(home), "IMGSTORE_TUI_LOCK": str(Path(folder, "lock"))}
        environment = {**os.environ, **settings, "IMGSTORE_POSTGRES_URL": server.url()}
        server.sql("CREATE TABLE neighbour AS SELECT n, repeat('x', 100) AS text FROM generate_series(1, 100) AS n")
        before = neighbour(server)
        for number in range(words.count):
            target = TARGETS[number % len(TARGETS)]
            run = subprocess.Popen(
                [sys.executable, "-m", "imgstore_tui", *WORDS], cwd=scratch, env=environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            deadline = time.monotonic() + 60
            while run.poll() is None and fork_server_of(run) is None and time.monotonic() < deadline:
                for pid in descendants(run.pid):
                    check_process(pid, run)
                time.sleep(0.02)
            time.sleep(dice.uniform(0.2, LONGEST_WAIT_S))
            for pid in [run.pid, *descendants(run.pid)][1:]:
                check_process(pid, run)
            hits[hit(target, run, server)] += 1
            if target in ("run", "server"):
                with contextlib.suppress(ProcessLookupError):
                    run.kill()
            else:
                run.send_signal(signal.SIGTERM)
            printed = run.communicate(timeout=60)[0]
            check_text("what the run printed", printed)
            if server.process.poll() is not None:
                server.start()
            left += len([name for name in server.tables() if name != "neighbour"])
            swept = subprocess.run(
                [sys.executable, "-m", "imgstore_tui", "sweep"], cwd=scratch, env=environment, capture_output=True,
                check=False, timeout=180,
            )  # fmt: skip
            check_text("what sweep printed", swept.stdout + swept.stderr)
            tables = server.tables()
            assert tables == ["neighbour"], (number, target, tables, swept.stderr.decode(), printed.decode()[-500:])
            assert neighbour(server) == before
            print(f"{number + 1}: {target}", flush=True)
        for path in (*home.rglob("*"), *scratch.rglob("*")):
            if path.is_file():
                check_text(str(path), path.read_bytes())
    print(f"{words.count} kills ({', '.join(f'{name} {count}' for name, count in sorted(hits.items()))}): ", end="")
    print(f"{left} stores were left for sweep, none is left after it; the neighbour is as it was; no canary anywhere")


def neighbour(server: PostgresServer) -> list[str]:
    """Return all that the neighbour's table holds, as the server tells."""
    return server.sql("SELECT count(*), md5(string_agg(n || text, ',' ORDER BY n)) FROM neighbour")


def fork_server_of(run: subprocess.Popen[bytes]) -> int | None:
    """Return the process of a run that forks its trials, if there is one now."""
    for pid in descendants(run.pid):
        with contextlib.suppress(OSError):
            if b"fork_server" in Path(f"/proc/{pid}/cmdline").read_bytes() and parent_of(pid) == run.pid:
                return pid
    return None


def parent_of(pid: int) -> int:
    """Return the parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def hit(target: str, run: subprocess.Popen[bytes], server: PostgresServer) -> str:
    """Kill the target; return what was hit."""
    if target == "server":
        server.kill()
        return target
    deadline = time.monotonic() + 10
    while run.poll() is None and time.monotonic() < deadline:
        fork_server = fork_server_of(run)
        children = [] if fork_server is None else descendants(fork_server)
        pids = {"run": [run.pid], "fork server": [fork_server] if fork_server else [], "child": children}[target]
        with contextlib.suppress(ProcessLookupError):
            if pids:
                os.kill(pids[0], signal.SIGKILL)
                return target
    return "nothing"


def check_process(pid: int, run: subprocess.Popen[bytes]) -> None:
    """Look for the password where others can read it: a process's environment and command line."""
    with contextlib.suppress(OSError):
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        # Between its fork and its start a process still shows what the run itself was started with, by whoever did.
        if command != Path(f"/proc/{run.pid}/cmdline").read_bytes():
            check_text(f"environment and command of {command!r}", environment + command)


def check_text(what: str, text: bytes) -> None:
    """Assert that the password is not in a text."""
    assert not [canary for canary in CANARIES if canary in text], what


if __name__ == "__main__":
    main()
