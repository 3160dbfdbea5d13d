"""Tells what two runs differ in besides their times: data, machine, software, options."""

from __future__ import annotations

from imgstore_tui.core.model import Run, ServerFacts
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.text import safe_text

_MACHINE = ("host", "cpu", "cores", "memory_bytes", "scratch_filesystem", "scratch_device")
_SOFTWARE = ("imgstore_tui", "python", "kernel", "platform")
_Options = tuple[tuple[str, OptionValue], ...]
_PLAN = ("batch", "seed", "drop_caches")


def obstacles_between(base: Run, run: Run) -> list[str]:
    """Return the differences that make the figures of two runs incomparable, a sentence each."""
    obstacles = [
        f"Another machine or place: {name.replace('_', ' ')} was {before}, is {after}."
        for name in _MACHINE
        for before, after in [(getattr(base.environment, name), getattr(run.environment, name))]
        if before != after
    ]
    servers = {facts.backend: facts for facts in base.environment.servers}
    for server in run.environment.servers:
        old = servers.get(server.backend)
        if old is not None and not old.is_same(server):
            obstacles.append(f"Another server, or other settings: {_server(old)}, is {_server(server)}.")
    base_facts = {facts.text: facts for facts in base.datasets}
    for facts in run.datasets:
        before = base_facts.get(facts.text)
        if before is not None and before.used != facts.used:
            obstacles.append(
                f"Other numbers of images: {facts.text} gave {before.used:,} and {facts.used:,}; whether those that "
                "both used are the same cannot be told."
            )
        elif before is not None and before.fingerprint != facts.fingerprint:
            obstacles.append(f"Other data: {facts.text} was {before.summary}, is {facts.summary}; its images differ.")
    return [safe_text(text) for text in obstacles]


def _server(facts: ServerFacts) -> str:
    settings = ", ".join(f"{name}={value}" for name, value in facts.settings.items())
    return f"{facts.label} at {facts.address}{f' ({settings})' if settings else ''}"


def changes_between(base: Run, run: Run) -> list[str]:
    """Return other differences of two runs, such as versions: often the subject of the comparison."""
    changes = [
        f"{name.replace('_', ' ')} {before}, now {after}"
        for owner, names in (("environment", _SOFTWARE), ("plan", _PLAN))
        for name in names
        for before, after in [(getattr(getattr(base, owner), name), getattr(getattr(run, owner), name))]
        if before != after
    ]
    old, new = base.environment.libraries, run.environment.libraries
    changes += [
        f"{name} {old.get(name, 'absent')}, now {new.get(name, 'absent')}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    options = {spec.label: (spec.preset, spec.options, spec.codec_options) for spec in base.plan.specs}
    changes += [
        f"options of {spec.label} {_spelled(options[spec.label])}, now "
        f"{_spelled((spec.preset, spec.options, spec.codec_options))}"
        for spec in run.plan.specs
        if spec.label in options and options[spec.label] != (spec.preset, spec.options, spec.codec_options)
    ]
    return [safe_text(text) for text in changes]


def _spelled(parts: tuple[str, _Options, _Options]) -> str:
    preset, options, codec_options = parts
    every = [*options, *codec_options]
    return " ".join([f"preset {preset}", *(f"{name}={value}" for name, value in every)])
