"""Writes stores that are one file and are put together in order."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from imgstore_tui.core.backend import Content
from imgstore_tui.storekit.atomic_write import publish
from imgstore_tui.storekit.one_file import partial_path
from imgstore_tui.storekit.sequential_writer import SequentialWriter
from imgstore_tui.storekit.store_errors import write_error


class FileWriter(SequentialWriter):
    """Writes a file under its temporary name, and gives it its name once it is complete."""

    def __init__(self, backend: str, location: Path, content: Content) -> None:
        super().__init__(backend, location, content)
        self._path = partial_path(location)

    @abstractmethod
    def _finish_file(self) -> None:
        """Write the end of the file, with the manifest, and close it."""

    def _complete(self) -> None:
        """Finish the file and give it its name, without which it is no store."""
        self._finish_file()
        try:
            publish(self._path, self._location, durable=False)
        except OSError as error:
            raise write_error(self._location, error) from None
