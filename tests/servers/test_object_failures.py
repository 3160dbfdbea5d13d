"""What goes wrong between a program and object storage is a sentence within seconds, and nothing is left."""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

pytest.importorskip("obstore", reason="obstore is not installed (extra s3)")

from imgstore_tui.core import credentials
from imgstore_tui.core.content import Content, PayloadKind
from imgstore_tui.core.errors import StoreError, UnavailableError, UsageError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.objects.backend import ObjectBackend
from imgstore_tui.storekit.objects.driver import Driver
from imgstore_tui.testing.store_material import StoreSetup, is_sentence
from tests.support.server_places import through
from tests.support.servers import PREFIX, own_node, server
from tests.support.tcp_proxy import TcpProxy

NAME = "seaweedfs"
CANARY = "canary-Key+1/secret"


def of(text: str) -> tuple[StoreSetup, ObjectBackend]:
    setup = StoreSetup.of(text)
    assert isinstance(setup.backend, ObjectBackend)
    return setup, setup.backend


@pytest.fixture
def name() -> str:
    return NAME


def driver(url: str = "") -> Driver:
    """Return the server of an address itself, by default the session's, round everything that is tested."""
    parts = urlsplit(url or server("seaweedfs").url)
    settings = {"region": "us-east-1", **dict(parse_qsl(parts.query))}
    return Driver("s3", parts.netloc, settings, 10)


def keys(folder: str, url: str = "") -> list[str]:
    return sorted(entry.key for page in driver(url).objects(folder) for entry in page)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", ["s3+raw", "s3+raw:layout=object"])
def test_a_connection_that_is_cut_is_made_again_and_counted(place: ServerLocation, proxy: TcpProxy, text: str) -> None:
    setup, backend = of(text)
    material = setup.material([(64, 64, 3)] * 40)
    location = through(NAME, place, proxy).child(f"{PREFIX}cut")
    proxy.cut_after, proxy.cuts = 30_000, 3
    writer = backend.create(location, material.content, SyncLevel.BUFFERED)
    material.put(writer)
    writer.close()
    assert proxy.reset > 0
    assert writer.retries >= 1
    assert writer.requests > writer.retries
    with backend.open(location) as reader:
        material.check(reader)
        assert reader.retries == 0


@pytest.mark.timeout(60)
def test_a_connection_that_is_cut_again_and_again_fails_within_seconds(place: ServerLocation, proxy: TcpProxy) -> None:
    setup, backend = of("s3+raw")
    material = setup.material([(64, 64, 3)] * 40)
    location = through(NAME, place, proxy).child(f"{PREFIX}cut_always")
    writer = backend.create(location, material.content, SyncLevel.BUFFERED)
    material.put(writer)
    proxy.cut_after = 30_000
    began = time.monotonic()
    with pytest.raises(StoreError) as caught:
        writer.close()
    assert time.monotonic() - began < 20
    assert is_sentence(caught.value, location)
    assert "ended the connection" in str(caught.value)
    proxy.cut_after = None
    # SeaweedFS may lose the manifest whose replacement was cut off; then nothing says that a store was begun there.
    with pytest.raises(StoreError, match=r"never finished|does not exist"):
        backend.open(location)
    backend.destroy(location)
    assert keys(f"{PREFIX}cut_always") == []


@pytest.mark.timeout(90)
def test_a_server_that_takes_a_request_and_says_nothing_is_given_up(place: ServerLocation, proxy: TcpProxy) -> None:
    _, backend = of("s3")
    proxy.silent = True
    began = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        backend.open(through(NAME, place, proxy).child(f"{PREFIX}silent"))
    assert is_sentence(caught.value)
    assert time.monotonic() - began < 30


def test_a_link_of_20_ms_is_slower_and_right(place: ServerLocation, proxy: TcpProxy) -> None:
    setup, backend = of("s3+raw:layout=object")
    material = setup.material([(16, 16, 3)] * 30)
    direct = backend.ping(place.child(f"{PREFIX}slow"))
    location = through(NAME, place, proxy).child(f"{PREFIX}slow")
    proxy.delay_s = 0.02
    setup.make(location, material)
    material.check_store(backend, location)
    assert backend.ping(location) > max(0.04, direct)


