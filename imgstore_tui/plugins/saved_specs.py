"""Reads the specs of saved runs by their resolved options: a label is what these options are called today.

Defaults change, and with them what a short label means. Options of a saved run say what was measured.
"""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.core.access import Access
from imgstore_tui.core.codec import payload_kind
from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Cell, DatasetFacts, Measurement, Plan, Run
from imgstore_tui.core.operations import Operation, Payload, SyncLevel
from imgstore_tui.core.options import OptionValue, resolve_options
from imgstore_tui.core.spec import CODEC_PREFIX, IN_PLACE, Spec
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.spec_labels import codec_options_of, spec_label
from imgstore_tui.plugins.sync_levels import forcing_servers, written_level


def access_of(spec: Spec, operation: Operation, payload: Payload, *, uniform: bool) -> Access | None:
    """Return who reads or writes the bytes in a trial; None where the backend or the codec is not known here.

    Args:
        spec: The storage method.
        operation: The operation of the trial.
        payload: What backends are given.
        uniform: Whether all images have one shape and dtype.
    """
    if spec == IN_PLACE:
        return Access.SYSTEM
    try:
        backend = registry.make_backend(spec)
        codec = registry.codecs.get(RAW_CODEC if payload is Payload.RAW else spec.codec)
    except (ImgstoreError, KeyError):
        return None
    return backend.access(operation, payload_kind(backend, codec, uniform=uniform))


def relabelled(spec: Spec) -> Spec:
    """Return a saved spec with the label that its options have today, and with options that are newer than it.

    A spec whose backend, codec or options are not known here stays as it is.
    """
    try:
        backend, codec = registry.backends.get(spec.backend), registry.codecs.get(spec.codec)
        preset = registry.preset_of(backend, spec.preset)
        saved = dict(spec.options)
        newer = {
            option.name: option.former
            for option in backend.options
            if option.former is not None and option.name not in saved
        }
        options = resolve_options(backend.options, {**preset.options, **saved, **newer}, backend.name)
        base = codec_options_of(backend, preset, codec)
        codec_options = resolve_options(codec.options, {**base, **dict(spec.codec_options)}, codec.name)
    except ImgstoreError:
        return spec
    label = spec_label(backend, codec, preset, options, codec_options)
    return replace(spec, options=(*spec.options, *newer.items()), label=label)


class SavedSpecs:
    """Relabels what a run holds; each spec is looked up once."""

    def __init__(self) -> None:
        self._specs: dict[object, Spec] = {}
        self._access: dict[object, Access | None] = {}
        self._levels: dict[tuple[str, SyncLevel, bool], SyncLevel] = {}
        self._uniform: dict[str, bool] = {}
        self._forcing: frozenset[str] = frozenset()
        self._plan_labels: dict[str, str] = {}

    def head(self, run: Run) -> Run:
        """Return a run with the specs of its plan relabelled."""
        self._forcing = forcing_servers(run.environment.servers)
        self._uniform = {facts.text: _is_uniform(facts) for facts in run.datasets}
        plan = self._plan(run.plan)
        self._plan_labels = {old.label: new.label for old, new in zip(run.plan.specs, plan.specs, strict=True)}
        return replace(run, plan=plan)

    @staticmethod
    def _plan(plan: Plan) -> Plan:
        return replace(plan, specs=tuple(map(relabelled, plan.specs)))

    def run(self, run: Run) -> Run:
        """Return a whole run with all that it holds relabelled."""
        head = self.head(run)
        return replace(
            head,
            measurements=tuple(map(self.measurement, run.measurements)),
            probes=tuple(replace(probe, spec=self.label(probe.spec)) for probe in run.probes),
        )

    def measurement(self, trial: Measurement) -> Measurement:
        """Return a trial with its label and sync level of today, and with its access if it was saved without."""
        if trial.spec == IN_PLACE.label:
            return trial if trial.access is not None else replace(trial, access=Access.SYSTEM)
        key = (trial.spec, trial.backend, trial.codec, trial.preset, tuple(trial.options.items()))
        spec = self._specs.get(key)
        if spec is None:
            spec = self._specs[key] = relabelled(_spec_of(trial))
        options = dict(spec.options)
        access = trial.access
        if access is None:
            of = (key, trial.operation, trial.payload, trial.dataset)
            if of not in self._access:
                uniform = self._uniform.get(trial.dataset, True)
                self._access[of] = access_of(spec, trial.operation, trial.payload, uniform=uniform)
            access = self._access[of]
        sync = trial.sync
        if sync is not None:
            formerly = trial.access is None
            if (trial.backend, sync, formerly) not in self._levels:
                level = written_level(trial.backend, sync, formerly=formerly, forcing=self._forcing)
                self._levels[trial.backend, sync, formerly] = level
            sync = self._levels[trial.backend, sync, formerly]
        same = spec.label == trial.spec and access is trial.access and sync is trial.sync
        if same and options.keys() <= trial.options.keys():
            return trial
        return replace(trial, spec=spec.label, options={**options, **trial.options}, access=access, sync=sync)

    def cell(self, cell: Cell) -> Cell:
        """Return a cell of the plan with its label of today."""
        return replace(cell, spec=self.label(cell.spec))

    def label(self, label: str) -> str:
        """Return the label of today of a spec of the plan."""
        return self._plan_labels.get(label, label)


def _is_uniform(facts: DatasetFacts) -> bool:
    return facts.shape is not None


def _spec_of(trial: Measurement) -> Spec:
    options: list[tuple[str, OptionValue]] = []
    codec_options: list[tuple[str, OptionValue]] = []
    for name, value in trial.options.items():
        if name.startswith(CODEC_PREFIX):
            codec_options.append((name.removeprefix(CODEC_PREFIX), value))
        else:
            options.append((name, value))
    return Spec(trial.backend, trial.codec, trial.preset, tuple(options), tuple(codec_options), trial.spec)
