"""Leaves host, user, paths, addresses and file names out of a run, for results that are to be shown to others.

Names of classes stay, and so do the names of plans and specs: they are what was measured. Figures are not touched.
"""

from __future__ import annotations

import contextlib
import getpass
import platform
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePath

from imgstore_tui.core.client_round import ClientRound
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.model import DatasetFacts, Environment, Measurement, Run, ServerFacts
from imgstore_tui.core.spec import DatasetText, parse_dataset_text, spell_dataset

_HOME = re.compile(r"/(?:home|Users)/([^/\s,:\"']+)")
_BEHIND = r"(?:/[^\s'\"`,;:()<>|]*)*"
"""The rest of a path whose beginning is known."""
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"`,;()<>|]+")
_PATH = re.compile(r"(?<![\w/])(?:~|\.{1,2})?/[^\s'\"`,;:()<>|]+")
_FILE = re.compile(
    r"(?:[^\s'\"`,;:()<>|/]+/)*[^\s'\"`,;:()<>|/]+\."
    r"(?:jpe?g|png|webp|bmp|tiff?|gif|p[bgpn]m|heic|avif|jxl|np[yz]|h5|hdf5|mdb|db|sqlite3?|duckdb|csv|tsv|json|toml|"
    r"tar|t?gz|zip|bin|parquet|arrow|safetensors|tfrecord|lance|zarr|bag)\b",
    re.IGNORECASE,
)
_COMMON_USERS = ("", "root", "user", "admin", "nobody")
"""Names that identify nobody, and are words of sentences, too."""


def anonymous_run(run: Run) -> Run:
    """Return a run without host, user, paths, addresses and file names; equal ones become equal words.

    Args:
        run: Any run. That of another machine is told from its own facts.
    """
    words = _Words(run)
    return replace(
        run,
        plan=replace(
            run.plan,
            datasets=tuple(map(words.dataset, run.plan.datasets)),
            scratch=words.place("scratch", run.plan.scratch) if run.plan.scratch else run.plan.scratch,
            cluster=words.place("cluster", run.plan.cluster) if run.plan.cluster else run.plan.cluster,
        ),
        environment=words.environment(run.environment),
        datasets=tuple(map(words.facts, run.datasets)),
        measurements=tuple(map(words.measurement, run.measurements)),
        warnings=words.sentences(run.warnings),
        probes=tuple(
            replace(probe, dataset=words.dataset(probe.dataset), reason=probe.reason and words.sentence(probe.reason))
            for probe in run.probes
        ),
        ceilings=tuple(
            replace(entry, dataset=words.dataset(entry.dataset), reason=entry.reason and words.sentence(entry.reason))
            for entry in run.ceilings
        ),
        client_rounds=tuple(map(words.client_round, run.client_rounds)),
        title=words.sentence(run.title),
    )


