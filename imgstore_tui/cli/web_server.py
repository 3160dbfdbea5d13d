"""The server behind ``imgstore-tui web``: loopback only, for who has the token, and nothing from elsewhere.

textual-serve runs the program once a browser window and carries keys and pictures over a websocket. Its own page loads
a font from the web, and its server answers whoever asks: any page in the user's browser could open the websocket and
press keys. So the page is ours, and every request must come from a loopback name, from our own page, with our token.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
import sys
import threading
from html import escape
from pathlib import Path
from typing import Any, NoReturn

import textual_serve
from aiohttp import web
from textual_serve.server import Server

from imgstore_tui.cli.web_window import Window, clamped_size
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.text import safe_text
from imgstore_tui.jobs.watchdog import Watchdog

HOST = "127.0.0.1"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Names by which a browser may know us, also through a tunnel; any other may be a trick (DNS rebinding)."""
COOKIE = "imgstore-tui"
STATIC = Path(textual_serve.__file__).parent / "static"
WINDOWS_END_S = 0.9
"""How long the programs of windows may take to end their runs when the server ends; then they are killed."""
CONNECTIONS_END_S = 0.2
"""How long connections may take after that."""
MOST_MESSAGE_BYTES = 1 << 20
"""The largest message from a browser, such as a paste."""
HEARTBEAT_S = 15.0
"""A browser that does not answer so soon is gone."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws://{host}; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>imgstore-tui</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/css/xterm.css">
<script src="/static/js/textual.js"></script>
<style>
@font-face {{
  font-family: "Roboto Mono"; src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf"); font-weight: 100 700;
}}
body {{ margin: 0; background: #111318; color: #d6d8dc; font-family: "Roboto Mono", monospace; }}
.textual-terminal {{ width: 100vw; height: 100vh; }}
.over {{ display: none; position: absolute; inset: 0; z-index: 2; background: #111318; text-align: center;
  padding-top: 40vh; }}
.over a {{ color: #e8a24a; }}
body.-closed .over {{ display: block; }}
</style>
</head>
<body>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="{size}"></div>
<div class="over"><p>imgstore-tui has ended. What was measured is saved.</p><p><a href="/">Start it again</a></p></div>
</body>
</html>
"""


class LoopbackServer(Server):
    """Serves the screen to browsers of this machine."""

    def __init__(self) -> None:
        super().__init__("imgstore-tui", HOST, title="imgstore-tui")
        self.token = secrets.token_urlsafe(24)
        self._windows: set[Window] = set()

    def make_app(self) -> web.Application:
        """Return the application: the page, its parts, the websocket, downloads."""
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws", self._window),
                web.get("/download/{key}", self.handle_download, name="download"),
                web.static("/static", STATIC),
            ]
        )
        app.on_response_prepare.append(self._harden)
        app.on_shutdown.append(self._end_windows)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Refuse requests that are not from the user's own browser on a page of this server."""
        name = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
        if name not in LOOPBACK or request.headers.get("Origin", f"http://{request.host}") != f"http://{request.host}":
            raise web.HTTPForbidden(text="Only pages of this machine are served.\n")
        token = request.query.get("token")
        if token is not None and hmac.compare_digest(token.encode(), self.token.encode()):
            redirect = web.HTTPSeeOther("/")
            redirect.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict")
            raise redirect
        if not hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self.token.encode()):
            raise web.HTTPForbidden(text="Open the address that 'imgstore-tui web' has printed.\n")
        response: web.StreamResponse = await handler(request)
        return response

    async def _harden(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add headers by which the browser loads nothing from elsewhere and shows the page in no other's frame."""
        for name, value in _HEADERS.items():
            response.headers[name] = value.format(host=request.host)

    async def _page(self, request: web.Request) -> web.Response:
        font_size = request.query.get("fontsize", "")
        size = int(font_size) if font_size.isascii() and font_size.isdigit() and 6 <= int(font_size) <= 48 else 16
        page = _PAGE.format(socket=escape(f"ws://{request.host}/ws"), size=size)
        return web.Response(text=page, content_type="text/html")

    async def _window(self, request: web.Request) -> web.StreamResponse:
        """Run the program for a window until either ends."""
        size = (request.query.get("width", ""), request.query.get("height", ""))
        width, height = (int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0 for text in size)
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, timeout=CONNECTIONS_END_S, max_msg_size=MOST_MESSAGE_BYTES
        )
        await socket.prepare(request)
        window = Window(socket, self.download_manager, report)
        self._windows.add(window)
        try:
            await window.start(*(clamped_size(width, height) if width and height else (80, 24)))
            await window.take_messages()
        finally:
            # A connection that is cut off cancels its handler; the program has to be ended all the same.
            await asyncio.shield(asyncio.ensure_future(self._end_window(window)))
        return socket

    async def _end_window(self, window: Window) -> None:
        await window.stop()
        self._windows.discard(window)

    async def _end_windows(self, _: web.Application) -> None:
        """End the programs of all windows and wait for them: a run must not outlive its server."""
        await asyncio.gather(*(window.stop(WINDOWS_END_S) for window in self._windows))


def report(sentence: str) -> None:
    """Print a sentence on standard error without waiting for a terminal that takes no output."""

    def say() -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"imgstore-tui: {safe_text(sentence)}\n")

    threading.Thread(target=say, daemon=True).start()


class _Sentences(logging.Handler):
    """Says what aiohttp logs in a sentence, without the traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        reason = record.exc_info[1] if record.exc_info else None
        report(f"{record.getMessage()}: {reason}" if reason is not None else record.getMessage())


def serve(port: int) -> NoReturn:
    """Serve until SIGINT, SIGTERM or SIGHUP.

    Args:
        port: Where; 0 for any that is free. The address stands on standard output.

    Returns:
        Never: the process ends with the exit code of the signal.

    Raises:
        UnavailableError: If the port cannot be had.
    """
    watchdog = Watchdog()
    # A busy machine takes seconds to take an interpreter apart, in which nothing watches over its end any more.
    watchdog.end(asyncio.run(_serve(port, watchdog)))


async def _serve(port: int, watchdog: Watchdog) -> int:
    logging.getLogger("aiohttp").addHandler(_Sentences(logging.ERROR))
    server = LoopbackServer()
    runner = web.AppRunner(server.make_app(), access_log=None, shutdown_timeout=CONNECTIONS_END_S)
    await runner.setup()
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    # A loop that is stuck in a write to its terminal is deaf; the watchdog is not.
    watchdog.ask_first(lambda code: _end_soon(loop, ended, code))
    watchdog.at_end(lambda: None, lambda: 0)
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            reason = (error.strerror or str(error)).rpartition(":")[2].strip()
            message = f"Port {port} of {HOST} cannot be had: {reason}. Name another with --port."
            raise UnavailableError(message) from None
        watchdog.start()
        sys.stdout.write(f"http://{HOST}:{runner.addresses[0][1]}/?token={server.token}\n")
        sys.stdout.flush()
        sys.stderr.write("Open that address in a browser of this machine; Ctrl-C ends it, and the runs begun there.\n")
        return await ended
    finally:
        await runner.cleanup()


def _end_soon(loop: asyncio.AbstractEventLoop, ended: asyncio.Future[int], code: int) -> None:
    def end() -> None:
        if not ended.done():
            ended.set_result(code)

    loop.call_soon_threadsafe(end)
