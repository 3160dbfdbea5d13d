"""The pane in which a run is chosen: storage, numbers of images, operations, data, rounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from imgstore_tui.bench.estimate import Estimate
from imgstore_tui.bench.rounds import images_needed
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.present.estimates import time_words
from imgstore_tui.tui.choice import NO_CHOICE, Choice
from imgstore_tui.tui.marks import Marks
from imgstore_tui.tui.screens.conditions import ConditionsScreen
from imgstore_tui.tui.screens.data import DataScreen
from imgstore_tui.tui.screens.options import Edited, OptionsScreen
from imgstore_tui.tui.screens.save_plan import SavePlanScreen
from imgstore_tui.tui.storage_list import storage_lines, storage_note
from imgstore_tui.tui.widgets.check_list import CheckList, Entry, Tick
from imgstore_tui.tui.widgets.choose_lists import CutoffList, OperationList, StorageList
from imgstore_tui.tui.widgets.field import Field
from imgstore_tui.tui.widgets.outlook import Outlook


class ChoosePane(VerticalScroll, can_focus=False):
    """Lists and fields that show a choice, and ask for another one when the user touches them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "data", "Data", tooltip="Choose the data and look at it"),
        Binding(
            "c", "conditions", "Conditions",
            tooltip="Choose cache states, sync levels, payload, workers, rounds, budget, scratch folder, seed",
        ),
        Binding("w", "save_plan", "Save plan", show=False, tooltip="Save the choice as a plan, under a name"),
    ]  # fmt: skip

    choice: reactive[Choice] = reactive(NO_CHOICE)
    marks: reactive[Marks] = reactive(Marks())

    storage = getters.query_one(StorageList)
    cutoffs = getters.query_one(CutoffList)
    operations = getters.query_one(OperationList)

    @dataclass
    class Wanted(Message):
        """The user wants another choice."""

        choice: Choice

    @dataclass
    class Expected(Message):
        """What a run of the choice would be, or what is in the way, in a line; and about how long, in a few words."""

        words: str
        duration: str

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.set_reactive(ChoosePane.choice, choice)
        self._point_at: str | None = None
        """Label of a spec that the cursor goes to once it is on the list."""

    def compose(self) -> ComposeResult:
        """Lay out the boxes; the style sheet decides what stands beside what."""
        with Vertical(classes="box storage"):
            yield StorageList()
            yield Static(classes="note")
            yield Field("add", hint="e.g. hdf5:preset=article", id="add-spec")
        with Vertical(classes="settings"):
            with Horizontal(classes="lists"):
                with Vertical(classes="box cutoffs"):
                    yield CutoffList()
                    yield Field("add", hint="e.g. 500, 2k", id="add-cutoffs")
                with Vertical(classes="box operations"):
                    yield OperationList()
            with Vertical(classes="box data"):
                yield Field("", _WORDS["dataset"](self.choice), hint="e.g. /path/to/photos", id="dataset")
            with Vertical(classes="box rounds"):
                with Horizontal():
                    yield Field("rounds", _WORDS["rounds"](self.choice), id="rounds")
                    yield Field("budget", _WORDS["budget"](self.choice), hint="none", id="budget")
                yield Outlook().data_bind(ChoosePane.choice)

    def on_mount(self) -> None:
        """Name the boxes and fill them."""
        for name, title in (("storage", "1 Storage"), ("cutoffs", "Images"), ("operations", "Operations")):
            self.query_one(f".{name}").border_title = title
        self.query_one(".data").border_title = "Data: synthetic, or a folder"
        self.query_one(".rounds").border_title = "Rounds and time budget"
        self._fill()

    def watch_choice(self) -> None:
        """Show what is chosen now."""
        if self.is_mounted:
            self._fill()

    def watch_marks(self) -> None:
        """Show the marks of the run that is on the screen now."""
        if self.is_mounted:
            self._fill()

    def _fill(self) -> None:
        choice = self.choice
        self.storage.show(storage_lines(choice, self.marks))
        if self._point_at is not None and self.storage.point_at(self._point_at):
            self._point_at = None
        self.cutoffs.show(
            [Entry(cutoff, format_count(cutoff), _tick(cutoff in choice.cutoffs)) for cutoff in choice.cutoffs_offered]
        )
        self.operations.show(
            [Entry(operation, operation, _tick(operation in choice.operations)) for operation in Operation]
        )
        for name, count in (
            ("storage", len(choice.ticked)), ("cutoffs", len(choice.cutoffs)), ("operations", len(choice.operations)),
        ):  # fmt: skip
            self.query_one(f".{name}").border_subtitle = f"{count} ticked"
        self.query_one(".rounds").border_subtitle = f"plan {safe_text(choice.plan.name)}"
        more = len(choice.rest.datasets) - 1
        self.query_one(".data").border_subtitle = f"and {more} more, d: all" if more > 0 else "d: look at it"
        for field in self.query(Field):
            if field.id in _WORDS:
                field.problem = safe_text(choice.problem(field.id))

    def write_fields(self, choice: Choice) -> None:
        """Write a choice that was not made here into the fields."""
        for field in self.query(Field):
            if field.id in _WORDS:
                field.write(_WORDS[field.id](choice))

    def _want(self, choice: Choice) -> None:
        self.post_message(self.Wanted(choice))

    @on(CheckList.Ticked)
    def _ticked(self, event: CheckList.Ticked) -> None:
        event.stop()
        toggles: dict[type[CheckList], Callable[..., Choice]] = {
            StorageList: self.choice.with_spec_toggled,
            CutoffList: self.choice.with_cutoff_toggled,
            OperationList: self.choice.with_operation_toggled,
        }
        if event.check_list is self.storage and self._offered(event.key) is None:
            return
        self._want(toggles[type(event.check_list)](event.key))

    def _offered(self, label: str) -> Spec | None:
        """Return the spec of a line of the storage list; where there is none, say why."""
        for spec in self.choice.offered:
            if spec.label == label:
                return spec
        self.notify(storage_note(label), title="Not available here", severity="warning", markup=False)
        return None

    @on(StorageList.OptionsWanted)
    def _options_wanted(self, event: StorageList.OptionsWanted) -> None:
        event.stop()
        spec = self._offered(event.key)
        if spec is None:
            return
        taken = {offered.label for offered in self.choice.offered}

        def take(edited: Edited | None) -> None:
            if edited is not None:
                self._point_at = edited.spec.label
                self._want(self.choice.with_spec_edited(spec.label, edited.spec, another=edited.another))

        self.app.push_screen(OptionsScreen(spec, taken), take)

    def action_data(self) -> None:
        """Open the data of the plan."""
        plan = self.choice.plan
        wanted = max((images_needed(plan, text) for text in plan.datasets), default=1)

        def take(texts: tuple[str, ...] | None) -> None:
            if texts is not None:
                choice = self.choice.with_datasets(texts)
                self._want(choice)
                self.write_fields(choice)

        ascii_only = self.screen.has_class("-ascii")
        self.app.push_screen(DataScreen(self.choice.rest.datasets, wanted, ascii_only=ascii_only), take)

    def action_conditions(self) -> None:
        """Open the conditions under which is measured."""
        plan = self.choice.plan
        outlook = self.query_one(Outlook)

        def take(changes: dict[str, Any] | None) -> None:
            if changes is not None:
                choice = self.choice.with_conditions(changes)
                self._want(choice)
                self.write_fields(choice)

        def expect(changes: dict[str, Any]) -> Estimate:
            return outlook.estimate(replace(plan, **changes))

        self.app.push_screen(ConditionsScreen(plan, expect), take)

    def action_save_plan(self) -> None:
        """Keep the choice under a name."""
        try:
            plan = self.choice.check()
        except ImgstoreError as error:
            self.notify(safe_text(str(error)), title="Not saved", severity="warning", markup=False)
            return

        def take(name: str | None) -> None:
            if name is not None:
                self._want(self.choice.called(name))
                self.notify(f"Saved as the plan '{name}'.", markup=False)

        self.app.push_screen(SavePlanScreen(plan), take)

    @on(Outlook.Changed)
    def _expected(self, event: Outlook.Changed) -> None:
        event.stop()
        time = "" if self.choice.problems else time_words(event.expected)
        self.post_message(self.Expected(self.choice.words(event.expected), time))

    @on(StorageList.Unwanted)
    def _unwanted(self, event: StorageList.Unwanted) -> None:
        event.stop()
        if self._offered(event.key) is None:
            return
        try:
            self._want(self.choice.with_spec_removed(event.key))
        except ImgstoreError as error:
            self.notify(safe_text(str(error)), markup=False)

    @on(CheckList.AllTicked)
    def _all_ticked(self, event: CheckList.AllTicked) -> None:
        event.stop()
        everything: Callable[[bool], Choice] = {
            StorageList: self.choice.with_all_specs,
            CutoffList: self.choice.with_all_cutoffs,
            OperationList: self.choice.with_all_operations,
        }[type(event.check_list)]
        self._want(everything(event.on))

    @on(CheckList.Pointed)
    def _pointed(self, event: CheckList.Pointed) -> None:
        event.stop()
        if event.check_list is self.storage:
            self.query_one(".note", Static).update(Text(storage_note(event.key)))

    @on(Field.Changed)
    def _field_changed(self, event: Field.Changed) -> None:
        event.stop()
        if event.field.id in _WORDS:
            self._want(self.choice.with_field(event.field.id, event.text))
        else:
            event.field.problem = ""

    @on(Field.Submitted)
    def _field_submitted(self, event: Field.Submitted) -> None:
        event.stop()
        field = event.field
        if field.id not in ("add-spec", "add-cutoffs") or not event.text.strip():
            return
        add = self.choice.with_spec_added if field.id == "add-spec" else self.choice.with_cutoffs_added
        try:
            choice = add(event.text)
        except ImgstoreError as error:
            field.problem = safe_text(str(error))
            return
        field.input.clear()
        self._want(choice)


def _tick(on: bool) -> Tick:
    return Tick.ON if on else Tick.OFF


_WORDS: dict[str, Callable[[Choice], str]] = {
    "dataset": lambda choice: choice.dataset,
    "rounds": lambda choice: str(choice.rest.rounds),
    "budget": lambda choice: "" if choice.rest.budget_s is None else f"{choice.rest.budget_s:g}s",
}
"""The fields by the part of a choice that they hold, and the words for it."""
