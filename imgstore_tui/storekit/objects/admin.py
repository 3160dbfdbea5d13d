"""Looks at, weighs, lists, copies and removes stores in a bucket, and asks the server about itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from imgstore_tui.core.content import DiskUsage
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import MAX_MANIFEST_BYTES
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.storekit.objects.backend import DURABLE
from imgstore_tui.storekit.objects.driver import Cause, RequestError
from imgstore_tui.storekit.objects.errors import said
from imgstore_tui.storekit.objects.layout import (
    MOST_MANIFEST,
    check_name,
    image_key,
    is_manifest,
    is_ours,
    manifest_key,
    new_generation,
    read_index,
    write_index,
)
from imgstore_tui.storekit.objects.writer import claim, put_manifest
from imgstore_tui.storekit.server import PREFIX, least_seconds, still_listed

if TYPE_CHECKING:
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.objects.backend import ObjectBackend
    from imgstore_tui.storekit.objects.client import Client

_PASSES = 5
"""A writer that was killed may have had requests under way, which come late: what is there is removed so often."""


@contextmanager
def _connected(backend: ObjectBackend, location: ServerLocation, doing: str) -> Iterator[Client]:
    with closing(backend.client(location)) as client, said(backend, location, doing):
        yield client


def exists(backend: ObjectBackend, location: ServerLocation) -> bool:
    """Whether there is an object of that name, or any below it."""
    check_name(location)
    with _connected(backend, location, "looked at") as client:
        return not client.is_empty(location.name) or _has_object(client, location.name)


def _has_object(client: Client, key: str) -> bool:
    try:
        client.head(key)
    except RequestError as error:
        if error.cause is Cause.MISSING:
            return False
        raise
    return True


def disk_usage(backend: ObjectBackend, location: ServerLocation) -> DiskUsage:
    """Return the sum of the sizes of all objects, as listed; no service says what they take on its devices."""
    with _connected(backend, location, "weighed") as client:
        ours = [entry for entry in client.objects(location.name) if is_ours(location, entry.key)]
    if not ours:
        raise StoreError(f"{location} does not exist.")
    return DiskUsage(sum(entry.size for entry in ours), None, len(ours))


def facts(backend: ObjectBackend, place: ServerLocation) -> ServerFacts:
    """Return what the server says of itself, after a request that needs the key and the bucket."""
    check_name(place.child(f"{PREFIX}x"))
    with _connected(backend, place, "looked at") as client:
        client.is_empty(place.child(f"{PREFIX}x").name)
    product, endpoint = backend.product(place), backend.endpoint(place)
    return ServerFacts(
        backend.name, product.name, product.version, place.public(), backend.runs_here(place),
        {"endpoint": endpoint, "acknowledges": DURABLE if product.durable else "durable or not is unknown"},
        emulator=product.emulator,
    )  # fmt: skip


def ping(backend: ObjectBackend, location: ServerLocation) -> float:
    """Return the seconds of the smallest request, the least of a few."""
    with _connected(backend, location, "reached") as client:
        return least_seconds(lambda: _has_object(client, location.child("ping").name))


def list_stores(backend: ObjectBackend, place: ServerLocation, prefix: str) -> Sequence[ServerLocation]:
    """Return the stores of ours, or what is left of them, whose names begin so; only their folder is listed."""
    beginning = place.child(prefix).name
    with _connected(backend, place, "looked at") as client:
        names = [name for name in client.folders(beginning.rpartition("/")[0]) if name.startswith(beginning)]
        stores = [replace(place, name=name) for name in sorted(names)]
        ours = client.each(lambda store: _is_store(backend, client, store) or _is_rest(client, store), stores)
    return [store for store, is_store in zip(stores, ours, strict=True) if is_store]


def _is_store(backend: ObjectBackend, client: Client, location: ServerLocation) -> bool:
    """Whether the manifest at a location is one of ours, of a whole store or not."""
    try:
        data = client.get_range(manifest_key(location), 0, MAX_MANIFEST_BYTES)
    except RequestError as error:
        if error.cause in (Cause.MISSING, Cause.OTHER):  # an empty object has no range
            return False
        raise
    return is_manifest(backend.name, bytes(data))


def _is_rest(client: Client, location: ServerLocation) -> bool:
    """Whether what is there can only be of a run: a request that was late has put it after its store was removed."""
    if location.name.rpartition("/")[0].rpartition("/")[2] != PREFIX.rstrip("_"):
        return False
    keys = [entry.key for entry in client.objects(location.name)]
    return bool(keys) and all(is_ours(location, key) for key in keys)


def destroy(backend: ObjectBackend, location: ServerLocation) -> None:
    """Remove the objects of a store, the manifest last; where there is none, there is nothing to do.

    Raises:
        StoreError: If what is there is not ours, and is left alone.
    """
    check_name(location)
    with _connected(backend, location, "removed") as client:
        _destroy(backend, client, location)


def _destroy(backend: ObjectBackend, client: Client, location: ServerLocation) -> None:
    if not _is_store(backend, client, location) and not _is_rest(client, location):
        if client.is_empty(location.name):
            return
        raise StoreError(f"{location} was not made by imgstore-tui and is left alone.")
    last = manifest_key(location)
    for _ in range(_PASSES):
        keys = [entry.key for entry in client.objects(location.name) if is_ours(location, entry.key)]
        if not keys:
            return
        client.delete([key for key in keys if key != last] or [last])
    raise still_listed(location)


def deliver(backend: ObjectBackend, staged: ServerLocation, final: ServerLocation, *, replace: bool) -> None:
    """Copy a store within the bucket, and let one put of the manifest make the copy count; then remove the original.

    Raises:
        StoreError: If the name is taken, or the store is not whole.
    """
    check_name(final)
    with _connected(backend, final, "named") as client:
        data, _ = client.get(manifest_key(staged), MOST_MANIFEST)
        content, index, _ = read_index(data, backend.name, staged)
        source, index.generation = index.generation, new_generation()
        if replace and not client.is_empty(final.name):
            if not _is_store(backend, client, final):
                raise StoreError(f"{final} was not made by imgstore-tui and is left alone.")
            _, version = client.get(manifest_key(final), MOST_MANIFEST)
        else:
            version = claim(backend, client, final, index.generation)
        sources = {
            image_key(staged, source, number): image_key(final, index.generation, number) for number in index.used()
        }
        _copy(client, staged, final, sources)
        put_manifest(client, final, write_index(backend.name, content, index), version)
        current = f"{final.name}/{index.generation}/"
        former = [
            entry.key
            for entry in client.objects(final.name)
            if is_ours(final, entry.key) and not entry.key.startswith(current) and entry.key != manifest_key(final)
        ]
        client.delete(former)
        _destroy(backend, client, staged)


def _copy(client: Client, staged: ServerLocation, final: ServerLocation, sources: dict[str, str]) -> None:
    """Copy objects, and check that each copy is there in full; what a server did not copy crosses the connection."""
    client.each(lambda pair: client.copy(*pair), sources.items())
    sizes = {entry.key: entry.size for entry in client.objects(staged.name)}
    copies = {entry.key: entry.size for entry in client.objects(final.name)}
    for source, target in sources.items():
        if copies.get(target) != sizes.get(source):
            data = client.get_range(source, 0, sizes[source]) if sizes.get(source) else memoryview(b"")
            client.put(target, data)
