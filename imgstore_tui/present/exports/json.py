"""Exports and loads JSON: the complete record of a run, described by ``schema.json``."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imgstore_tui.analysis.scaling import scaling_curves
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.analysis.verdict import Verdict
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.json_values import from_json, to_json
from imgstore_tui.core.model import SCHEMA_VERSION, Cell, Run
from imgstore_tui.plugins.saved_specs import SavedSpecs
from imgstore_tui.present.article import claim_rows
from imgstore_tui.present.client_record import client_summary_rows
from imgstore_tui.present.results import RunResults, build_results
from imgstore_tui.stats.warnings import NoiseWarning

SCHEMA_PATH = Path(__file__).with_name("schema.json")


class JsonExporter(Exporter):
    """The complete record: plan, environment, data, every trial with all its samples, and the summaries."""

    name = "json"
    title = "the whole record, for programs and to be opened again"
    suffix = ".json"

    def export(self, run: Run) -> bytes:
        """Return the record in ASCII, so that it does not depend on the reader's encoding."""
        values = _record_but_measurements(run)
        written = io.BytesIO()
        for number, (key, value) in enumerate(values.items()):
            written.write(f"{',' if number else '{'}\n {json.dumps(key)}: ".encode("ascii"))
            # A run may have a million measurements: none is kept twice.
            _write_lines(written, map(to_json, run.measurements) if key == "measurements" else value)
        written.write(b"\n}\n")
        return written.getvalue()


_encode = json.JSONEncoder(allow_nan=False).encode


def _write_lines(file: io.BytesIO, value: Any) -> None:
    """Write a value as JSON, with one line per object of a list, so that records can be searched and compared."""
    if not isinstance(value, map) and not (isinstance(value, list) and value and isinstance(value[0], dict)):
        file.write(_encode(value).encode("ascii"))
        return
    before = "["
    for item in value:
        try:
            line = _encode(item)
        except ValueError:
            line = _encode(_finite(item))
        file.write(f"{before}\n  {line}".encode("ascii"))
        before = ","
    file.write(b"[]" if before == "[" else b"\n ]")


def record(run: Run) -> dict[str, Any]:
    """Return a run as JSON values: its fields, ``schema_version``, and ``summary`` with one object per cell.

    ``client_summary`` has one object for each contest of clients and number of them.
    In a run of the plan ``article``, ``claims`` has the result of each of the article's claims.
    """
    values = _record_but_measurements(run)
    values["measurements"] = [_finite(to_json(measurement)) for measurement in run.measurements]
    return values


def _record_but_measurements(run: Run) -> dict[str, Any]:
    """Return the record with an empty list of measurements."""
    results = build_results(run)
    summary = summary_rows(results)
    claims = claim_rows(results)
    bare = to_json(replace(run, measurements=()))
    clients = client_summary_rows(scaling_curves(run))
    values: dict[str, Any] = _finite(
        {
            "schema_version": SCHEMA_VERSION,
            **bare,
            "summary": summary,
            "client_summary": clients,
            "claims": claims,
        }
    )
    return values


def summary_rows(results: RunResults, cells: Collection[Cell] | None = None) -> list[dict[str, Any]]:
    """Return one object of JSON values per cell, as ``summary`` of the record has them.

    Args:
        results: The run.
        cells: Only these; None for all.
    """
    rows: list[dict[str, Any]] = _finite(
        [
            _summary_row(entry, results.verdict_of.get(entry.cell.contest))
            for entry in results.summaries
            if cells is None or entry.cell in cells
        ]
    )
    return rows


def cell_records(results: RunResults, cells: Collection[Cell]) -> list[dict[str, Any]]:
    """Return the summary of each of these cells with its own ``measurements``."""
    trials: dict[Cell, list[Any]] = {cell: [] for cell in cells}
    for measurement in results.run.measurements:
        if measurement.cell in trials:
            trials[measurement.cell].append(_finite(to_json(measurement)))
    own = [entry.cell for entry in results.summaries if entry.cell in trials]
    return [row | {"measurements": trials[cell]} for cell, row in zip(own, summary_rows(results, cells), strict=True)]


