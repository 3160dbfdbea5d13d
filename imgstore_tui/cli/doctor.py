"""``imgstore-tui doctor``: reports what this machine can and cannot measure, and why."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from imgstore_tui.bench.run.scratch import choose_scratch
from imgstore_tui.bench.system import client_libraries, counters, page_cache
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.bench.system.disk_space import free_files
from imgstore_tui.bench.system.environment import describe_environment, library_versions
from imgstore_tui.bench.system.memory import available_bytes, oom_kills
from imgstore_tui.bench.trial.cache_state import COLD_SHARE
from imgstore_tui.cli import completion, web
from imgstore_tui.cli.listing import print_json
from imgstore_tui.cli.output import data_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes, format_count
from imgstore_tui.jobs.servers import catalogue, leftovers, state, supervisor
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.catalogue import FailedPlugin, Pluggable, how_to_get, missing_imports, missing_setting
from imgstore_tui.present import exports


class Check(NamedTuple):
    """One line of the report."""

    name: str
    good: bool | None
    """None for a fact that is neither good nor bad."""
    meaning: str
    fix: str = ""
    """What helps: a command, or what to do; empty where nothing is wrong or nothing helps."""
    mark: str = ""
    """The word in place of ``ok`` or ``no``."""


_NO_DURABILITY = {"tmpfs", "ramfs"}
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "ceph"}
_OTHER_FOLDER = "name a folder with --scratch DIR"
_MOUNT_PROC = "mount /proc"
_MARKS: dict[bool | None, tuple[str, str]] = {True: ("ok", "green"), False: ("no", "yellow"), None: ("", "dim")}


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(prog="imgstore-tui doctor", description="What this machine can and cannot measure, and why.")
    parser.add_argument(
        "--scratch", metavar="DIR", help="folder in which stores would be made (default: the current one)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser


def main(argv: Sequence[str]) -> int:
    """Print the checks."""
    arguments = make_parser().parse_args(argv)
    parts = (
        ("This machine", _machine(arguments.scratch)), ("What can be measured", _instrument(arguments.scratch)),
        ("The screen", _terminal()), ("Storage, codecs and the rest", _drivers()),
        ("Servers on hand", _servers()),
    )  # fmt: skip
    if arguments.json:
        return print_json(
            [
                {"part": heading, "name": check.name, "good": check.good, "meaning": check.meaning, "fix": check.fix}
                for heading, checks in parts
                for check in checks
            ]
        )
    table = Table(box=None, pad_edge=False, show_header=False)
    for heading, checks in parts:
        if table.row_count:
            table.add_row()
        table.add_row(Text(heading, style="bold"))
        for check in checks:
            mark, style = _MARKS[check.good]
            text = Text(safe_text(check.meaning))
            if check.fix:
                text.append("\n" if text else "").append("fix: ", style="bold").append(safe_text(check.fix))
            table.add_row(Text(check.name), Text(check.mark or mark, style=style), text)
    data_console().print(table)
    return 0


def _machine(scratch: str | None) -> Iterator[Check]:
    try:
        folder = choose_scratch(scratch, [])
    except ImgstoreError as error:
        yield Check("work folder", False, str(error), _OTHER_FOLDER)
        return
    environment = describe_environment(folder, [], [])
    yield Check("system", None, f"{environment.platform}, Python {environment.python}")
    yield Check("processor", None, f"{environment.cpu}, {environment.cores} cores available")
    for note in environment.notes:
        yield Check("quota", False, note)
    if environment.memory_bytes:
        free = available_bytes()
        available = "" if free is None else f", {format_bytes(free)} available"
        yield Check("memory", None, format_bytes(environment.memory_bytes) + available)
    if environment.load is not None:
        busy = environment.load > 0.5
        meaning = f"{environment.load:.2f} over the last minute" + ("; other work makes timings noisy" if busy else "")
        fix = "end other programs, or measure at another time; a noisy run needs more rounds" if busy else ""
        yield Check("load", not busy, meaning, fix, "high" if busy else "")
    filesystem = environment.scratch_filesystem
    free_space = f"{format_bytes(environment.scratch_free_bytes)} free"
    where = f"{environment.scratch}: {filesystem} on {environment.scratch_device}, {free_space}"
    yield Check("work folder", None, where)
    files = free_files(folder)
    if files is not None:
        fix = "" if files else f"remove files there, or {_OTHER_FOLDER}"
        yield Check("files", files > 0, f"{format_count(files)} more can be created here", fix)
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if largest != resource.RLIM_INFINITY:
        meaning = f"no file may grow beyond {format_bytes(largest)} (ulimit -f)"
        yield Check("file size", False, meaning, "ulimit -f unlimited")
    if filesystem in _NO_DURABILITY:
        meaning = f"{filesystem} is in memory: fsync does nothing here, and nothing can be cold"
        yield Check("work folder", False, meaning, f"{_OTHER_FOLDER} that is on a disk")
    if filesystem == "overlay":
        meaning = "overlay: stores are on the file system below it, whose kind is unknown"
        yield Check("work folder", None, meaning)
    if filesystem in _REMOTE:
        meaning = f"{filesystem} is a network file system: what its server caches is unknown"
        yield Check("work folder", False, meaning, f"{_OTHER_FOLDER} that is local, unless the network is the question")
    yield Check("saved runs", None, str(runs_folder()))


def _instrument(scratch: str | None) -> Iterator[Check]:
    linux = sys.platform == "linux"
    yield Check(
        "fork server",
        linux,
        "each trial is forked from a small process, with its modules loaded" if linux else "needs Linux",
    )
    yield from _page_cache(scratch)
    memory = counters.private_bytes() is not None
    meaning = "read from /proc/PID/statm" if memory else "/proc cannot be read: these columns stay empty"
    yield Check("private memory", memory, meaning, "" if memory else _MOUNT_PROC)
    recognised = oom_kills() is not None
    meaning = (
        "kills for lack of memory are counted, and named in the result"
        if recognised
        else "kills for lack of memory are not counted here: they look like any other kill"
    )
    yield Check("out of memory", recognised, meaning)
    counted = counters.process_io() is not None
    meaning = "read from /proc/PID/io" if counted else "/proc cannot be read: these columns stay empty"
    yield Check("bytes read", counted, meaning, "" if counted else _MOUNT_PROC)


def _page_cache(scratch: str | None) -> Iterator[Check]:
    """Check on a file whether a store can be proven hot and made cold."""
    try:
        folder = choose_scratch(scratch, [])
    except ImgstoreError:
        return
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(os.urandom(1 << 20))
        file.flush()
        path = Path(file.name)
        hot = page_cache.resident_share([path])
        if hot == 1.0:
            yield Check("hot", True, "the pages of a file that are in memory can be counted (mincore)")
        else:
            yield Check(
                "hot",
                False,
                "the pages of a file that are in memory cannot be counted (mincore)",
                f"{_OTHER_FOLDER} on ext4 or xfs",
            )
        page_cache.evict([path])
        cold = page_cache.resident_share([path])
    if cold is not None and cold <= COLD_SHARE:
        yield Check("cold", True, "pages can be evicted without root, and that is checked: data cold, metadata warm")
    else:
        finding = (
            "the pages in memory cannot be counted"
            if cold is None
            else f"{cold:.0%} of a file stayed in memory after eviction"
        )
        yield Check("cold", False, f"not possible in {folder}: {finding}", f"{_OTHER_FOLDER} on ext4 or xfs")
    root = os.access("/proc/sys/vm/drop_caches", os.W_OK)
    yield Check("drop caches", None, "off; --drop-caches turns it on" if root else "needs root")
    yield Check("remount", None, "never done; what the device itself caches is unknown")


def _terminal() -> Iterator[Check]:
    term = os.environ.get("TERM", "")
    shown = sys.stdin.isatty() and sys.stderr.isatty() and term != "dumb"
    if shown:
        yield Check("screen", True, f"TERM={term}")
    else:
        fix = "start it in a terminal whose input and errors are not redirected, or use: imgstore-tui run"
        yield Check("screen", False, "this is no terminal, or one without the means to draw it", fix)


def _drivers() -> Iterator[Check]:
    yield from _plugins("backend", registry.sorted_backends(), registry.backends.failed())
    codecs = sorted(registry.codecs.all().values(), key=lambda codec: codec.name)
    yield from _plugins("codec", codecs, registry.codecs.failed())
    yield from _plugins("export format", [], exports.catalogue.failed())
    pictures = exports.catalogue.get("png")
    yield _library("pictures of charts", pictures.requires, how_to_get(pictures) if missing_imports(pictures) else "")
    yield _library("in a browser", web.REQUIRES[:1], web.how_to_get())
    yield _library("several clients", client_libraries.REQUIRES[:1], client_libraries.how_to_get())
    yield _library("shell completion", completion.REQUIRES, completion.how_to_get())


def _servers() -> Iterator[Check]:
    running = {node.name: node for node in supervisor.running(state.default_folder())}
    for name, recipe in catalogue.all_recipes().items():
        if node := running.get(name):
            meaning = f"{recipe.title} runs on 127.0.0.1:{node.port}; end it with imgstore-tui servers down"
            yield Check(name, True, meaning)
        elif recipe.programs() is not None:
            yield Check(name, True, f"{recipe.title} is installed; start it with imgstore-tui servers up {name}")
        else:
            yield Check(name, None, f"{recipe.title} is not installed", recipe.how_to_get)
    for folder in leftovers.find():
        yield Check("leftover", False, f"{folder.path} was left by a kill", "imgstore-tui sweep")


def _plugins(kind: str, plugins: Sequence[type[Pluggable]], failed: Sequence[FailedPlugin]) -> Iterator[Check]:
    for plugin in plugins:
        if setting := "" if missing_imports(plugin) else missing_setting(plugin):
            yield Check(f"{kind} {plugin.name}", None, "no server is named", setting)
            continue
        yield _library(f"{kind} {plugin.name}", plugin.requires, how_to_get(plugin) if missing_imports(plugin) else "")
    for plugin_error in failed:
        yield Check(f"{kind} {plugin_error.name}", False, f"could not be loaded: {plugin_error.reason}")


def _library(name: str, requires: Sequence[str], how_to_install: str) -> Check:
    """Return the versions of the libraries that something needs, or the command that installs them."""
    if how_to_install:
        return Check(name, False, "not installed", how_to_install)
    versions = library_versions(requires)
    installed = ", ".join(f"{library} {version}" for library, version in versions.items()) or "nothing needed"
    return Check(name, True, installed)
