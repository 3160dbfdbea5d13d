"""Tests downloads from a local server: complete and checked, or a sentence and nothing kept."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from imgstore_tui.cli.main import guarded, run_command
from imgstore_tui.datasets.cifar.layout import CIFAR10
from imgstore_tui.jobs import fetch
from imgstore_tui.plugins.registry import make_dataset
from imgstore_tui.testing.conformance_dataset import is_sentence
from tests.support.cifar_files import pack, write_cifar
from tests.support.program import program, sentence

ARCHIVE = "cifar-10-python.tar.gz"


@dataclass
class Server:
    """A web server with files of the test, and the requests it received."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    announced: int = 0
    """Bytes that are announced beyond those that come."""
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append(self.path)
            data = site.files.get(self.path)
            if data is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(data) + site.announced))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as listening:
        site = Server(f"http://127.0.0.1:{listening.server_port}/kriz/")
        monkeypatch.setenv(fetch.BASE_VARIABLE, site.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield site
        listening.shutdown()
        thread.join()


def serve_archive(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Offer an archive of ours as the published one."""
    made = folder / "cifar-10-batches-py"
    write_cifar(made, CIFAR10)
    data = pack(made, folder / ARCHIVE).read_bytes()
    server.files[f"/kriz/{ARCHIVE}"] = data
    layout = replace(CIFAR10, archives={ARCHIVE: hashlib.md5(data, usedforsecurity=False).hexdigest()})
    monkeypatch.setitem(fetch._ARCHIVES, "cifar10", (ARCHIVE, layout))
    return data


def run(*arguments: str) -> int:
    return guarded(lambda: run_command(("datasets", "fetch", *arguments)))


def test_it_comes_whole_is_checked_and_can_be_used(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = serve_archive(server, tmp_path / "made", monkeypatch)
    home = tmp_path / "home"
    home.mkdir()
    assert run("cifar10", "--to", str(home)) == 0
    assert (home / ARCHIVE).read_bytes() == data
    assert [path.name for path in home.iterdir()] == [ARCHIVE]
    printed = capsys.readouterr()
    assert f"{server.url}{ARCHIVE}" in printed.err.replace("\n", "")
    assert printed.out == f"imgstore-tui run -d cifar10:{home / ARCHIVE}\n"
    dataset = make_dataset(printed.out.split()[-1])
    dataset.scan()
    assert len(dataset)
    assert run("cifar10", "--to", str(home)) == 0
    assert len(server.requests) == 1  # what is there is not fetched again
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("missing", "the server answers 404"),
        ("short", "The connection broke after"),
        ("other", "with another checksum than published"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_leaves_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    spoil: str, message: str,
) -> None:  # fmt: skip
    data = serve_archive(server, tmp_path / "made", monkeypatch)
    if spoil == "missing":
        server.files.clear()
    elif spoil == "short":
        server.announced = 1000
    else:
        server.files[f"/kriz/{ARCHIVE}"] = data[:-1] + bytes([data[-1] ^ 1])
    home = tmp_path / "home"
    home.mkdir()
    assert run("cifar10", "--to", str(home)) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    last = printed.err.splitlines()[-1].removeprefix("imgstore-tui: ")
    assert message in last
    assert is_sentence(last)
    assert list(home.iterdir()) == []


def test_nobody_at_home_is_one_sentence(tmp_path: Path) -> None:
    done = program(
        "datasets", "fetch", "cifar100", "--to", str(tmp_path), IMGSTORE_TUI_CIFAR_URL="http://127.0.0.1:9/kriz"
    )
    assert done.returncode == 3
    lines = done.stderr.splitlines()
    assert lines[0] == "Fetching http://127.0.0.1:9/kriz/cifar-100-python.tar.gz"
    assert lines[1:] == [
        "imgstore-tui: http://127.0.0.1:9/kriz/cifar-100-python.tar.gz cannot be reached: Connection refused. "
        "Check the network, then try again."
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (("imagenet",), {}, "Unknown dataset to fetch 'imagenet'"),
        (("cifar10", "--to", "/nowhere/at/all"), {}, "is no folder"),
        (("cifar10",), {fetch.BASE_VARIABLE: "file:///etc/"}, "begins with https"),
        (("cifar10",), {fetch.BASE_VARIABLE: "https://me:secret@host/"}, "names no user"),
        ((), {}, "NAME"),
    ],
)
def test_words_that_are_off_are_refused_before_anything_is_asked_for(
    arguments: tuple[str, ...], settings: dict[str, str], message: str
) -> None:
    done = program("datasets", "fetch", *arguments, timeout=60, **settings)
    assert done.returncode == 2
    assert message in sentence(done)
    assert "secret" not in done.stderr


def test_another_file_in_the_way_is_left_alone(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ARCHIVE).write_text("mine")
    assert run("cifar10", "--to", str(tmp_path)) == 3
    assert "Move it away" in capsys.readouterr().err
    assert (tmp_path / ARCHIVE).read_text() == "mine"
    assert server.requests == []
