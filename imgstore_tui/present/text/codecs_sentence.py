"""Says which methods keep encoded files and which bare pixels, where both kinds are compared end to end."""

from __future__ import annotations

from collections.abc import Collection

from imgstore_tui.analysis.verdict import listed
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Payload
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.plugins import registry


def codecs_sentence(plan: Plan, names: Collection[str]) -> str:
    """Return who decodes on the clock and who reads bare pixels; empty where all do the same.

    Args:
        plan: The plan of the run.
        names: The methods that are compared, by their labels.
    """
    if plan.payload is not Payload.END_TO_END:
        return ""
    compared = [spec for spec in (IN_PLACE, *plan.specs) if spec.label in names]
    bare = [spec.label for spec in compared if registry.codecs.get(spec.codec).is_raw]
    encoded: dict[str, list[str]] = {}
    for spec in compared:
        if spec.label not in bare:
            codec = registry.codecs.get(spec.codec)
            encoded.setdefault("files as they are" if codec.from_file else codec.title, []).append(spec.label)
    if not bare or not encoded:
        return ""
    decoded = ", ".join(f"{listed(labels)} ({title})" for title, labels in encoded.items())
    return f"Decoded on the clock: {decoded}. Bare pixels, with nothing to decode: {listed(bare)}."
