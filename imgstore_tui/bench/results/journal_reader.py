"""Reads a journal: all of it at once, or what was added since the last read, as the events that wrote it."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from imgstore_tui.bench.plan.stop_rule import with_stops
from imgstore_tui.core.ceiling import Ceiling
from imgstore_tui.core.client_round import ClientRound
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.events import CellSkipped, Continued, Event, Paused, TrialFinished, Warned
from imgstore_tui.core.json_values import from_json
from imgstore_tui.core.model import SCHEMA_VERSION, Cell, Measurement, Probe, Run
from imgstore_tui.plugins.saved_specs import SavedSpecs


class JournalReader:
    """Reads a journal piece by piece: whole lines only, each once.

    A journal is also read while its run writes it: reading all of it each time would slow what is measured.
    """

    def __init__(self, path: Path, *, brief: bool = False) -> None:
        """Start at the beginning.

        Args:
            path: The journal.
            brief: Count measurements instead of parsing them: a hundred times cheaper, for a list of runs.
        """
        self.path = path
        self.counts: Counter[str] = Counter()
        """Measurements by status."""
        self._brief = brief
        self._saved_specs = SavedSpecs()
        self._head: Run | None = None
        self._measurements: list[Measurement] = []
        self._warnings: list[tuple[str, bool]] = []
        """Each with whether it is passing: holds only until the run is resumed or has finished."""
        self._probes: list[Probe] = []
        self._ceilings: list[Ceiling] = []
        self._client_rounds: list[ClientRound] = []
        self._offset = 0
        self._lines = 0

    @property
    def run(self) -> Run:
        """The run as far as it has been read; without an end it is ``interrupted``.

        Raises:
            DataError: If the first line is missing.
        """
        run = self._head
        if run is None:
            raise DataError(f"Run file {self.path} is empty or was cut short before its first line ended.")
        run = replace(
            run,
            measurements=tuple(self._measurements),
            warnings=tuple(text for text, _ in self._warnings),
            probes=tuple(self._probes),
            ceilings=tuple(self._ceilings),
            client_rounds=tuple(self._client_rounds),
            status="interrupted" if run.finished_at is None else run.status,
        )
        return run if run.finished_at is None else with_stops(run)

    def read(self) -> list[Event]:
        """Read the lines that were added since the last call; an incomplete line is left for the next call.

        Returns:
            The events that the run emitted, oldest first, without start and end.

        Raises:
            DataError: If the file cannot be read, is not a journal, is of a newer version, or is damaged.
        """
        return [event for event in self._new_events() if event is not None]

    def read_on(self) -> None:
        """Read as ``read`` does, for who needs the run alone: a journal may hold a million lines."""
        # All that is read stays: to look through it for rubbish again and again would take a quarter of the time.
        collects = gc.isenabled()
        gc.disable()
        try:
            for _ in self._new_events():
                pass
        finally:
            if collects:
                gc.enable()

    def _new_events(self) -> Iterator[Event | None]:
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # it is being written, or was when the run died
                    self._lines += 1
                    event = self._parse(line)
                    self._offset += len(line)
                    yield event
        except OSError as error:
            raise DataError(f"Run file {self.path}: {error.strerror}.") from None

    def _parse(self, line: bytes) -> Event | None:
        try:
            values = _DECODER.decode(line.decode())
            event = self._apply(values.pop("kind"), values)
        except DataError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            problem = "is not a run of this program" if self._head is None else f"is damaged in line {self._lines}"
            raise DataError(f"Run file {self.path} {problem}.") from None
        if self._head is None:
            raise DataError(f"Run file {self.path} is not a run of this program.")
        return event

    def _apply(self, kind: str, values: dict[str, Any]) -> Event | None:
        if kind == "run":
            version = values.pop("schema_version")
            if version > SCHEMA_VERSION:
                raise DataError(f"Run file {self.path} is of version {version}; this program reads {SCHEMA_VERSION}.")
            self._head = self._saved_specs.head(from_json(Run, values))
        elif kind == "measurement":
            self.counts[values["status"]] += 1
            if self._brief:
                return None
            self._measurements.append(self._saved_specs.measurement(Measurement.from_json(values)))
            return TrialFinished(self._measurements[-1])
        elif kind == "warning":
            self._warnings.append((values["text"], bool(values.get("passing"))))
            return Warned(values["text"], values.get("at"))
        elif kind == "probe":
            probe: Probe = from_json(Probe, values)
            self._probes.append(replace(probe, spec=self._saved_specs.label(probe.spec)))
        elif kind == "ceiling":
            self._ceilings.append(from_json(Ceiling, values["trial"]))
        elif kind == "client-round":
            client_round: ClientRound = from_json(ClientRound, values)
            self._client_rounds.append(replace(client_round, spec=self._saved_specs.label(client_round.spec)))
        elif kind == "skip":
            return CellSkipped(self._saved_specs.cell(from_json(Cell, values["cell"])))
        elif self._head is not None:
            return self._update_head(self._head, kind, values)
        return None

    def _update_head(self, run: Run, kind: str, values: dict[str, Any]) -> Event | None:
        """Apply a line that changes the run itself; unknown kinds are ignored, because the format may grow."""
        match kind:
            case "resumed":
                self._head = replace(run, status="running", finished_at=None)
                self._drop_passing_warnings()
            case "end":
                if values["status"] == "finished":
                    self._drop_passing_warnings()
                self._head = replace(run, status=str(values["status"]), finished_at=str(values["finished_at"]))
            case "title":
                self._head = replace(run, title=str(values["title"]))
            case "paused":
                return Paused()
            case "continued":
                seconds = float(values["paused_s"])
                self._head = replace(run, paused_s=run.paused_s + seconds)
                return Continued(seconds)
        return None

    def _drop_passing_warnings(self) -> None:
        self._warnings = [(text, passing) for text, passing in self._warnings if not passing]


def _refuse_constant(text: str) -> float:
    """Refuse ``NaN`` and ``Infinity``, which are not JSON but which Python's parser accepts."""
    raise ValueError(f"{text} is not a number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
