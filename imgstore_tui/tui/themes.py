"""Defines the app's themes, dark and light, and the colours that belong to them."""

from __future__ import annotations

from dataclasses import replace

from rich.terminal_theme import TerminalTheme
from textual.theme import BUILTIN_THEMES, Theme

from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.tables.table_model import Emphasis

DARK = Theme(
    name="darkroom",
    primary="#e8a24a",  # what has the focus, and nothing else
    secondary="#7fa6c9",
    accent="#e8a24a",
    foreground="#d6d8dc",
    background="#111318",
    surface="#111318",
    panel="#1b1f27",
    boost="#232833",
    success="#8ec07c",
    warning="#e6c35c",
    error="#ef6f6c",
    dark=True,
    variables={
        "border": "#e8a24a",
        "border-blurred": "#343b48",
        "block-cursor-background": "#2d3442",
        "block-cursor-foreground": "#f4f1ea",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#1b1f27",
        "block-cursor-blurred-foreground": "#d6d8dc",
        "block-cursor-blurred-text-style": "none",
        "input-cursor-background": "#e8a24a",
        "input-cursor-foreground": "#111318",
        "input-selection-background": "#e8a24a 30%",
        "footer-key-foreground": "#e8a24a",
        "scrollbar": "#343b48",
        "scrollbar-hover": "#475062",
        "scrollbar-active": "#e8a24a",
        "scrollbar-background": "#111318",
        "scrollbar-background-hover": "#111318",
        "scrollbar-background-active": "#111318",
        "scrollbar-corner-color": "#111318",
    },
)

LIGHT = Theme(
    name="lightbox",
    primary="#a4500f",
    secondary="#2f6690",
    accent="#a4500f",
    foreground="#2a2d33",
    background="#faf8f3",
    surface="#faf8f3",
    panel="#efebe1",
    boost="#e5dfd1",
    success="#3f7a35",
    warning="#8a6100",
    error="#b3261e",
    dark=False,
    variables={
        "border": "#a4500f",
        "border-blurred": "#cfc8b8",
        "block-cursor-background": "#e5dfd1",
        "block-cursor-foreground": "#16181c",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#efebe1",
        "block-cursor-blurred-foreground": "#2a2d33",
        "block-cursor-blurred-text-style": "none",
        "input-cursor-background": "#a4500f",
        "input-cursor-foreground": "#faf8f3",
        "input-selection-background": "#a4500f 25%",
        "footer-key-foreground": "#a4500f",
        "scrollbar": "#cfc8b8",
        "scrollbar-hover": "#b8af9b",
        "scrollbar-active": "#a4500f",
        "scrollbar-background": "#faf8f3",
        "scrollbar-background-hover": "#faf8f3",
        "scrollbar-background-active": "#faf8f3",
        "scrollbar-corner-color": "#faf8f3",
    },
)

SIXTEEN_DARK, SIXTEEN_LIGHT = (
    replace(
        BUILTIN_THEMES[f"ansi-{shade}"],
        name=f"terminal-{shade}",
        primary=colour,
        accent=colour,
        variables={
            **BUILTIN_THEMES[f"ansi-{shade}"].variables,
            "border": colour,
            "border-blurred": "ansi_bright_black",
            # Without colours only the thumb is drawn.
            "scrollbar-background": "ansi_default",
            "scrollbar-background-hover": "ansi_default",
            "scrollbar-background-active": "ansi_default",
            "scrollbar-corner-color": "ansi_default",
        },
    )
    for shade, colour in (("dark", "ansi_yellow"), ("light", "ansi_blue"))
)
"""Themes of the terminal's own 16 colours. Textual's own draw their frames black on black."""

ANSI_DARK = TerminalTheme(
    (17, 19, 24),
    (214, 216, 220),
    [(27, 31, 39), (239, 111, 108), (142, 192, 124), (230, 195, 92),
     (127, 166, 201), (214, 143, 208), (98, 182, 232), (214, 216, 220)],
    [(107, 114, 128), (239, 111, 108), (142, 192, 124), (230, 195, 92),
     (127, 166, 201), (214, 143, 208), (98, 182, 232), (244, 241, 234)],
)  # fmt: skip
ANSI_LIGHT = TerminalTheme(
    (250, 248, 243),
    (42, 45, 51),
    [(42, 45, 51), (179, 38, 30), (63, 122, 53), (138, 97, 0),
     (47, 102, 144), (142, 63, 138), (31, 111, 168), (107, 103, 95)],
    [(122, 119, 111), (179, 38, 30), (63, 122, 53), (138, 97, 0),
     (47, 102, 144), (142, 63, 138), (31, 111, 168), (22, 24, 28)],
)  # fmt: skip
"""The 16 named colours in our themes."""

PALETTES = {
    DARK.name: ChartColours(
        series=("#62b6e8", "#f0a35b", "#7fc97a", "#d68fd0", "#e3d06a", "#ee7a70"), more="#8b93a3", axis="#6d7585"
    ),
    LIGHT.name: ChartColours(
        series=("#1f6fa8", "#b35a00", "#2f7d32", "#8e3f8a", "#8a6d00", "#b3261e"), more="#7a776f", axis="#8b8779"
    ),
    "": ChartColours(),
}
"""Colours of storage methods by theme, different in hue and lightness; "" is any other theme."""

THEMES = (DARK, LIGHT, SIXTEEN_DARK, SIXTEEN_LIGHT)
THEME_NAMES = tuple(theme.name for theme in THEMES)
"""The themes that the key steps through; the command palette has Textual's own as well."""

MARK_STYLES = {
    Emphasis.PLAIN: "",
    Emphasis.BEST: "bold green",
    Emphasis.TIE: "green",
    Emphasis.BAD: "bold red",
    Emphasis.QUIET: "dim italic",
}
"""Styles of emphasised table entries, in the terminal's own colours, which every theme leaves readable."""