@pytest.mark.timeout(60)
def test_what_is_wrong_with_an_address_is_a_sentence(place: ServerLocation) -> None:
    _, backend = of("s3")
    wrong = {
        "no bucket": replace(place, database="no-such-bucket").child("x"),
        "there is none": replace(place, parameters=(("endpoint", "http://127.0.0.1:1"),)).child("x"),
        "no address of a server": replace(place, parameters=(("endpoint", "nowhere"),)).child("x"),
    }
    for words, location in wrong.items():
        for act in (backend.facts, backend.open, backend.destroy, backend.exists):
            began = time.monotonic()
            with pytest.raises(UnavailableError) as caught:
                act(location)
            assert is_sentence(caught.value)
            assert words in str(caught.value)
            assert time.monotonic() - began < 10
    for name in ("a//b", "..", "x" * 300, "a/../b", "tab\there"):
        with pytest.raises(StoreError) as refused:
            backend.open(place.child(name))
        assert is_sentence(str(refused.value).replace(str(place.child(name)), "it"))
    with pytest.raises(UsageError, match="names no bucket"):
        registry.parse_location("s3:///x")


def test_odd_names_are_names(place: ServerLocation) -> None:
    setup, backend = of("s3+raw")
    material = setup.material([(3, 3, 3)] * 2)
    for name in (f'{PREFIX}quote"s', f"{PREFIX}Capitals and blanks", f"{PREFIX}ünï/cöde", f"{PREFIX}a,b#c%41"):
        location = place.child(name)
        assert registry.parse_location(location.public()) == location
        setup.make(location, material)
        material.check_store(backend, location)
        backend.destroy(location)
        assert not backend.exists(location)


