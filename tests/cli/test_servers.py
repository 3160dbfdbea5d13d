"""What a user gets wrong about a server, and what servers do: a sentence each, nothing half-made, nobody's password."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("psycopg", reason="psycopg is not installed (extra postgres)")

from tests.support.postgres_server import (
    DATABASE,
    HOW_TO_GET,
    PASSWORD,
    PostgresServer,
    _user,
    postgres_server,
    programs,
)
from tests.support.program import program, sentence

RUN = ("run", "-b", "postgres", "-n", "1,20", "-d", "synthetic,size=16", "--rounds", "1", "--quiet")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if programs() is None:
        pytest.skip(HOW_TO_GET)
    with postgres_server("fsync=on") as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_is_made(server: PostgresServer, own_home: Path) -> Iterator[None]:
    server.sql("CREATE TABLE IF NOT EXISTS neighbour AS SELECT 1 AS a")
    yield
    assert server.tables() == ["neighbour"]
    assert server.sql("SELECT a FROM neighbour") == ["1"]
    for path in own_home.rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes()


def refused(*words: str, code: int, **settings: str) -> str:
    done = program(*words, timeout=60, **settings)
    assert done.returncode == code, done.stderr
    message = sentence(done)
    assert PASSWORD not in message
    return message


@pytest.mark.sample_first(4)
@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("postgresql://bench:{password}@127.0.0.1:{port}/art#x", 2, "set the variable IMGSTORE_POSTGRES_URL"),
        ("postgresql://127.0.0.1:{port}/art?password={password}#x", 2, "set the variable IMGSTORE_POSTGRES_URL"),
        ("postgresql://127.0.0.1:{port}/#x", 2, "names no database"),
        ("postgresql://127.0.0.1:port/art#x", 2, "valid host and port"),
        ("postgresql://127.0.0.1:{port}/art", 2, "names no store"),
        ("postgrsql://127.0.0.1:{port}/art#x", 2, "Did you mean 'postgresql'"),
        ("postgresql://bench@127.0.0.1:1/art#x", 3, "does not answer: Connection refused"),
        ("postgresql://bench@127.0.0.1:{port}/nowhere#x", 3, "has no database 'nowhere'"),
        ("postgresql://nobody@127.0.0.1:{port}/art#x", 3, "refuses"),
        ("postgresql://bench@127.0.0.1:{port}/art#neighbour", 2, "exists already"),
    ],
)
def test_a_destination_that_cannot_be_one_is_refused(
    server: PostgresServer, address: str, code: int, words: str
) -> None:
    text = address.format(port=server.port, password=PASSWORD)
    message = refused("convert", "synthetic,size=8", "postgres", text, "--count", "5", code=code, PGPASSWORD=PASSWORD)
    assert words in message


def test_a_table_of_somebody_else_is_not_replaced(server: PostgresServer) -> None:
    words = ("convert", "synthetic,size=8", "postgres", f"{server}#neighbour", "--count", "5", "--replace")
    assert "not a store of ours" in refused(*words, code=3, PGPASSWORD=PASSWORD)


def test_an_address_alone_is_answered_with_the_words_to_write(server: PostgresServer) -> None:
    address = f"{server}#photos"
    assert f"write store:{address}" in refused("convert", address, "npy", "x", code=2)


@pytest.mark.sample_first
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://bench:wrong@127.0.0.1:{port}/art", "password authentication failed"),
        ("postgresql://bench:wrong@127.0.0.1:1/art", "does not answer"),
        ("postgresql://bench:{password}@127.0.0.1:{port}/nowhere", "has no database"),
    ],
)
def test_a_run_begins_with_a_server_that_answers_or_not_at_all(
    server: PostgresServer, url: str, words: str, own_home: Path
) -> None:
    from urllib.parse import quote

    text = url.format(port=server.port, password=quote(PASSWORD, safe=""))
    assert words in refused(*RUN, code=3, IMGSTORE_POSTGRES_URL=text)
    assert not list(own_home.rglob("*.jsonl"))


def test_a_variable_that_is_no_address_is_named(server: PostgresServer) -> None:
    assert "IMGSTORE_POSTGRES_URL: " in refused(*RUN, code=2, IMGSTORE_POSTGRES_URL=f"mysql://x:{PASSWORD}@h/db")


def test_a_server_that_is_full_is_a_sentence(server: PostgresServer) -> None:
    """Its tables are put on a file system of 12 MiB."""
    if os.geteuid() != 0:
        pytest.skip("a small file system can be mounted by root only")
    place = server.folder / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        shutil.chown(place, str(_user()["user"]), str(_user()["group"]))
        server.sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        server.sql(f"ALTER DATABASE {DATABASE} SET default_tablespace = small")
        words = ("convert", "synthetic,size=128", "postgres", f"{server}#big", "--count", "2000", "--quiet")
        done = program(*words, PGPASSWORD=PASSWORD)
        assert done.returncode == 3
        assert "the disk of the server is full" in done.stderr
        assert "Traceback" not in done.stderr
        assert "big" not in server.tables()
    finally:
        server.sql(f"ALTER DATABASE {DATABASE} RESET default_tablespace")
        server.sql("DROP TABLE IF EXISTS big_converting")
        server.sql("DROP TABLESPACE IF EXISTS small")
        subprocess.run(["umount", str(place)], check=True)


def test_a_server_that_dies_while_it_is_written_to_fails_rows_and_is_swept(
    server: PostgresServer, own_home: Path
) -> None:
    url = server.url()

    def die() -> None:
        while not any(name.startswith("imgstore_tui_") for name in server.tables()):
            time.sleep(0.02)
        server.kill()

    thread = threading.Thread(target=die)
    thread.start()
    words = ("run", "-b", "postgres", "-n", "1,2000", "-d", "synthetic,size=64", "--rounds", "2", "--quiet", "--json")
    done = program(*words, IMGSTORE_POSTGRES_URL=url)
    thread.join()
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert PASSWORD not in done.stderr + done.stdout
    assert "does not answer" in done.stdout
    listed = program("sweep", "--list", IMGSTORE_POSTGRES_URL=url)
    assert "an unknown number of stores" in listed.stdout
    tried = program("sweep", IMGSTORE_POSTGRES_URL=url)
    assert tried.returncode == 3
    assert "stay listed for: imgstore-tui sweep" in tried.stderr
    ledgers = {path: path.read_bytes() for path in Path(os.environ["IMGSTORE_TUI_HOME"]).rglob("*.servers")}
    assert ledgers
    struck = program("sweep", "--forget", IMGSTORE_POSTGRES_URL=url)
    assert struck.returncode == 0, struck.stderr
    assert struck.stdout.startswith("struck from the list: postgresql://")
    assert program("sweep", "--list", IMGSTORE_POSTGRES_URL=url).stderr.startswith("Nothing is left of any run")
    for path, content in ledgers.items():
        path.write_bytes(content)
    server.start()
    swept = program("sweep", IMGSTORE_POSTGRES_URL=url)
    assert swept.returncode == 0, swept.stderr
    assert program("sweep", "--list", IMGSTORE_POSTGRES_URL=url).stderr.startswith("Nothing is left of any run")
