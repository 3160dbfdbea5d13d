"""MongoDB: one collection a store, a document an image, inserted and asked for by batches; GridFS beyond 16 MiB."""

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
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.server import begin_server_store
from imgstore_tui.storekit.server_admin import AdministeredBackend, ServerAdmin

if TYPE_CHECKING:
    from imgstore_tui.backends.mongodb import admin

    _checked: ServerAdmin = admin


class MongodbBackend(AdministeredBackend):
    """A collection of documents with id, label and bytes; without its manifest it is no store."""

    name = "mongodb"
    title = "MongoDB"
    opened_by = "any client of MongoDB that may connect"
    family = Family.NOSQL
    requires = ("pymongo",)
    extra = "mongodb"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(append=True, overwrite=True, delete=True, server=True)
    admin_module = f"{__name__}.admin"
    schemes = ("mongodb", "mongodb+srv")
    url_variable = "IMGSTORE_MONGODB_URL"
    local_server = "mongodb"
    presets = (
        Preset("tuned", "many documents inserted by one request, a batch by one query, blocks as they are"),
        Preset(
            "plain",
            "MongoDB's own settings, an insert an image, a query an image",
            options={"compression": "snappy", "batch": False},
        ),
    )
    options = (
        Option(
            "compression",
            "none",
            "How the server packs the blocks of a collection; none, because encoded images do not get smaller and raw "
            "ones seldom do.",
            choices=("none", "snappy", "zlib", "zstd"),
        ),
        Option("batch", True, "Insert and ask for a batch by one request; yes, which spares a round trip an image."),
    )
    caveats = (
        "Every image crosses a connection, one beyond 16 MiB is cut into pieces, and there is no transaction around a "
        "store."
    )
    when_to_choose = "Choose it when the data about your images is in MongoDB already, and they should lie beside it."

    def create(self, location: ServerLocation, content: Content, sync: SyncLevel) -> Writer:
        """Create the collection."""
        from imgstore_tui.backends.mongodb.writer import MongodbWriter

        begin_server_store(self, location, content)
        return MongodbWriter(self, location, content, sync)

    def open(self, location: ServerLocation) -> Reader:
        """Connect, and read the manifest."""
        from imgstore_tui.backends.mongodb.reader import MongodbReader

        return MongodbReader(self, location)

    def edit(self, location: ServerLocation, sync: SyncLevel) -> Editor:
        """Connect, and read the manifest."""
        from imgstore_tui.backends.mongodb.editor import MongodbEditor

        return MongodbEditor(self, location, sync)

    def durability(self, location: ServerLocation, sync: SyncLevel) -> Durability:
        """Return the write concern of a sync level, unless the server keeps no journal."""
        if sync is SyncLevel.BUFFERED:
            return Durability(DurableBy.NOTHING, "w=1, j=false")
        from imgstore_tui.backends.mongodb.admin import settings

        values = settings(self, location.place)
        words = ", ".join(f"{name}={value}" for name, value in values.items() if name != "persistent")
        if values.get("persistent") == "false":
            return Durability(
                DurableBy.NOTHING,
                f"The storage engine of the server ({values['storage_engine']}) keeps everything in memory, so nothing "
                "that it acknowledges is durable.",
            )
        if values.get("journal") == "false":
            return Durability(
                DurableBy.NOTHING, "The server runs without its journal, so nothing that it acknowledges is durable."
            )
        return Durability(DurableBy.ACKNOWLEDGE, ", ".join(["w=majority, j=true", *([words] if words else [])]))
