"""``imgstore-tui doctor``: reports what this machine can and cannot measure, and why."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from imgstore_tui.bench.run.scratch import choose_scratch
from imgstore_tui.bench.system import counters, page_cache
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.bench.system.disk_space import free_files
from imgstore_tui.bench.system.environment import describe_environment, library_versions
from imgstore_tui.bench.system.memory import available_bytes, oom_kills
from imgstore_tui.bench.trial.cache_state import COLD_SHARE
from imgstore_tui.cli import web
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

Check = tuple[str, bool | None, str]
"""Name of what was checked, whether it is good (None: a fact, neither good nor bad), and what that means."""

_NO_DURABILITY = {"tmpfs", "ramfs"}
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "ceph"}
_MARKS: dict[bool | None, tuple[str, str]] = {True: ("ok", "green"), False: ("no", "yellow"), None: ("", "dim")}


def main(argv: Sequence[str]) -> int:
    """Print the checks."""
    parser = CommandParser(prog="imgstore-tui doctor", description="What this machine can and cannot measure, and why.")
    parser.add_argument(
        "--scratch", metavar="DIR", help="folder in which stores would be made (default: the current one)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    arguments = parser.parse_args(argv)
    parts = (
        ("This machine", _machine(arguments.scratch)), ("What can be measured", _instrument(arguments.scratch)),
        ("The screen", _terminal()), ("Storage, codecs and the rest", _drivers()),
        ("Servers on hand", _servers()),
    )  # fmt: skip
    if arguments.json:
        return print_json(
            [
                {"part": heading, "name": name, "good": good, "meaning": meaning}
                for heading, checks in parts
                for name, good, meaning in checks
            ]
        )
    table = Table(box=None, pad_edge=False, show_header=False)
    for heading, checks in parts:
        if table.row_count:
            table.add_row()
        table.add_row(Text(heading, style="bold"))
        for name, good, meaning in checks:
            mark, style = _MARKS[good]
            table.add_row(Text(name), Text(mark, style=style), Text(safe_text(meaning)))
    data_console().print(table)
    return 0


def _machine(scratch: str | None) -> Iterator[Check]:
    try:
        folder = choose_scratch(scratch, [])
    except ImgstoreError as error:
        yield "scratch", False, str(error)
        return
    environment = describe_environment(folder, [], [])
    yield "system", None, f"{environment.platform}, Python {environment.python}"
    yield "processor", None, f"{environment.cpu}, {environment.cores} cores available"
    for note in environment.notes:
        yield "quota", False, note
    if environment.memory_bytes:
        free = available_bytes()
        available = "" if free is None else f", {format_bytes(free)} available"
        yield "memory", None, format_bytes(environment.memory_bytes) + available
    busy = environment.load is not None and environment.load > 0.5
    yield (
        "load",
        not busy,
        f"{environment.load:.2f} over the last minute" + ("; others at work make timings noisy" if busy else ""),
    )
    filesystem = environment.scratch_filesystem
    yield (
        "scratch",
        None,
        f"{environment.scratch}: {filesystem} on {environment.scratch_device}, "
        + (f"{format_bytes(environment.scratch_free_bytes)} free"),
    )
    files = free_files(folder)
    if files is not None:
        yield "files", files > 0, f"{format_count(files)} more can be made here"
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if largest != resource.RLIM_INFINITY:
        yield "file size", False, f"no file may grow beyond {format_bytes(largest)} (ulimit -f)"
    if filesystem in _NO_DURABILITY:
        yield "scratch", False, f"{filesystem} lives in memory: nothing here is ever synced, and nothing can be cold"
    if filesystem == "overlay":
        yield "scratch", None, "overlay: new stores lie on the file system below it, whose kind is not seen from here"
    if filesystem in _REMOTE:
        yield "scratch", False, f"{filesystem} is a network file system: caches of the server are unknown"
    yield "saved runs", None, str(runs_folder())


def _instrument(scratch: str | None) -> Iterator[Check]:
    linux = sys.platform == "linux"
    yield "fork server", linux, "trials are forked from a small process" if linux else "needs Linux"
    yield from _page_cache(scratch)
    memory = counters.private_bytes() is not None
    yield "private memory", memory, "read from /proc/PID/statm" if memory else "/proc does not tell: figures stay empty"
    recognised = oom_kills() is not None
    yield (
        "out of memory",
        recognised,
        "told from other kills" if recognised else "not told from other kills: nobody counts them",
    )
    counted = counters.process_io() is not None
    yield "bytes read", counted, "read from /proc/PID/io" if counted else "/proc does not tell: figures stay empty"


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
        yield "hot", hot == 1.0, "mincore tells which pages are in memory" if hot == 1.0 else "mincore does not answer"
        page_cache.evict([path])
        cold = page_cache.resident_share([path])
    if cold is not None and cold <= COLD_SHARE:
        yield "cold", True, "evicting works without privileges and is proven: data cold, metadata warm"
    else:
        kept = "nobody can tell" if cold is None else f"{cold:.0%} of a file stayed in memory after eviction"
        yield "cold", False, f"not possible in {folder}: {kept}"
    root = os.access("/proc/sys/vm/drop_caches", os.W_OK)
    yield "drop caches", None, "done only if asked for with --drop-caches" if root else "needs root"
    yield "remount", None, "never done: unmounting is yours, the caches below the page cache stay unknown"


def _terminal() -> Iterator[Check]:
    term = os.environ.get("TERM", "")
    shown = sys.stdin.isatty() and sys.stderr.isatty() and term != "dumb"
    yield "screen", shown, f"TERM={term}" if shown else "no terminal here that can show it; `run` needs none"


def _drivers() -> Iterator[Check]:
    yield from _plugins("backend", registry.sorted_backends(), registry.backends.failed())
    codecs = sorted(registry.codecs.all().values(), key=lambda codec: codec.name)
    yield from _plugins("codec", codecs, registry.codecs.failed())
    yield from _plugins("export format", [], exports.catalogue.failed())
    pictures = exports.catalogue.get("png")
    yield _library("pictures of charts", pictures.requires, how_to_get(pictures) if missing_imports(pictures) else "")
    yield _library("in a browser", web.REQUIRES[:1], web.how_to_get())


def _servers() -> Iterator[Check]:
    running = {node.name: node for node in supervisor.running(state.default_folder())}
    for name, recipe in catalogue.all_recipes().items():
        if node := running.get(name):
            yield name, True, f"{recipe.title} runs on 127.0.0.1:{node.port}; end it with imgstore-tui servers down"
        elif recipe.programs() is not None:
            yield name, True, f"{recipe.title} is installed; start it with imgstore-tui servers up {name}"
        else:
            yield name, None, f"{recipe.title} is not installed: {recipe.how_to_get}"
    for folder in leftovers.find():
        yield (
            "leftover",
            False,
            f"{folder.path} was left by a kill; remove it with imgstore-tui sweep",
        )


def _plugins(kind: str, plugins: Sequence[type[Pluggable]], failed: Sequence[FailedPlugin]) -> Iterator[Check]:
    for plugin in plugins:
        if setting := "" if missing_imports(plugin) else missing_setting(plugin):
            yield f"{kind} {plugin.name}", None, setting
            continue
        yield _library(f"{kind} {plugin.name}", plugin.requires, how_to_get(plugin) if missing_imports(plugin) else "")
    for plugin_error in failed:
        yield f"{kind} {plugin_error.name}", False, f"could not be loaded: {plugin_error.reason}"


def _library(name: str, requires: Sequence[str], how_to_install: str) -> Check:
    """Return the versions of the libraries that something needs, or the command that installs them."""
    versions = library_versions(requires)
    installed = ", ".join(f"{library} {version}" for library, version in versions.items()) or "nothing needed"
    return name, not how_to_install, how_to_install or installed
