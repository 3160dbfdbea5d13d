"""Saves the choice as a named plan."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from imgstore_tui.bench.plan.plans import PLAN_NAMES
from imgstore_tui.bench.system.app_folders import plans_folder
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.text import safe_text
from imgstore_tui.jobs.plans import plan_path, save_plan, saved_plans
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.field import Field
from imgstore_tui.tui.widgets.key_bar import KeyBar


class SavePlanScreen(Dialog[str | None]):
    """Asks for a name; an existing plan is only replaced when enter is pressed again."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", key_display="esc", tooltip="Save no plan"),
    ]

    field = getters.query_one(Field)

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan
        self._confirmed: str | None = None
        """Name of an existing plan that may be replaced, because enter was pressed twice."""

    def compose(self) -> ComposeResult:
        """Lay out the line and the saved plans."""
        name = self._plan.name if self._plan.name not in (*PLAN_NAMES, "custom") else ""
        saved = ", ".join(saved_plans()) or "none yet"
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = "Save the plan"
            yield Field("name", name, hint="e.g. holidays")
            yield Static(Text(safe_text(f"Saved so far: {saved}.")), classes="hint")
            usage = f"In {plans_folder()}, for the key p and for: imgstore-tui run --plan NAME"
            yield Static(Text(safe_text(usage)), classes="hint")
            yield KeyBar()

    @on(Field.Changed)
    def _changed(self, event: Field.Changed) -> None:
        event.stop()
        self.field.problem = ""
        self._confirmed = None

    @on(Field.Submitted)
    def _submitted(self, event: Field.Submitted) -> None:
        event.stop()
        name = event.text.strip()
        try:
            if plan_path(name).exists() and self._confirmed != name:
                self._confirmed = name
                self.field.problem = "There is such a plan already. Press enter again to replace it."
                return
            save_plan(self._plan, name, overwrite=self._confirmed == name)
        except (ImgstoreError, OSError) as error:
            self.field.problem = safe_text(str(error))
        else:
            self.dismiss(name)

    def action_cancel(self) -> None:
        """Save nothing."""
        self.dismiss(None)
