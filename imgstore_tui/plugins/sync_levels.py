"""Says at which sync level a backend writes where a plan asks for one."""

from __future__ import annotations

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry


def written_level(backend: str, asked: SyncLevel, *, formerly: bool = False) -> SyncLevel:
    """Return the level of the rows of a backend: ``forced`` for ``buffered`` where its library forces by itself.

    Args:
        backend: Name of the backend; one that is not known here is taken to do what is asked.
        asked: The level of the plan.
        formerly: Whether the row is of a run of before, which does not say its access.
    """
    if asked is not SyncLevel.BUFFERED:
        return asked
    try:
        kind = registry.backends.get(backend)
        forces = kind.capabilities.forces_itself or (formerly and kind.forced_formerly)
    except (ImgstoreError, KeyError):
        return asked
    return SyncLevel.FORCED if forces else asked
