"""Runs whose charts are measured in every format: few and many methods, short and long names, noise, every level."""

from __future__ import annotations

from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import SYNC_LEVELS, CacheState, Operation
from imgstore_tui.testing.fake_runs import fake_article_run, fake_run

MANY = (
    "disk", "lmdb", "hdf5", "zarr", "parquet", "arrow", "safetensors", "tfrecord", "webdataset", "sqlite", "duckdb",
    "rocksdb", "lance", "npy", "arrayrecord",
)  # fmt: skip

RUNS: dict[str, Run] = {
    "article": fake_article_run(),
    "crowded": fake_run(
        MANY, (1, 10, 100, 1000), operations=[
            Operation.WRITE_ONE, Operation.WRITE_MANY, Operation.READ_ONE, Operation.READ_MANY, Operation.READ_RANDOM,
        ],
    ),
    "levels": fake_run(sync=SYNC_LEVELS, cache=list(CacheState), operations=list(Operation)),
    "many": fake_run([f"lmdb:note={'long' * 3}{letter}" for letter in "abcdefghij"], [1, 10, 100, 1000]),
    "one": fake_run(["disk"], [1], 3),
    "noisy": fake_run(noise=0.9),
}  # fmt: skip
