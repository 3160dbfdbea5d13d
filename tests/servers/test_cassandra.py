"""Apache Cassandra, against a real node that the tests start."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

pytest.importorskip("cassandra", reason="cassandra is not installed (extra cassandra)")

from imgstore_tui.core import credentials
from imgstore_tui.core.backend import DurableBy
from imgstore_tui.core.errors import StoreError, UnavailableError, UsageError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.jobs.servers.recipes.cassandra import CassandraRecipe
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.testing.conformance_server import ServerConformance
from imgstore_tui.testing.store_material import StoreSetup, is_sentence
from tests.support.nodes import running_node
from tests.support.servers import server, skip_without

# The first test waits until the node has started, which takes minutes on a busy machine.
pytestmark = pytest.mark.timeout(400)


class TestCassandra(ServerConformance):
    backend = "cassandra"
    codecs = ("raw", "png")  # arrays and payloads; every store is a change of the schema

    @pytest.fixture
    def server_url(self) -> str:
        return server("cassandra").url


def cql(statement: str, url: str) -> list[Any]:
    """Run a statement with the driver itself, round the code that is tested."""
    from urllib.parse import unquote, urlsplit

    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import RoundRobinPolicy

    parts = urlsplit(url)
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
    login = PlainTextAuthProvider(parts.username, unquote(parts.password or ""))
    cluster = Cluster(
        ["127.0.0.1"], port=parts.port, auth_provider=login, protocol_version=5, connect_timeout=20,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
    )  # fmt: skip
    try:
        return list(cluster.connect(parts.path.strip("/")).execute(statement))
    finally:
        cluster.shutdown()


def tables() -> list[str]:
    url = server("cassandra").url
    return sorted(
        row[0] for row in cql("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'imgstore'", url)
    )


@pytest.fixture
def name() -> str:
    return "cassandra"


def backend() -> ServerBackend:
    made = StoreSetup.of("cassandra").backend
    assert isinstance(made, ServerBackend)
    return made


def test_a_table_of_somebody_else_is_neither_read_nor_removed(place: ServerLocation) -> None:
    url = server("cassandra").url
    cql('CREATE TABLE IF NOT EXISTS somebodys (a int PRIMARY KEY) WITH comment = \'{"format": "theirs"}\'', url)
    cql("INSERT INTO somebodys (a) VALUES (1)", url)
    setup = StoreSetup.of("cassandra")
    location = place.child("somebodys")
    for action in (setup.backend.open, setup.backend.destroy):
        with pytest.raises(StoreError) as caught:
            action(location)
        assert is_sentence(caught.value, location)
    with pytest.raises(StoreError, match="exists already"):
        setup.make(location, setup.material([(3, 3, 3)]))
    assert not backend().list_stores(place, "somebodys")
    assert [row[0] for row in cql("SELECT a FROM somebodys", url)] == [1]
    cql("DROP TABLE somebodys", url)


@pytest.mark.parametrize("store_name", ['a "quoted" na\'me', "Capitals and blanks", "größer/日本", "x" * 100])
def test_a_store_may_have_a_name_that_no_table_can_have(place: ServerLocation, store_name: str) -> None:
    setup = StoreSetup.of("cassandra")
    material = setup.material([(3, 3, 3)] * 3)
    location = setup.make(place.child(store_name), material)
    material.check_store(setup.backend, registry.parse_location(location.public()))
    assert location in backend().list_stores(place, store_name[:3])
    setup.backend.destroy(location)
    assert not setup.backend.exists(location)


def test_of_two_tables_that_say_that_they_are_a_store_the_later_is(place: ServerLocation) -> None:
    """As it is when a process dies between giving a store its name and dropping the one that had it."""
    url = server("cassandra").url
    setup = StoreSetup.of("cassandra")
    old, new = setup.material([(3, 3, 3)] * 2), setup.material([(3, 3, 3)] * 3)
    setup.make(place.child("turn_old"), old)
    staged = setup.make(place.child("turn_new"), new)
    cql(
        'ALTER TABLE turn_new WITH comment = \'{"format": "imgstore-tui cassandra", "name": "turn_old", "turn": 1}\'',
        url,
    )
    assert not setup.backend.exists(staged)
    new.check_store(setup.backend, place.child("turn_old"))
    setup.backend.destroy(place.child("turn_old"))
    assert not {"turn_old", "turn_new"} & set(tables())


def test_large_images_are_replaced_as_a_whole(place: ServerLocation) -> None:
    setup = StoreSetup.of("cassandra+raw")
    first, second = (np.full((700, 800, 3), number, np.uint8) for number in (1, 2))
    material = setup.pack([first, np.zeros((2, 2, 3), np.uint8)], [1, 2])
    location = setup.make(place.child("large"), material)
    with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
        editor.put_bytes([0], [second.tobytes()], np.array([8]))
        editor.put_bytes([1], [first.tobytes()], np.array([9]))
    with setup.backend.open(location) as reader:
        labels = np.zeros(2, np.int64)
        assert reader.read_bytes([1, 0], labels) == [first.tobytes(), second.tobytes()]
        assert labels.tolist() == [9, 8]
    setup.backend.destroy(location)


def test_rows_that_are_missing_are_noticed(place: ServerLocation) -> None:
    setup = StoreSetup.of("cassandra")
    material = setup.material([(3, 3, 3)] * 6)
    location = setup.make(place.child("damaged"), material)
    cql("DELETE FROM damaged WHERE bucket = 0 AND id = 2", server("cassandra").url)
    with setup.backend.open(location) as reader:
        for ids in ([2], [1, 2, 3], [3, 2]):
            with pytest.raises(StoreError, match="images are missing in it"):
                material.get(reader, ids)
        with pytest.raises(StoreError, match="images are missing in it"):
            reader.read_labels()
    setup.backend.destroy(location)


def test_a_node_that_forces_its_log_now_and_then_makes_no_level_durable(place: ServerLocation) -> None:
    buffered = backend().durability(place.child("x"), SyncLevel.BUFFERED)
    assert buffered.by is DurableBy.NOTHING
    assert "commitlog_sync=periodic, commitlog_sync_period=10000ms" in buffered.reason
    assert not backend().forces_by_settings(backend().facts(place).settings)
    for level in (SyncLevel.END, SyncLevel.BATCH):
        durability = backend().durability(place.child("x"), level)
        assert durability.by is DurableBy.NOTHING
        assert "commitlog_sync: periodic" in durability.reason


class BatchRecipe(CassandraRecipe):
    """A node that forces its commit log before it acknowledges."""

    commit_log: ClassVar[dict[str, str]] = {"commitlog_sync": "batch"}


@pytest.mark.full
@pytest.mark.timeout(400)
def test_a_node_that_forces_its_log_first_makes_every_level_durable_and_survives_a_kill(place: ServerLocation) -> None:
    skip_without("cassandra")
    with running_node(BatchRecipe()) as node:
        credentials.hold(node.variables())
        kind = registry.backends.get("cassandra")
        assert issubclass(kind, ServerBackend)
        location = kind.address()[0].child("durable")
        durability = backend().durability(location, SyncLevel.END)
        assert durability.by is DurableBy.ACKNOWLEDGE
        assert "commitlog_sync=batch" in durability.reason
        assert backend().forces_by_settings(backend().facts(location.place).settings)
        setup = StoreSetup.of("cassandra")
        material = setup.material([(30, 30, 3)] * 300)
        setup.make(location, material, SyncLevel.END)
        writer = setup.backend.create(location.place.child("half"), material.content, SyncLevel.END)
        material.put(writer, 0, 20)
        node.kill()
        with pytest.raises(StoreError) as caught:
            material.put(writer, 20)
        assert is_sentence(caught.value, location.place.child("half"))
        writer.abort()
        with pytest.raises(UnavailableError) as refused:
            setup.backend.open(location)
        assert is_sentence(refused.value)
        node.start()
        material.check_store(setup.backend, location)
        assert [store.name for store in backend().list_stores(location.place, "")] == ["durable", "half"]


def test_the_size_is_that_of_the_files(place: ServerLocation) -> None:
    setup = StoreSetup.of("cassandra")
    location = setup.make(place.child("weighed"), setup.material([(64, 64, 3)] * 500))
    backend().drain(location)
    stored = 500 * 64 * 64 * 3
    assert 0.8 * stored < (setup.backend.disk_usage(location).apparent_bytes or 0) < 1.4 * stored
    setup.backend.destroy(location)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [((("ssl", "yes"),), "Known: dc, tls, tlsCAFile"), ((("tls", "perhaps"),), "is true or false")],
)
def test_parameters_that_are_unknown_are_refused(
    place: ServerLocation, parameters: tuple[tuple[str, str]], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        backend().exists(replace(place, parameters=parameters).child("x"))


def test_a_keyspace_that_is_missing_is_named(place: ServerLocation) -> None:
    with pytest.raises(UnavailableError) as caught:
        backend().facts(replace(place, database="Nowhere"))
    assert is_sentence(caught.value)
    assert "has no keyspace 'Nowhere'" in str(caught.value)


@pytest.mark.parametrize("text", ["cassandra", "cassandra:preset=plain"])
def test_what_was_put_and_read_is_let_go_without_the_collector_of_rings(place: ServerLocation, text: str) -> None:
    """It sleeps while a trial is timed; 3.9 GB of images were in memory twice by the end."""
    setup = StoreSetup.of(f"cassandra+raw{text.removeprefix('cassandra')}")
    # Several answers' worth, of at most 4 MiB each: the driver's own thread keeps the last one.
    material = setup.material([(512, 512, 3)] * 24)
    payload_bytes = 24 * 512 * 512 * 3
    location = place.child(f"rings_{len(text)}")
    out, labels = np.empty((24, 512, 512, 3), np.uint8), np.empty(24, np.int64)
    writer = setup.backend.create(location, material.content, SyncLevel.BUFFERED)
    reader = None
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        material.put(writer)
        writer.close()
        reader = setup.backend.open(location)
        for ids in (range(24), list(range(23, -1, -1))):
            reader.read_array(ids, out, labels)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()
        if reader is not None:
            reader.close()
        setup.backend.destroy(location)
    assert held < payload_bytes / 2
