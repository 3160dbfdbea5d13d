"""Loads the manual: one Markdown file per topic, inside the package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from imgstore_tui.core.errors import unknown_name

TOPIC_NAMES = (
    "start", "data", "methods", "plans", "measuring", "verdict", "advise", "reports", "convert", "python", "notebook",
    "servers", "object-storage", "cluster", "screen", "sweep", "backend", "house",
)  # fmt: skip
"""The topics in the order in which they are listed: from a first run to the source code."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One page of the manual."""

    name: str
    title: str
    summary: str
    """What the page is about, in one sentence."""
    markdown: str
    """The whole page, ASCII only."""


def load_topic(name: str) -> Topic:
    """Return a topic by its name.

    Raises:
        UsageError: If there is no topic of that name; the nearest one is named.
    """
    if name not in TOPIC_NAMES:
        raise unknown_name("topic", name, TOPIC_NAMES)
    markdown = files(__name__).joinpath(f"{name}.md").read_text("utf-8")
    heading, summary, _ = markdown.split("\n\n", 2)
    return Topic(name, heading.removeprefix("# "), " ".join(summary.split()), markdown)


def load_topics() -> tuple[Topic, ...]:
    """Return all topics in the order in which they are listed: from a first run to the source code."""
    return tuple(map(load_topic, TOPIC_NAMES))
