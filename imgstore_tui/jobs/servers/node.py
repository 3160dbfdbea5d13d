"""Runs one server in a folder of its own: prepares it, starts and stops its processes, removes what it made."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from imgstore_tui.bench.system.processes import descendants_of
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.text import first_line, safe_text
from imgstore_tui.jobs.servers.probes import free_ports
from imgstore_tui.jobs.servers.recipe import Process, ServerRecipe

PREFIX = "imgstore-tui-server-"
"""What the names of nodes' folders begin with."""
DEFAULT_PARENT = Path("/var/tmp")  # noqa: S108 - a new folder is made there that is closed to others
"""Unlike /tmp, seldom in memory."""
_PR_SET_PDEATHSIG = 1
_LOOK_AGAIN_S = 0.05
_TOOL_S = 120
_LOG_TAIL = 600


class Node:
    """A server of a recipe that runs on this machine, or is about to.

    Raises:
        UnavailableError: If it is not installed.
    """

    def __init__(
        self, recipe: ServerRecipe, parent: Path | None = None, *, fast: bool = False, password: str | None = None,
        claim: Callable[[Path], object] = lambda _: None,
    ) -> None:  # fmt: skip
        """Choose ports and make the folder.

        Args:
            recipe: What is run.
            parent: Folder in which the node's own is made; None for ``/var/tmp``.
            fast: Whether settings are allowed that lose data in a crash.
            password: Its password, for tests; None for one by chance.
            claim: Called with the path of the folder before it is made.
        """
        programs = recipe.programs()
        if programs is None:
            raise UnavailableError(f"{recipe.title} is not installed: {recipe.how_to_get}.")
        self.recipe, self.programs, self.fast = recipe, programs, fast
        self.ports = free_ports(recipe.ports, recipe.port_offsets)
        self.password = secrets.token_urlsafe(18) if password is None else password
        self._user = pwd.getpwnam("nobody") if recipe.refuses_root and os.geteuid() == 0 else None
        self._running: list[subprocess.Popen[bytes]] = []
        self.folder = (parent or DEFAULT_PARENT) / f"{PREFIX}{recipe.name}-{secrets.token_hex(4)}"
        claim(self.folder)
        try:
            self.folder.mkdir(mode=0o700)
        except OSError as error:
            raise UnavailableError(f"{self.folder} cannot be made: {error.strerror}.") from None
        try:
            self._own(self.folder)
            self.make_folder("tmp")
            recipe.prepare(self)
        except BaseException:
            self.remove()
            raise

    @property
    def port(self) -> int:
        """The port of its clients."""
        return self.ports[self.recipe.ports[0]]

    @property
    def pids(self) -> list[int]:
        """Its processes that run, the server first."""
        return [process.pid for process in self._running if process.poll() is None]

    @property
    def process_count(self) -> int:
        """How many processes were started."""
        return len(self._running)

    def make_folder(self, name: str) -> Path:
        """Make a folder in the node's, which its processes may write."""
        path = self.folder / name
        path.mkdir(parents=True)
        self._own(path)
        return path

    def write(self, name: str, text: str) -> Path:
        """Write a file into the node's folder, which only its processes and this user can read."""
        path = self.folder / name
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        self._own(path)
        return path

    def run(self, *command: str | Path, **environment: str) -> str:
        """Run a tool to its end, as the user of the node, and return what it printed.

        Raises:
            UnavailableError: If it fails.
        """
        try:
            done = subprocess.run(
                [str(word) for word in command], capture_output=True, check=False, timeout=_TOOL_S,
                **self._settings(environment),
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnavailableError(f"{self._title()} cannot be set up: {first_line(error)}.") from None
        output: str = done.stdout.decode(errors="replace")
        if done.returncode:
            words = _last_words(done.stderr.decode(errors="replace") or output)
            raise UnavailableError(f"{self._title()} cannot be set up: {Path(command[0]).name} ended with: {words}")
        return output

    def start(self) -> None:
        """Start the processes, and wait until the server answers and has what its address names.

        Raises:
            UnavailableError: If it ends, or does not answer in time.
        """
        deadline = time.monotonic() + self.recipe.start_s
        self._running = []
        try:
            for process in self.recipe.processes(self):
                self._running.append(self._spawn(process))
            while not self.recipe.answers(self):
                self._check(deadline)
                time.sleep(_LOOK_AGAIN_S)
            self._check(deadline)
            self.recipe.populate(self)
        except BaseException:
            self.kill()
            raise

    def variables(self) -> dict[str, str]:
        """Return the environment variables that clients need."""
        return dict(self.recipe.variables(self))

    def wait(self, timeout: float) -> bool:
        """Wait for the end of a process of it; return whether one has ended."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self._running):
                return True
            time.sleep(_LOOK_AGAIN_S)
        return False

    def log(self) -> str:
        """Return the end of what the server has printed."""
        with contextlib.suppress(OSError), (self.folder / "log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - (1 << 16)))
            return file.read().decode(errors="replace")
        return ""

    def stop(self) -> None:
        """End it in order, or kill it when that takes too long."""
        for process in self._running:
            if process.poll() is None:
                process.send_signal(self.recipe.stop_signal)
        deadline = time.monotonic() + self.recipe.stop_s
        for process in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        self.kill()

    def kill(self) -> None:
        """Kill its processes and all that they have started, as the kernel does when memory runs out."""
        # Not its process group alone: the children of PostgreSQL leave that.
        family = [pid for process in self._running for pid in (process.pid, *descendants_of(process.pid))]
        for process in self._running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        for pid in family:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for process in self._running:
            process.wait()

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self, process: Process) -> subprocess.Popen[bytes]:
        parent, number = os.getpid(), int(self.recipe.orphan_signal)
        prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

        def end_with_parent() -> None:
            if prctl is not None:
                prctl(_PR_SET_PDEATHSIG, number)
            if os.getppid() != parent:
                os._exit(1)

        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen[bytes](
                [str(word) for word in process.command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,
                **self._settings(process.environment),
            )  # fmt: skip

    def _check(self, deadline: float) -> None:
        """Raise UnavailableError if a process has ended or the time is over."""
        for process in self._running:
            if process.poll() is not None:
                raise UnavailableError(
                    f"{self._title()} does not start: it ended with {process.returncode}: {_last_words(self.log())}"
                )
        if time.monotonic() > deadline:
            raise UnavailableError(f"{self._title()} has not answered within {self.recipe.start_s:.0f} s.")

    def _settings(self, environment: Any) -> dict[str, Any]:
        """Return folder, environment and user of a child; no variable of ours reaches it, secrets neither."""
        who: dict[str, Any] = {}
        if self._user is not None:
            who = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        usual = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
        }
        return {"cwd": self.folder, "env": {**usual, **environment}, **who}

    def _own(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _title(self) -> str:
        return self.recipe.title


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return safe_text(" ".join(lines[-3:])[-_LOG_TAIL:]) or "no message."
