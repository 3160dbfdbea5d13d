"""Defines how a server is looked for on this machine, prepared, started, asked whether it answers, and addressed."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    from imgstore_tui.jobs.servers.downloads import Download
    from imgstore_tui.jobs.servers.node import Node

Programs: TypeAlias = Mapping[str, Path]
"""Files that a recipe starts servers with, by names of its own."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a node."""

    command: Sequence[str | Path]
    """The program and its arguments; no secret is among them, because every user of the machine can read them."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside ``PATH``, ``LANG``, and ``HOME`` and ``TMPDIR``, which are folders of the node."""


class ServerRecipe(ABC):
    """A server that can be started on this machine.

    A node listens on the loopback address only, keeps all its files in ``node.folder``, and stays in the foreground.
    It runs with the vendor's durable defaults; ``node.fast`` allows settings that lose data in a crash, for tests.
    """

    name: ClassVar[str]
    """What the user calls it: ``postgres``, ``seaweedfs``."""
    backend: ClassVar[str]
    """Name of the backend whose address variable it serves."""
    title: ClassVar[str]
    """The product's own name: ``PostgreSQL``, ``SeaweedFS``."""
    emulator: ClassVar[bool] = False
    """Whether it imitates a service for tests; figures of it say nothing about the service."""
    for_tests: ClassVar[bool] = False
    """Whether another server of the same backend is the better choice where both are there, because this one is old or
    an emulator."""
    how_to_get: ClassVar[str]
    """What to do where it is not installed, as an order without a full stop: ``apt-get install postgresql``."""
    download: ClassVar[Download | None] = None
    """What ``servers fetch`` downloads; None where packages carry it."""

    ports: ClassVar[tuple[str, ...]] = ("server",)
    """Names of the ports that a node needs; the first is that of its clients."""
    port_offsets: ClassVar[tuple[int, ...]] = ()
    """Ports that a node opens by itself, as distances from each of ``ports``."""
    refuses_root: ClassVar[bool] = False
    """Whether it does not run as root: then its node belongs to ``nobody`` where root starts it."""
    start_s: ClassVar[float] = 60.0
    """Seconds after which a node that does not answer is given up."""
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """Ends a node in order."""
    stop_s: ClassVar[float] = 10.0
    """Seconds that an orderly end may take, before it is killed."""
    orphan_signal: ClassVar[signal.Signals] = signal.SIGKILL
    """What the kernel sends the processes when their guardian is gone."""

    @abstractmethod
    def programs(self) -> Programs | None:
        """Return what the server is started with, None where it is not installed; see ``places``."""

    def prepare(self, node: Node) -> None:  # noqa: B027 - not every server needs it
        """Make the node's files: run tools with ``node.run``, write configuration with ``node.write``."""

    @abstractmethod
    def processes(self, node: Node) -> Sequence[Process]:
        """Return what is started, the server first."""

    @abstractmethod
    def answers(self, node: Node) -> bool:
        """Whether the node answers its clients; called again and again, see ``probes``."""

    def populate(self, node: Node) -> None:  # noqa: B027 - not every server needs it
        """Make what the address names, once the node answers: a bucket, a keyspace."""

    @abstractmethod
    def variables(self, node: Node) -> Mapping[str, str]:
        """Return the environment variables that clients need: the address of the backend, and secrets."""