class _Words:
    """Replaces names, paths and addresses of one run by words; equal ones become equal words."""

    def __init__(self, run: Run) -> None:
        self._places: dict[str, str] = {}
        """Words by path or address."""
        self._counts: dict[str, int] = {}
        self._datasets: dict[str, str] = {}
        self._sentences: dict[str, str] = {}
        texts = [*run.plan.datasets, *(facts.text for facts in run.datasets)]
        scratch = [run.environment.scratch, run.plan.scratch or ""]
        self._names = _names([*texts, *scratch], run.environment.host)
        for text in dict.fromkeys([*texts, *(trial.dataset for trial in run.measurements)]):
            self.dataset(text)
        for place in dict.fromkeys([*scratch, *(trial.scratch for trial in run.measurements)]):
            self.place("scratch", place)
        for server in run.environment.servers:
            self.place("server", server.address)
        words = {**self._datasets, **self._places}
        longest = sorted((text for text in words if text and words[text] != text), key=len, reverse=True)
        self._word_by_text = words
        self._known_pattern = re.compile("|".join(re.escape(text) + _BEHIND for text in longest)) if longest else None
        self._longest = longest

    def place(self, kind: str, text: str) -> str:
        """Return the word for a path or an address, e.g. ``scratch-1``."""
        if text and text not in self._places:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._places[text] = f"{kind}-{self._counts[kind]}"
        return self._places.get(text, text)

    def dataset(self, text: str) -> str:
        """Return a dataset's text with a word in place of its path, and of options that are paths."""
        if text not in self._datasets:
            try:
                parsed = parse_dataset_text(text)
                options = {name: self._option(value) for name, value in parsed.options.items()}
                path = parsed.path if parsed.path is None else self.place("data", parsed.path)
                self._datasets[text] = spell_dataset(DatasetText(parsed.name, path, options))
            except UsageError:
                self._datasets[text] = self.place("data", text)
        return self._datasets[text]

    def _option(self, value: str) -> str:
        return self.place("path", value) if "/" in value or _FILE.fullmatch(value) else value

    def sentences(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return several sentences as ``sentence`` does."""
        return tuple(map(self.sentence, texts))

    def sentence(self, text: str) -> str:
        """Return a sentence with words in place of all that names a place, a file, the user or the machine."""
        if text not in self._sentences:
            anonymous = text if self._known_pattern is None else self._known_pattern.sub(self._word_of, text)
            for pattern, word in ((_ADDRESS, "ADDRESS"), (_PATH, "PATH"), (_FILE, "FILE")):
                anonymous = pattern.sub(word, anonymous)
            self._sentences[text] = anonymous if self._names is None else self._names.sub("NAME", anonymous)
        return self._sentences[text]

    def _word_of(self, match: re.Match[str]) -> str:
        return next(self._word_by_text[text] for text in self._longest if match.group().startswith(text))

    def client_round(self, client_round: ClientRound) -> ClientRound:
        """Return a round of clients without names of machines and places."""
        return replace(
            client_round,
            dataset=self.dataset(client_round.dataset),
            cluster=client_round.cluster and self.place("cluster", client_round.cluster),
            reason=client_round.reason and self.sentence(client_round.reason),
            warnings=self.sentences(client_round.warnings),
            results=tuple(
                replace(
                    result,
                    machine=self.place("machine", result.machine),
                    reason=result.reason and self.sentence(result.reason),
                )
                for result in client_round.results
            ),
        )

    def environment(self, environment: Environment) -> Environment:
        """Return the machine without its name, places and devices."""
        return replace(
            environment,
            scratch=self.place("scratch", environment.scratch),
            scratch_device="device",
            # An option with a value may name a user or a host, as those of network file systems do.
            scratch_mount_options=",".join(
                option for option in environment.scratch_mount_options.split(",") if "=" not in option
            ),
            host="",
            notes=self.sentences(environment.notes),
            servers=tuple(map(self._server, environment.servers)),
        )

    def _server(self, server: ServerFacts) -> ServerFacts:
        settings = {name: self.sentence(value) for name, value in server.settings.items()}
        return replace(server, address=self.place("server", server.address), settings=settings)

    def facts(self, facts: DatasetFacts) -> DatasetFacts:
        """Return the facts of a dataset without names of files."""
        return replace(
            facts,
            text=self.dataset(facts.text),
            summary=self.sentence(self._without_folder(facts)),
            excluded=tuple(
                (f"file-{number}", self.sentence(reason.replace(name, "FILE")))
                for number, (name, reason) in enumerate(facts.excluded, 1)
            ),
        )

    def _without_folder(self, facts: DatasetFacts) -> str:
        """Return the summary of a dataset with the word for its path in place of the name of its folder."""
        with contextlib.suppress(UsageError):
            path = parse_dataset_text(facts.text).path
            name = PurePath(path or "").name
            if path and name:
                return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", self.place("data", path), facts.summary, count=1)
        return facts.summary

    def measurement(self, trial: Measurement) -> Measurement:
        """Return a trial without names of places, in its sentences, too."""
        return replace(
            trial,
            dataset=self.dataset(trial.dataset),
            scratch=self.place("scratch", trial.scratch),
            reason=trial.reason and self.sentence(trial.reason),
            warnings=self.sentences(trial.warnings),
            cache_proof=trial.cache_proof and self.sentence(trial.cache_proof),
            server=trial.server and self.sentence(trial.server),
        )


def _names(places: Iterable[str], host: str) -> re.Pattern[str] | None:
    """Return what matches the names of user and host as words: of those who measured, and of those who export."""
    names = {host, platform.node(), *(name for place in places for name in _HOME.findall(place))}
    with contextlib.suppress(KeyError, OSError):  # a user that the system has no name for
        names.add(getpass.getuser())
    names |= {name.partition(".")[0] for name in names}
    identifying = sorted((name for name in names if name not in _COMMON_USERS), key=len, reverse=True)
    return (
        re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, identifying))})(?!\w)", re.IGNORECASE) if identifying else None
    )
