"""Wraps obstore, which has no types here: the only module that imports it, and what its errors mean."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

import obstore
from obstore import exceptions, store

from imgstore_tui.core import credentials
from imgstore_tui.storekit.server import CONNECT_S

PAGE = 1000
"""Keys that a server lists, or removes, by one request."""
_STORES = {"s3": "S3Store", "gcs": "GCSStore", "azure": "AzureStore"}
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([^<]{1,80})")
_MESSAGE = re.compile(r"<Message>([^<]{1,120})")
_KIND = re.compile(r"kind: (Connect|Timeout|Interrupted|Request|Body|Decode|Unknown)\b")
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist", "The specified bucket")
_FULL = ("InsufficientStorage", "StorageFull", "QuotaExceeded", "no space left", "No space left")
_TOO_LARGE = ("EntityTooLarge", "RequestBodyTooLarge")
_METADATA = ("169.254.169.254", "metadata.google.internal", "metadata/identity")


class Cause(Enum):
    """Why a request failed; the value is said after "the server"."""

    MISSING = "has no such object"
    NO_BUCKET = "has no such bucket"
    EXISTS = "has the object already"
    CHANGED = "has another version of the object"
    DENIED = "does not allow it"
    NO_CREDENTIALS = "was given no key"
    FULL = "has no room left"
    TOO_LARGE = "takes no object as large"
    DOWN = "does not answer"
    SILENT = "has not answered in time"
    CUT = "ended the connection"
    BUSY = "cannot do it now"
    UNSUPPORTED = "does not offer it"
    OTHER = "refuses"


class RequestError(Exception):
    """A request that failed."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(f"the server {cause.value}{f' ({detail})' if detail else ''}")
        self.cause = cause
        self.detail = detail
        """What the server said, in a few words and without a secret."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which version of an object this is, as far as the server tells."""

    e_tag: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class ListedObject:
    """A key that was listed, with the bytes of its object."""

    key: str
    size: int


class Driver:
    """One bucket, with one limit of time for each request; nothing is tried again."""

    def __init__(self, service: str, bucket: str, settings: Mapping[str, Any], limit_s: float) -> None:
        """Prepare to connect.

        Args:
            service: ``s3``, ``gcs`` or ``azure``.
            bucket: Bucket or container.
            settings: What obstore's store of that service takes: endpoint, keys.
            limit_s: Seconds after which a request fails.

        Raises:
            RequestError: If the settings make no sense.
        """
        client = {
            "allow_http": True,  # an address that begins with https:// is never left for one that does not
            "connect_timeout": f"{CONNECT_S}s",
            "timeout": f"{limit_s:.0f}s",
            "pool_max_idle_per_host": "128",
        }
        retry = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}
        try:
            self._store: Any = getattr(store, _STORES[service])(
                bucket, client_options=client, retry_config=retry, **settings
            )
        except (exceptions.BaseError, ValueError, TypeError) as error:
            raise failure_of(error) from None

    def put(self, key: str, data: bytes | bytearray | memoryview, expected: Version | None, *, new: bool) -> Version:
        """Put an object by one request.

        Args:
            key: Its key.
            data: Its bytes, one-dimensional.
            expected: The version that is replaced; None for any.
            new: Whether there must be none yet.
        """
        mode: Any = "create" if new else "overwrite"
        if expected is not None and (expected.e_tag or expected.version):
            known = {"e_tag": expected.e_tag, "version": expected.version}
            mode = {name: value for name, value in known.items() if value is not None}
        result = obstore.put(self._store, key, data, mode=mode, use_multipart=False)
        return Version(result["e_tag"], result["version"])

    def get(self, key: str, most: int) -> tuple[memoryview, Version]:
        """Return an object's bytes, which are the caller's own.

        Args:
            key: Its key.
            most: Bytes that are read at most; a larger object is refused.
        """
        result = obstore.get(self._store, key)
        meta = result.meta
        if meta["size"] > most:
            raise RequestError(Cause.OTHER, f"an object of {meta['size']:,} bytes is too large to be a manifest")
        return memoryview(result.bytes()), Version(meta["e_tag"], meta["version"])

    def get_range(self, key: str, start: int, end: int) -> memoryview:
        """Return the bytes from ``start`` to before ``end``, fewer where the object ends."""
        return memoryview(obstore.get_range(self._store, key, start=start, end=end))

    def head(self, key: str) -> ListedObject:
        """Return an object's size."""
        return ListedObject(key, obstore.head(self._store, key)["size"])

    def objects(self, folder: str) -> Iterator[list[ListedObject]]:
        """Yield what lies under ``folder/``, page by page."""
        with _of_bucket():
            for page in obstore.list(self._store, prefix=f"{folder}/", chunk_size=PAGE):
                yield [ListedObject(meta["path"], meta["size"]) for meta in page]

    def folders(self, folder: str) -> list[str]:
        """Return the common prefixes right under ``folder``, or at the top for an empty one."""
        with _of_bucket():
            found = obstore.list_with_delimiter(self._store, prefix=f"{folder}/" if folder else None)
        return [str(name) for name in found["common_prefixes"]]

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects."""
        obstore.delete(self._store, list(keys))

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the bucket, which the server does by itself."""
        obstore.copy(self._store, source, target, overwrite=True)


