"""Starts a server that ends with this process, however that ends."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.jobs.servers import supervisor
from imgstore_tui.jobs.servers.catalogue import all_recipes
from imgstore_tui.jobs.servers.leftovers import RUN_PREFIX
from imgstore_tui.jobs.servers.recipe import ServerRecipe
from imgstore_tui.jobs.servers.state import NodeState


@functools.cache
def startable(backend: str) -> ServerRecipe | None:
    """Return the server of a backend that is installed here, the better one of two; None if there is none."""
    found = [one for one in all_recipes().values() if one.backend == backend and one.programs() is not None]
    return min(found, key=lambda one: one.for_tests, default=None)


class SessionServer:
    """A server with the vendor's durable settings; its guardian notices the end of this process, a kill too."""

    def __init__(self, recipe: ServerRecipe) -> None:
        """Begin to start it; this returns at once."""
        self._folder = Path(tempfile.mkdtemp(prefix=RUN_PREFIX))
        self._started = supervisor.start(recipe.name, self._folder)

    def wait(self) -> NodeState:
        """Wait until it answers; from another thread ``end`` makes this raise.

        Raises:
            UnavailableError: If it does not start.
        """
        try:
            return self._started.wait()
        except UnavailableError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def end(self) -> None:
        """Have it ended and its data removed; this does not wait for that."""
        self._started.process.terminate()
