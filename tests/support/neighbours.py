"""What somebody else keeps beside our stores on a server, made and looked at with the server's own client."""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from imgstore_tui.core import credentials
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.plugins import registry

NAME = "neighbour"
_ROWS = 100
_CONNECT_S = 20
_DURABLE_S = 11.0
"""After this time every server here has what it acknowledged in its files, however it ends."""


class Neighbour(ABC):
    """A table, collection or objects of somebody else in the place of a node's address."""

    def __init__(self, node: Node) -> None:
        """Keep where the node is; nothing is made yet."""
        variable: str = registry.backends.all()[node.recipe.backend].url_variable  # type: ignore[attr-defined]
        self.url = node.variables()[variable]
        parts = urlsplit(self.url)
        self.login = {"user": parts.username, "password": unquote(parts.password or "")}
        self.port = node.port
        self.place = parts.path.strip("/")

    def make(self) -> None:
        """Make it, and wait until it survives a kill of the server."""
        self._make([(number, f"{number}{'x' * 100}") for number in range(_ROWS)])
        time.sleep(_DURABLE_S)

    @abstractmethod
    def _make(self, rows: Sequence[tuple[int, str]]) -> None: ...

    @abstractmethod
    def _rows(self) -> list[Any]: ...

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of all that is in the place, of whoever it is."""

    def digest(self) -> str:
        """Return a digest of all that it holds."""
        rows = sorted(map(tuple, self._rows()))
        return f"{len(rows)} {hashlib.sha256(repr(rows).encode()).hexdigest()}"


class _Sql(Neighbour):
    _list: str

    @abstractmethod
    def _run(self, *statements: str, rows: Sequence[tuple[int, str]] = ()) -> list[Any]: ...

    def _make(self, rows: Sequence[tuple[int, str]]) -> None:
        self._run(f"CREATE TABLE {NAME} (n int PRIMARY KEY, words text)")
        self._run(f"INSERT INTO {NAME} (n, words) VALUES (%s, %s)", rows=rows)

    def _rows(self) -> list[Any]:
        return self._run(f"SELECT n, words FROM {NAME}")

    def names(self) -> list[str]:
        """Return the tables of the database."""
        return sorted(row[0] for row in self._run(self._list))


class PostgresNeighbour(_Sql):
    """A table, by psycopg."""

    _list = "SELECT tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"

    def _run(self, *statements: str, rows: Sequence[tuple[int, str]] = ()) -> list[Any]:
        import psycopg

        with psycopg.connect(self.url, connect_timeout=_CONNECT_S) as connection, connection.cursor() as cursor:
            for statement in statements:
                if rows:
                    cursor.executemany(statement, rows)
                else:
                    cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


class MysqlNeighbour(_Sql):
    """A table, by PyMySQL."""

    _list = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"

    def _run(self, *statements: str, rows: Sequence[tuple[int, str]] = ()) -> list[Any]:
        import pymysql

        with (
            pymysql.connect(
                host="127.0.0.1", port=self.port, database=self.place, connect_timeout=_CONNECT_S, **self.login
            ) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                if rows:
                    cursor.executemany(statement, rows)
                else:
                    cursor.execute(statement)
            connection.commit()
            return list(cursor.fetchall())


class CassandraNeighbour(_Sql):
    """A table, by cassandra-driver."""

    def _run(self, *statements: str, rows: Sequence[tuple[int, str]] = ()) -> list[Any]:
        from cassandra.auth import PlainTextAuthProvider
        from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
        from cassandra.policies import RoundRobinPolicy

        profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
        login = PlainTextAuthProvider(self.login["user"], self.login["password"])
        cluster = Cluster(
            ["127.0.0.1"], port=self.port, auth_provider=login, protocol_version=5, connect_timeout=_CONNECT_S,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        )  # fmt: skip
        try:
            session = cluster.connect(self.place)
            every: Sequence[tuple[int, str] | None] = rows or [None]
            return [row for statement in statements for values in every for row in session.execute(statement, values)]
        finally:
            cluster.shutdown()

    @property
    def _list(self) -> str:  # type: ignore[override]
        return f"SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{self.place}'"


class MongodbNeighbour(Neighbour):
    """A collection, by pymongo."""

    def _client(self) -> Any:
        import pymongo

        return pymongo.MongoClient[dict[str, Any]](self.url, serverSelectionTimeoutMS=_CONNECT_S * 1000)

    def _make(self, rows: Sequence[tuple[int, str]]) -> None:
        with self._client() as client:
            client[self.place][NAME].insert_many({"_id": number, "words": words} for number, words in rows)

    def _rows(self) -> list[Any]:
        with self._client() as client:
            return [(one["_id"], one["words"]) for one in client[self.place][NAME].find()]

    def names(self) -> list[str]:
        """Return the collections of the database."""
        with self._client() as client:
            return sorted(client[self.place].list_collection_names())


class ObjectsNeighbour(Neighbour):
    """Objects below a prefix, by obstore."""

    def __init__(self, node: Node) -> None:
        """Connect to the bucket with what the backend's settings are."""
        super().__init__(node)
        from obstore import store

        credentials.hold(node.variables())
        kind: Any = registry.backends.get(node.recipe.backend)
        place = kind.address()[0]
        settings = registry.with_defaults(kind).settings(place)
        made: Any = {"s3": store.S3Store, "gcs": store.GCSStore, "azure": store.AzureStore}[kind.service]
        self._store = made(place.database, client_options={"allow_http": True}, **settings)

    def _make(self, rows: Sequence[tuple[int, str]]) -> None:
        import obstore

        for number, words in rows:
            obstore.put(self._store, f"{NAME}/{number}", words.encode())

    def _keys(self) -> list[str]:
        import obstore

        return [entry["path"] for page in obstore.list(self._store) for entry in page]

    def _rows(self) -> list[Any]:
        import obstore

        keys = [key for key in self._keys() if key.startswith(f"{NAME}/")]
        return [(key, bytes(obstore.get(self._store, key).bytes())) for key in keys]

    def names(self) -> list[str]:
        """Return what the keys of all objects begin with, up to the first slash."""
        return sorted({key.partition("/")[0] for key in self._keys()})


_KINDS: dict[str, type[Neighbour]] = {
    "postgres": PostgresNeighbour,
    "mysql": MysqlNeighbour,
    "cassandra": CassandraNeighbour,
    "mongodb": MongodbNeighbour,
    "s3": ObjectsNeighbour,
    "gcs": ObjectsNeighbour,
    "azure": ObjectsNeighbour,
}


def neighbour_of(node: Node) -> Neighbour:
    """Return the neighbour on a node that runs."""
    return _KINDS[node.recipe.backend](node)
