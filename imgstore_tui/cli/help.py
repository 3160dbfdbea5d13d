"""``imgstore-tui help``: prints one topic of the manual."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from imgstore_tui.cli.listing import print_json
from imgstore_tui.cli.output import ascii_only, data_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.errors import UsageError, did_you_mean
from imgstore_tui.present.help import TOPIC_NAMES, Topic, load_topic, load_topics


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(prog="imgstore-tui help", description="Explain a topic. Without one, list the topics.")
    parser.add_argument("topic", metavar="TOPIC", nargs="?", help="a topic of the manual, or a command")
    parser.add_argument("--json", action="store_true", help="the topics, or the one that is named, as JSON")
    return parser


def main(argv: Sequence[str]) -> int:
    """Print a topic, the help of a command, or the list of topics."""
    arguments = make_parser().parse_args(argv)
    topic = arguments.topic
    if arguments.json:
        facts = [_facts(entry) for entry in ([load_topic(topic)] if topic is not None else load_topics())]
        return print_json(facts if topic is None else facts[0])
    if topic is None:
        return _list_topics()
    if topic in TOPIC_NAMES:
        return _print_topic(topic)
    from imgstore_tui.cli.main import COMMANDS

    if topic not in COMMANDS:
        hint = did_you_mean(topic, (*TOPIC_NAMES, *COMMANDS))
        raise UsageError(f"Unknown topic '{topic}'.{hint} The list of topics: imgstore-tui help.")
    command = importlib.import_module(f"imgstore_tui.cli.{topic}")
    code: int = command.main(["--help"])
    return code


def _facts(topic: Topic) -> dict[str, str]:
    return {"name": topic.name, "title": topic.title, "summary": topic.summary, "markdown": topic.markdown}


def _list_topics() -> int:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for topic in load_topics():
        table.add_row(Text(topic.name, style="bold"), Text(topic.summary))
    console = data_console()
    console.print(table)
    console.print("\nRead one with: imgstore-tui help TOPIC. Arguments of a command: imgstore-tui COMMAND --help.")
    return 0


def _print_topic(name: str) -> int:
    """Print a topic: rendered on a terminal, as its Markdown in a pipe or where only ASCII can be printed."""
    markdown, console = load_topic(name).markdown, data_console()
    if not console.is_terminal or ascii_only():
        console.file.write(markdown)
        return 0
    from imgstore_tui.present.help.page import PAGE_WIDTH, ManualPage

    console.print(ManualPage(markdown), width=min(console.width, PAGE_WIDTH))
    return 0
