"""Renders a page of the manual with Rich: for a terminal and for the screen."""

from __future__ import annotations

from typing import ClassVar

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement, TableElement
from rich.padding import Padding
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

PAGE_WIDTH = 84
"""Columns beyond which lines are hard to read."""
_PYTHON_STYLES = {
    ("Comment",): Style(dim=True),
    ("Keyword",): Style(bold=True),
    ("Literal", "String"): Style(color="green"),
}
"""Few colours, which any theme has; the rest of the code is as the text around it."""
_NO_WRAP_UP_TO = 30
"""Columns up to which the first column of a table is kept on one line."""


class _LeftHeading(Heading):
    """A heading at the left, not in the middle of the line."""

    LEVEL_ALIGN: ClassVar = {**Heading.LEVEL_ALIGN, "h1": "left"}


class _PlainCodeBlock(CodeBlock):
    """Code without a background: commands in the accent colour, Python in few colours that any theme has."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = str(self.text).rstrip()
        if self.lexer_name == "text":
            yield Padding(Text(lines, console.get_style("markdown.code"), overflow="fold"), (0, 0, 0, 2))
            return
        theme = ANSISyntaxTheme(_PYTHON_STYLES)
        yield Padding(Syntax(lines, self.lexer_name, theme=theme, word_wrap=True), (0, 0, 0, 2))


class _PlainTable(TableElement):
    """A table with a line below its head, whose first column is not wrapped where it is short."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), border_style="dim")
        heads = [cell.content for cell in self.header.row.cells] if self.header and self.header.row else []
        rows = [[cell.content for cell in row.cells] for row in self.body.rows] if self.body else []
        first = max((row[0].cell_len for row in rows), default=0)
        for number, head in enumerate(heads):
            table.add_column(
                Text.assemble((head.plain, "bold")), no_wrap=number == 0 and first <= _NO_WRAP_UP_TO, overflow="fold"
            )
        for row in rows:
            table.add_row(*row)
        yield table


class ManualPage(Markdown):
    """A page of the manual as a renderable; it wraps at the width it is given."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _LeftHeading,
        "fence": _PlainCodeBlock,
        "code_block": _PlainCodeBlock,
        "table_open": _PlainTable,
    }

    def __init__(self, markdown: str, *, accent: str | Style = "cyan") -> None:
        """Parse the page.

        Args:
            markdown: The page.
            accent: Rich style of code, commands and the title.
        """
        super().__init__(markdown, hyperlinks=False)
        accent = Style.parse(accent) if isinstance(accent, str) else accent
        self._theme = Theme(
            {
                "markdown.h1": accent + Style(bold=True),
                "markdown.h2": "bold",
                "markdown.code": accent,
                "markdown.item.bullet": "dim",
                "markdown.item.number": "dim",
            }
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the page in the styles of this program."""
        with console.use_theme(self._theme):
            yield from console.render(_Parsed(self), options)


class _Parsed:
    """The page as Rich renders it, while the styles hold."""

    def __init__(self, page: Markdown) -> None:
        self._page = page

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from Markdown.__rich_console__(self._page, console, options)
