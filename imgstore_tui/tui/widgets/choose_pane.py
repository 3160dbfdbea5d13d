"""The pane that edits the choice: storage, numbers of images, operations, data, rounds."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len
from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.present.text.captions import plan_word
from imgstore_tui.tui.forms.choice import Choice
from imgstore_tui.tui.forms.method_list import method_lines, method_note
from imgstore_tui.tui.widgets.check_list import CheckItem, CheckList, Tick
from imgstore_tui.tui.widgets.choose_lists import CutoffList, MethodList, OperationList
from imgstore_tui.tui.widgets.chooser import FIELD_TEXTS, Chooser
from imgstore_tui.tui.widgets.estimate_line import EstimateLine
from imgstore_tui.tui.widgets.field import Field
from imgstore_tui.tui.widgets.method_marks import MethodMarks

_MORE = " ..."
"""Ends a text that has no room for all of its lines."""


class FoldedText(Widget):
    """A text wrapped to the width, as high as it needs and the style sheet allows; a cut one ends in ``...``."""

    DEFAULT_CSS = """
    FoldedText { height: auto; color: $text-muted; }
    """

    text: reactive[str] = reactive("", layout=True)
    """The text, safe to print."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines the text needs."""
        return len(self._folded(width))

    def render(self) -> Text:
        """Draw the lines that fit; the last one shows that there are more."""
        width, height = self.size
        lines = self._folded(width)
        if len(lines) > height > 0:
            last = lines[height - 1].plain.rstrip()
            while last and cell_len(last) + cell_len(_MORE) > width:
                last = last.rpartition(" ")[0]
            lines = [*lines[: height - 1], Text(last + _MORE)]
        return Text("\n").join(lines)

    def _folded(self, width: int) -> list[Text]:
        return list(Text(self.text).wrap(self.app.console, max(1, width)))


class ChoosePane(Chooser):
    """Lists and fields that show a choice and ask for another one when the user edits them."""

    marks: reactive[MethodMarks] = reactive(MethodMarks())

    cutoffs = getters.query_one(CutoffList)
    operations = getters.query_one(OperationList)

    def compose(self) -> ComposeResult:
        """Lay out the boxes; the style sheet decides their order."""
        with Vertical(classes="box storage"):
            yield MethodList()
            yield FoldedText()
            yield Field("add", hint="e.g. hdf5:preset=article", id="add-spec")
        with Vertical(classes="settings"):
            with Horizontal(classes="lists"):
                with Vertical(classes="box cutoffs"):
                    yield CutoffList()
                    yield Field("add", hint="e.g. 500, 2k", id="add-cutoffs")
                with Vertical(classes="box operations"):
                    yield OperationList()
            with Vertical(classes="box data"):
                yield Field("", FIELD_TEXTS["dataset"](self.choice), hint="e.g. /path/to/photos", id="dataset")
            with Vertical(classes="box rounds"):
                with Horizontal():
                    yield Field("rounds", FIELD_TEXTS["rounds"](self.choice), id="rounds")
                    yield Field("budget", FIELD_TEXTS["budget"](self.choice), hint="none", id="budget")
                yield EstimateLine().data_bind(ChoosePane.choice)

    def on_mount(self) -> None:
        """Title the boxes and fill them."""
        for name, title in (("storage", "1 Storage"), ("cutoffs", "Images"), ("operations", "Operations")):
            self.query_one(f".{name}").border_title = title
        self.query_one(".data").border_title = "Data: synthetic, or a folder"
        self.query_one(".rounds").border_title = "Rounds and time budget"
        self._fill()

    def watch_choice(self) -> None:
        """Show the new choice."""
        if self.is_mounted:
            self._fill()

    def watch_marks(self) -> None:
        """Show the new marks."""
        if self.is_mounted:
            self._fill()

    def _fill(self) -> None:
        choice = self.choice
        self.storage.show(method_lines(choice, self.marks))
        if self._point_at is not None and self.storage.point_at(self._point_at):
            self._point_at = None
        if self.storage.pointed is not None:  # what it needs may be there now
            self.query_one(FoldedText).text = method_note(self.storage.pointed.key)
        self.cutoffs.show(
            [
                CheckItem(cutoff, format_count(cutoff), _tick(cutoff in choice.cutoffs))
                for cutoff in choice.cutoffs_offered
            ]
        )
        self.operations.show(
            [CheckItem(operation, operation, _tick(operation in choice.operations)) for operation in Operation]
        )
        for name, count in (
            ("storage", len(choice.ticked)), ("cutoffs", len(choice.cutoffs)), ("operations", len(choice.operations)),
        ):  # fmt: skip
            self.query_one(f".{name}").border_subtitle = f"{count} selected"
        self.query_one(".rounds").border_subtitle = f"plan {safe_text(plan_word(choice.plan))}, U: by use"
        more = len(choice.rest.datasets) - 1
        self.query_one(".data").border_subtitle = f"and {more} more, d: all" if more > 0 else "d: look at it"
        self.show_problems()

    @on(CheckList.Ticked)
    def _ticked(self, event: CheckList.Ticked) -> None:
        event.stop()
        toggles: dict[type[CheckList], Callable[..., Choice]] = {
            MethodList: self.choice.with_spec_toggled,
            CutoffList: self.choice.with_cutoff_toggled,
            OperationList: self.choice.with_operation_toggled,
        }
        if event.check_list is self.storage and self.offered_spec(event.key) is None:
            return
        self.request(toggles[type(event.check_list)](event.key))

    @on(CheckList.AllTicked)
    def _all_ticked(self, event: CheckList.AllTicked) -> None:
        event.stop()
        everything: Callable[[bool], Choice] = {
            MethodList: self.choice.with_all_specs,
            CutoffList: self.choice.with_all_cutoffs,
            OperationList: self.choice.with_all_operations,
        }[type(event.check_list)]
        self.request(everything(event.on))

    @on(CheckList.Pointed)
    def _pointed(self, event: CheckList.Pointed) -> None:
        event.stop()
        if event.check_list is self.storage:
            self.query_one(FoldedText).text = method_note(event.key)

    @on(Field.Changed)
    def _field_changed(self, event: Field.Changed) -> None:
        event.stop()
        if event.field.id in FIELD_TEXTS:
            self.request(self.choice.with_field(event.field.id, event.text))
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
        self.request(choice)


def _tick(on: bool) -> Tick:
    return Tick.ON if on else Tick.OFF
