"""``imgstore-tui codecs``: lists the codecs, and how to install those that are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imgstore_tui.cli import listing
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.options import resolve_options
from imgstore_tui.plugins import registry


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    return listing.make_parser("codecs", "codec")


def main(argv: Sequence[str]) -> int:
    """List the codecs, or describe one."""
    arguments = make_parser().parse_args(argv)
    if arguments.name:
        codec = registry.codecs.get(arguments.name)
        return listing.print_json(_facts(codec)) if arguments.json else _details(codec)
    codecs = [registry.codecs.all()[name] for name in sorted(registry.codecs.all())]
    if arguments.json:
        return listing.print_json([_facts(codec) for codec in codecs])
    rows = [(c.name, _loss(c), c.title, listing.availability(c), ", ".join(c.drops) or "nothing") for c in codecs]
    columns = ("name", "pixels", "what", "availability", "drops")
    return listing.print_table(columns, rows, give_way=("what", "drops"))


def _loss(codec: type[Codec]) -> str:
    as_default = codec(resolve_options(codec.options, {}, f"codec {codec.name}"))
    return "lossless" if as_default.lossless else "lossy"


def _facts(codec: type[Codec]) -> dict[str, Any]:
    return {
        "name": codec.name,
        "title": codec.title,
        "available": not registry.missing_imports(codec),
        "how_to_get": listing.availability(codec),
        "pixels": _loss(codec),
        "extension": codec.extension,
        "drops": list(codec.drops),
        "options": listing.option_facts(codec.options),
    }


def _details(codec: type[Codec]) -> int:
    facts = [
        ("availability", listing.availability(codec)),
        ("pixels", _loss(codec)),
        ("drops", ", ".join(codec.drops) or "nothing"),
        ("file suffix", codec.extension),
    ]
    return listing.print_details(f"{codec.name}: {codec.title}", facts, codec.options)
