"""Bad input: one clear sentence, the right exit code, nothing left behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from imgstore_tui.cli.main import COMMANDS, guarded, run_command
from imgstore_tui.cli.parser import split_specs
from tests.support.program import program, sentence

REFUSALS = [
    (["runn"], 2, "Unknown command 'runn'. Did you mean 'run'?"),
    (["--thme", "x"], 2, "Unknown argument '--thme'. Did you mean '--theme'?"),
    (["run", "-b", "lmbd"], 2, "Unknown backend 'lmbd'. Did you mean 'lmdb'?"),
    (["run", "-b", "lmdb+pgn"], 2, "Unknown codec 'pgn'. Did you mean 'png'?"),
    (["run", "-b", "disk+jpeg:quality=80"], 2, "'quality' is an option of the codec jpeg; write codec.quality=80."),
    (["run", "-b", "hdf5:chnks=3"], 2, "Unknown option of backend hdf5 'chnks'. Did you mean 'chunks'?"),
    (["run", "-b", "lmdb:preset=artcle"], 2, "Unknown preset of backend lmdb 'artcle'. Did you mean 'article'?"),
    (["run", "-b", "disk", "disk"], 2, "The plan names the storage method 'disk' twice."),
    (["run", "-o", "raed-many"], 2, "Unknown operation 'raed-many'. Did you mean 'read-many'?"),
    (["run", "-n", "0"], 2, "A cutoff of 0 images measures nothing."),
    (["run", "-n", "1,000"], 2, "A comma separates numbers: write 1000 or 1k, not 1,000."),
    (["run", "-b", "png"], 2, "To store files of it write disk+png."),
    (["run", "photos"], 2, "Data is named with -d, e.g. -d folder:photos."),
    (["help", "runn"], 2, "Did you mean 'run'?"),
    (["run", "-n", "-5"], 2, "-5"),
    (["run", "-n", "ten"], 2, "'ten' is not a number of images."),
    (["run", "-d", "sinthetic"], 2, "Unknown dataset 'sinthetic'. Did you mean 'synthetic'?"),
    (["run", "-d", "folder"], 2, "Dataset folder needs a path."),
    (["run", "-d", "folder:/nowhere/at/all"], 3, "/nowhere/at/all"),
    (["run", "-d", "synthetic,size=4"], 2, "size"),
    (["run", "--rounds", "0"], 2, "1 round or more"),
    (["run", "--rounds", "many"], 2, "rounds"),
    (["run", "--budget", "soon"], 2, "'soon' is not a time."),
    (["run", "--payload", "rw"], 2, "Did you mean 'raw'?"),
    (["run", "--sync", "bufered"], 2, "Did you mean 'buffered'?"),
    (["run", "--cache", "lukewarm"], 2, "Unknown cache state 'lukewarm'."),
    (["run", "--plan", "quik"], 2, "Unknown plan 'quik'. Did you mean 'quick'?"),
    (["run", "--plan", "/nowhere/plan.toml"], 2, "Plan file /nowhere/plan.toml: No such file or directory."),
    (["run", "--scratch", "/nowhere/at/all"], 2, "Scratch folder /nowhere/at/all is no folder."),
    (["run", "-b", "lmdb:preset=article,preset=tuned"], 2, "gives preset twice. Give it once."),
    (["run", "-b", "disk+jpeg:codec.quality=1,codec.quality=2"], 2, "gives codec.quality twice."),
    (["run", "-d", "synthetic,size=8,size=9"], 2, "gives size twice."),
    (["run", "--plan", ""], 2, "No plan is named."),
    (["run", "--scratch", ""], 2, "No scratch folder is named."),
    (["run", "-n", "1M", "-b", "lmdb", "-d", "synthetic,size=8"], 2, "more time with --budget"),
    (["run", "-d", f"store:{'a' * 300}"], 3, "cannot be read: File name too long."),
    (["run", "--seed", "9" * 30], 2, "The seed has too many digits."),
    (["run", "-n", "9" * 400], 2, "more than this program takes"),
    (["run", "-d", "folder:~nobody-at-all/x"], 2, "'~nobody-at-all' is nobody's home folder here."),
    (["run", "--scratch", "~nobody-at-all/x"], 2, "nobody's home"),
    (["run", "--save", "~nobody-at-all/x"], 2, "nobody's home"),
    (["run", "--save", ""], 2, "No file is named."),
    (["run", "--save", "/proc/run.json"], 3, "Nothing can be saved in /proc"),
    (["convert", "synthetic", "npy", "~nobody-at-all/x", "-n", "1"], 2, "nobody's home"),
    (["datasets", "fetch", "cifar10", "--to", "~nobody-at-all/x"], 2, "nobody's home"),
    (["show", "~nobody-at-all"], 2, "There is no run '~nobody-at-all'"),
    (["show", "a" * 300], 2, "There is no run 'aaa"),
    (["show", "last"], 2, "There is no saved run"),
    (["show", "nothing"], 2, "There is no run 'nothing'"),
    (["advise", "last", "--for", "trianing"], 2, "Did you mean 'training'?"),
    (["advise", "last", "--weight", "raed=1"], 2, "Did you mean 'read'?"),
    (["advise", "last", "--weight", "read=0"], 2, "All weights are 0"),
    (["advise", "last", "--epochs", "0"], 2, "--epochs takes 1 to 1,000,000, not 0."),
    (["advise", "last", "--images", "many"], 2, "is not a number of images"),
    (["advise", "nothing"], 2, "There is no run 'nothing'"),
    (["export", "last", "-f", "cvs"], 2, "Did you mean 'csv'?"),
    (["backends", "lmbd"], 2, "Did you mean 'lmdb'?"),
    (["doctor", "--scratch", "/nowhere"], 0, ""),
]


@pytest.mark.sample_first(3)
@pytest.mark.parametrize(("words", "code", "message"), REFUSALS)
def test_a_refusal_is_one_sentence(words: list[str], code: int, message: str) -> None:
    done = program(*words)
    assert done.returncode == code, done.stderr
    if code:
        assert message in sentence(done)
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(("words", "code", "message"), [row for row in REFUSALS if row[1] and row[0][0] in COMMANDS])
def test_a_command_refuses_in_one_sentence(
    words: list[str], code: int, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """As above, in this process, which takes a twentieth of the time."""
    assert guarded(lambda: run_command(words)) == code
    printed = capfd.readouterr()
    assert message in sentence(subprocess.CompletedProcess(words, code, printed.out, printed.err))
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.full
def test_a_path_without_the_name_of_a_dataset_is_told_how_to_write_it() -> None:
    folder = Path("photos")
    folder.mkdir()
    for words in (["run", "-d", "photos"], ["run", "-d", "./photos"], ["convert", str(folder.absolute()), "npy", "to"]):
        done = program(*words)
        assert done.returncode == 2
        assert re.search(r"To read that folder write folder:\S*photos\.$", sentence(done))
    (folder / "data.mdb").touch()
    assert "write store:photos." in sentence(program("run", "-d", "photos"))
    Path("cifar.tar.gz").touch()
    assert "write NAME:cifar.tar.gz, where NAME is one of cifar10, " in sentence(program("run", "-d", "cifar.tar.gz"))


def test_a_conversion_onto_its_own_data_is_not_told_to_replace_it() -> None:
    Path("photos").mkdir()
    done = program("convert", "folder:photos", "lmdb", "photos")
    assert done.returncode == 2
    assert "lies in the data itself" in sentence(done)
    assert "--replace" not in sentence(done)


def test_an_empty_folder_is_named() -> None:
    Path("empty").mkdir()
    done = program("run", "-d", "folder:empty")
    assert done.returncode == 3
    assert "empty" in sentence(done)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to run the program as somebody else: run as root")
def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    import shutil
    import subprocess
    import sys

    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed (apt-get install util-linux)")
    Path("locked").mkdir(mode=0o700)
    Path("home").mkdir()
    Path("home").chmod(0o777)
    code = "import sys; sys.argv = ['imgstore-tui', 'run', '-d', 'folder:locked']; " \
        "from imgstore_tui.__main__ import main; main()"  # fmt: skip
    here = Path.cwd()
    for folder in (here, *here.parents):
        if folder.owner() == "root" and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "HOME": str(here / "home"),
            "IMGSTORE_TUI_HOME": str(here / "home"),
            "IMGSTORE_TUI_LOCK": str(here / "home" / "lock"),
        },
    )
    if "Permission denied" in done.stderr and "Traceback" in done.stderr:
        pytest.skip("this Python cannot be read by another user")
    assert done.returncode == 3, done.stderr
    assert "locked" in done.stderr


@pytest.mark.sample_first
@pytest.mark.parametrize("content", ["", "{}", "hello\n", '{"kind":"run"}\n'])
@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_a_torn_or_foreign_run_file_is_named(content: str, suffix: str) -> None:
    path = Path(f"run.{suffix}")
    path.write_text(content)
    done = program("show", str(path))
    assert done.returncode == 3
    assert f"run.{suffix}" in sentence(done)


def test_names_that_would_speak_to_the_terminal_are_spelt_out() -> None:
    done = program("run", "-d", "folder:a\x1b[31m[red]b")
    assert "\x1b" not in done.stderr
    assert "<U+001B>[31m[red]b" in sentence(done)


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["doctor", "runs"])
def test_streams_that_were_closed_before_are_no_error(closed: str, command: str) -> None:
    words = ["sh", "-c", f'exec "$0" -m imgstore_tui {command} {closed}', sys.executable]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_the_screen_needs_a_terminal() -> None:
    done = program()
    assert done.returncode == 3
    assert "run --help" in sentence(done)


def test_a_missing_driver_is_named_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.entry_points import offer

    offer(tmp_path, {"imgstore_tui.backends": {"needy": "tests.outside.needy:Needy"}}, monkeypatch)
    done = program("run", "-b", "needy")
    assert done.returncode == 3
    message = sentence(done)
    assert "'needy' needs a_driver_nobody_has, not installed. Run: " in message
    assert message.endswith("-m pip install a_driver_nobody_has")
    listed = program("backends", COLUMNS="200")
    assert " ".join(listed.stdout.split()).count("-m pip install a_driver_nobody_has") == 1


def test_a_broken_plug_in_does_not_take_the_others_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.entry_points import offer

    offer(tmp_path, {"imgstore_tui.backends": {"gone": "no.such.module:Thing"}}, monkeypatch)
    listed = program("backends")
    assert listed.returncode == 0
    assert "broken" in listed.stdout
    assert "lmdb" in listed.stdout
    assert "could not be loaded" in sentence(program("run", "-b", "gone"))


def test_specs_are_split_at_commas_that_are_not_their_own() -> None:
    assert split_specs(["disk,lmdb", "hdf5:chunks=64,filter=lzf,lmdb+png"]) == [
        "disk", "lmdb", "hdf5:chunks=64,filter=lzf", "lmdb+png",
    ]  # fmt: skip


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"], ["backends"]])
def test_what_cannot_be_written_is_said_even_of_help(words: list[str]) -> None:
    import subprocess
    import sys

    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "imgstore_tui", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 3
    assert done.stderr == "imgstore-tui: No space left on device.\n"


@pytest.mark.full
def test_scratch_may_lie_at_a_path_that_is_not_utf8() -> None:
    place = Path(os.fsdecode(b"caf\xe9"))
    place.mkdir()
    words = ["run", "-b", "disk,lmdb,hdf5", "-n", "5", "-d", "synthetic,size=8", "--rounds", "1"]
    done = program(*words, "--scratch", str(place))
    assert done.returncode == 0, done.stderr
    assert "FAIL" not in done.stderr
    assert (done.stdout + done.stderr).replace("\n", "").isprintable()
    assert list(place.iterdir()) == []


def test_without_the_extra_web_the_line_that_installs_it_is_named() -> None:
    code = (
        "import sys; sys.modules['textual_serve'] = None; sys.argv = ['imgstore-tui', 'web'];"
        "from imgstore_tui.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    message = sentence(done)
    assert message.startswith("'web' needs textual-serve, not installed. Run: ")
    assert message.endswith(" -m pip install 'textual-serve<1.2,>=1.1.3'")
