"""Shows the preview of a dataset: its facts, and a contact sheet of a few pictures."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.jobs.preview import DatasetPreview, Thumbnail
from imgstore_tui.present.charts.contact_sheet import PixelStyle, contact_sheet, full_rows

PICTURES = 12
"""The most pictures that are shown."""


class PreviewSheet(Widget):
    """Draws the preview, its progress, or why there is none."""

    DEFAULT_CSS = """
    PreviewSheet { width: 1fr; height: 1fr; }
    PreviewSheet > .sheet--name { color: $text-muted; }
    """
    COMPONENT_CLASSES = {"sheet--name"}  # noqa: RUF012 - Textual's own convention

    preview: reactive[DatasetPreview | None] = reactive(None)
    doing: reactive[str] = reactive("")
    """The progress, while there is no preview yet."""

    def __init__(self, style: PixelStyle, reason: str) -> None:
        """Create an empty sheet.

        Args:
            style: How pictures are drawn on this terminal.
            reason: Why they are not drawn in full; empty if they are.
        """
        super().__init__()
        self._style = style
        self._reason = reason

    def render(self) -> Text:
        """Draw the facts, and the pictures in the remaining room."""
        if self.preview is None:
            return Text(self.doing, style="dim")
        facts = self._facts(self.preview)
        lines = list(facts.wrap(self.app.console, max(1, self.size.width)))
        if len(lines) > self.size.height // 2:
            # The pictures matter most; the first lines of the facts are enough.
            lines = [*lines[: self.size.height // 2 - 1], Text("...", style="dim")]
        room = self.size.height - len(lines) - 1
        pictures = [(picture.pixels, picture.label) for picture in self._shown(self.preview, room)]
        theme = self.app.current_theme
        sheet = contact_sheet(pictures, self.size.width, room, self._style, light=not theme.dark)
        return Text("\n", no_wrap=True).join([*lines, Text(), sheet])

    def _shown(self, preview: DatasetPreview, room: int) -> tuple[Thumbnail, ...]:
        # Fewer and larger in little room.
        count = max(2, min(PICTURES, self.size.width * room // 70))
        return preview.thumbnails[: full_rows(count, len(preview.thumbnails), self.size.width, room)]

    def _facts(self, preview: DatasetPreview) -> Text:
        name = self.get_component_rich_style("sheet--name")
        text = Text(safe_text(preview.summary), style="bold")
        reason = self._reason if preview.thumbnails else "Not decoded, so there is no picture to show."
        if reason:
            text.append(f"\n{reason}", style=name)
        for title, fact in preview.facts:
            text.append("\n").append(f"{title} ", style=name).append(fact, style="not bold")
        return text


def drawing_mode(*, ascii_only: bool, no_colour: bool, colours: str | None) -> tuple[PixelStyle, str]:
    """Choose how pictures are drawn.

    Args:
        ascii_only: Whether nothing beyond ASCII may be drawn.
        no_colour: Whether no colours may be.
        colours: What the terminal can show, as Rich calls it: ``standard``, ``256``, ``truecolor``.

    Returns:
        The style, and in a sentence why it is not the best one; empty if it is.
    """
    if ascii_only:
        return PixelStyle.SHADES, "Pictures in shades: ASCII only here."
    if no_colour:
        return PixelStyle.SHADES, "Pictures in shades: no colours here."
    if colours not in ("256", "truecolor"):
        return PixelStyle.SHADES, "Pictures in shades: 16 colours here."
    return PixelStyle.BLOCKS, ""


def progress_text(step: str, done: int, total: int | None) -> str:
    """Return the progress of a preview."""
    count = format_count(done) if total is None else f"{format_count(done)} of {format_count(total)}"
    return f"{safe_text(step)}: {count}"
