"""Cassandra: one table a store, partitions of several images, written by batches of one partition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from imgstore_tui.core.backend import (
    Capabilities,
    Content,
    Durability,
    DurableBy,
    Editor,
    Family,
    PayloadKind,
    Preset,
    Reader,
    Writer,
)
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.server import begin_server_store
from imgstore_tui.storekit.server_admin import AdministeredBackend, ServerAdmin

if TYPE_CHECKING:
    from imgstore_tui.backends.cassandra import admin

    _checked: ServerAdmin = admin

_PERIODS = {"periodic": "commitlog_sync_period", "group": "commitlog_sync_group_window"}
"""The setting that says how long a commit log waits, by the way in which it is forced."""


class CassandraBackend(AdministeredBackend):
    """A table whose comment names the store, with images in partitions by id; without its manifest it is no store."""

    name = "cassandra"
    title = "Apache Cassandra"
    opened_by = "any client of Cassandra that may connect"
    family = Family.NOSQL
    requires = ("cassandra",)
    extra = "cassandra"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(append=True, overwrite=True, delete=True, server=True)
    admin_module = f"{__name__}.admin"
    schemes = ("cassandra",)
    parameters = frozenset({"dc", "tls", "tlsCAFile"})
    url_variable = "IMGSTORE_CASSANDRA_URL"
    local_server = "cassandra"
    presets = (
        Preset("tuned", "partitions of many images, prepared batches of one partition, several at a time"),
        Preset(
            "plain",
            "Cassandra's own settings, a partition, an INSERT and a SELECT an image, none prepared",
            options={"compression": "lz4", "bucket": 1, "batch": False},
        ),
    )
    options = (
        Option(
            "compression",
            "none",
            "How the server packs the blocks of a table; none, because encoded images do not get smaller and raw ones "
            "seldom do.",
            choices=("none", "lz4", "zstd"),
        ),
        Option(
            "bucket",
            256,
            "Most images of a partition, fewer where they would be more than 4 MiB; 256, because one request reads and "
            "writes many then.",
            minimum=1,
            maximum=10_000,
        ),
        Option(
            "batch",
            True,
            "Put and ask for many images by one request, several requests at a time; yes, which spares round trips.",
        ),
    )
    caveats = (
        "Every image crosses a connection, each store is a change of the schema, which takes a second, and when a "
        "write is on the device is a setting of the node."
    )
    when_to_choose = (
        "Choose it when many machines write at once and none may be a single point of failure, and a cluster is run "
        "for it anyway."
    )

    def create(self, location: ServerLocation, content: Content, sync: SyncLevel) -> Writer:
        """Create the table."""
        from imgstore_tui.backends.cassandra.writer import CassandraWriter

        begin_server_store(self, location, content)
        return CassandraWriter(self, location, content, sync)

    def open(self, location: ServerLocation) -> Reader:
        """Connect, and read the manifest."""
        from imgstore_tui.backends.cassandra.reader import CassandraReader

        return CassandraReader(self, location)

    def edit(self, location: ServerLocation, sync: SyncLevel) -> Editor:
        """Connect, and read the manifest."""
        from imgstore_tui.backends.cassandra.editor import CassandraEditor

        return CassandraEditor(self, location, sync)

    def durability(self, location: ServerLocation, sync: SyncLevel) -> Durability:
        """Return what the node's commit log makes of a sync level: a client can choose none."""
        from imgstore_tui.backends.cassandra.admin import settings

        values = settings(self, location.place)
        mode = values.get("commitlog_sync")
        shown = ("commitlog_sync", _PERIODS.get(mode or "", ""), "durable_writes", "replication")
        words = ", ".join(f"{name}={values[name]}" for name in shown if name in values)
        if values["durable_writes"] == "false":
            return Durability(
                DurableBy.NOTHING,
                f"Keyspace '{location.database}' has durable_writes = false, so nothing that it acknowledges is "
                "durable.",
            )
        if sync is SyncLevel.BUFFERED:
            return Durability(DurableBy.NOTHING if mode == "periodic" else DurableBy.ACKNOWLEDGE, words)
        if mode in ("batch", "group"):
            return Durability(DurableBy.ACKNOWLEDGE, words)
        if mode is None:
            return Durability(
                DurableBy.NOTHING, "The node does not say when it forces its commit log, so no level can be promised."
            )
        return Durability(
            DurableBy.NOTHING,
            f"The node forces its commit log every {values.get('commitlog_sync_period', 'few seconds')} "
            "(commitlog_sync: periodic), so what it acknowledges is not durable yet; set batch or group in its "
            "cassandra.yaml.",
        )

    @classmethod
    def forces_by_settings(cls, settings: Mapping[str, str]) -> bool:
        """Return whether the commit log is forced before a write is acknowledged."""
        return settings.get("commitlog_sync") in ("batch", "group") and settings.get("durable_writes") != "false"