@contextlib.contextmanager
def _of_bucket() -> Iterator[None]:
    """Let nothing be missing but the bucket: that is what a list is of, whether the server says so or not."""
    try:
        yield
    except (exceptions.BaseError, FileNotFoundError) as error:
        failure = failure_of(error)
        if failure.cause is Cause.MISSING:
            failure = RequestError(Cause.NO_BUCKET, failure.detail)
        raise failure from None


def failure_of(error: Exception) -> RequestError:
    """Return what an error of obstore means."""
    if isinstance(error, RequestError):
        return error
    text = str(error)
    status = int(match[1]) if (match := _STATUS.search(text)) else 0
    return RequestError(_cause(error, text, status), _detail(text, status))


def _cause(error: Exception, text: str, status: int) -> Cause:
    if any(place in text for place in _METADATA) or "MissingAccountKey" in text or "Missing access" in text:
        return Cause.NO_CREDENTIALS
    if status == 507 or any(word in text for word in _FULL):
        return Cause.FULL
    if status == 413 or any(word in text for word in _TOO_LARGE):
        return Cause.TOO_LARGE
    if "no bucket named" in text or ("lstat " in text and "no such file" in text):  # fake-gcs-server, with status 500
        return Cause.NO_BUCKET
    if isinstance(error, FileNotFoundError) or status == 404:
        return Cause.NO_BUCKET if any(word in text for word in _NO_BUCKET) else Cause.MISSING
    by_type = (
        (exceptions.AlreadyExistsError, Cause.EXISTS),
        (exceptions.PreconditionError, Cause.CHANGED),
        (exceptions.PermissionDeniedError, Cause.DENIED),
        (exceptions.UnauthenticatedError, Cause.DENIED),
        (exceptions.NotSupportedError, Cause.UNSUPPORTED),
    )
    for kind, cause in by_type:
        if isinstance(error, kind):
            return cause
    if status:
        by_status = {401: Cause.DENIED, 403: Cause.DENIED, 409: Cause.CHANGED, 412: Cause.CHANGED, 429: Cause.BUSY,
                     501: Cause.UNSUPPORTED}  # fmt: skip
        return by_status.get(status, Cause.BUSY if status >= 500 else Cause.OTHER)
    kind_of = match[1] if (match := _KIND.search(text)) else ""
    return {"Connect": Cause.DOWN, "Timeout": Cause.SILENT, "": Cause.OTHER}.get(kind_of, Cause.CUT)


def _detail(text: str, status: int) -> str:
    code, message = _CODE.search(text), _MESSAGE.search(text)
    if code is not None:
        words = f"{code[1]}: {message[1]}" if message is not None else code[1]
    elif status:
        words = f"status {status}"
    elif "dns error" in text:
        words = "its name is not known"
    elif "Could not parse" in text or not _KIND.search(text):
        words = text.partition("\n")[0][:120]
    else:
        return ""
    words = credentials.scrub(" ".join(words.split())).rstrip(". ")
    return "".join(letter if letter.isprintable() else "?" for letter in words)
