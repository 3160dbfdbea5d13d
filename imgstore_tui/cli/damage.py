"""``imgstore-tui damage``: measures what a flipped byte costs with each method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from imgstore_tui.cli.output import ascii_only, data_console, output_width, talk_console
from imgstore_tui.cli.parser import CommandParser, split_specs
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import parse_count

DEFAULT_FLIPS = 50
DEFAULT_IMAGES = "100"
MOST_FLIPS = 100_000


def main(argv: Sequence[str]) -> int:
    """Print what a flipped byte costs."""
    arguments = make_parser().parse_args(argv)
    images = parse_count(arguments.images)
    if not 1 <= arguments.flips <= MOST_FLIPS:
        raise UsageError(f"--flips takes 1 to {MOST_FLIPS:,}, not {arguments.flips}.")
    from imgstore_tui.bench.plan.plans import QUICK_SPECS
    from imgstore_tui.cli.progress import LiveBar
    from imgstore_tui.jobs.damage import measure_damage
    from imgstore_tui.plugins import registry
    from imgstore_tui.present.tables.damage import damage_table
    from imgstore_tui.present.tables.rich_table import rich_table

    specs = [registry.resolve_spec(text) for text in split_specs(arguments.backends or list(QUICK_SPECS))]
    with LiveBar(talk_console(quiet=arguments.quiet)) as bar:
        results = measure_damage(
            arguments.dataset, specs, images, arguments.flips, arguments.seed, scratch=arguments.scratch,
            progress=lambda spec, done, total: bar.show(done / total, f"{spec}: {done} of {total} bytes flipped"),
        )  # fmt: skip
    if arguments.json:
        from imgstore_tui.cli.listing import print_json

        return print_json(
            {
                "schema_version": 1,
                "dataset": safe_text(arguments.dataset),
                "seed": arguments.seed,
                "results": [{**asdict(result), "mean_lost": result.mean_lost} for result in results],
            }
        )
    table = damage_table(results, arguments.dataset, arguments.seed)
    data_console().print(rich_table(table, output_width(), ascii_only=ascii_only()), Text(), sep="\n")
    return 0


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="imgstore-tui damage",
        description="What one flipped byte costs: images are stored, bytes of the store are flipped one at a time,\n"
        "and the images that do not come back as they were are counted. Your data is only read.",
    )
    parser.add_argument(
        "-b",
        "--backends",
        metavar="SPEC",
        nargs="+",
        action="extend",
        help="storage methods (default disk, lmdb, hdf5)",
    )
    parser.add_argument(
        "-d", "--dataset", metavar="DATASET", default="synthetic", help="where the images are from (default synthetic)"
    )
    parser.add_argument(
        "-n", "--images", metavar="N", default=DEFAULT_IMAGES, help=f"images of a store (default {DEFAULT_IMAGES})"
    )
    parser.add_argument(
        "--flips", metavar="N", type=int, default=DEFAULT_FLIPS, help=f"bytes flipped (default {DEFAULT_FLIPS})"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="which bytes are flipped (default 0)")
    parser.add_argument("--scratch", metavar="DIR", help="where the stores are made")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument("--json", action="store_true", help="as JSON, with every flip")
    return parser
