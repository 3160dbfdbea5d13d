"""Exports a bundle: one archive with the record, the plan, reports and how to run it again, and loads it."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from imgstore_tui.bench.plan.plans import dump_plan, is_utf8
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes
from imgstore_tui.present.exports.html import HtmlExporter
from imgstore_tui.present.exports.json import JsonExporter, parse_json
from imgstore_tui.present.exports.md import MarkdownExporter
from imgstore_tui.present.text.captions import fact_pairs

RECORD, PLAN = "record.json", "plan.toml"
LARGEST_RECORD = 1 << 31
"""Largest record that is read from a bundle, bytes: an archive of a few bytes may claim to hold any number."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every entry, so that the same run gives the same bytes."""


class BundleExporter(Exporter):
    """The evidence of a run in one file: everything that it takes to check it, and to run it again."""

    name = "bundle"
    title = "record, plan and reports in one archive, to run again elsewhere"
    suffix = ".zip"
    binary = True
    archive = True

    def export(self, run: Run) -> bytes:
        """Return a zip archive."""
        entries = {"README.txt": _readme(run).encode(), RECORD: JsonExporter().export(run)}
        if is_utf8(run.plan):
            entries[PLAN] = dump_plan(run.plan).encode()
        entries["report.md"] = MarkdownExporter().export(run)
        entries["report.html"] = HtmlExporter().export(run)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries.items():
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, content)
        return buffer.getvalue()


def _readme(run: Run) -> str:
    """Return what is in the archive, and how to run it again."""
    facts = "\n".join(f"{name}: {safe_text(value)}" for name, value in fact_pairs(run))
    prints = "\n".join(
        f"{safe_text(entry.text)}: {entry.used} images, fingerprint {entry.fingerprint}" for entry in run.datasets
    )
    return f"""The evidence of run {safe_text(run.id)}, by imgstore-tui {safe_text(run.environment.imgstore_tui)}.

{RECORD}   every trial with all its samples, the plan with its seeds, the machine, the data
{PLAN}     the plan
report.md, report.html   tables and verdicts

To run it again and compare, on this machine or another, with the data at the same place or named by -d:

  imgstore-tui run --from BUNDLE

To look at it: imgstore-tui show BUNDLE, imgstore-tui advise BUNDLE, imgstore-tui compare BUNDLE RUN.

The fingerprint of the data is a SHA-256 over the shape, type, pixels and label of every image, in order:

{prints}

The machine and the run:

{facts}
"""


def load_bundle(path: Path) -> Run:
    """Load the run of a bundle.

    Raises:
        DataError: If the file cannot be read, or is no bundle.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo(RECORD)
            if entry.file_size > LARGEST_RECORD:
                raise DataError(f"{path} is no bundle of a run: it claims {format_bytes(entry.file_size)} of record.")
            with archive.open(entry) as file:
                text = file.read(LARGEST_RECORD + 1)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}.") from None
    except KeyError:
        raise DataError(f"{path} is no bundle of a run: it has no {RECORD}.") from None
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise DataError(f"{path} is no bundle of a run, or damaged: {safe_text(str(error))}.") from None
    except zlib.error as error:
        raise DataError(f"{path} is damaged: {safe_text(str(error))}.") from None
    try:
        return parse_json(text.decode("utf-8"), f"The record in {path}")
    except UnicodeDecodeError:
        raise DataError(f"{path} is no bundle of a run: its record is not text.") from None
