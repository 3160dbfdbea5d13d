"""PostgreSQL: one table a store, a row an image, copied in and out in the server's binary form."""

from __future__ import annotations

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
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.manifest import image_bytes
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.server import begin_server_store
from imgstore_tui.storekit.server_admin import AdministeredBackend, ServerAdmin

if TYPE_CHECKING:
    from imgstore_tui.backends.postgres import admin

    _checked: ServerAdmin = admin

MOST_BYTES = 10**9
"""A value takes 1 GB, and the message that carries it 1 GiB; a larger one ends the connection."""


class PostgresBackend(AdministeredBackend):
    """A table of id, label and bytes; what it holds stands in its comment, so that it is whole or absent."""

    name = "postgres"
    title = "PostgreSQL"
    opened_by = "any client of PostgreSQL that may connect"
    family = Family.SQL
    requires = ("psycopg",)
    extra = "postgres"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(append=True, overwrite=True, delete=True, server=True)
    admin_module = f"{__name__}.admin"
    schemes = ("postgresql", "postgres")
    url_variable = "IMGSTORE_POSTGRES_URL"
    local_server = "postgres"
    secret_variables = ("PGPASSWORD",)
    presets = (
        Preset("tuned", "binary COPY in one transaction, values beside their row, a batch by one statement"),
        Preset(
            "plain",
            "PostgreSQL's own settings, an INSERT an image, a SELECT an image",
            options={"storage": "extended", "inline": 2032, "batch": False},
        ),
    )
    options = (
        Option(
            "storage",
            "external",
            "How long values are kept: external stores them as they are, extended tries to compress them first; "
            "external, because encoded images do not get smaller and raw ones seldom do.",
            choices=("external", "extended"),
        ),
        Option(
            "inline",
            8160,
            "Bytes that a row may take before its value moves out to chunks of 2 kB; 8160, the most that a page "
            "holds, because a value beside its row is read without a second look-up.",
            minimum=128,
            maximum=8160,
        ),
        Option("batch", True, "Put and ask for a batch by one statement; yes, which spares a round trip an image."),
    )
    caveats = (
        "Every image crosses a connection, none may be larger than 1 GB, and what is deleted takes room until the "
        "server has vacuumed."
    )
    when_to_choose = (
        "Choose it when several machines write and query the same images beside other data, and a server is run for "
        "it anyway."
    )

    def create(self, location: ServerLocation, content: Content, sync: SyncLevel) -> Writer:
        """Begin a transaction and make the table in it."""
        from imgstore_tui.backends.postgres.writer import PostgresWriter

        begin_server_store(self, location, content)
        if content.kind is PayloadKind.ARRAY and image_bytes(content) > MOST_BYTES:
            raise UnsupportedError("Backend postgres takes images of at most 1,000,000,000 bytes, the server's limit.")
        return PostgresWriter(self, location, content, sync)

    def open(self, location: ServerLocation) -> Reader:
        """Connect, for reading only."""
        from imgstore_tui.backends.postgres.reader import PostgresReader

        return PostgresReader(self, location)

    def edit(self, location: ServerLocation, sync: SyncLevel) -> Editor:
        """Begin a transaction that changes rows; where each call must be durable, one a call."""
        from imgstore_tui.backends.postgres.editor import PostgresEditor

        return PostgresEditor(self, location, sync)

    def durability(self, location: ServerLocation, sync: SyncLevel) -> Durability:
        """Return what ``fsync`` and the commit level make of a sync level."""
        if sync is SyncLevel.BUFFERED:
            return Durability(DurableBy.NOTHING, "synchronous_commit=off")
        from imgstore_tui.backends.postgres.admin import settings

        found = settings(self, location.place)
        if found["fsync"] != "on":
            return Durability(
                DurableBy.NOTHING, "The server runs with fsync=off, so nothing that it acknowledges is durable."
            )
        words = ", ".join(f"{name}={found[name]}" for name in ("fsync", "wal_sync_method", "full_page_writes"))
        return Durability(DurableBy.ACKNOWLEDGE, f"synchronous_commit=on, {words}")
