"""``imgstore-tui convert``: converts a dataset to a store and verifies it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from imgstore_tui.cli.listing import print_json
from imgstore_tui.cli.output import data_console, talk_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.errors import ImgstoreError, UsageError
from imgstore_tui.core.label_summary import label_summary
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes, format_count, parse_count

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from imgstore_tui.cli.progress import LiveBar
    from imgstore_tui.jobs.convert import Conversion, ConversionResult

_PRINT_EVERY_S = 5.0
"""Seconds between two lines of progress where standard error is not a terminal."""
_SHOWN = 5
"""Images left out that are printed by name."""
_SHOWN_NAMES = 100
"""Names of labels that are printed."""


def main(argv: Sequence[str]) -> int:
    """Convert a dataset and print the result."""
    arguments = make_parser().parse_args(argv)
    from imgstore_tui.cli.progress import LiveBar
    from imgstore_tui.jobs.convert import Order, plan_conversion

    if arguments.seed is not None and arguments.order != "shuffled":
        raise UsageError("A seed is for a shuffled order. Write: --order shuffled --seed N.")

    count = None if arguments.count in {None, "all"} else parse_count(arguments.count)
    job = plan_conversion(
        arguments.dataset,
        arguments.spec,
        arguments.destination,
        count=count,
        replace=arguments.replace,
        restart=arguments.restart,
        labels_required=arguments.labels == "required",
        order=None if arguments.order is None else Order(arguments.order, arguments.seed or 0),
    )
    talk = talk_console(quiet=arguments.quiet)
    job.notify = lambda sentence: talk.print(safe_text(sentence), soft_wrap=True)
    with LiveBar(talk) as bar:
        try:
            done = job.run(_progress_printer(talk, bar))
        except (KeyboardInterrupt, ImgstoreError) as error:
            if job.durable_images:
                talk.print(
                    f"{format_count(job.durable_images)} images are kept: the same command continues with them.",
                    soft_wrap=True,
                )
            elif isinstance(error, KeyboardInterrupt):
                talk.print("Nothing is left to continue with: the same command starts over.", soft_wrap=True)
            raise
    for warning in job.dataset.warnings:
        if warning not in done.lost:  # which is printed already
            talk.print(safe_text(warning), soft_wrap=True)
    for entry in done.excluded[:_SHOWN]:
        talk.print(safe_text(f"left out: {entry.name}: {entry.reason}"), soft_wrap=True)
    if len(done.excluded) > _SHOWN:
        talk.print(f"left out: {format_count(len(done.excluded) - _SHOWN)} more")
    if labels := label_summary(job.dataset, _SHOWN_NAMES):
        talk.print(labels, soft_wrap=True)
    if arguments.json:
        return print_json(_record(job, done))
    out = data_console()
    out.print(safe_text(_result_text(job, done)), soft_wrap=True)
    out.print(f"fingerprint {done.fingerprint}", soft_wrap=True)
    if done.to_open:
        talk.print(safe_text(_opened_text(done.to_open)), soft_wrap=True)
    return 0


def _result_text(job: Conversion, done: ConversionResult) -> str:
    """Return what a conversion has stored and where, its size, and that it was read back, in a sentence."""
    resumed = f", {format_count(done.resumed)} of them written before" if done.resumed else ""
    order = ""
    if job.order is not None:
        order = f", in {job.order} order" if job.order.name == "original" else f", {job.order}"
    size = done.usage.allocated_bytes
    weight = "of unknown size" if size is None else f"{format_bytes(size)} on disk"
    equal = "equal to what was put" if done.lossless else "equal to what was put, which is lossy"
    return (
        f"{done.destination}: {format_count(done.images)} of {format_count(done.requested)} images as {job.spec}"
        f"{resumed}{order}, {weight}; every one was read back, {equal}."
    )


def _opened_text(paths: Sequence[Path]) -> str:
    """Return which file or folder of a store other programs open."""
    if len(paths) == 1:
        return f"Other programs open {paths[0]}."
    return f"Other programs open {paths[0]} and, beside it, up to {paths[-1].name}: {format_count(len(paths))} files."


def _record(job: Conversion, done: ConversionResult) -> dict[str, Any]:
    """Return the conversion as JSON takes it."""
    order: dict[str, Any] | None = None
    if job.order is not None:
        order = {"name": job.order.name, "seed": job.order.seed if job.order.name == "shuffled" else None}
    return {
        "schema_version": 1,
        "dataset": safe_text(job.dataset.summary),
        "destination": str(done.destination),
        "storage": str(job.spec),
        "images": done.images,
        "requested": done.requested,
        "resumed": done.resumed,
        "order": order,
        "has_labels": job.dataset.has_labels,
        "label_names": list(job.dataset.label_names),
        "lossless": done.lossless,
        "lost": list(done.lost),
        "excluded": [{"name": safe_text(entry.name), "reason": entry.reason} for entry in done.excluded],
        "warnings": list(job.dataset.warnings),
        "to_open": [str(path) for path in done.to_open],
        "allocated_bytes": done.usage.allocated_bytes,
        "fingerprint": done.fingerprint,
    }


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="imgstore-tui convert",
        description="Convert a dataset to a store, and read every image of it back.\n\n"
        "The destination is complete or absent: until it is complete, the work is in DESTINATION.converting, and the\n"
        "same command continues it after a kill. Formats that are put together at the end (parquet, lance,\n"
        "arrayrecord, safetensors) start over instead; the command says so first.\n\n"
        "It keeps the pixels (with the codec original, the bytes of the files) and the label numbers, in the seeded\n"
        "shuffled order of the dataset, the names of classes in its own manifest, and the names of files with their\n"
        "folders where the storage can; what it cannot keep is said before. disk+original makes the tree of folders\n"
        "anew.",
        epilog="examples:\n"
        "  imgstore-tui convert folder:photos lmdb+original photos.lmdb\n"
        "  imgstore-tui convert store:photos.lmdb webdataset:shard=1000 photos.tars\n"
        "  imgstore-tui convert folder:photos postgres 'postgres#photos'",
    )
    parser.add_argument("dataset", metavar="DATASET", help="NAME[:PATH][,OPTION=VALUE], see imgstore-tui datasets")
    parser.add_argument("spec", metavar="SPEC", help="BACKEND[+CODEC][:OPTION=VALUE,...], see imgstore-tui backends")
    parser.add_argument(
        "destination",
        metavar="DESTINATION",
        help="the file or folder that will be the store, or its address on a server; BACKEND#NAME where the variable "
        "of the backend names the server",
    )
    parser.add_argument("-n", "--count", metavar="N", help="only the first N images (default: all)")
    parser.add_argument("--replace", action="store_true", help="replace a store at the destination")
    parser.add_argument("--restart", action="store_true", help="discard what an earlier attempt has written")
    parser.add_argument(
        "--labels",
        choices=("any", "required"),
        default="any",
        help="required: refuse a dataset that has no labels, or none that can be read",
    )
    parser.add_argument(
        "--order",
        choices=("original", "shuffled"),
        help="original: as the data has it, a folder by names; shuffled: by --seed; without, the dataset's own order, "
        "which for a folder is mixed",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of --order shuffled; 0 by default")
    parser.add_argument("--json", action="store_true", help="print a record of the conversion as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser


def _progress_printer(console: Console, bar: LiveBar) -> Callable[[str, int, int], None]:
    """Return a function that shows progress: in the live bar on a terminal, as a line every few seconds elsewhere."""
    last_print = time.monotonic()

    def show(step: str, done: int, total: int) -> None:
        nonlocal last_print
        of = f" of {format_count(total)}" if total else ""
        text = safe_text(f"{step} {format_count(done)}{of}")
        bar.show(done / total if total else 0.0, text)
        now = time.monotonic()
        if not bar.live and now - last_print >= _PRINT_EVERY_S:
            last_print = now
            console.print(text, soft_wrap=True)

    return show
