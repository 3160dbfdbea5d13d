"""What a look at the data has shown: in words, and as a contact sheet of a few pictures."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.jobs.preview import DatasetPreview, Thumbnail
from imgstore_tui.present.charts.contact_sheet import PixelStyle, contact_sheet, full_rows

PICTURES = 12
"""So many pictures are shown at most."""


class PreviewSheet(Widget):
    """Draws what was found, how far the look is, or why there is nothing to see."""

    DEFAULT_CSS = """
    PreviewSheet { width: 1fr; height: 1fr; }
    PreviewSheet > .sheet--name { color: $text-muted; }
    """
    COMPONENT_CLASSES = {"sheet--name"}  # noqa: RUF012 - Textual's own convention

    found: reactive[DatasetPreview | None] = reactive(None)
    doing: reactive[str] = reactive("")
    """What goes on while nothing is found yet."""

    def __init__(self, drawing: PixelStyle, why: str) -> None:
        """Make an empty sheet.

        Args:
            drawing: How pictures are drawn on this terminal.
            why: Said below them where they are not drawn in full; empty where they are.
        """
        super().__init__()
        self._drawing = drawing
        self._why = why

    def render(self) -> Text:
        """Draw the words, and the pictures in the room that is left."""
        if self.found is None:
            return Text(self.doing, style="dim")
        words = self._words(self.found)
        lines = list(words.wrap(self.app.console, max(1, self.size.width)))
        if len(lines) > self.size.height // 2:
            # The pictures are what one looks for; the head of a long tale is enough.
            lines = [*lines[: self.size.height // 2 - 1], Text("...", style="dim")]
        room = self.size.height - len(lines) - 1
        pictures = [(picture.pixels, picture.label) for picture in self._shown(self.found, room)]
        theme = self.app.current_theme
        sheet = contact_sheet(pictures, self.size.width, room, self._drawing, light=not theme.dark)
        return Text("\n", no_wrap=True).join([*lines, Text(), sheet])

    def _shown(self, found: DatasetPreview, room: int) -> tuple[Thumbnail, ...]:
        # Few and clear where there is little room.
        wanted = max(2, min(PICTURES, self.size.width * room // 70))
        return found.thumbnails[: full_rows(wanted, len(found.thumbnails), self.size.width, room)]

    def _words(self, found: DatasetPreview) -> Text:
        name = self.get_component_rich_style("sheet--name")
        text = Text(safe_text(found.summary), style="bold")
        why = self._why if found.thumbnails else "Not decoded, so there is no picture to show."
        if why:
            text.append(f"\n{why}", style=name)
        for title, words in found.facts:
            text.append("\n").append(f"{title} ", style=name).append(words, style="not bold")
        return text


def drawing_mode(*, ascii_only: bool, no_colour: bool, colours: str | None) -> tuple[PixelStyle, str]:
    """Choose how pictures are drawn.

    Args:
        ascii_only: Whether nothing beyond ASCII may be drawn.
        no_colour: Whether no colours may be.
        colours: What the terminal can show, as Rich calls it: ``standard``, ``256``, ``truecolor``.

    Returns:
        The way, and why it is not the best one, in a sentence; empty where it is.
    """
    if ascii_only:
        return PixelStyle.SHADES, "Pictures in shades: ASCII only here."
    if no_colour:
        return PixelStyle.SHADES, "Pictures in shades: no colours here."
    if colours not in ("256", "truecolor"):
        return PixelStyle.SHADES, "Pictures in shades: 16 colours here."
    return PixelStyle.BLOCKS, ""


def progress_words(words: str, done: int, total: int | None) -> str:
    """Return how far a look is."""
    count = format_count(done) if total is None else f"{format_count(done)} of {format_count(total)}"
    return f"{safe_text(words)}: {count}"
