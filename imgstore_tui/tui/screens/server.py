"""Asks for the address of a server and what is secret, asks the server, and shows what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from imgstore_tui.core import credentials
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.core.text import safe_text
from imgstore_tui.plugins.server_process import server_facts
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.tui.forms.server_form import (
    ServerAddress,
    address_hint,
    health_text,
    parse_address,
    secret_lines,
)
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.field import Field
from imgstore_tui.tui.widgets.key_bar import KeyBar

ADDRESS = "address"


class ServerScreen(Dialog[bool]):
    """Names a server: the address in plain, the password hidden; both stay in memory until the program ends."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", key_display="esc", tooltip="Name no server"),
    ]

    @dataclass
    class Answered(Message):
        """The server has answered, or not."""

        address: ServerAddress
        facts: ServerFacts | None
        problem: str = ""

    def __init__(self, backend: type[ServerBackend]) -> None:
        super().__init__()
        self._backend = backend
        self._before = {name: credentials.get(name) for name in (backend.url_variable, *backend.secret_variables)}
        self._accepted: ServerAddress | None = None
        """The server that has answered; it is taken when enter is pressed again."""

    def compose(self) -> ComposeResult:
        """Lay out the lines and the answer."""
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = f"Server of {self._backend.name}"
            yield Field(ADDRESS, hint=address_hint(self._backend), id=ADDRESS)
            for name in secret_lines(self._backend):
                yield Field(name, hidden=True, classes="secret")
            hint = f"Kept in memory only. To have it at every start set the variable {self._backend.url_variable}."
            yield Static(Text(safe_text(hint)), classes="hint")
            yield Static(classes="message answer")
            yield KeyBar()

    def on_mount(self) -> None:
        """Show no answer yet."""
        self._show("")

    @on(Field.Changed)
    def _changed(self, event: Field.Changed) -> None:
        event.stop()
        self.query_one(f"#{ADDRESS}", Field).problem = ""
        self._withdraw()
        self._show("")

    @on(Field.Submitted)
    def _submitted(self, event: Field.Submitted) -> None:
        event.stop()
        if self._accepted is not None:
            self.dismiss(True)
            return
        field = self.query_one(f"#{ADDRESS}", Field)
        secrets = zip(secret_lines(self._backend), self.query(".secret").results(Field), strict=True)
        try:
            address = parse_address(self._backend, field.text, {name: line.text for name, line in secrets})
        except ImgstoreError as error:
            field.problem = safe_text(str(error))
            return
        credentials.hold(address.secrets)
        self._show("Asking the server ...")
        self.run_worker(partial(self._ask, address), thread=True, exclusive=True, exit_on_error=False, group="server")

    def _ask(self, address: ServerAddress) -> None:
        worker = get_current_worker()
        try:
            answer = self.Answered(address, server_facts(address.location))
        except ImgstoreError as error:
            answer = self.Answered(address, None, str(error))
        if not worker.is_cancelled:
            self.post_message(answer)

    @on(Answered)
    def _answered(self, event: Answered) -> None:
        event.stop()
        if credentials.get(self._backend.url_variable) != event.address.secrets[self._backend.url_variable]:
            return  # another address was written meanwhile
        if event.facts is None:
            self._withdraw()
            self.query_one(f"#{ADDRESS}", Field).problem = safe_text(event.problem)
            self._show("")
            return
        self._accepted = event.address
        self._show(f"{health_text(event.facts)} Press enter again to take it.")

    def _show(self, text: str) -> None:
        answer = self.query_one(".answer", Static)
        answer.update(Text(safe_text(text)))
        answer.display = bool(text)

    def _withdraw(self) -> None:
        """Forget what was written; what was there before counts again."""
        self._accepted = None
        self.workers.cancel_group(self, "server")
        credentials.forget(*self._before)
        credentials.hold({name: value for name, value in self._before.items() if value is not None})

    def action_cancel(self) -> None:
        """Name no server."""
        self._withdraw()
        self.dismiss(False)
