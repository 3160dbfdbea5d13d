"""S3: Amazon's object storage, and every server that speaks its protocol; keys as the AWS tools keep them."""

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

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_REGION = "us-east-1"
_EMULATORS = ("werkzeug", "moto", "localstack", "adobe", "hypercorn", "uvicorn")
"""What servers that imitate S3 for tests call themselves, or what they are made of."""


class S3Backend(ObjectBackend):
    """Objects below a prefix of a bucket: a manifest with labels and places, and the images, packed or one by one."""

    name = "s3"
    title = "S3 API"
    opened_by = "any client of S3 that may connect"
    extra = "s3"
    schemes = ("s3",)
    service = "s3"
    parameters = frozenset({"endpoint", "region"})
    url_variable = "IMGSTORE_S3_URL"
    local_server = "seaweedfs"
    secret_variables = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    most_bytes = 5 * 2**30
    key_help = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
    caveats = (
        "Each request takes milliseconds and is paid for, an image is put anew as a whole, and what is deleted within "
        "a packed object takes room until the store is destroyed."
    )
    when_to_choose = (
        "Choose it when many machines read the same images over a network, and nobody wants to run a server for it."
    )

    @classmethod
    def address(cls) -> tuple[ServerLocation, str | None]:
        """Return the place that the address variable names, with the endpoint and region that it leaves to others."""
        place, password = super().address()
        return with_parameters(place, {"endpoint": _setting("endpoint"), "region": _setting("region")}), password

    @classmethod
    def endpoint(cls, location: ServerLocation) -> str:
        """Return the endpoint of the address, of the environment or the profile; else Amazon's."""
        given = dict(location.parameters).get("endpoint") or _setting("endpoint")
        return given.rstrip("/") if given else f"https://s3.{_region(location)}.amazonaws.com"

    def product(self, location: ServerLocation) -> Product:
        """Return what the header ``Server`` says; only Amazon's own addresses are called Amazon's."""
        from imgstore_tui.storekit.objects.identity import UNKNOWN, Product, headers

        endpoint = self.endpoint(location)
        server = headers(f"{endpoint}/{quote(location.database)}/imgstore-tui").get("server", "")
        if server == "AmazonS3" and _is_amazon(endpoint):
            return Product("Amazon S3", "API 2006-03-01", durable=True)
        if not server:
            return Product("S3 API (unnamed server)", UNKNOWN)
        name, version = _split(server)
        return Product(f"S3 API ({name})", version, emulator=any(word in server.lower() for word in _EMULATORS))

    def settings(self, location: ServerLocation) -> Mapping[str, Any]:
        """Return endpoint, region and the keys: of the address variable, the environment or the profile."""
        endpoint = self.endpoint(location)
        if urlsplit(endpoint).scheme not in ("http", "https"):
            raise UnavailableError(f"The endpoint of {location} is no address of a server. Write http://HOST:PORT.")
        found: dict[str, Any] = {"endpoint": endpoint, "region": _region(location)}
        key, secret = self.secret(location, "access_key_id"), self.secret(location, "secret_access_key")
        token = self.secret(location, "session_token")
        if not (key and secret):
            key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), credentials.get("AWS_SECRET_ACCESS_KEY")
            token = credentials.get("AWS_SESSION_TOKEN")
        if not (key and secret):
            key, secret = _setting("aws_access_key_id"), _setting("aws_secret_access_key")
            token = _setting("aws_session_token")
        if key and secret:
            found |= {"access_key_id": key, "secret_access_key": secret}
            if token:
                found["session_token"] = token
        elif os.environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true"):
            found["skip_signature"] = True
        elif not _is_amazon(endpoint):  # at Amazon, machines and containers get keys without any being set
            raise UnavailableError(f"{self.server_text(location)} needs a key, and there is none. {self.key_help}")
        return found


def _is_amazon(endpoint: str) -> bool:
    return (urlsplit(endpoint).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _region(location: ServerLocation) -> str:
    return dict(location.parameters).get("region") or _setting("region") or _REGION


def _setting(name: str) -> str | None:
    """Return what the environment says, or else the profile."""
    from imgstore_tui.backends.s3.profile import profile

    variables = {"endpoint": _ENDPOINTS, "region": _REGIONS}.get(name, ())
    for variable in variables:
        if value := os.environ.get(variable):
            return value
    return profile().get({"endpoint": "endpoint_url"}.get(name, name))


def _split(server: str) -> tuple[str, str]:
    """Return product and version of a header such as ``SeaweedFS 8000GB 4.48``, ``MinIO`` or ``nginx/1.25``."""
    words = server.replace("/", " ").split()
    version = next((word for word in reversed(words[1:]) if word[0].isdigit() and not word.endswith("GB")), "unknown")
    return words[0], version
