"""What does the advice say? ``python -m tests.benchmarks.situations`` prints that of five made-up situations.

Their costs are of the size that such sets have on a workstation; they are read as their users would read them.
"""

from __future__ import annotations

import math
import random
import textwrap
from dataclasses import replace

from imgstore_tui.analysis.advice.run_advice import Situation, advise_run
from imgstore_tui.analysis.advice.weights import Use
from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.core.access import Access
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.present.text.advice import statements
from tests.support.costed_runs import GIB, Costs, costed_run

WRITE, READ, RANDOM, ONE = Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM, Operation.GET_ONE
HOT_COLD = (CacheState.HOT, CacheState.COLD)
COLD = (CacheState.COLD,)

TINY: Costs = {
    "source": {RANDOM: (1e-3, 1.1e-4), READ: (1e-3, 1e-4)},
    "disk": {WRITE: (6e-4, 2e-4), READ: (4e-4, 9e-5), RANDOM: (4e-4, 1.1e-4)},
    "lmdb": {WRITE: (1.1e-3, 9e-6), READ: (2.5e-4, 3e-6), RANDOM: (2.5e-4, 4e-6)},
    "hdf5": {WRITE: (2.4e-3, 6e-6), READ: (1.1e-3, 1e-6), RANDOM: (1.2e-3, 4e-6)},
    "webdataset+png": {WRITE: (2e-3, 2.2e-4), READ: (5e-4, 1.1e-4), RANDOM: (5e-4, 1.3e-4)},
}
PHOTOS: Costs = {
    "source": {READ: (1e-3, 2.9e-2)},
    "disk+original": {WRITE: (1e-3, 9e-3), READ: (1e-3, 2.9e-2)},
    "webdataset+original": {WRITE: (2e-3, 7e-3), READ: (1e-3, 2.7e-2)},
    "sqlite+original": {WRITE: (3e-3, 1.1e-2), READ: (1e-3, 2.8e-2)},
    "hdf5+original": {WRITE: (4e-3, 8e-3), READ: (2e-3, 2.7e-2)},
    "lmdb+jpeg": {WRITE: (1e-3, 2e-2), READ: (1e-3, 2.5e-2)},
}
SENT: Costs = {
    "disk": {WRITE: (1e-3, 2e-3), READ: (1e-3, 1e-3)},
    "webdataset+png": {WRITE: (2e-3, 2e-3), READ: (1e-3, 1e-3)},
    "parquet+png": {WRITE: (9e-3, 2.1e-3), READ: (4e-3, 1e-3)},
    "hdf5": {WRITE: (4e-3, 2e-4), READ: (2e-3, 1e-4)},
}
SERVED: Costs = {
    "disk": {WRITE: (1e-3, 1.2e-3), ONE: (9e-4, 0.0)},
    "lmdb+png": {WRITE: (1e-3, 1e-3), ONE: (8.5e-4, 0.0)},
    "sqlite+png": {WRITE: (2e-3, 1e-3), ONE: (8.7e-4, 0.0)},
}


def situations() -> dict[str, tuple[Run, Situation]]:
    """Return a run and a use for each situation, by its title."""
    mib = 1024**2
    tiny_disk = {"source": 2500, "disk": 4096, "lmdb": 4000, "hdf5": 3100, "webdataset+png": 3600}
    photo_disk = dict.fromkeys(PHOTOS, 3 * mib) | {"lmdb+jpeg": mib, "sqlite+original": 3 * mib + 9000}
    many = {"source": 0, "disk": 0, "disk+original": 0}
    sent_disk = {"disk": 42_000, "webdataset+png": 41_500, "parquet+png": 40_200, "hdf5": 150_528}
    served_disk = {"disk": 42_000, "lmdb+png": 44_200, "sqlite+png": 41_100}  # blocks, pages, less than pages
    photos = costed_run(PHOTOS, disk=photo_disk, files=many, cache=COLD, cold=1.3, images=1_000_000,
                        dataset="folder:photos", memory_bytes=32 * GIB)  # fmt: skip
    lossy = tuple(replace(trial, psnr_db=38.0) if trial.spec == "lmdb+jpeg" else trial for trial in photos.measurements)
    return {
        "32 px pictures, training on an SSD": (
            by_own_code(costed_run(TINY, disk=tiny_disk, files=many, cache=HOT_COLD, cold=6, images=1_200_000,
                                   dataset="folder:tiny"), "webdataset+png"),
            Situation(Use.TRAINING, epochs=90),
        ),
        "an archive of 3 TB of photographs": (replace(photos, measurements=lossy), Situation(Use.ARCHIVE)),
        "sharing with colleagues": (
            costed_run(SENT, disk=sent_disk, files=many, images=20_000), Situation(Use.SHARING)
        ),
        "a service that reads single images": (
            with_samples(costed_run(SERVED, disk=served_disk, files=many, images=200_000)), Situation(Use.SERVICE)
        ),
        "a small set that fits into memory": (
            costed_run(TINY, disk=tiny_disk, files=many, images=1000, dataset="folder:small"),
            Situation(Use.TRAINING, epochs=30),
        ),
    }  # fmt: skip


def by_own_code(run: Run, spec: str) -> Run:
    """Return a run in which a method is read in random order by code of the program."""
    return replace(
        run,
        measurements=tuple(
            replace(trial, access=Access.OWN) if (trial.spec, trial.operation) == (spec, RANDOM) else trial
            for trial in run.measurements
        ),
    )


def with_samples(run: Run, reads: int = 200) -> Run:
    """Return a run in which each trial of single reads has samples around its time, with the tail that reads have."""
    trials = []
    for number, trial in enumerate(run.measurements):
        source = random.Random(number)
        spread = [math.exp(source.gauss(0.0, 0.25)) for _ in range(reads)] if trial.operation is ONE else [1.0]
        trials.append(replace(trial, samples=tuple((trial.seconds or 0.0) * factor for factor in spread)))
    return replace(run, measurements=tuple(trials))


def main() -> None:
    """Print the advice of each situation."""
    for title, (run, situation) in situations().items():
        print(f"\n== {title}")
        for given in advise_run(run, summarise(run), situation):
            for number, statement in enumerate(statements(given)):
                print(
                    textwrap.fill(
                        statement.text, 100, initial_indent="  " if number else "* ", subsequent_indent="    "
                    )
                )


if __name__ == "__main__":
    main()
