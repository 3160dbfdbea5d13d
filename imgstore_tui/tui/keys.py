"""Defines the keys of the workbench: letters, digits and F-keys only, which work over SSH, tmux and PuTTY."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from imgstore_tui.tui.panes import PaneName

_CUTOFF = "Ranking and verdicts for more images, or for fewer"
_PANES = f"Go to a pane: {', '.join(PaneName)}"

_RUN: list[BindingType] = [
    Binding("r", "run", "Run", tooltip="Run the plan as chosen"),
    Binding("s", "stop", "Stop", tooltip="Stop the run; what was measured is kept"),
    Binding("z", "pause", "Pause", tooltip="Pause, or continue: while paused no new trial starts"),
    Binding("z", "go_on", "Continue", tooltip="Continue a run that its budget, a key or a crash has ended"),
    Binding("k", "skip", "Skip", tooltip="Skip the cell being measured: end its trial, and run no more of it"),
    Binding("k", "step", "Step", tooltip="In a replay: play one trial more, and pause"),
    Binding(
        "less_than_sign", "speed(-1)", "Slower", show=False, key_display="<", tooltip="In a replay: play it slower"
    ),
    Binding(
        "greater_than_sign", "speed(1)", "Faster", show=False, key_display=">", tooltip="In a replay: play it faster"
    ),
    Binding("u", "sweep", "Clean up", show=False, tooltip="Remove what killed runs have left in the work folder"),
    Binding("f", "saved_runs", "Runs", tooltip="List the saved runs: open, resume, compare, rename, delete"),
]
_RESULTS: list[BindingType] = [
    Binding("m", "next_chart", "Chart", tooltip="Show the next chart"),
    Binding("v", "next_table", "Table", tooltip="Show the next table"),
    Binding("j", "jump", "Go to", tooltip="List all charts and tables, to go to one of them"),
    Binding("g", "next_layer", "Matrix", show=False, tooltip="Show the next operation in the matrix"),
    Binding("slash", "filter", "Filter", show=False, key_display="/", tooltip="Show only some rows of the tables"),
    Binding("right_square_bracket", "cutoff(1)", "More images", show=False, key_display="]", tooltip=_CUTOFF),
    Binding("left_square_bracket", "cutoff(-1)", "Fewer images", show=False, key_display="[", tooltip=_CUTOFF),
    Binding(
        "P",
        "present",
        "Present",
        show=False,
        tooltip="Show one large figure at a time, for a lecture: the article's with its claims, or the run's charts",
    ),
    Binding("e", "export", "Export", tooltip="Write the results to a file"),
    Binding("C", "copy", "Copy", show=False, tooltip="Copy the pane: a table as Markdown, a chart or page as text"),
    Binding("x", "toggle('log_x')", "Axis x", show=False, tooltip="Logarithmic or linear axis of images"),
    Binding("y", "toggle('log_y')", "Axis y", show=False, tooltip="Logarithmic or linear axis of values"),
    Binding("l", "axes", "Axes", show=False, tooltip="Both axes logarithmic, or both linear"),
    Binding("h", "next_level", "Level", show=False, tooltip="Charts: next sync level or cache state, or hot and cold"),
    Binding("i", "toggle('per_image')", "Per image", show=False, tooltip="Time for all images, or per image"),
]
_CHOICE: list[BindingType] = [
    Binding("d", "data", "Data", tooltip="Choose the data and look at it"),
    Binding(
        "c", "conditions", "Conditions",
        tooltip="Choose cache states, sync levels, payload, workers, rounds, budget, work folder, seed",
    ),
    Binding(
        "less_than_sign", "fewer_images", "Fewer", show=False, key_display="<",
        tooltip="Leave out the largest number of images",
    ),
    Binding(
        "greater_than_sign", "longer_budget", "Longer", show=False, key_display=">",
        tooltip="Take a longer time budget, enough for an answer",
    ),
    Binding("w", "save_plan", "Save plan", show=False, tooltip="Save the choice as a plan, under a name"),
    Binding("U", "use", "Use", show=False, tooltip="Choose a plan by what you will do with the pictures"),
    Binding("p", "next_plan", "Plan", show=False, tooltip="Switch to the next named plan"),
]  # fmt: skip
_ANYWHERE: list[BindingType] = [
    Binding("question_mark", "app.help", "Help", key_display="?", tooltip="Show what every key does"),
    Binding("f1", "app.help", "Help", show=False, key_display="F1", tooltip="Show what every key does"),
    Binding("q", "app.leave", "Quit", tooltip="Quit; asks while a run goes on"),
    Binding("t", "app.next_theme", "Theme", show=False, tooltip="Use the next theme"),
    Binding(
        "plus", "enlarge", "Enlarge", show=False, key_display="+",
        tooltip="Let the pane in front fill the screen, and give it back; a click on its top edge does the same",
    ),
    Binding("escape", "leave_field", "Back", key_display="esc", tooltip="Leave the line being edited"),
    *(Binding(pane.key, f"show_pane('{pane}')", f"Pane {pane}", show=False, tooltip=_PANES) for pane in PaneName),
]  # fmt: skip

WORKBENCH_KEYS: list[BindingType] = [*_RUN, *_RESULTS, *_CHOICE, *_ANYWHERE]
KEYS_BY_PURPOSE = {"The run": _RUN, "Its results": _RESULTS, "The choice": _CHOICE, "Anywhere": _ANYWHERE}
"""The same keys by heading, for the help."""

PALETTE_KEY = Binding("ctrl+p", "command_palette", "Palette", tooltip="Find any action by its name")
"""Bound by Textual itself; listed here for the help."""
