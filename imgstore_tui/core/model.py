"""Defines a run: its plan, its trials and their measurements; frozen, so that it can cross threads."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, Self

from imgstore_tui.core.access import Access
from imgstore_tui.core.ceiling import Ceiling
from imgstore_tui.core.client_round import ClientRound
from imgstore_tui.core.json_values import from_json, to_json
from imgstore_tui.core.operations import CacheState, Operation, Payload, Status, SyncLevel
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.spec import Spec

SCHEMA_VERSION = 1
DEFAULT_BATCH = 256


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. The order of specs is the order in which they are shown."""

    datasets: tuple[str, ...] = ("synthetic",)
    """Datasets as written, ``NAME[:PATH][,OPTION=VALUE]``."""
    specs: tuple[Spec, ...] = ()
    cutoffs: tuple[int, ...] = (1, 10, 100, 1000)
    operations: tuple[Operation, ...] = (
        Operation.WRITE_ONE,
        Operation.WRITE_MANY,
        Operation.READ_ONE,
        Operation.READ_MANY,
        Operation.READ_RANDOM,
    )
    cache: tuple[CacheState, ...] = (CacheState.HOT,)
    sync: tuple[SyncLevel, ...] = (SyncLevel.BUFFERED,)
    payload: Payload = Payload.END_TO_END
    workers: int = 1
    batch: int = DEFAULT_BATCH
    """Most images a call hands over; fewer where images are large, see ``Measurement.batch``."""
    rounds: int = 6
    """Trials of each cell; the most of them where ``looks`` ends them sooner."""
    budget_s: float | None = 60.0
    """No new block starts after this many seconds; None for no limit."""
    seed: int = 0
    scratch: str | None = None
    """Folder for the stores; None for the default place."""
    name: str = "custom"
    drop_caches: bool = False
    """Make cold by dropping the caches of the whole machine, too; needs root."""
    probes: bool = False
    """Whether every storage method is asked at the end for what it finds out about itself, see ``Probe``."""
    baseline: bool = True
    """Whether the user's own files, read in place as they are, take part as the row ``source``."""
    looks: bool = False
    """Whether cells that are compared stop together before the last round, at a look that settles their ranking."""
    ceilings: bool = False
    """Whether a codec alone, a plain file and a copy of memory are measured beside the methods, see ``Ceiling``."""
    clients: tuple[int, ...] = ()
    """Numbers of clients that drive the same store at once, see ``ClientRound``; empty for none but the trials."""
    client_window_s: float = 10.0
    """How long each client goes on, seconds; 0 for one pass."""
    cluster: str | None = None
    """Address of the Dask scheduler whose workers are the clients; None for processes on this machine."""
    version: int = 1
    """Which version of the defaults fills in what a plan file leaves out; a file that does not say has version 1."""


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """A dataset as it was when the run started."""

    text: str
    """As written in the plan."""
    summary: str
    """What was found, in one line."""
    images: int
    """Distinct images found."""
    used: int
    """Distinct images that take part: no more than the largest cutoff."""
    repeated: bool
    """Whether the largest cutoff goes beyond the data, so that images were repeated."""
    shape: tuple[int, ...] | None
    dtype: str | None
    pixel_bytes: int
    """Sum of the pixels of the images used, in bytes."""
    original_bytes: int | None
    """Sum of their files, in bytes; None where they have none."""
    fingerprint: str
    """SHA-256 over shape, dtype, pixels and label of every image used, in order."""
    label_names: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    """Name and reason of files that cannot take part (the first 1,000)."""
    excluded_count: int = 0
    has_labels: bool = True
    label_note: str = ""
    """Why there are no labels, or where they are taken from if that is not plain to see; often empty."""

    @property
    def image_bytes(self) -> float:
        """Pixels of one image, in bytes; the mean where sizes vary."""
        return self.pixel_bytes / max(1, self.used)


