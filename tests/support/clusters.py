"""Starts Dask schedulers and workers as a user does by hand: on loopback, with TLS by certificates made for a test."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import imgstore_tui
from tests.support.tcp_proxy import TcpProxy

ROOT = Path(imgstore_tui.__file__).parents[1]
START_S = 60
OTHER_MACHINE = """
import pathlib, socket
socket.gethostname = lambda: "{name}"
_read = pathlib.Path.read_text
def read_text(path, *arguments, **options):
    return "{name}" if path.name == "boot_id" else _read(path, *arguments, **options)
pathlib.Path.read_text = read_text
"""
"""Lets a process take its machine for another: what tells machines apart is read where this looks."""

BLIND = """
import pathlib
_read = pathlib.Path.read_text
def read_text(path, *arguments, **options):
    if path.name == "token":
        raise FileNotFoundError(path)
    return _read(path, *arguments, **options)
pathlib.Path.read_text = read_text
"""
"""Lets a worker not see the file that the run writes in its folder."""


def free_port() -> int:
    """Return a port of loopback that is free."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def make_certificate(folder: Path) -> dict[str, str]:
    """Write a certificate that signs itself; return the variables by which Dask uses it in all three roles."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    variables = {
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true",
        "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(cert_path),
    }
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        variables[f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT"] = str(cert_path)
        variables[f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY"] = str(key_path)
    return variables


@dataclass
class DaskNodes:
    """A scheduler and its workers, each a process of its own."""

    folder: Path
    environment: dict[str, str]
    scheme: str = "tls"
    address: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    lines: list[TcpProxy] = field(default_factory=list)

    def start_scheduler(self) -> None:
        """Start the scheduler on a free port of loopback."""
        file = self.folder / "scheduler.json"
        self._start("dask_scheduler", "--host", f"{self.scheme}://127.0.0.1", "--port", "0", "--scheduler-file", file)
        deadline = time.monotonic() + START_S
        while not self.address:
            assert time.monotonic() < deadline, (self.folder / "node-0.log").read_text()
            with contextlib.suppress(OSError, ValueError):
                self.address = json.loads(file.read_text())["address"]
            time.sleep(0.05)

    def wait_for_workers(self) -> None:
        """Wait until the scheduler knows every worker that was started."""
        deadline = time.monotonic() + START_S
        for number in range(1, len(self.processes)):
            log = self.folder / f"node-{number}.log"
            while "Registered to" not in log.read_text():
                is_alive = self.processes[number].poll() is None
                assert is_alive, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)

    def start_worker(self, variables: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a nanny with one worker, with variables beside those of the cluster; return the nanny."""
        folder = self.folder / f"worker-{len(self.processes)}"
        return self._start(
            "dask_worker", self.address, "--host", f"{self.scheme}://127.0.0.1", "--nworkers", "1", "--nthreads", "1",
            "--memory-limit", "0", "--local-directory", folder, variables=variables,
        )  # fmt: skip

    def start_far_worker(self, name: str, delay_s: float, loss: float) -> subprocess.Popen[bytes]:
        """Start a nanny with one worker as if on another machine: with a name, and a long line of its own.

        Args:
            name: Name of the machine.
            delay_s: How long what is sent is on its way, one way.
            loss: Share of the pieces that have to be sent again.
        """
        listens = free_port()
        lines = [TcpProxy(int(self.address.rpartition(":")[2])), TcpProxy(listens)]
        for line in lines:
            line.delay_s, line.loss = delay_s, loss
        self.lines += lines
        folder = self.folder / f"worker-{len(self.processes)}"
        return self._start(
            "dask_worker", f"{self.scheme}://127.0.0.1:{lines[0].port}",
            "--listen-address", f"{self.scheme}://127.0.0.1:{listens}", "--contact-address", f"{self.scheme}://127.0.0.1:{lines[1].port}",
            "--nworkers", "1", "--nthreads", "1", "--memory-limit", "0", "--local-directory", folder,
            variables=changed_python(self.folder / name, OTHER_MACHINE.format(name=name)),
        )  # fmt: skip

    def _start(
        self, module: str, *arguments: str | Path, variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        log = (self.folder / f"node-{len(self.processes)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *map(str, arguments), "--no-dashboard"],
                env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment, **(variables or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End all of them."""
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for line in self.lines:
            line.close()


@contextlib.contextmanager
def dask_nodes(folder: Path, workers: int, *, tls: bool = True) -> Iterator[DaskNodes]:
    """Run a scheduler and workers on loopback.

    Args:
        folder: Folder for certificates, logs, and what workers keep.
        workers: How many to start; more can be started later.
        tls: Whether they use TLS.
    """
    folder.mkdir(parents=True)
    nodes = DaskNodes(folder, make_certificate(folder) if tls else {}, "tls" if tls else "tcp")
    try:
        nodes.start_scheduler()
        for _ in range(workers):
            nodes.start_worker()
        yield nodes
    finally:
        nodes.stop()


def changed_python(folder: Path, code: str) -> dict[str, str]:
    """Return the variables with which every Python process of a worker runs some code at its start."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
