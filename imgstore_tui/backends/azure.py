"""Azure Blob Storage: containers of a storage account, with the variables of its tools."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from imgstore_tui.core import credentials
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.storekit.objects.backend import ObjectBackend, with_parameters

if TYPE_CHECKING:
    from imgstore_tui.storekit.objects.identity import Product

_CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
_ENDPOINTS = ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")


class AzureBackend(ObjectBackend):
    """Objects below a prefix of a container: a manifest with labels and places, and the images, packed or not."""

    name = "azure"
    title = "Azure Blob Storage"
    opened_by = "any client of Azure Blob Storage that may connect"
    extra = "azure"
    schemes = ("az", "azure")
    service = "azure"
    bucket_word = "container"
    parameters = frozenset({"account", "endpoint"})
    url_variable = "IMGSTORE_AZURE_URL"
    local_server = "azurite"
    secret_variables = (
        _CONNECTION,
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_CLIENT_SECRET",
    )
    most_bytes = 5000 * 2**20
    key_help = "Set AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_CONNECTION_STRING."
    caveats = (
        "Each request takes milliseconds and is paid for, an image is put anew as a whole, and what is deleted within "
        "a packed object takes room until the store is destroyed."
    )
    when_to_choose = "Choose it when the machines that read the images run at Azure, near the container."

    @classmethod
    def address(cls) -> tuple[ServerLocation, str | None]:
        """Return the place that the address variable names, with the account, which stands in no such address."""
        place, password = super().address()
        connection = _connection()
        account = os.environ.get("AZURE_STORAGE_ACCOUNT_NAME") or connection.get("AccountName")
        return with_parameters(place, {"account": account, "endpoint": _endpoint(connection)}), password

    @classmethod
    def endpoint(cls, location: ServerLocation) -> str:
        """Return the endpoint of the address or the environment, else that of the account."""
        given = dict(location.parameters).get("endpoint") or _endpoint(_connection())
        return given.rstrip("/") if given else f"https://{_account(location)}.blob.core.windows.net"

    def product(self, location: ServerLocation) -> Product:
        """Return what the header ``Server`` says."""
        from imgstore_tui.storekit.objects.identity import UNKNOWN, Product, headers

        endpoint = self.endpoint(location)
        answer = headers(f"{endpoint}/{quote(location.database)}?restype=container")
        name, _, version = answer.get("server", "").partition("/")
        if name == "Windows-Azure-Blob":
            api = answer.get("x-ms-version")
            return Product("Azure Blob Storage", f"API {api}" if api else version, durable=True)
        if name == "Azurite-Blob":
            return Product("Azurite", version or UNKNOWN, emulator=True)
        return Product(f"Blob API ({name or 'unnamed server'})", version or UNKNOWN, emulator=True)

    def settings(self, location: ServerLocation) -> Mapping[str, Any]:
        """Return endpoint, account and the key: of the address variable, the environment or the connection string."""
        endpoint, connection = self.endpoint(location), _connection()
        if urlsplit(endpoint).scheme not in ("http", "https"):
            raise UnavailableError(f"The endpoint of {location} is no address of a server. Write http://HOST:PORT.")
        found: dict[str, Any] = {"account_name": _account(location), "endpoint": endpoint}
        key = self.secret(location, "account_key") or credentials.get("AZURE_STORAGE_ACCOUNT_KEY")
        key = key or connection.get("AccountKey")
        if key:
            return found | {"account_key": key}
        if token := credentials.get("AZURE_STORAGE_SAS_TOKEN") or connection.get("SharedAccessSignature"):
            return found | {"sas_key": token}
        if secret := credentials.get("AZURE_CLIENT_SECRET"):
            return found | {"client_secret": secret}
        return found


def _account(location: ServerLocation) -> str:
    account = dict(location.parameters).get("account") or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
    account = account or _connection().get("AccountName")
    if not account:
        raise UnavailableError(f"{location} names no storage account. Set the variable AZURE_STORAGE_ACCOUNT_NAME.")
    return account


def _endpoint(connection: Mapping[str, str]) -> str | None:
    for variable in _ENDPOINTS:
        if value := os.environ.get(variable):
            return value
    return connection.get("BlobEndpoint")


def _connection() -> dict[str, str]:
    """Return the parts of the connection string."""
    pairs = (part.partition("=") for part in (credentials.get(_CONNECTION) or "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
