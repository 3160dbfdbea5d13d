"""A few lines of words; what has no room for all of them ends in a sign that there are more."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

_MORE = " ..."


class FoldedText(Widget):
    """Words folded to the width there is, as high as they need and the style sheet lets them."""

    DEFAULT_CSS = """
    FoldedText { height: auto; color: $text-muted; }
    """

    words: reactive[str] = reactive("", layout=True)
    """What it says: harmless text."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines the words need."""
        return len(self._folded(width))

    def render(self) -> Text:
        """Draw the lines that have room; where some have not, the last one says so."""
        width, height = self.size
        lines = self._folded(width)
        if len(lines) > height > 0:
            kept = lines[height - 1].plain.rstrip()
            while kept and cell_len(kept) + cell_len(_MORE) > width:
                kept = kept.rpartition(" ")[0]
            lines = [*lines[: height - 1], Text(kept + _MORE)]
        return Text("\n").join(lines)

    def _folded(self, width: int) -> list[Text]:
        return list(Text(self.words).wrap(self.app.console, max(1, width)))
