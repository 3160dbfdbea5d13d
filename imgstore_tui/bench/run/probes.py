"""Runs the backends' own probes at the end of a run, each in a child like a trial."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.bench.run.services import RunServices
from imgstore_tui.core.backend import Backend
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.model import Probe
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.safe_remove import remove_tree

LIMIT_S = 120.0


def run_probes(specs: Sequence[Spec], dataset: str, services: RunServices) -> tuple[Probe, ...]:
    """Run the probe of each spec whose backend has one, until the run is stopped.

    Args:
        specs: The storage methods.
        dataset: The dataset whose images are used.
        services: The services of the run.
    """
    probes = []
    location = services.folder.claim("probe")
    for spec in specs:
        kind = registry.backends.get(spec.backend)
        if kind.probe is Backend.probe or not issubclass(kind, LocalBackend) or services.stopped:
            continue
        request = TrialRequest(
            Step.PROBE,
            spec,
            cutoff=services.facts[dataset].used,
            location=str(location),
            pixel_cache=str(services.pixel_cache(dataset)),
            workspace=str(services.folder.workspace),
        )
        outcome = services.executor.run(request, LIMIT_S, lambda _: None, services.cancel)
        # What cannot be removed now is removed, or named, with the run's folder.
        with contextlib.suppress(OSError, StoreError):
            remove_tree(location)
        if not outcome.cancelled:
            images, values = outcome.result.probe_images or 0, outcome.result.probe_values or {}
            probes.append(Probe(spec.label, spec.backend, dataset, images, values, outcome.reason))
    return tuple(probes)
