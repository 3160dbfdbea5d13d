"""What backends find out about themselves, beside the trials: asked at the end of a run, in a child like a trial."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from imgstore_tui.bench.protocol.messages import Executor, Step, TrialRequest
from imgstore_tui.core.backend import Backend
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.model import DatasetFacts, Probe, from_json
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.safe_remove import remove_tree

if TYPE_CHECKING:
    from imgstore_tui.bench.run.scratch import RunFolder

LIMIT_S = 120.0


def run_probes(
    specs: Sequence[Spec], facts: DatasetFacts, source: Path, folder: RunFolder, executor: Executor, cancel: Event
) -> tuple[Probe, ...]:
    """Ask the backend of every spec that has something to find out.

    Args:
        specs: The plan's storage methods.
        facts: The dataset to try with.
        source: Its pixel cache.
        folder: The run's own folder.
        executor: Runs the requests.
        cancel: When set, the rest is left out.
    """
    probes = []
    location = folder.claim("probe")
    for spec in specs:
        if registry.backends.get(spec.backend).probe is Backend.probe or cancel.is_set():
            continue
        work = str(folder.workspace)
        request = TrialRequest(
            Step.PROBE, spec, cutoff=facts.used, location=str(location), pixel_cache=str(source), workspace=work
        )
        outcome = executor.run(request, LIMIT_S, lambda _: None, cancel)
        # What cannot be removed now goes, or is named, with the run's folder.
        with contextlib.suppress(OSError, StoreError):
            remove_tree(location)
        if not outcome.cancelled:
            names = {"spec": spec.label, "backend": spec.backend, "dataset": facts.text, "reason": outcome.reason}
            probe: Probe = from_json(Probe, {"images": 0, "values": {}, **outcome.fields, **names})
            probes.append(probe)
    return tuple(probes)
