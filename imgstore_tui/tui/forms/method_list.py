"""Makes the lines of the list of storage methods, and the note below it."""

from __future__ import annotations

from itertools import groupby

from imgstore_tui.core.backend import Family
from imgstore_tui.core.spec import backend_of
from imgstore_tui.core.text import safe_text
from imgstore_tui.jobs.servers.recipe import ServerRecipe
from imgstore_tui.jobs.servers.session import startable
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.tui.forms.choice import Choice
from imgstore_tui.tui.widgets.check_list import CheckItem, Heading, Tick
from imgstore_tui.tui.widgets.method_marks import MethodMarks

_FAMILIES = {
    Family.FILES: "Files",
    Family.EMBEDDED: "Embedded databases",
    Family.ARRAY: "Array stores",
    Family.RECORD: "Record files",
    Family.SQL: "SQL databases",
    Family.NOSQL: "NoSQL databases",
    Family.OBJECT: "Object stores",
}


def method_lines(choice: Choice, marks: MethodMarks) -> list[CheckItem | Heading]:
    """Return the lines: backends by family, each followed by its specs that were added by hand.

    Args:
        choice: The specs on offer, and those ticked.
        marks: Marks and colours, the same as in the charts.
    """
    lines: list[CheckItem | Heading] = []
    for family, backends in groupby(registry.sorted_backends(), key=lambda backend: backend.family):
        lines.append(Heading(_FAMILIES[family]))
        for backend in backends:
            offered = [spec for spec in choice.offered if spec.backend == backend.name]
            if not offered:
                # Short: the note below the list has the command that installs it.
                absent = registry.missing_imports(backend)
                note = f"needs {', '.join(absent)}" if absent else "codec missing"
                if not absent and registry.missing_setting(backend):
                    note = "needs a server"
                lines.append(CheckItem(backend.name, safe_text(backend.name), Tick.NONE, safe_text(note)))
            for spec in offered:
                on = spec.label in choice.ticked
                lines.append(
                    CheckItem(
                        spec.label, safe_text(spec.label), Tick.ON if on else Tick.OFF,
                        safe_text(_note(spec.codec, spec.label)), marks.mark(spec.label), marks.style(spec.label),
                    )
                )  # fmt: skip
    broken = registry.backends.failed()
    return [*lines, *(CheckItem(one.name, safe_text(one.name), Tick.NONE, "could not be loaded") for one in broken)]


def server_to_name(label: str) -> type[ServerBackend] | None:
    """Return the backend of a line that lacks nothing but the address of its server; None for any other line."""
    backend = registry.backends.all().get(backend_of(label))
    if backend is None or not issubclass(backend, ServerBackend):
        return None
    return None if registry.missing_imports(backend) or not registry.missing_setting(backend) else backend


def server_to_start(label: str) -> ServerRecipe | None:
    """Return what can be started here for a line that lacks nothing but a server; None for any other line."""
    backend = server_to_name(label)
    return None if backend is None else startable(backend.name)


def _note(codec: str, label: str) -> str:
    return "" if f"+{codec}" in label else codec


def method_note(label: str) -> str:
    """Return the note on the line under the cursor, as safe text."""
    name = backend_of(label)
    for broken in registry.backends.failed():
        if broken.name == name:
            return safe_text(f"{name} could not be loaded: {broken.reason}")
    backend = registry.backends.get(name)
    absent = registry.missing_imports(backend)
    if absent:
        return safe_text(f"Needs {', '.join(absent)}: {registry.how_to_get(backend)}")
    if setting := registry.missing_setting(backend):
        if (recipe := startable(name)) is not None:
            return safe_text(f"No server here: press u to start {recipe.title}, or space to name one that runs.")
        return safe_text(f"Needs a server: press space to name it, or {setting}")
    if label == name:
        return safe_text(f"{backend.title}. {backend.when_to_choose}")
    return safe_text(f"{backend.title}, with options of your own: o changes them, delete takes it off the list.")