@dataclass(frozen=True, slots=True)
class Cell:
    """What is compared over rounds: everything that identifies a trial but its round."""

    dataset: str
    spec: str
    operation: Operation
    cutoff: int
    cache: CacheState | None
    sync: SyncLevel | None
    payload: Payload = Payload.END_TO_END
    workers: int = 1
    scratch: str = ""

    @property
    def contest(self) -> Cell:
        """The cell with no spec named: cells with equal contests may be ranked against each other."""
        return Cell(
            self.dataset, "", self.operation, self.cutoff, self.cache, self.sync, self.payload, self.workers,
            self.scratch,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one trial yielded, success or failure. Raw samples are the record; what does not apply is None."""

    spec: str
    backend: str
    codec: str
    preset: str
    options: dict[str, OptionValue]
    """Options of the backend; those of the codec with the prefix ``codec.``."""
    dataset: str
    operation: Operation
    cutoff: int
    round: int
    payload: Payload
    workers: int
    cache: CacheState | None
    sync: SyncLevel | None
    status: Status
    scratch: str
    batch: int
    """Most images a call handed over."""
    reason: str | None = None
    """Why it failed or was skipped, one sentence."""
    warnings: tuple[str, ...] = ()
    stop: str | None = None
    """Which rule ended the rounds of this cell: all ``rounds`` of the plan, a ranking that was ``settled`` at a look,
    or the ``budget``; None where none did: the run goes on, was stopped, or broke off."""
    cache_proof: str | None = None
    """How the cache state is known, in words."""
    seconds: float | None = None
    """The trial's result: its (lower) median sample. The phases below are of that sample and add up to it."""
    samples: tuple[float, ...] = ()
    """Every sample in the order taken, seconds."""
    pixel_bytes: int | None = None
    """Raw pixels that the sample behind ``seconds`` handled, bytes; None where an operation handles none."""
    open_s: float | None = None
    storage_s: float | None = None
    codec_s: float | None = None
    sync_s: float | None = None
    close_s: float | None = None
    cpu_user_s: float | None = None
    """CPU of the trial's process while its clocks ran, all samples together."""
    cpu_system_s: float | None = None
    foreign_cpu: float | None = None
    """Cores kept busy by others meanwhile; None where the clock ran too short to tell."""
    peak_private_bytes: int | None = None
    """Highest private memory (RssAnon) seen, above its value at the start."""
    io_read_bytes: int | None = None
    """Bytes the kernel fetched from storage for the trial while its clocks ran."""
    io_dirtied_bytes: int | None = None
    """Bytes of page cache the trial made dirty while its clocks ran."""
    resident_before: float | None = None
    """Share of the store's pages in the page cache when the clock started, 0 to 1."""
    resident_after: float | None = None
    apparent_bytes: int | None = None
    allocated_bytes: int | None = None
    files: int | None = None
    verified: bool | None = None
    """Whether every image and label of the store was read back and found right."""
    psnr_db: float | None = None
    """Peak signal-to-noise ratio of a lossy codec, decibels, the mean over images; None if lossless."""
    sync_count: int | None = None
    server: str | None = None
    round_trip_s: float | None = None
    requests: int | None = None
    retries: int | None = None
    start: str | None = None
    """How the process began: ``fork`` from the fork server, or ``fresh`` interpreter."""
    started_at: str | None = None
    """UTC, ISO 8601."""
    elapsed_s: float | None = None
    """From the first clock's start to the last clock's stop, gaps included."""
    drain_s: float | None = None
    """Off the clock: forcing what was written to the device."""
    dirty_before: int | None = None
    """Dirty and writeback bytes of the whole system when the clock started."""
    access: Access | None = None
    """Who read or wrote the bytes of the store; None where the backend is not installed here."""
    disk_parts: dict[str, int] | None = None
    """Bytes of the store by what they are for; None where nobody tells."""
    server_log_bytes: int | None = None
    """Size of the log that a server writes for all its stores; None where it does not say."""

    @property
    def cell(self) -> Cell:
        """What this trial is a repetition of."""
        return Cell(
            self.dataset, self.spec, self.operation, self.cutoff, self.cache, self.sync, self.payload,
            self.workers, self.scratch,
        )  # fmt: skip

    @property
    def images(self) -> int:
        """How many images one sample handled."""
        return self.operation.images(self.cutoff)

    def to_json(self) -> dict[str, Any]:
        """Return the measurement as JSON values, all fields present."""
        values: dict[str, Any] = to_json(self)
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Build a measurement from ``to_json``'s result; unknown fields are ignored (the format only grows).

        Raises:
            TypeError, ValueError: If a field is missing or of the wrong kind.
        """
        measurement: Self = from_json(cls, values)
        return measurement


@dataclass(frozen=True, slots=True)
class Probe:
    """What a backend measured about itself that no operation shows, see ``Backend.probe``."""

    spec: str
    backend: str
    dataset: str
    images: int
    """How many images it was tried with."""
    values: dict[str, tuple[float, ...]]
    """Numbers by name, one per repetition; the name ends in the unit: ``_s``, ``_bytes``, ``_count``."""
    reason: str | None = None
    """Why there are none, one sentence."""


FAR_S = 0.01
"""Seconds of a round trip to a server that none takes on one machine, unless that is very busy."""
FAR_SPREAD = 2.0
"""Spread of round trips from which on it is load that makes them long, not distance."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A server, as it was when the run started: figures of two that differ do not belong together."""

    backend: str
    product: str
    version: str
    address: str
    """Where it is, without a secret."""
    same_host: bool | None = None
    """Whether it runs on the machine that measures; None where nobody can tell."""
    settings: dict[str, str] = field(default_factory=dict)
    """What decides how durable and how fast it is, by the names that it has there."""
    free_bytes: int | None = None
    """Room for stores; None where the server does not say."""
    emulator: bool = False
    """Whether it only imitates a service, for tests: what it measures says nothing of that, and is not ranked."""
    round_trip_s: float | None = None
    """Seconds that its smallest request took there and back; None where it was not asked."""
    round_trip_spread: float | None = None
    """How many times as long the slowest of several looks at that took; None where the first was short."""

    ends_with_command: bool = False
    """Whether it was started for the command that ran this, and is gone after it: nothing can go on with it."""

    @property
    def is_far(self) -> bool:
        """Whether its requests are on their way for longer than on one machine, or it is on another."""
        # A line takes as long each time. What is long by turns is a server that is busy or has just started.
        is_steady = (self.round_trip_spread or 1.0) < FAR_SPREAD
        return self.same_host is False or ((self.round_trip_s or 0.0) >= FAR_S and is_steady)

    def is_same(self, other: ServerFacts) -> bool:
        """Whether another time the same server was met with the same settings; room and distance may differ."""
        passing: dict[str, Any] = {
            "free_bytes": None, "round_trip_s": None, "round_trip_spread": None, "ends_with_command": False,
        }  # fmt: skip
        lasting, others = (replace(facts, **passing) for facts in (self, other))
        return lasting == others

    @property
    def label(self) -> str:
        """Product and version, whether it is an emulator, and whether it is on another machine."""
        more = f"{', an emulator' if self.emulator else ''}{', another host' if self.same_host is False else ''}"
        version = "of unknown version" if self.version == "unknown" else self.version
        return f"{self.product} {version}{more}"


@dataclass(frozen=True, slots=True)
class Environment:
    """The machine, as far as it bears on the numbers. None or empty where the system does not say."""

    imgstore_tui: str
    python: str
    platform: str
    kernel: str
    cpu: str
    cores: int
    memory_bytes: int | None
    libraries: dict[str, str]
    """Version of each library that takes part."""
    scratch: str
    scratch_filesystem: str
    """Kind of file system, e.g. ``ext4``."""
    scratch_device: str
    scratch_free_bytes: int | None
    same_device_as_data: bool | None
    host: str = ""
    load: float | None = None
    """One-minute load average when the run started."""
    notes: tuple[str, ...] = ()
    servers: tuple[ServerFacts, ...] = ()
    """The servers that take part."""
    scratch_mount_options: str = ""
    """How the file system of the scratch folder is mounted, e.g. ``rw,relatime``; empty where nobody tells."""


@dataclass(frozen=True, slots=True)
class Run:
    """A plan, where it ran, what on, and all that was measured."""

    id: str
    plan: Plan
    environment: Environment
    datasets: tuple[DatasetFacts, ...]
    started_at: str
    measurements: tuple[Measurement, ...] = ()
    status: str = "running"
    """``running``, ``finished``, ``budget``, ``stopped``, or ``interrupted`` (its journal has no end)."""
    finished_at: str | None = None
    warnings: tuple[str, ...] = field(default=())
    probes: tuple[Probe, ...] = ()
    ceilings: tuple[Ceiling, ...] = ()
    client_rounds: tuple[ClientRound, ...] = ()
    title: str = ""
    """What the user calls it; empty where it has no name but its id."""
    paused_s: float = 0.0
    """How long nothing was measured because the user wished so, seconds."""

    @property
    def servers_end(self) -> bool:
        """Whether a server of the run is gone after it, so that nobody can go on with the run."""
        return any(server.ends_with_command for server in self.environment.servers)


NOT_RESUMABLE = (
    "Nobody can go on with this run: its server was started for this command alone. To measure in parts, start it "
    "with: imgstore-tui servers up"
)

_FIELDS = tuple(entry.name for entry in fields(Measurement))
_ALL_FIELDS = attrgetter(*_FIELDS)
_STOP = _FIELDS.index("stop")


def with_stop(trial: Measurement, stop: str | None) -> Measurement:
    """Return a trial with another stop: ``replace``, which takes five times as long, for journals of a million."""
    if trial.stop == stop:
        return trial
    values = list(_ALL_FIELDS(trial))
    values[_STOP] = stop
    return Measurement(*values)
