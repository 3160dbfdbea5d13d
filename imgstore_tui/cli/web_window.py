"""Runs the program behind one browser window and carries what passes between the two, either of which may vanish."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from imgstore_tui.jobs.watchdog import BROWSER_DRIVER
from imgstore_tui.storekit import child_python

STOP_S = 5.0
"""How long a program may take to end its run when its window is closed; then it is killed."""
MOST_COLUMNS, MOST_ROWS = 1_000, 500
"""No window is larger: what a program draws costs memory."""

_STDERR_TAIL = 4_096
"""How many of the last bytes that a program writes to standard error are kept."""

Report = Callable[[str], None]


class Window(AppService):
    """The program of one window, in a process of its own.

    textual-serve's own keeps all that the program writes to standard error and prints it, and waits for the program for
    ever when it stops.
    """

    def __init__(self, socket: web.WebSocketResponse, downloads: DownloadManager, report: Report) -> None:
        """Prepare; ``start`` starts the program.

        Args:
            socket: The browser's end.
            downloads: Hands files to the browser.
            report: Takes a sentence about what went wrong, for the user of the server; must not wait.
        """
        super().__init__(
            "imgstore-tui",
            write_bytes=_ignoring_loss(socket.send_bytes),
            write_str=_ignoring_loss(socket.send_str),
            close=socket.close,  # type: ignore[arg-type]  # it answers whether it had been open
            download_manager=downloads,
        )
        self._socket = socket
        self._report = report
        self._errors = bytearray()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> asyncio.subprocess.Process:
        environment = self._build_environment(width=width, height=height)
        environment |= {
            "TEXTUAL_DRIVER": BROWSER_DRIVER,
            "PYTHONPATH": child_python.environment().get("PYTHONPATH", ""),
        }
        self._process = await asyncio.create_subprocess_exec(
            *child_python.command("imgstore_tui"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            # The terminal's Ctrl-C is the server's to judge.
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - a pipe was requested
        self._stdin = self._process.stdin
        return self._process

    async def run(self) -> None:
        """Carry what the program sends to the browser, until it ends; then close the window."""
        process = self._process
        assert process is not None  # noqa: S101 - started before
        assert process.stdout is not None  # noqa: S101
        errors = asyncio.create_task(self._keep_errors(process))
        try:
            await self._carry(process.stdout)
        finally:
            await self._socket.close()
        code = await process.wait()
        await errors
        if 0 < code < 128:
            last = bytes(self._errors).decode("utf-8", "replace").strip().splitlines()
            self._report(f"The program of a window ended with exit code {code}. {last[-1] if last else ''}".strip())

    async def _carry(self, output: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
            await output.readuntil(b"__GANGLION__\n")
            while True:
                kind = await output.readexactly(1)
                payload = await output.readexactly(int.from_bytes(await output.readexactly(4), "big"))
                if kind == b"D":
                    await self.on_data(payload)
                elif kind == b"M":
                    await self.on_meta(payload)
                elif kind == b"P":
                    await self.on_packed(payload)

    async def _keep_errors(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None  # noqa: S101 - a pipe was requested
        while data := await process.stderr.read(_STDERR_TAIL):
            self._errors = (self._errors + data)[-_STDERR_TAIL:]

    async def take_messages(self) -> None:
        """Pass on what the browser sends until its window is closed; what is not understood is left out."""
        refused = False
        async for message in self._socket:
            if message.type is WSMsgType.TEXT and not await self._take(message.data) and not refused:
                refused = True
                self._report("A message from the browser was not understood. It is left out.")

    async def _take(self, text: str) -> bool:
        """Pass a message on; return whether it was understood."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return False
        match message:
            case ["stdin", str(keys)]:
                await self.send_bytes(keys.encode("utf-8", "replace"))
            case ["resize", {"width": int(width), "height": int(height)}]:
                await self.set_terminal_size(*clamped_size(width, height))
            case ["ping", str(sent)]:
                await self._socket.send_json(["pong", sent])
            case ["blur", *_]:
                await self.blur()
            case ["focus", *_]:
                await self.focus()
            case _:
                return False
        return True

    async def stop(self, patience_s: float = STOP_S) -> None:
        """Ask the program to end, and kill it when it takes too long. Safe to call twice, also at once."""
        process = self._process
        if process is None:
            return
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                # A signal, as a program that is being loaded hears nothing else; HUP may be ignored (``nohup``).
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await process.wait()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if self._task is not None:
            await asyncio.wait([self._task])


def clamped_size(width: int, height: int) -> tuple[int, int]:
    """Return the nearest size, in columns and rows, that a window may have."""
    return min(max(width, 1), MOST_COLUMNS), min(max(height, 1), MOST_ROWS)


def _ignoring_loss(send: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    """Return a way to send that drops what a browser that has gone can no longer be sent."""

    async def send_if_there(data: Any) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await send(data)

    return send_if_there
