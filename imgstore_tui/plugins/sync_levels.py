"""Says at which sync level a backend writes where a plan asks for one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend


def written_level(
    backend: str, level: SyncLevel, *, formerly: bool = False, forcing: Collection[str] = ()
) -> SyncLevel:
    """Return the level of the rows of a backend: ``forced`` for ``buffered`` where its library or server forces.

    Args:
        backend: Name of the backend; one that is not known here is taken to do what is asked.
        level: The level of the plan.
        formerly: Whether the row is of a run of before, which does not say its access.
        forcing: Backends whose server forces what it acknowledges, see ``forcing_servers``.
    """
    if level is not SyncLevel.BUFFERED:
        return level
    if backend in forcing:
        return SyncLevel.FORCED
    try:
        kind = registry.backends.get(backend)
        forces = kind.capabilities.forces_itself or (formerly and kind.forced_formerly)
    except (ImgstoreError, KeyError):
        return level
    return SyncLevel.FORCED if forces else level


def forcing_servers(servers: Iterable[ServerFacts]) -> frozenset[str]:
    """Return the backends whose server forces what it acknowledges, whatever a client asks, as its settings say.

    Args:
        servers: The servers of a run, as they were when it started.
    """
    kinds = registry.backends.all()
    return frozenset(
        facts.backend
        for facts in servers
        if (kind := kinds.get(facts.backend)) is not None
        and issubclass(kind, ServerBackend)
        and kind.forces_by_settings(facts.settings)
    )
