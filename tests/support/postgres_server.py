"""Starts a throw-away PostgreSQL on a loopback port, from the programs that Debian's packages install."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PASSWORD = "canary-Pass#word@1"
"""Of the user ``bench``: odd enough to need encoding, and to be searched for."""
DATABASE = "art"
START_S = 60.0
HOW_TO_GET = "PostgreSQL's server is not installed (apt-get install postgresql)"


def programs() -> Path | None:
    """Return the folder of the server's programs, None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@dataclass
class PostgresServer:
    """A server that runs; the user is ``bench``, who may do everything, and its password is ``PASSWORD``."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    settings: tuple[str, ...]

    def url(self, database: str = DATABASE, password: str | None = PASSWORD, user: str = "bench") -> str:
        """Return an address, with the password unless that is None."""
        from urllib.parse import quote

        word = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{user}{word}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = DATABASE) -> list[str]:
        """Run a statement with the server's own tool; return the lines of its answer, columns separated by ``|``."""
        bin_folder = programs()
        assert bin_folder is not None
        done = subprocess.run(
            [bin_folder / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(database, None), "-c", statement],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def tables(self, database: str = DATABASE) -> list[str]:
        """Return the tables that are there."""
        return self.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", database)

    def start(self) -> None:
        """Start the process, and wait until it answers."""
        bin_folder = programs()
        assert bin_folder is not None
        command = [
            str(bin_folder / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), "-c",
            "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}",
            *(word for setting in self.settings for word in ("-c", setting)),
        ]  # fmt: skip
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen[bytes](
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True, **_user()
        )
        log.close()
        deadline = time.monotonic() + START_S
        ready = [str(bin_folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:
            assert self.process.poll() is None, (self.folder / "log").read_text(errors="replace")[-2000:]
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: with SIGINT at once and in order, with SIGQUIT without, as a crash does."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def kill(self) -> None:
        """Kill the whole server, as the kernel does when memory runs out."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        time.sleep(0.2)  # its shared memory goes with the last of its processes

    def __str__(self) -> str:
        return self.url(password=None)


def _user() -> dict[str, Any]:
    """Return who the server runs as: it refuses root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def postgres_server(*settings: str) -> Iterator[PostgresServer]:
    """Make a server with a database ``art``, and take all of it away at the end.

    Args:
        *settings: Its settings, ``NAME=VALUE``; without ``fsync=on`` it forces nothing to the device.
    """
    bin_folder = programs()
    assert bin_folder is not None
    # Not in the folder of a test: that is closed to the user whom the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    secret = folder / "password"
    secret.write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (folder, secret):
            shutil.chown(path, "nobody", "nogroup")
    folder.chmod(0o755)
    initdb = [
        str(bin_folder / "initdb"),
        "-D",
        str(folder / "data"),
        "-U",
        "bench",
        "-A",
        "scram-sha-256",
        f"--pwfile={secret}",
    ]
    try:
        subprocess.run(
            [*initdb, "-E", "UTF8", "--locale=C", "--no-sync"], check=True, capture_output=True, cwd="/", **_user()
        )
        fast = ("fsync=off", "full_page_writes=off") if "fsync=on" not in settings else ()
        server = PostgresServer(folder, _free_port(), subprocess.Popen(["true"]), (*fast, *settings))
        server.process.wait()
        server.start()
        try:
            server.sql(f"CREATE DATABASE {DATABASE}", "postgres")
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
