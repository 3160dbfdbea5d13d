"""Edits the options of a storage method, as its backend and codec declare them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.options import Option
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.text import safe_text
from imgstore_tui.plugins import registry
from imgstore_tui.tui.forms.spec_form import CODEC, PRESET, SpecForm
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar
from imgstore_tui.tui.widgets.option_field import OptionField


@dataclass(frozen=True, slots=True)
class EditedSpec:
    """The spec that the user made with the form."""

    spec: Spec
    another: bool
    """Whether it is added beside the spec that was opened, or replaces it."""


class OptionsScreen(Dialog[EditedSpec | None]):
    """The form: preset, codec and options of one storage method."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "change", "Change", key_display="enter", tooltip="Take these options in place of those before"
        ),
        Binding("f2", "another", "Add as another", key_display="F2", tooltip="Take these options beside those before"),
        Binding("escape", "cancel", "Cancel", key_display="esc", tooltip="Leave the options as they were"),
    ]

    form = getters.query_one(VerticalScroll)

    def __init__(self, spec: Spec, labels: Collection[str]) -> None:
        """Open the form.

        Args:
            spec: The storage method to begin with.
            labels: Labels of the methods on offer.
        """
        super().__init__()
        self._before = spec
        self._labels = frozenset(labels)
        self._form = SpecForm.of(spec)

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        backend = registry.backends.get(self._before.backend)
        with Vertical(classes="dialog wide form") as dialog:
            dialog.border_title = Text(f"Options of {safe_text(self._before.label)}")
            with VerticalScroll(can_focus=False):
                yield Static(Text(safe_text(f"{backend.title}. {backend.when_to_choose}")), classes="about")
                presets = [preset.name for preset in backend.presets]
                yield OptionField(PRESET, self._preset(), self._form.preset, choices=presets)
                yield OptionField(CODEC, self._codec(), self._form.codec, choices=sorted(registry.codecs.all()))
                yield from self._fields()
                yield Static(Text(safe_text(f"Mind: {backend.caveats}")), classes="about")
            yield Static(classes="result")
            yield KeyBar()

    def _preset(self) -> Option:
        backend, name = registry.backends.get(self._before.backend), self._form.preset
        summary = registry.preset_of(backend, name).summary
        return Option(PRESET, backend.presets[0].name, f"Sets codec and options. '{name}': {summary}.")

    def _codec(self) -> Option:
        codec = registry.codecs.get(self._form.codec)
        return Option(CODEC, registry.backends.get(self._before.backend).default_codec, codec_text(codec))

    def _fields(self) -> list[OptionField]:
        return [OptionField(key, option, text) for key, option, text in self._form.fields]

    def on_mount(self) -> None:
        """Show the spec of the form."""
        self._show_result()

    @on(OptionField.Changed)
    async def _edited(self, event: OptionField.Changed) -> None:
        event.stop()
        self._form = self._form.with_value(event.field.key, event.text)
        if event.field.key in (PRESET, CODEC):
            await self._show_fields()
        self._show_result()
        self.call_after_refresh(event.field.scroll_visible, animate=False)

    async def _show_fields(self) -> None:
        """Replace the fields: a preset sets them, and each codec has its own."""
        for field in self.query(OptionField):
            if field.key == CODEC:
                field.show(self._codec(), self._form.codec)
            elif field.key == PRESET:
                field.show(self._preset(), self._form.preset)
        old = [field for field in self.query(OptionField) if field.key not in (PRESET, CODEC)]
        about = self.form.query(".about").last()
        async with self.batch():
            for field in old:
                await field.remove()
            await self.form.mount_all(self._fields(), before=about)

    def _show_result(self) -> None:
        problems = self._form.problems()
        for field in self.query(OptionField):
            field.problem = problems.get(field.key, "")
        line = self.query_one(".result", Static)
        try:
            line.update(Text.assemble(("= ", "dim"), (safe_text(self._form.spec().label), "bold")))
        except ImgstoreError as error:
            message = "Not ready: see above." if problems else safe_text(str(error))
            line.update(Text(message, style="bold red"))

    def action_change(self) -> None:
        """Replace the old options."""
        self._use(another=False)

    def action_another(self) -> None:
        """Add the options beside the old ones."""
        self._use(another=True)

    @on(OptionField.Submitted)
    def _submitted(self, event: OptionField.Submitted) -> None:
        event.stop()
        self.action_change()

    def _use(self, *, another: bool) -> None:
        try:
            spec = self._form.spec()
        except ImgstoreError:
            self._focus_problem()
            return
        if another and spec.label in self._labels:
            problem = f"'{spec.label}' is on offer already. Choose other options, or press enter to leave it as it is."
            self.query_one(".result", Static).update(Text(safe_text(problem), style="bold red"))
            return
        self.dismiss(EditedSpec(spec, another))

    def _focus_problem(self) -> None:
        for field in self.query(OptionField):
            if field.problem:
                self.set_focus(field.editor)
                return

    def action_cancel(self) -> None:
        """Leave the options as they were."""
        self.dismiss(None)


def codec_text(codec: type[Codec]) -> str:
    """Return the description of a codec, in a sentence or two."""
    if codec.from_file:
        return f"{codec.title}: the bytes of your own files, untouched."
    loss = f"; drops {', '.join(codec.drops)}" if codec.drops else ""
    return f"{codec.title}: {'every bit of the pixels survives' if codec.lossless else 'lossy'}{loss}."
