"""Opens the dialogs that edit parts of a choice: options, data, conditions, saving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from textual import getters, on
from textual.containers import VerticalScroll
from textual.message import Message
from textual.reactive import reactive

from imgstore_tui.bench.plan.grid import images_needed
from imgstore_tui.bench.run.estimate import Estimate
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import spell_duration
from imgstore_tui.jobs.servers.recipe import ServerRecipe
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.tui.forms.choice import NO_CHOICE, Choice
from imgstore_tui.tui.forms.method_list import method_note, server_to_name, server_to_start
from imgstore_tui.tui.screens.conditions import ConditionsScreen
from imgstore_tui.tui.screens.data import DataScreen
from imgstore_tui.tui.screens.options import EditedSpec, OptionsScreen
from imgstore_tui.tui.screens.save_plan import SavePlanScreen
from imgstore_tui.tui.screens.server import ServerScreen
from imgstore_tui.tui.widgets.choose_lists import MethodList
from imgstore_tui.tui.widgets.estimate_line import EstimateLine
from imgstore_tui.tui.widgets.field import Field

FIELD_TEXTS: dict[str, Callable[[Choice], str]] = {
    "dataset": lambda choice: choice.dataset,
    "rounds": lambda choice: str(choice.rest.rounds),
    "budget": lambda choice: "" if choice.rest.budget_s is None else spell_duration(choice.rest.budget_s),
}
"""By field of the choose pane: function that returns its text for a choice."""


class Chooser(VerticalScroll, can_focus=False):
    """Opens dialogs and asks for the choice that follows from their results."""

    choice: reactive[Choice] = reactive(NO_CHOICE)

    storage = getters.query_one(MethodList)

    @dataclass
    class ChoiceRequested(Message):
        """The user makes another choice."""

        choice: Choice

    @dataclass
    class SummaryChanged(Message):
        """What a run would take, or why it cannot start, in a line; and its estimate, None if it cannot start."""

        text: str
        expected: Estimate | None

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.set_reactive(Chooser.choice, choice)
        self._point_at: str | None = None
        """Label of the spec that the cursor goes to once it is in the list."""
        self.expected: Estimate | None = None
        """What the choice is expected to take; None while it cannot run."""
        self.unusable: dict[str, str] = {}
        """Problems with data that was previewed, by the text of the dataset."""

    @on(EstimateLine.DataUnusable)
    def _data_unusable(self, event: EstimateLine.DataUnusable) -> None:
        event.stop()
        self.unusable[event.text] = event.problem
        self.show_problems()

    def show_problems(self) -> None:
        """Show at each field the problem with its text."""
        for field in self.query(Field):
            if field.id in FIELD_TEXTS:
                # Shortened: there is little room, and the dialog of the data shows it in full.
                problem = self.unusable.get(self.choice.dataset, "") if field.id == "dataset" else ""
                problem = f"{problem.partition(': ')[0].rstrip('.')}." if problem else ""
                field.problem = safe_text(self.choice.problem(field.id) or problem)

    def write_fields(self, choice: Choice) -> None:
        """Write a choice that was made elsewhere into the fields."""
        for field in self.query(Field):
            if field.id in FIELD_TEXTS:
                field.write(FIELD_TEXTS[field.id](choice))

    def request(self, choice: Choice) -> None:
        """Ask for another choice."""
        self.post_message(self.ChoiceRequested(choice))

    def offered_spec(self, label: str) -> Spec | None:
        """Return the spec of a line of the method list; if there is none, say why, or ask for its server."""
        for spec in self.choice.offered:
            if spec.label == label:
                return spec
        if (backend := server_to_name(label)) is not None:
            self.name_server(backend)
            return None
        self.notify(method_note(label), title="Not available here", severity="warning", markup=False)
        return None

    @on(MethodList.ServerRequested)
    def _server_requested(self, event: MethodList.ServerRequested) -> None:
        event.stop()
        if (backend := server_to_name(event.key)) is not None:
            self.name_server(backend, server_to_start(event.key))

    def name_server(self, backend: type[ServerBackend], recipe: ServerRecipe | None = None) -> None:
        """Ask for the server of a backend, or start one; once it is known, its method is on offer and ticked."""

        def take(named: bool | None) -> None:
            if named:
                self._point_at = backend.name
                try:
                    self.request(self.choice.with_spec_added(backend.name))
                except ImgstoreError as error:
                    self.notify(safe_text(str(error)), title="Not available here", severity="warning", markup=False)

        self.app.push_screen(ServerScreen(backend, recipe), take)

    @on(MethodList.OptionsRequested)
    def _options_requested(self, event: MethodList.OptionsRequested) -> None:
        event.stop()
        spec = self.offered_spec(event.key)
        if spec is None:
            return
        labels = {offered.label for offered in self.choice.offered}

        def take(edited: EditedSpec | None) -> None:
            if edited is not None:
                self._point_at = edited.spec.label
                self.request(self.choice.with_spec_edited(spec.label, edited.spec, another=edited.another))

        self.app.push_screen(OptionsScreen(spec, labels), take)

    def take_fewer_images(self) -> None:
        """Ask for the choice without its largest number of images."""
        self.request(self.choice.with_fewer_images())

    def take_longer_budget(self) -> None:
        """Ask for the choice with a longer time budget, one that suffices for an answer."""
        choice = self.choice.with_longer_budget(self.expected)
        self.request(choice)
        self.write_fields(choice)

    def open_data(self) -> None:
        """Open the data of the plan."""
        plan = self.choice.plan
        requested = max((images_needed(plan, text) for text in plan.datasets), default=1)

        def take(texts: tuple[str, ...] | None) -> None:
            if texts is not None:
                choice = self.choice.with_datasets(texts)
                self.request(choice)
                self.write_fields(choice)

        ascii_only = self.screen.has_class("-ascii")
        self.app.push_screen(DataScreen(self.choice.rest.datasets, requested, ascii_only=ascii_only), take)

    def open_conditions(self) -> None:
        """Open the conditions of the run."""
        plan = self.choice.plan
        estimate_line = self.query_one(EstimateLine)

        def take(changes: dict[str, Any] | None) -> None:
            if changes is not None:
                choice = self.choice.with_conditions(changes)
                self.request(choice)
                self.write_fields(choice)

        def expect(changes: dict[str, Any]) -> Estimate:
            return estimate_line.estimate(replace(plan, **changes))

        self.app.push_screen(ConditionsScreen(plan, expect), take)

    def save_plan(self) -> None:
        """Save the choice as a named plan."""
        try:
            plan = self.choice.check()
        except ImgstoreError as error:
            self.notify(safe_text(str(error)), title="Not saved", severity="warning", markup=False)
            return

        def take(name: str | None) -> None:
            if name is not None:
                self.request(self.choice.called(name))
                self.notify(f"Saved as the plan '{name}'.", markup=False)

        self.app.push_screen(SavePlanScreen(plan), take)

    @on(EstimateLine.Changed)
    def _expected(self, event: EstimateLine.Changed) -> None:
        event.stop()
        self.expected = None if self.choice.problems else event.expected
        self.post_message(self.SummaryChanged(self.choice.status_text(event.expected), self.expected))

    @on(MethodList.RemovalRequested)
    def _removal_requested(self, event: MethodList.RemovalRequested) -> None:
        event.stop()
        if self.offered_spec(event.key) is None:
            return
        try:
            self.request(self.choice.with_spec_removed(event.key))
        except ImgstoreError as error:
            self.notify(safe_text(str(error)), markup=False)
