"""Asks for the address of a server and what is secret, asks the server, and shows what it says of itself."""

from __future__ import annotations

import time
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
from imgstore_tui.core.location import AddressForm, server_of
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.core.text import safe_text
from imgstore_tui.jobs.servers.recipe import ServerRecipe
from imgstore_tui.jobs.servers.session import SessionServer
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

    @dataclass
    class Started(Message):
        """A server that was started answers, or does not start."""

        server: SessionServer
        address: ServerAddress | None
        problem: str = ""

    def __init__(self, backend: type[ServerBackend], recipe: ServerRecipe | None = None) -> None:
        """Prepare to ask.

        Args:
            backend: The backend whose server it is.
            recipe: What is started on this machine as soon as the dialog is open; None to ask for an address only.
        """
        super().__init__()
        self._backend, self._recipe = backend, recipe
        self._server: SessionServer | None = None
        """The server that was started and is not taken yet."""
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
        """Show no answer yet; start the server, if there is one to start."""
        self._show("")
        if self._recipe is not None:
            began = time.monotonic()
            self._server = server = SessionServer(self._recipe)
            title = self._recipe.title

            def show() -> None:
                if self._server is server and self._accepted is None:
                    self._show(f"Starting {title} on this machine ... {time.monotonic() - began:.0f} s")

            show()
            self.set_interval(1, show)
            self.run_worker(partial(self._start, server), thread=True, exit_on_error=False, group="start")

    def on_unmount(self) -> None:
        """End a server that was started and not taken."""
        self._end_server()

    def _start(self, server: SessionServer) -> None:
        kind = self._backend
        try:
            node = server.wait()
            location, _ = server_of(node.variables[kind.url_variable], dict.fromkeys(kind.schemes, kind.scheme()))
            place = location if location.form is AddressForm.OBJECT else location.place
            started = self.Started(server, ServerAddress(place, dict(node.variables)))
        except ImgstoreError as error:
            started = self.Started(server, None, str(error))
        self.post_message(started)

    @on(Started)
    def _has_started(self, event: Started) -> None:
        event.stop()
        if self._server is not event.server:
            return  # it was given up meanwhile
        if event.address is None:
            self._server = None
            self._show(event.problem)
            return
        credentials.hold(event.address.secrets)
        self.run_worker(
            partial(self._ask, event.address), thread=True, exclusive=True, exit_on_error=False, group="server"
        )

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
            self._server = None  # it stays until the program ends
            self.dismiss(True)
            return
        field = self.query_one(f"#{ADDRESS}", Field)
        if self._server is not None and not field.text:
            return  # it has not answered yet
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
        own = "" if self._server is None else "It runs until this program ends. "
        self._show(f"{health_text(event.facts)} {own}Press enter {'' if own else 'again '}to take it.")

    def _show(self, text: str) -> None:
        answer = self.query_one(".answer", Static)
        answer.update(Text(safe_text(text)))
        answer.display = bool(text)

    def _withdraw(self) -> None:
        """Forget what was written; what was there before counts again."""
        self._accepted = None
        self._end_server()
        self.workers.cancel_group(self, "server")
        credentials.forget(*self._before)
        credentials.hold({name: value for name, value in self._before.items() if value is not None})

    def _end_server(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.end()

    def action_cancel(self) -> None:
        """Name no server."""
        self._withdraw()
        self.dismiss(False)
