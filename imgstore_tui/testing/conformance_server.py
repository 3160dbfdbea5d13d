"""What a backend of a server must do. Its own test inherits the class and names the backend and a throw-away server.

class TestMine(ServerConformance):
    backend = "mine"

    @pytest.fixture
    def server_url(self) -> str:
        return "mine://user:password@127.0.0.1:1234/database"

Beside what holds for every store: what is left and what is not, who is left alone, and what nobody may read.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core import credentials
from imgstore_tui.core.backend import DurableBy
from imgstore_tui.core.errors import StoreError, UnavailableError, UnsupportedError, UsageError
from imgstore_tui.core.location import AddressForm, ServerLocation, secrets_in
from imgstore_tui.core.operations import SYNC_LEVELS, SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.storekit import child_python
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.testing.conformance_store import StoreConformance
from imgstore_tui.testing.store_material import StoreSetup, is_sentence


@dataclass(frozen=True)
class ServerPlace:
    """Where the stores of one test are made: ``place / name`` is the location of one."""

    location: ServerLocation
    prefix: str

    def __truediv__(self, name: str) -> ServerLocation:
        return self.location.child(f"{self.prefix}{name}")


class ServerConformance(StoreConformance):
    """Inherit, name the backend and the server, and every promise of the contract is tested."""

    def nowhere(self, location: ServerLocation) -> ServerLocation:
        """Return the same where no server answers."""
        return replace(location, host="127.0.0.1", port=1)

    @pytest.fixture
    def server_url(self) -> str:
        """Return the address of a throw-away server, with its password."""
        raise NotImplementedError("name the server: override the fixture server_url")

    @pytest.fixture
    def kind(self) -> type[ServerBackend]:
        """Return the backend's class."""
        kind = registry.backends.get(self.backend)
        assert issubclass(kind, ServerBackend)
        return kind

    @pytest.fixture(autouse=True)
    def secrets(self, kind: type[ServerBackend], server_url: str) -> Iterator[None]:
        """Hold the address as the program does, and drop it afterwards."""
        before = credentials.held()
        credentials.hold({kind.url_variable: server_url})
        yield
        credentials.forget()
        credentials.hold(before)

    @pytest.fixture
    def place(self, kind: type[ServerBackend], secrets: None) -> Iterator[ServerPlace]:
        """Return names that are nobody's; what a test leaves under them is removed."""
        backend, (location, _) = registry.with_defaults(kind), kind.address()
        place = ServerPlace(location, f"t{uuid.uuid4().hex[:12]}_")
        yield place
        for store in backend.list_stores(location, place.prefix):
            backend.destroy(store)
        assert not backend.list_stores(location, place.prefix)

    @pytest.fixture
    def server(self, kind: type[ServerBackend]) -> ServerBackend:
        """Return the backend with its options as they are by default."""
        return registry.with_defaults(kind)

    def test_it_declares_how_a_server_is_named(self, kind: type[ServerBackend]) -> None:
        assert kind.capabilities.server
        assert kind.schemes
        assert all(re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) for scheme in kind.schemes)
        assert re.fullmatch(r"IMGSTORE_[A-Z0-9]+_URL", kind.url_variable)
        assert kind.address_form in set(AddressForm)
        assert kind.url_variable not in kind.secret_variables
        credentials.forget()
        assert kind.url_variable in kind.missing_setting()
        with pytest.raises(UnavailableError, match=kind.url_variable):
            kind.address()

    def test_it_says_which_server_it_is(self, server: ServerBackend, place: ServerPlace) -> None:
        facts = server.facts(place.location)
        assert facts.backend == self.backend
        assert facts.product
        assert facts.version
        assert facts.address == place.location.public()
        assert server.ping(place.location) > 0
        assert is_sentence(f"Nothing is called cold, because {server.unknown_cache()}.")

    def test_what_a_level_promises_is_said(self, preset: StoreSetup, server: ServerBackend, place: ServerPlace) -> None:
        for level in SYNC_LEVELS:
            durability = preset.backend.durability(place / "store", level)
            if level is SyncLevel.BUFFERED:
                # Where the server forces all the same, its rows must not be ranked with those that force nothing.
                forces = server.forces_by_settings(server.facts(place.location).settings)
                assert forces == (durability.by is DurableBy.ACKNOWLEDGE)
                continue
            assert durability.by in (DurableBy.ACKNOWLEDGE, DurableBy.NOTHING)
            if durability.by is DurableBy.NOTHING:
                assert is_sentence(durability.reason)
            else:
                assert durability.reason

    def test_it_is_weighed_by_the_server(self, setup: StoreSetup, server: ServerBackend, place: ServerPlace) -> None:
        location = setup.make(place / "store", setup.material([(40, 41, 3)] * 30))
        server.drain(location)
        usage = setup.backend.disk_usage(location)
        for figure in (usage.apparent_bytes, usage.allocated_bytes, usage.files):
            assert figure is None or figure > 0

    # What is there and what is not

    def test_what_is_missing_is_refused(self, preset: StoreSetup, place: ServerPlace) -> None:
        location = place / "missing"
        assert not preset.backend.exists(location)
        with pytest.raises(StoreError) as caught:
            preset.backend.open(location)
        assert is_sentence(caught.value, location)
        with pytest.raises((StoreError, UnsupportedError)) as refused:
            preset.backend.edit(location, SyncLevel.BUFFERED)
        assert is_sentence(refused.value)
        preset.backend.destroy(location)  # there is nothing to do
        assert not preset.backend.exists(location)

    def test_a_place_without_a_name_is_no_store(self, preset: StoreSetup, place: ServerPlace) -> None:
        material = preset.material([(3, 3, 3)])
        with pytest.raises((StoreError, UsageError)) as caught:
            preset.backend.create(place.location, material.content, SyncLevel.BUFFERED)
        assert is_sentence(caught.value)
        with pytest.raises((StoreError, UsageError)) as refused:
            preset.backend.destroy(place.location)
        assert is_sentence(refused.value)

    def test_nothing_is_made_over_what_is_there(self, preset: StoreSetup, place: ServerPlace) -> None:
        material = preset.material([(3, 3, 3)] * 3)
        location = preset.make(place / "store", material)
        with pytest.raises(StoreError) as caught:
            preset.make(location, preset.material([(3, 3, 3)] * 2))
        assert is_sentence(caught.value, location)
        material.check_store(preset.backend, location)

    def test_stores_of_ours_are_listed_and_no_others(
        self, preset: StoreSetup, server: ServerBackend, place: ServerPlace
    ) -> None:
        material = preset.material([(3, 3, 3)])
        for name in ("one", "one_2", "two"):
            preset.make(place / name, material)
        listed = [store.name for store in server.list_stores(place.location, f"{place.prefix}one")]
        assert sorted(listed) == [f"{place.prefix}one", f"{place.prefix}one_2"]
        assert not server.list_stores(place.location, f"{place.prefix}three")

    def test_destroy_leaves_neighbours_alone(self, setup: StoreSetup, place: ServerPlace) -> None:
        material = setup.material([(7, 5, 3)] * 6)
        for name in ("store", "store2", "stor"):
            setup.make(place / name, material)
        setup.backend.destroy(place / "store")
        assert not setup.backend.exists(place / "store")
        for name in ("store2", "stor"):
            material.check_store(setup.backend, place / name)

    def test_reading_changes_nothing(self, setup: StoreSetup, server: ServerBackend, place: ServerPlace) -> None:
        material = setup.material([(7, 5, 3)] * 12)
        location = setup.make(place / "store", material)
        server.drain(location)  # what is written later would weigh, too
        before = setup.backend.disk_usage(location)
        for _ in range(2):
            material.check_store(setup.backend, location)
        assert setup.backend.disk_usage(location) == before

    def test_requests_are_counted(self, setup: StoreSetup, place: ServerPlace) -> None:
        material = setup.material([(7, 5, 3)] * 12)
        writer = setup.backend.create(place / "store", material.content, SyncLevel.BUFFERED)
        material.put(writer)
        writer.close()
        assert writer.requests > 0
        with setup.backend.open(place / "store") as reader:
            before = reader.requests
            material.check(reader)
            assert reader.requests > before

    def test_a_store_gets_its_final_name_in_one_step(
        self, preset: StoreSetup, server: ServerBackend, place: ServerPlace
    ) -> None:
        old, new = preset.material([(3, 3, 3)] * 2), preset.material([(5, 5, 3)] * 3)
        staged, final = preset.make(place / "staged", new), place / "final"
        server.deliver(staged, final, replace=False)
        new.check_store(preset.backend, final)
        assert not preset.backend.exists(staged)
        preset.make(staged, old)
        with pytest.raises(StoreError) as caught:
            server.deliver(staged, final, replace=False)
        assert is_sentence(caught.value, final)
        new.check_store(preset.backend, final)
        old.check_store(preset.backend, staged)
        server.deliver(staged, final, replace=True)
        old.check_store(preset.backend, final)
        assert not preset.backend.exists(staged)

    # Who dies, and who does not answer

    @pytest.mark.parametrize("level", [SyncLevel.BUFFERED, SyncLevel.BATCH])
    def test_what_a_killed_writer_leaves_is_no_store_and_goes(
        self, preset: StoreSetup, level: SyncLevel, server: ServerBackend, place: ServerPlace
    ) -> None:
        location = place / "store"
        command = child_python.command(
            "imgstore_tui.testing.killed_writer", preset.text, location.public(), level.value
        )
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env=child_python.environment(),
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(f"{json.dumps(credentials.held())}\n")
            child.stdin.flush()
            line = child.stdout.readline()
            child.send_signal(signal.SIGKILL)
            errors = child.communicate()[1]
        if line != "half\n":
            assert "UnsupportedError" in errors, errors
            return
        with pytest.raises(StoreError) as caught:
            preset.backend.open(location)
        assert is_sentence(caught.value, location)
        server.destroy(location)
        assert not preset.backend.exists(location)
        assert not server.list_stores(place.location, place.prefix)
        material = preset.material([(3, 3, 3)] * 2)
        preset.make(location, material)
        material.check_store(preset.backend, location)

    @pytest.mark.timeout(60)
    def test_a_server_that_does_not_answer_is_a_sentence(self, server: ServerBackend, place: ServerPlace) -> None:
        nowhere = self.nowhere(place / "store")
        tries: list[Any] = [
            lambda: server.facts(nowhere.place),
            lambda: server.open(nowhere),
            lambda: server.list_stores(nowhere.place, "x"),
            lambda: server.destroy(nowhere),
        ]
        for attempt in tries:
            with pytest.raises(UnavailableError) as caught:
                attempt()
            assert is_sentence(caught.value)

    # Secrets

    def test_no_message_and_no_address_holds_the_password(
        self, kind: type[ServerBackend], server: ServerBackend, place: ServerPlace, server_url: str
    ) -> None:
        secrets = secrets_in(server_url)
        texts = [str(place / "store"), repr(place / "store"), repr(server.facts(place.location))]
        for word in ("missing", "mi\"ss'ing"):
            with pytest.raises(StoreError) as caught:
                server.open(place / word)
            texts.append(str(caught.value))
        for secret in secrets:
            wrong = f"{secret}-wrong"
            credentials.hold({kind.url_variable: server_url.replace(secret, wrong)})
            with contextlib.suppress(UnavailableError, StoreError) as _:
                server.facts(place.location)
            with pytest.raises((UnavailableError, StoreError)) as refused:
                server.open(place / "missing")
            texts.append(str(refused.value))
            credentials.hold({kind.url_variable: server_url})
        for text in texts:
            assert not [secret for secret in secrets if secret in text]

    def test_labels_alone_come_back_after_a_change(self, preset: StoreSetup, place: ServerPlace) -> None:
        material = preset.material([(3, 3, 3)] * 4, [4, 3, 2, 1])
        location = preset.make(place / "store", material)
        with preset.backend.open(location) as reader:
            labels = reader.read_labels()
        assert labels.dtype == np.int64
        assert labels.tolist() == [4, 3, 2, 1]
