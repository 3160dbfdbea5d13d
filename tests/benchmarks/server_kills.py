"""Kills at random moments of runs on servers: ``python -m tests.benchmarks.server_kills [NAME ...] [--count 30]``.

NAME is what ``imgstore-tui servers list`` calls a server; without one, all that are installed. A node of it is started
with the vendor's durable settings, and ended. Runs are hit by KILL at the run, its fork server, its child, or the
server, in turn. After ``sweep`` nothing of theirs is on the server, and what a neighbour keeps there is as it was. The
password of the server is searched for in all that was written or printed, and in the environment and command line of
every process of the run.
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
from urllib.parse import quote, unquote

from imgstore_tui.core.location import secrets_in
from imgstore_tui.jobs.servers.catalogue import all_recipes, recipe
from imgstore_tui.jobs.servers.node import Node
from tests.support.neighbours import NAME, neighbour_of
from tests.support.nodes import running_node
from tests.support.processes import descendants

PASSWORD = "canary-Pass#word@1"
WORDS = [
    "run", "-n", "1,60", "-o", "write-one,write-many,read-one,append", "-d", "synthetic,size=32", "--rounds", "4",
]  # fmt: skip
TARGETS = ("run", "fork server", "child", "server")
LONGEST_WAIT_S = 4.0
LONGEST_RUN_S = 180


class Kills:
    """Hits the runs on one server."""

    def __init__(self, node: Node, folder: Path, dice: random.Random) -> None:
        self.node, self.dice = node, dice
        self.home, self.scratch = folder / "home", folder / "scratch"
        self.scratch.mkdir()
        variables = self.node.variables()
        # A user's name counts as secret, too, but stands everywhere.
        secrets = {
            secret for value in variables.values() for secret in secrets_in(value) if len(secret) >= len(PASSWORD)
        }
        self.canaries = {
            form.encode() for secret in secrets for form in (secret, unquote(secret), quote(unquote(secret), safe=""))
        }
        settings = {"IMGSTORE_TUI_HOME": str(self.home), "IMGSTORE_TUI_LOCK": str(folder / "lock")}
        self.environment = {**os.environ, **settings, **variables}
        self.neighbour = neighbour_of(self.node)
        self.neighbour.make()
        self.before = self.neighbour.digest()
        backend = self.node.recipe.backend
        self.words = [*WORDS, "-b", f"{backend},{backend}:preset=plain"]
        self.hits: collections.Counter[str] = collections.Counter()
        self.left = 0

    def program(self, *words: str) -> subprocess.Popen[bytes]:
        """Start the program."""
        return subprocess.Popen(
            [sys.executable, "-m", "imgstore_tui", *words], cwd=self.scratch, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def hit(self, target: str) -> None:
        """Hit a run, sweep, and look."""
        run = self.program(*self.words)
        deadline = time.monotonic() + LONGEST_RUN_S
        while run.poll() is None and fork_server_of(run) is None and time.monotonic() < deadline:
            for pid in descendants(run.pid):
                self.check_process(pid, run)
            time.sleep(0.02)
        time.sleep(self.dice.uniform(0.2, LONGEST_WAIT_S))
        for pid in descendants(run.pid):
            self.check_process(pid, run)
        self.hits[self.kill(target, run)] += 1
        if target in ("run", "server"):
            with contextlib.suppress(ProcessLookupError):
                run.kill()
        else:
            run.send_signal(signal.SIGTERM)
        printed = run.communicate(timeout=LONGEST_RUN_S)[0]
        self.check_text("what the run printed", printed)
        if len(self.node.pids) < self.node.process_count:
            self.node.start()
        self.left += len(self.neighbour.names()) - 1
        sweep = self.program("sweep")
        swept = sweep.communicate(timeout=LONGEST_RUN_S)[0]
        self.check_text("what sweep printed", swept)
        names = self.neighbour.names()
        assert names == [NAME], (target, names, swept.decode(), printed.decode()[-500:])
        assert self.neighbour.digest() == self.before, "the neighbour is not as it was"

    def kill(self, target: str, run: subprocess.Popen[bytes]) -> str:
        """Kill the target; return what was hit."""
        if target == "server":
            self.node.kill()
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

    def check_process(self, pid: int, run: subprocess.Popen[bytes]) -> None:
        """Look for the password where others can read it: a process's environment and command line."""
        with contextlib.suppress(OSError):
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            # Between its fork and its start a process still shows what the run itself was started with, by whoever did.
            if command != Path(f"/proc/{run.pid}/cmdline").read_bytes():
                self.check_text(f"environment and command of {command!r}", environment + command)

    def check_text(self, what: str, text: bytes) -> None:
        """Assert that the password is not in a text."""
        assert not [canary for canary in self.canaries if canary in text], what

    def check_files(self) -> None:
        """Assert that the password is in no file that was written."""
        for path in (*self.home.rglob("*"), *self.scratch.rglob("*")):
            if path.is_file():
                self.check_text(str(path), path.read_bytes())

    def summary(self) -> str:
        """Return what was hit, and what was left."""
        hits = ", ".join(f"{name} {count}" for name, count in sorted(self.hits.items()))
        secret = "no canary anywhere" if self.canaries else "it has no secret"
        return (
            f"{sum(self.hits.values())} kills ({hits}): {self.left} stores were left for sweep, none is left after "
            f"it; the neighbour is as it was; {secret}"
        )


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


def main() -> int:
    """Kill and sweep on each server, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="default: all that are installed")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    failures = 0
    for name in words.names or [name for name, entry in all_recipes().items() if entry.programs() is not None]:
        with (
            tempfile.TemporaryDirectory(prefix="server-kills-") as folder,
            running_node(recipe(name), password=PASSWORD) as node,
        ):
            kills = Kills(node, Path(folder), random.Random(f"{words.seed} {name}"))
            try:
                for number in range(words.count):
                    began = time.monotonic()
                    kills.hit(TARGETS[number % len(TARGETS)])
                    print(f"{name} {number + 1}: {TARGETS[number % len(TARGETS)]}, {time.monotonic() - began:.0f} s")
                    sys.stdout.flush()
                kills.check_files()
                print(f"{name}: {kills.summary()}", flush=True)
            except AssertionError as error:
                failures += 1
                print(f"{name}: FAILED at {sum(kills.hits.values())}: {error}", flush=True)
    print(f"{failures} failures")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
