"""Lists the systems that the article names, and what it says of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArticleSystem:
    """A storage system of the article."""

    backend: str
    name: str
    """As the article calls it."""
    words: str
    """What it says of it, in short."""


_DESCRIBED = "described with its strengths and weaknesses, not measured"

SYSTEMS = (
    ArticleSystem("disk", "PNG files", "fast for one image, slowest by far for many; takes the least disk"),
    ArticleSystem(
        "lmdb", "LMDB", "fast for many; takes more disk than PNG, much more as images grow; a second store needs its "
        "map again",
    ),
    ArticleSystem(
        "hdf5", "HDF5", "begins slower than LMDB and ends slightly ahead; takes more disk than PNG; its data type "
        "decides time and space",
    ),
    ArticleSystem("tfrecord", "TFRecord", _DESCRIBED),
    ArticleSystem("mysql", "MySQL", f"an SQL database, {_DESCRIBED}"),
    ArticleSystem("postgres", "PostgreSQL", f"an SQL database, {_DESCRIBED}"),
    ArticleSystem("mongodb", "MongoDB", f"a NoSQL database, {_DESCRIBED}"),
    ArticleSystem("cassandra", "Cassandra", f"a NoSQL database, {_DESCRIBED}"),
    ArticleSystem("s3", "Amazon S3", f"object storage, {_DESCRIBED}"),
    ArticleSystem("gcs", "Google Cloud Storage", f"object storage, {_DESCRIBED}"),
    ArticleSystem("azure", "Azure Blob", f"blob storage, {_DESCRIBED}"),
)  # fmt: skip
"""In the article's order."""
