"""A real Chromium without a window, spoken to in its devtools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

aiohttp = pytest.importorskip("aiohttp", reason="textual-serve is not installed (extra web)")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")
PATIENCE_S = 60


class Browser:
    """A Chromium, spoken to in its devtools protocol."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0
        self.events: list[dict[str, Any]] = []

    async def do(self, method: str, **words: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": words})
        while True:
            message = json.loads((await self._socket.receive(timeout=PATIENCE_S)).data)
            if message.get("id") == self._number:
                result: dict[str, Any] = message.get("result", {})
                return result
            self.events.append(message)

    async def look(self) -> None:
        """Take in what has happened."""
        await self.evaluate("0")

    async def evaluate(self, expression: str) -> Any:
        """Return what a JavaScript expression is in the page, as JSON has it."""
        answer = await self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def painted(self) -> str:
        """What the app has sent to be painted, as far as the browser received it."""
        frames = [entry["params"]["response"] for entry in self.named("Network.webSocketFrameReceived")]
        data = [base64.b64decode(frame["payloadData"]) for frame in frames if frame["opcode"] == 2]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(data).decode("utf-8", "replace"))

    def named(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("method") == method]

    async def until(self, words: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.painted():
            assert time.monotonic() < deadline, self.painted()[-2000:]
            await asyncio.sleep(0.2)
            await self.look()

    async def click(self, x: int, y: int) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            await self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def key(self, letter: str) -> None:
        """Press the key of a small letter."""
        code = ord(letter.upper())
        words = {"key": letter, "code": f"Key{letter.upper()}", "windowsVirtualKeyCode": code}
        await self.do("Input.dispatchKeyEvent", type="keyDown", text=letter, **words)
        await self.do("Input.dispatchKeyEvent", type="keyUp", **words)

    async def picture(self) -> Image.Image:
        shot = await self.do("Page.captureScreenshot", format="png")
        return Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")

    async def whole_picture(self) -> Image.Image:
        """Return a picture of the page as long as it is."""
        shot = await self.do("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")


@contextlib.asynccontextmanager
async def chromium(home: Path) -> AsyncIterator[Browser]:
    assert CHROMIUM is not None
    process = subprocess.Popen(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0",
            "--window-size=1280,800", f"--user-data-dir={home}", "--disable-background-networking",
            "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        port_file = home / "DevToolsActivePort"
        deadline = time.monotonic() + PATIENCE_S
        while not port_file.exists() or "\n" not in port_file.read_text():
            assert time.monotonic() < deadline, "Chromium does not start"
            await asyncio.sleep(0.1)
        port = port_file.read_text().splitlines()[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                page = next(entry for entry in await answer.json() if entry["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                browser = Browser(socket)
                for domain in ("Page", "Network", "Log", "Runtime"):
                    await browser.do(f"{domain}.enable")
                yield browser
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
