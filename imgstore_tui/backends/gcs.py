"""Google Cloud Storage: buckets, with the application default credentials of its tools."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from imgstore_tui.core import credentials
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.storekit.objects.backend import ObjectBackend, with_parameters

if TYPE_CHECKING:
    from imgstore_tui.storekit.objects.identity import Product

_ENDPOINT = "https://storage.googleapis.com"
_EMULATOR = "STORAGE_EMULATOR_HOST"


class GcsBackend(ObjectBackend):
    """Objects below a prefix of a bucket: a manifest with labels and places, and the images, packed or one by one."""

    name = "gcs"
    title = "Google Cloud Storage"
    opened_by = "any client of Google Cloud Storage that may connect"
    extra = "gcs"
    schemes = ("gs", "gcs")
    service = "gcs"
    parameters = frozenset({"endpoint"})
    url_variable = "IMGSTORE_GCS_URL"
    local_server = "fake-gcs"
    secret_variables = ("GOOGLE_SERVICE_ACCOUNT_KEY",)
    most_bytes = 5 * 2**40
    key_help = "Set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login."
    caveats = (
        "Each request takes milliseconds and is paid for, an image is put anew as a whole, and what is deleted within "
        "a packed object takes room until the store is destroyed."
    )
    when_to_choose = "Choose it when the machines that read the images run at Google, near the bucket."

    @classmethod
    def address(cls) -> tuple[ServerLocation, str | None]:
        """Return the place that the address variable names, with the emulator that the environment names."""
        place, password = super().address()
        return with_parameters(place, {"endpoint": _emulator()}), password

    @classmethod
    def endpoint(cls, location: ServerLocation) -> str:
        """Return the endpoint of the address or the environment, else Google's."""
        return (dict(location.parameters).get("endpoint") or _emulator() or _ENDPOINT).rstrip("/")

    def product(self, location: ServerLocation) -> Product:
        """Return Google's, or the emulator: nobody else speaks this protocol."""
        from imgstore_tui.storekit.objects.identity import UNKNOWN, Product, headers

        endpoint = self.endpoint(location)
        if (urlsplit(endpoint).hostname or "").endswith(".googleapis.com"):
            return Product("Google Cloud Storage", "API v1", durable=True)
        known = headers(f"{endpoint}/_internal/healthcheck")
        return Product("fake-gcs-server" if known else "an emulator of GCS", UNKNOWN, emulator=True)

    def settings(self, location: ServerLocation) -> Mapping[str, Any]:
        """Return nothing, so that the driver takes the default credentials; an emulator takes none."""
        endpoint = self.endpoint(location)
        if urlsplit(endpoint).scheme not in ("http", "https"):
            raise UnavailableError(f"The endpoint of {location} is no address of a server. Write http://HOST:PORT.")
        if endpoint == _ENDPOINT:
            key = credentials.get("GOOGLE_SERVICE_ACCOUNT_KEY")
            return {"service_account_key": key} if key else {}
        emulated = {"gcs_base_url": endpoint, "disable_oauth": True, "client_email": "", "private_key": "",
                    "private_key_id": ""}  # fmt: skip
        return {"service_account_key": json.dumps(emulated)}


def _emulator() -> str | None:
    host = os.environ.get(_EMULATOR)
    return host if not host or "://" in host else f"http://{host}"
