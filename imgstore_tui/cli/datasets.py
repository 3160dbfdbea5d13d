"""``imgstore-tui datasets``: lists the sources of images; ``datasets fetch`` downloads CIFAR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imgstore_tui.cli import listing
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.dataset import UPTO, Dataset
from imgstore_tui.plugins import registry


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    return listing.make_parser("datasets", "dataset")


def main(argv: Sequence[str]) -> int:
    """List the datasets, describe one, or fetch one."""
    if argv[:1] == ["fetch"]:
        from imgstore_tui.cli import fetch

        return fetch.main(argv[1:])
    arguments = make_parser().parse_args(argv)
    if arguments.name:
        dataset = registry.datasets.get(arguments.name)
        return listing.print_json(_facts(dataset)) if arguments.json else _details(dataset)
    datasets = [registry.datasets.all()[name] for name in sorted(registry.datasets.all())]
    if arguments.json:
        return listing.print_json([_facts(dataset) for dataset in datasets])
    rows = [(_form(dataset), listing.availability(dataset), dataset.describe) for dataset in datasets]
    return listing.print_table(("write", "availability", "what"), rows)


def _form(dataset: type[Dataset]) -> str:
    return dataset.name + (":PATH" if dataset.needs_path else "") + "[,OPTION=VALUE]"


def _facts(dataset: type[Dataset]) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "title": dataset.title,
        "needs_path": dataset.needs_path,
        "available": not registry.missing_imports(dataset),
        "how_to_get": listing.availability(dataset),
        "describe": dataset.describe,
        "options": listing.option_facts((*dataset.options, UPTO)),
    }


def _details(dataset: type[Dataset]) -> int:
    facts = [("write", _form(dataset)), ("availability", listing.availability(dataset)), ("what", dataset.describe)]
    return listing.print_details(f"{dataset.name}: {dataset.title}", facts, (*dataset.options, UPTO))