def test_an_image_beyond_what_a_request_takes_is_refused(
    place: ServerLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real limit is 5 GiB: the images of this test are small, and so is the limit.
    setup, backend = of("s3+raw")
    monkeypatch.setattr(type(backend), "most_bytes", 1000)
    material = setup.material([(64, 64, 3)] * 2)
    with (
        pytest.raises(StoreError, match="at most 1,000 bytes"),
        backend.create(place.child(f"{PREFIX}large"), material.content, SyncLevel.BUFFERED) as writer,
    ):
        material.put(writer)
    backend.destroy(place.child(f"{PREFIX}large"))


def test_objects_of_somebody_else_are_neither_read_nor_removed(place: ServerLocation) -> None:
    setup, backend = of("s3+raw")
    material = setup.material([(3, 3, 3)] * 6)
    others = [
        f"{PREFIX}theirs/photo.jpg",
        f"{PREFIX}theirs/0123abcd/readme",
        f"{PREFIX}mine/note.txt",
        f"{PREFIX}mine2/x",
    ]
    for key in others:
        driver().put(key, b"somebody's", None, new=False)
    for act in (backend.open, backend.destroy):
        with pytest.raises(StoreError) as caught:
            act(place.child(f"{PREFIX}theirs"))
        assert is_sentence(caught.value, place.child(f"{PREFIX}theirs"))
    with pytest.raises(StoreError, match="exists already"):
        setup.make(place.child(f"{PREFIX}theirs"), material)
    with pytest.raises(StoreError, match="exists already"):
        setup.make(place.child(f"{PREFIX}mine"), material)
    driver().delete([f"{PREFIX}mine/note.txt"])
    setup.make(place.child(f"{PREFIX}mine"), material)
    driver().put(f"{PREFIX}mine/note.txt", b"somebody's", None, new=False)
    material.check_store(backend, place.child(f"{PREFIX}mine"))
    assert [store.name for store in backend.list_stores(place, PREFIX)] == [f"{PREFIX}mine"]
    backend.destroy(place.child(f"{PREFIX}mine"))
    for folder in (f"{PREFIX}theirs", f"{PREFIX}mine", f"{PREFIX}mine2"):
        assert keys(folder) == sorted(key for key in others if key.startswith(f"{folder}/"))
    driver().delete(others)


def test_a_prefix_in_the_address_is_not_left(place: ServerLocation) -> None:
    url = credentials.held()["IMGSTORE_S3_URL"]
    credentials.hold({"IMGSTORE_S3_URL": url.replace("s3://images", f"s3://images/{PREFIX}team/photos")})
    setup, backend = of("s3+raw")
    inside = type(backend).address()[0]
    assert inside.name == f"{PREFIX}team/photos"
    material = setup.material([(3, 3, 3)] * 2)
    setup.make(inside.child("one"), material)
    assert {key.rpartition("/")[0].partition("/one")[0] for key in keys(f"{PREFIX}team")} == {f"{PREFIX}team/photos"}
    assert [store.name for store in backend.list_stores(inside, "o")] == [f"{PREFIX}team/photos/one"]
    assert backend.facts(inside).address == inside.public()
    backend.destroy(inside.child("one"))


@pytest.mark.parametrize("damage", ["index", "object", "short", "foreign"])
def test_damage_is_a_sentence(place: ServerLocation, damage: str) -> None:
    setup, backend = of("s3+raw")
    material = setup.material([(9, 9, 3)] * 12)
    location = setup.make(place.child(f"{PREFIX}{damage}"), material)
    manifest = f"{location.name}/imgstore-tui-manifest"
    data = bytes(driver().get(manifest, 10**6)[0])
    (image,) = [key for key in keys(location.name) if key != manifest]
    if damage == "index":
        driver().put(manifest, data[:-9], None, new=False)
    elif damage == "object":
        driver().delete([image])
    elif damage == "short":
        driver().put(image, b"short", None, new=False)
    else:
        driver().put(manifest, b'{"format": "another"}\n', None, new=False)
    with pytest.raises(StoreError) as caught, backend.open(location) as reader:
        material.check(reader)
    assert is_sentence(caught.value, location)
    driver().put(manifest, data, None, new=False)


def test_who_changes_a_store_after_another_did_is_refused_and_breaks_nothing(place: ServerLocation) -> None:
    setup, backend = of("s3+raw:layout=object")
    material = setup.material([(5, 5, 3)] * 8)
    location = setup.make(place.child(f"{PREFIX}two"), replace(material, content=replace(material.content, count=6)))
    first, second = backend.edit(location, SyncLevel.BUFFERED), backend.edit(location, SyncLevel.BUFFERED)
    for editor in (first, second):
        editor.put_array(range(6, 8), material.array[6:8], material.labels[6:8])
    first.close()
    with pytest.raises(StoreError, match="another process has changed it"):
        second.close()
    material.check_store(backend, location)
    assert len(keys(location.name)) == 9


def test_which_product_answers_is_said_and_never_the_name_of_a_service(place: ServerLocation) -> None:
    _, backend = of("s3")
    facts = backend.facts(place)
    assert facts.product == "S3 API (SeaweedFS)"
    assert facts.version[0].isdigit()
    assert facts.same_host
    assert not facts.emulator
    assert facts.settings["endpoint"] == dict(place.parameters)["endpoint"]
    for level in (SyncLevel.END, SyncLevel.BATCH):
        durability = backend.durability(place.child("x"), level)
        assert durability.by.value == "nothing"
        assert is_sentence(durability.reason)
    assert backend.disk_usage(setup_one(place)).allocated_bytes is None


def setup_one(place: ServerLocation) -> ServerLocation:
    setup, backend = of("s3+raw")
    setup.make(place.child(f"{PREFIX}weighed"), setup.material([(30, 30, 3)] * 4))
    usage = backend.disk_usage(place.child(f"{PREFIX}weighed"))
    assert usage.apparent_bytes is not None
    assert usage.apparent_bytes >= 30 * 30 * 3 * 4
    assert usage.files == 2
    return place.child(f"{PREFIX}weighed")


def test_as_few_requests_as_the_layout_allows(place: ServerLocation) -> None:
    content = Content(1000, PayloadKind.ARRAY, "raw", (32, 32, 3), "uint8", 0)
    images = np.zeros((1000, 32, 32, 3), np.uint8)
    labels, counts = np.zeros(1000, np.int64), {}
    for text in ("s3+raw", "s3+raw:preset=plain"):
        _, backend = of(text)
        location = place.child(f"{PREFIX}requests")
        with backend.create(location, content, SyncLevel.BUFFERED) as writer:
            writer.put_array(range(1000), images, labels)
        with backend.open(location) as reader:
            reader.read_array(range(1000), images, labels)
        counts[text] = (writer.requests, reader.requests)
        backend.destroy(location)
    # To write: a list, two manifests, the objects (3 of 1 MiB); to read: a manifest, the objects.
    assert counts == {"s3+raw": (6, 4), "s3+raw:preset=plain": (1003, 1001)}


@pytest.mark.timeout(120)
def test_a_server_that_dies_in_the_middle_is_a_sentence_and_leaves_nothing() -> None:
    before = credentials.held()
    with own_node("seaweedfs", password=CANARY) as node:
        credentials.hold(node.variables())
        setup, backend = of("s3+raw:layout=object")
        location = type(backend).address()[0].child("half")
        material = setup.material([(40, 41, 3)] * 40)
        writer = backend.create(location, material.content, SyncLevel.BUFFERED)
        material.put(writer, 0, 20)
        node.kill()
        began = time.monotonic()
        with pytest.raises(UnavailableError) as caught:
            material.put(writer, 20)
        assert time.monotonic() - began < 10
        assert is_sentence(caught.value)
        assert CANARY not in str(caught.value)
        writer.abort()
        node.start()
        with pytest.raises(StoreError, match="never finished"):
            backend.open(location)
        backend.destroy(location)
        assert keys(location.name, node.variables()["IMGSTORE_S3_URL"]) == []
    credentials.forget()
    credentials.hold(before)
