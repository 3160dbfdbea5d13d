"""The screen in a browser: for the user alone, from loopback alone; seen in a real Chromium where there is one.

``python -m pytest tests/cli/test_web.py`` with the extra ``web`` and Debian's package ``chromium``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.browser_window import TEXT, BrowserWindow
from tests.support.chromium import NEEDS_CHROMIUM, chromium
from tests.support.processes import descendants, have_ended
from tests.support.program import program, sentence

pytest.importorskip("textual_serve", reason="textual-serve is not installed (extra web)")
aiohttp = pytest.importorskip("aiohttp", reason="textual-serve is not installed (extra web)")


PATIENCE_S = 60


@contextlib.contextmanager
def served() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve on a free port; yield the process and the address it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", "web", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def ask(url: str, **headers: str) -> tuple[int, str, str]:
    """Return status, body and the cookie of an answer; a redirect is followed with its cookie."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    request = urllib.request.Request(url, headers=headers)
    try:
        with opener.open(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Security-Policy"]
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers["Content-Security-Policy"]


def test_only_the_user_on_this_machine_gets_the_page() -> None:
    with served() as (_, url):
        bare = url.partition("?")[0]
        status, page, policy = ask(url)
        assert status == 200
        assert "default-src 'none'" in policy
        elsewhere = re.findall(r"(?:https?:)?//(?!127\.0\.0\.1)[\w.]+", page)
        assert elsewhere == []
        assert ask(bare)[:2] == (403, "Open the address that 'imgstore-tui web' has printed.\n")
        assert ask(f"{bare}?token=guess")[0] == 403
        assert ask(f"{bare}ws")[0] == 403
        assert ask(f"{bare}static/js/textual.js")[0] == 403
        for headers in (
            {"Host": "evil.example"},
            {"Origin": "http://evil.example"},
            {"Host": "127.0.0.1.evil.example"},
        ):
            assert ask(url, **headers)[:2] == (403, "Only pages of this machine are served.\n")
        port = urlsplit(url).port
        second = program("web", "--port", str(port))
        assert second.returncode == 3
        assert f"Port {port} of 127.0.0.1 cannot be had: " in sentence(second)


def test_it_listens_on_loopback_alone() -> None:
    with served() as (process, url):
        port = f"{urlsplit(url).port:04X}"
        listening = [
            line.split()[1]
            for table in ("tcp", "tcp6")
            for line in (Path("/proc") / str(process.pid) / "net" / table).read_text().splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{port}")
        ]
        assert listening == [f"0100007F:{port}"]


def test_a_port_that_is_none_is_a_sentence() -> None:
    assert "--port takes 0 to 65535" in sentence(program("web", "--port", "99999"))


@NEEDS_CHROMIUM
async def test_a_real_browser_shows_it_keys_reach_it_and_nothing_leaves_loopback(tmp_path: Path) -> None:
    with served() as (server, url):
        async with chromium(tmp_path / "chromium") as browser:
            await browser.do("Page.navigate", url=url)
            await browser.until("Press r to run")
            await asyncio.sleep(1.0)
            before = await browser.picture()
            assert len(before.getcolors(1 << 24) or []) > 50, "a page that shows the app has many shades"
            family = [server.pid, *descendants(server.pid)]
            assert len(family) >= 2
            await browser.click(640, 10)
            await browser.key("f")
            await browser.until("There is no saved run yet.")
            await asyncio.sleep(1.0)
            after = await browser.picture()
            assert before.tobytes() != after.tobytes()
            await browser.look()
            addresses = [event["params"]["request"]["url"] for event in browser.named("Network.requestWillBeSent")]
            addresses += [event["params"]["url"] for event in browser.named("Network.webSocketCreated")]
            hosts = {urlsplit(address).hostname for address in addresses if not address.startswith(("data:", "blob:"))}
            assert hosts == {"127.0.0.1"}, addresses
            assert any("/static/fonts/" in address for address in addresses), "the font is ours"
            refused = [event["params"]["entry"]["text"] for event in browser.named("Log.entryAdded")]
            assert not [text for text in refused if "Content Security Policy" in text]
            if os.environ.get("IMGSTORE_TUI_PICTURES"):
                before.save(Path(os.environ["IMGSTORE_TUI_PICTURES"]) / "web-before.png")
                after.save(Path(os.environ["IMGSTORE_TUI_PICTURES"]) / "web-after.png")
        # Its window is gone, and so is the program that ran in it.
        assert have_ended(family[1:])
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE_S) == 143


async def test_the_program_ends_with_its_server() -> None:
    with served() as (server, url):
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get(url) as answer:
                assert answer.status == 200
            socket = f"{url.partition('?')[0]}ws?width=80&height=24".replace("http://", "ws://")
            async with session.ws_connect(socket) as window:
                painted = b""
                while b"Press r to run" not in painted:
                    message = await window.receive(timeout=PATIENCE_S)
                    painted += message.data if isinstance(message.data, bytes) else b""
                family = descendants(server.pid)
                assert family
                server.kill()
                deadline = time.monotonic() + PATIENCE_S
                while not have_ended(family):
                    assert time.monotonic() < deadline


def test_what_is_no_message_ends_no_server() -> None:
    with served() as (server, url):
        window = BrowserWindow(url)
        window.until(b"Press r to run")
        for message in (b"{", b"[]", b'["resize",{"width":"a","height":-1}]', b'["stdin",5]', b"[" * 5000, b"\xff\xfe"):
            window.frame(TEXT, message)
        for junk in (b"\xff" * 20, b"\x81\x05hello", b"GET / HTTP"):
            other = BrowserWindow(url)
            other.send_bytes(junk)
            other.close()
        again = BrowserWindow(url)
        again.until(b"Press r to run")
        again.close()
        window.close()
        server.terminate()
        assert server.wait(PATIENCE_S) == 143
        assert server.stderr is not None
        errors = server.stderr.read()
    assert "Traceback" not in errors
    assert "A message from the browser was not understood." in errors