def _summary_row(summary: CellSummary, verdict: Verdict | None) -> dict[str, object]:
    """Return a cell's summary as JSON values; durations in seconds, sizes in bytes.

    Args:
        summary: The cell.
        verdict: Verdict of its contest, if any.
    """
    cell, interval = summary.cell, summary.interval
    standing = verdict.standing(cell.spec) if verdict else None
    ratio = standing.ratio if standing else None
    headline = verdict.at_headline().standing(cell.spec) if verdict else None
    return {
        "spec": cell.spec,
        "dataset": cell.dataset,
        "operation": cell.operation.value,
        "cutoff": cell.cutoff,
        "cache": None if cell.cache is None else cell.cache.value,
        "sync": None if cell.sync is None else cell.sync.value,
        "payload": cell.payload.value,
        "workers": cell.workers,
        "scratch": cell.scratch,
        "ok": summary.ok,
        "failed": summary.failed,
        "skipped": summary.skipped,
        "unverified": summary.unverified,
        "verified": summary.verified,
        "reasons": [{"reason": reason, "trials": trials} for reason, trials in summary.reasons],
        "access": None if summary.access is None else summary.access.value,
        "median_s": summary.seconds,
        "low_s": None if interval is None else interval.low,
        "high_s": None if interval is None else interval.high,
        "coverage": None if interval is None else interval.coverage,
        "spread": summary.spread,
        "images": summary.images,
        "images_per_s": summary.images_per_s,
        "seconds_per_image": summary.seconds_per_image,
        "pixel_bytes_per_s": summary.pixel_bytes_per_s,
        "cpu_s": summary.cpu_s,
        "peak_private_bytes": summary.peak_private_bytes,
        "apparent_bytes": None if summary.disk is None else summary.disk.apparent_bytes,
        "allocated_bytes": None if summary.disk is None else summary.disk.allocated_bytes,
        "files": None if summary.disk is None else summary.disk.files,
        "disk_parts": None if summary.disk is None else dict(summary.disk.parts) or None,
        "server_log_bytes": None if summary.disk is None else summary.disk.server_log_bytes,
        "raw_pixel_bytes": summary.store_pixel_bytes,
        "psnr_db": summary.psnr_db,
        "place": None if standing is None else standing.placement.value,
        "ratio": None if ratio is None else ratio.median,
        "ratio_low": None if ratio is None else ratio.low,
        "ratio_high": None if ratio is None else ratio.high,
        "ratio_coverage": None if ratio is None else ratio.coverage,
        "ratio_basis": None if ratio is None or ratio.coverage is None else ratio.basis.value,
        "headline_place": None if headline is None else headline.placement.value,
        "verdict": None if verdict is None else verdict.describe(),
        "verdict_warnings": [] if verdict is None else _warnings(verdict.warnings),
        "warnings": _warnings(summary.warnings),
        "notes": list(summary.notes),
    }


def _warnings(warnings: Sequence[NoiseWarning]) -> list[dict[str, str]]:
    return [{"kind": warning.kind.value, "text": warning.text, "advice": warning.advice} for warning in warnings]


def _finite(value: Any) -> Any:
    """Return JSON values with None for numbers that are not finite (the PSNR of equal images is infinite)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def load_json(path: Path) -> Run:
    """Load a run from a record; its summary is ignored, as it follows from the rest.

    Raises:
        DataError: If the file cannot be read, is truncated, is not a record, or is of a newer version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is no record of a run: it is not text.") from None
    return parse_json(text, str(path))


def parse_json(text: str, name: str = "The text") -> Run:
    """Parse a record into a run.

    Args:
        text: The output of ``JsonExporter``.
        name: Name of the text in errors.

    Raises:
        DataError: If the text is truncated, is not a record, or is of a newer version.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is no whole JSON file: {error}.") from None
    version = values.get("schema_version") if isinstance(values, dict) else None
    if not isinstance(version, int) or "measurements" not in values:
        raise DataError(f"{name} is no record of a run: it has no schema_version or no measurements.")
    if version > SCHEMA_VERSION:
        raise DataError(
            f"{name} was written by a newer imgstore-tui (record version {version}; this one reads up to "
            f"{SCHEMA_VERSION}). Update imgstore-tui."
        )
    try:
        run: Run = from_json(Run, values)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is no record of a run: {error}.") from None
    return SavedSpecs().run(run)
