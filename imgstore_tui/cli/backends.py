"""``imgstore-tui backends``: lists the storage backends, and how to install those that are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imgstore_tui.cli import listing
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.backend import Backend
from imgstore_tui.plugins import registry

_CAPABILITIES = {
    "random_access": "reads any image alone", "labels_apart": "reads labels without pixels",
    "uniform_only": "takes images of one shape only", "names": "keeps names of files",
    "file_per_image": "makes a file per image", "server": "needs a server",
    "fork_safe": "works in forked processes", "forces_itself": "always forces files to the device",
    "counts_syncs": "counts its sync calls", "append": "appends", "overwrite": "overwrites", "delete": "deletes",
}  # fmt: skip
"""What a capability means, by its name."""


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    return listing.make_parser("backends", "backend")


def main(argv: Sequence[str]) -> int:
    """List the backends, or describe one."""
    arguments = make_parser().parse_args(argv)
    if arguments.name:
        backend = registry.backends.get(arguments.name)
        return listing.print_json(_facts(backend)) if arguments.json else _details(backend)
    backends = registry.sorted_backends()
    if arguments.json:
        return listing.print_json([_facts(backend) for backend in backends])
    rows = [(b.name, b.family.value, b.title, listing.availability(b), b.when_to_choose) for b in backends]
    rows += [(entry.name, "", "", f"broken: {entry.reason}", "") for entry in registry.backends.failed()]
    columns = ("name", "family", "what", "availability", "when to choose")
    return listing.print_table(columns, rows, give_way=("what", "when to choose"))


def _facts(backend: type[Backend]) -> dict[str, Any]:
    return {
        "name": backend.name,
        "title": backend.title,
        "family": backend.family.value,
        "available": not registry.way_to_use(backend),
        "how_to_get": listing.availability(backend),
        "requires": list(backend.requires),
        "extra": backend.extra,
        "payloads": sorted(backend.payloads),
        "default_codec": backend.default_codec,
        "capabilities": {name: getattr(backend.capabilities, name) for name in backend.capabilities.__slots__},
        "presets": [{"name": p.name, "summary": p.summary, "options": dict(p.options)} for p in backend.presets],
        "options": listing.option_facts(backend.options),
        "layout": _layout(backend),
        "opened_by": backend.opened_by,
        "caveats": backend.caveats,
        "when_to_choose": backend.when_to_choose,
    }


def _layout(backend: type[Backend]) -> str:
    """Return what a store looks like to other programs: the docstring of the class."""
    return " ".join((backend.__doc__ or "").replace("``", "").split())


def _details(backend: type[Backend]) -> int:
    capabilities = backend.capabilities
    supported = [
        _CAPABILITIES.get(name, name.replace("_", " "))
        for name in capabilities.__slots__
        if getattr(capabilities, name) is True
    ]
    presets = [(f"preset {preset.name}", preset.summary) for preset in backend.presets]
    facts = [
        ("availability", listing.availability(backend)),
        ("codec", f"{backend.default_codec} unless another is named"),
        ("takes", ", ".join(sorted(backend.payloads))),
        ("can", ", ".join(supported)),
        ("stored as", _layout(backend)),
        *([("opened by", backend.opened_by)] if backend.opened_by else []),
        *presets,
        ("good for", backend.when_to_choose),
        ("caution", backend.caveats),
    ]
    return listing.print_details(f"{backend.name}: {backend.title} ({backend.family})", facts, backend.options)
