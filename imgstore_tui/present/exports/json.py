"""JSON: the record of a run, whole, described by ``schema.json``, and readable back."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from imgstore_tui.core.errors import DataError
from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import SCHEMA_VERSION, Run, from_json, to_json
from imgstore_tui.present.article import claim_rows
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.table_model import summary_row

SCHEMA_PATH = Path(__file__).with_name("schema.json")


class JsonExporter(Exporter):
    """Everything: plan, environment, data, every trial with all its samples, and what they come to."""

    name = "json"
    title = "the whole record, for programs and to be opened again"
    suffix = ".json"

    def export(self, run: Run) -> bytes:
        """Return the record, ASCII only, so that no reader's encoding matters."""
        parts = [f" {json.dumps(key)}: {_lines(value)}" for key, value in record(run).items()]
        return ("{\n" + ",\n".join(parts) + "\n}\n").encode("ascii")


def _lines(value: Any) -> str:
    """Return a value as JSON, a list of objects with a line for each, so that records can be searched and compared."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n  " + ",\n  ".join(json.dumps(item, allow_nan=False) for item in value) + "\n ]"
    return json.dumps(value, allow_nan=False)


def record(run: Run) -> dict[str, Any]:
    """Return a run as JSON values: its own fields, ``schema_version``, and ``summary`` with one object a cell.

    In a run of the plan ``article``, ``claims`` has what became of each of its claims.
    """
    found = build_results(run)
    summary = [summary_row(entry, found.verdict_of.get(entry.cell.contest)) for entry in found.summaries]
    claims = claim_rows(found)
    values: dict[str, Any] = _finite(
        {"schema_version": SCHEMA_VERSION, **to_json(run), "summary": summary, "claims": claims}
    )
    return values


def _finite(value: Any) -> Any:
    """Return JSON values with null for what JSON has no number for (the PSNR of equal images is infinite)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def load_json(path: Path) -> Run:
    """Read a record back; its summary is ignored, as it follows from the rest.

    Raises:
        DataError: If the file cannot be read, is torn, is no record, or comes from a newer version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is no record of a run: it is not text.") from None
    return parse_json(text, str(path))


def parse_json(text: str, name: str = "The text") -> Run:
    """Turn a record into a run.

    Args:
        text: What ``JsonExporter`` wrote.
        name: What the text is called in errors.

    Raises:
        DataError: If it is torn, no record, or from a newer version.
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
    return run
