"""MySQL and MariaDB: one table a store, a row an image, put and asked for by statements of many rows."""

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
    from imgstore_tui.backends.mysql import admin

    _checked: ServerAdmin = admin


class MysqlBackend(AdministeredBackend):
    """An InnoDB table of id, label and bytes; what it holds stands in a row of its own, put with the last images."""

    name = "mysql"
    title = "MySQL, MariaDB"
    opened_by = "any client of MySQL that may connect"
    family = Family.SQL
    requires = ("pymysql",)
    extra = "mysql"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(append=True, overwrite=True, delete=True, server=True)
    admin_module = f"{__name__}.admin"
    schemes = ("mysql", "mariadb")
    parameters = frozenset({"ssl-mode", "ssl-ca", "ssl-cert", "ssl-key"})
    url_variable = "IMGSTORE_MYSQL_URL"
    local_server = "mariadb"
    secret_variables = ("MYSQL_PWD",)
    presets = (
        Preset("tuned", "statements of many rows in one transaction, labels in an index of their own"),
        Preset(
            "plain",
            "an INSERT an image, a SELECT an image, no index but that of the ids",
            options={"batch": False, "index": False},
        ),
    )
    options = (
        Option("batch", True, "Put and ask for a batch by one statement; yes, which spares a round trip an image."),
        Option(
            "index",
            True,
            "Keep the labels in an index beside the images; yes, because labels alone are then read without them.",
        ),
    )
    caveats = (
        "Every image crosses a connection as text of a statement, none may be larger than the server's "
        "max_allowed_packet (16 to 64 MB), and an image beyond 8 kB takes whole pages of 16 kB."
    )
    when_to_choose = (
        "Choose it when images of moderate size belong to data that is in MySQL or MariaDB already; PostgreSQL takes "
        "and returns them faster."
    )

    def create(self, location: ServerLocation, content: Content, sync: SyncLevel) -> Writer:
        """Make the table, and begin a transaction."""
        from imgstore_tui.backends.mysql.writer import MysqlWriter

        begin_server_store(self, location, content)
        return MysqlWriter(self, location, content, sync)

    def open(self, location: ServerLocation) -> Reader:
        """Connect, and read what the store says of itself."""
        from imgstore_tui.backends.mysql.reader import MysqlReader

        return MysqlReader(self, location)

    def edit(self, location: ServerLocation, sync: SyncLevel) -> Editor:
        """Begin a transaction that changes rows; where each call must be durable, one a call."""
        from imgstore_tui.backends.mysql.editor import MysqlEditor

        return MysqlEditor(self, location, sync)

    def durability(self, location: ServerLocation, sync: SyncLevel) -> Durability:
        """Return what the server's settings make of a commit; a client cannot choose it."""
        from imgstore_tui.backends.mysql.admin import settings

        found = settings(self, location.place)
        flush = found.get("innodb_flush_log_at_trx_commit", "")
        if flush != "1":
            return Durability(
                DurableBy.NOTHING,
                f"The server runs with innodb_flush_log_at_trx_commit={flush}, so a commit that it acknowledges is not "
                "durable yet.",
            )
        words = ", ".join(f"{name}={value}" for name, value in found.items() if "flush" in name or "sync" in name)
        return Durability(DurableBy.ACKNOWLEDGE, words)

    @classmethod
    def forces_by_settings(cls, settings: Mapping[str, str]) -> bool:
        """Return whether each commit is forced."""
        return settings.get("innodb_flush_log_at_trx_commit") == "1"
