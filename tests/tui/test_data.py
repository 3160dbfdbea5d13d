"""The data of a plan: written, completed, looked at."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from textual.widgets import Input

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.jobs.preview import DatasetPreview, PreviewCancelledError, PreviewProgress
from imgstore_tui.present.charts.contact_sheet import PixelStyle
from imgstore_tui.tui.forms.data_form import DataForm
from imgstore_tui.tui.forms.path_completion import complete
from imgstore_tui.tui.run import preview_thread
from imgstore_tui.tui.screens.data import DataScreen
from imgstore_tui.tui.widgets.estimate_line import EstimateLine
from imgstore_tui.tui.widgets.one_of import OneOf
from imgstore_tui.tui.widgets.option_field import OptionField
from imgstore_tui.tui.widgets.preview_sheet import drawing_mode
from tests.support.fake_runs import FakeRunner
from tests.support.screen import NARROW, SMALL, WIDE, Driven, driven, five_operations

MIDDLE = (120, 35)
HOSTILE = "[red]x\x1b[2J\u202e"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make paths relative: where lines of the screen break must not depend on the length of a temporary folder's."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def photos() -> Path:
    """Two classes of three pictures, one file that is none."""
    folder = Path("photos")
    for number, name in enumerate(("cats", "dogs")):
        (folder / name).mkdir(parents=True)
        for index in range(3):
            (folder / name / f"{index}.png").write_bytes(png(40 + 10 * index, 30, number))
    (folder / "broken.png").write_text("no picture")
    return folder


def png(width: int, height: int, seed: int) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), (40 * seed % 256, 90, 200)).save(file, "PNG")
    return file.getvalue()


def field(app: Driven, key: str) -> OptionField:
    return next(field for field in app.app.screen.query(OptionField) if field.key == key)


def screen(app: Driven) -> DataScreen:
    assert isinstance(app.app.screen, DataScreen)
    return app.app.screen


async def open_folders(app: Driven) -> None:
    await app.press("d")
    field(app, "kind").query_one(OneOf).choose("folder")
    await app.pilot.pause()


async def look_at(app: Driven, path: str) -> None:
    await open_folders(app)
    field(app, "path").query_one(Input).value = path
    await app.pilot.pause()
    await app.until(lambda: screen(app).sheet.preview is not None or bool(field(app, "path").problem))


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [SMALL, NARROW, MIDDLE, WIDE])
async def test_a_folder_is_looked_at_and_used(photos: Path, size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await look_at(app, str(photos))
        preview = screen(app).sheet.preview
        assert preview is not None
        assert preview.size.images == 6
        assert [picture.label for picture in preview.thumbnails][:2] != ["", ""]
        assert max(len(line) for line in app.picture.splitlines()) <= size[0]
        if size != SMALL:
            words = " ".join(app.picture.split())
            for part in ("6 pictures", "labels", "cats (3)", "left out", "1 file"):
                assert part in words, part
        await app.press("enter")
        assert app.workbench.choice.plan.datasets == (f"folder:{photos}",)
        assert f"folder:{photos}" in app.picture


@pytest.mark.full
@pytest.mark.parametrize("ascii_only", [False, True])
async def test_pictures_are_seen_on_every_terminal(
    photos: Path, ascii_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    async with driven(size=WIDE, ascii_only=ascii_only) as app:
        await look_at(app, str(photos))
        await app.until(lambda: ("▀▀▀" in app.picture) is not ascii_only)
        assert ("ASCII only" in app.picture) is ascii_only


def test_how_pictures_are_drawn_is_said() -> None:
    assert drawing_mode(ascii_only=False, no_colour=False, colours="truecolor") == (PixelStyle.BLOCKS, "")
    for terminal in (
        {"ascii_only": True, "no_colour": False, "colours": "256"},
        {"ascii_only": False, "no_colour": True, "colours": "truecolor"},
        {"ascii_only": False, "no_colour": False, "colours": "standard"},
    ):
        drawing, why = drawing_mode(**terminal)  # type: ignore[arg-type]
        assert drawing is PixelStyle.SHADES
        assert why.startswith("Pictures in shades")


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda place: None, "no folder"),
        (lambda place: place.mkdir(), "There are no pictures"),
        (lambda place: place.write_text("x"), "is a file, not a folder"),
        (lambda place: (place.mkdir(), (place / "x.png").write_text("no")), "none can|cannot"),
    ],
)
@pytest.mark.sample_first
async def test_what_is_wrong_with_a_path_is_said_in_place(make: object, word: str) -> None:
    place = Path("[red]x")
    make(place)  # type: ignore[operator]
    async with driven() as app:
        await look_at(app, str(place))
        problem = field(app, "path").problem
        assert "[red]x" in problem
        assert any(part in problem for part in word.split("|")), problem
        assert "[red]x" in app.picture


async def test_names_in_the_data_are_never_obeyed() -> None:
    folder = Path("a") / HOSTILE
    folder.mkdir(parents=True)
    (folder / f"{HOSTILE}.png").write_bytes(png(20, 20, 1))
    (folder / f"{HOSTILE}2.png").write_text("no")
    async with driven(size=WIDE) as app:
        await look_at(app, "a")
        assert "[red]x<U+001B>" in app.picture
        assert "\x1b" not in app.picture
        assert "\u202e" not in app.picture


async def test_a_path_is_completed(photos: Path) -> None:
    async with driven(size=WIDE) as app:
        await open_folders(app)
        field(app, "path").editor.focus()
        line = field(app, "path").query_one(Input)
        line.value = str(photos / "ca")
        line.cursor_position = len(line.value)
        await app.until(lambda: line._suggestion != "")
        await app.press("right")
        assert line.value == str(photos / "cats") + "/"


def test_completion_takes_what_all_have_in_common(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("train-a", "train-b", "other", ".hidden", HOSTILE):
        (tmp_path / name).mkdir()
    (tmp_path / "train.csv").write_text("")
    assert complete(f"{tmp_path}/t") == f"{tmp_path}/train"
    assert complete(f"{tmp_path}/t", folders_only=True) == f"{tmp_path}/train-"
    assert complete(f"{tmp_path}/train-") == f"{tmp_path}/train-a/"
    assert complete("oth") == "other/"
    assert complete(f"{tmp_path}/[") is None, "a line cannot hold such a name"
    assert complete(f"{tmp_path}/.h") == f"{tmp_path}/.hidden/"
    assert complete(f"{tmp_path}/none/x") is None
    assert complete("") is None
    assert complete("~") is None
    monkeypatch.setenv("HOME", str(tmp_path))
    assert complete("~/o") == "~/other/"


@pytest.mark.full
async def test_several_datasets_are_kept_and_each_can_be_edited() -> None:
    plan = named_plan("article")
    async with driven(size=WIDE, plan=plan) as app:
        await app.press("d")
        assert "[1]" in app.picture
        await app.press("enter")
        assert app.workbench.choice.plan == plan
        await app.press("d", "right")
        assert field(app, "size")._text == "256"
        await app.press("f8", "enter")
        assert app.workbench.choice.plan.datasets == (plan.datasets[0], plan.datasets[2])
        assert "and 1 more" in app.picture


@pytest.mark.full
async def test_data_that_no_form_can_stand_for_is_not_dropped_without_a_word() -> None:
    plan = replace(named_plan("quick"), datasets=("[red]nonsense", "synthetic,size=64"))
    async with driven(size=WIDE, plan=plan) as app:
        await app.press("d")
        assert "'[red]nonsense' means nothing here" in app.picture
        await app.press("escape")
        assert app.workbench.choice.plan.datasets == plan.datasets


@pytest.mark.full
async def test_the_same_data_twice_is_refused() -> None:
    async with driven() as app:
        await app.press("d", "f2", "enter")
        assert app.shows(DataScreen)
        assert "twice" in app.picture


@pytest.mark.full
async def test_nothing_is_looked_at_while_a_run_goes_on(photos: Path) -> None:
    runner = FakeRunner(hold_after=3)
    async with driven(runner, WIDE) as app:
        await app.press("r")
        await app.until(runner.held.is_set)
        await open_folders(app)
        field(app, "path").query_one(Input).value = str(photos)
        await app.until(lambda: "while a run goes on" in app.picture)
        assert screen(app).sheet.preview is None


class EndlessPreviews:
    """Previews that go on until they are cancelled."""

    def __init__(self) -> None:
        self.started = 0
        self.cancelled = 0

    @property
    def all_cancelled(self) -> bool:
        """Whether at least one has started, and each has ended."""
        return 0 < self.started == self.cancelled


@pytest.fixture
def previews(monkeypatch: pytest.MonkeyPatch) -> EndlessPreviews:
    previews = EndlessPreviews()

    def endless(*_: object, progress: PreviewProgress, **__: object) -> DatasetPreview:
        previews.started += 1
        try:
            while True:
                progress("reading", 1, None)
                time.sleep(0.01)
        except PreviewCancelledError:
            previews.cancelled += 1
            raise

    monkeypatch.setattr(preview_thread, "preview_dataset", endless)
    return previews


@pytest.mark.full
async def test_leaving_does_not_wait_for_a_preview(photos: Path, previews: EndlessPreviews) -> None:
    async with driven() as app:
        await open_folders(app)
        field(app, "path").query_one(Input).value = str(photos)
        await app.until(lambda: screen(app).sheet.doing != "")
        await app.press("escape")
        assert app.app.screen is app.workbench
        await app.until(lambda: previews.all_cancelled)


@pytest.mark.full
async def test_a_preview_gives_way_to_a_run_that_begins(photos: Path, previews: EndlessPreviews) -> None:
    runner = FakeRunner(hold_after=3)
    plan = replace(named_plan("quick"), datasets=(f"folder:{photos}",))
    async with driven(runner, WIDE, plan=plan) as app:
        estimate_line = app.workbench.query_one(EstimateLine)
        await app.until(lambda: estimate_line.doing != "")
        await app.press("r")
        await app.until(lambda: runner.held.is_set() and previews.all_cancelled)
        await app.until(lambda: estimate_line.doing == "")
        # The preview itself notices a run in another terminal.
        app.workbench.run_worker(partial(preview_thread.post_preview, estimate_line, "folder:/x", 1), thread=True)
        await app.until(lambda: previews.started == 2 and previews.all_cancelled)
        assert "too much of it" not in app.picture


async def test_a_folder_named_on_the_pane_is_looked_at_for_the_estimate(photos: Path) -> None:
    plan = replace(five_operations(), datasets=(f"folder:{photos}",))
    async with driven(size=WIDE, plan=plan) as app:
        assert "378 trials" in app.picture, "with the source row"
        await app.until(lambda: "of disk" in app.picture)


@pytest.mark.parametrize(
    "text",
    [
        "synthetic",
        "synthetic,size=64,varying=yes",
        "folder:/a b",
        'folder:"/a,b",resize=8x8',
        "cifar10:x.tar.gz,split=all",
    ],
)
def test_a_form_that_is_not_touched_gives_the_same_data(text: str) -> None:
    assert DataForm.of(text).text() == text


@pytest.mark.parametrize(
    ("text", "key", "value", "word"),
    [
        ("synthetic", "size", "7", "8..2048"),
        ("synthetic", "channels", "2", "1, 3 or 4"),
        ("folder:/a", "path", " ", "Name a path"),
        ("folder:/a", "path", 'a,"b', "comma and a quotation mark"),
        ("folder:/a", "resize", "big", "WIDTHxHEIGHT"),
        ("folder:/a", "labels", "a,b", "no comma"),
    ],
)
def test_what_means_nothing_is_a_problem_of_its_field(text: str, key: str, value: str, word: str) -> None:
    problems = DataForm.of(text).with_value(key, value).problems()
    assert list(problems) == [key]
    assert word in problems[key]


def test_a_path_with_a_comma_or_a_space_at_its_end_is_quoted() -> None:
    form = DataForm.of("folder:/a").with_value("path", "/a,b")
    assert form.text() == 'folder:"/a,b"'
    assert DataForm.of("folder:/a").with_value("path", "/a ").text() == 'folder:"/a "'


@pytest.mark.full
@pytest.mark.parametrize("key", ["escape", "enter", "f2", "f8"])
async def test_a_key_that_comes_while_the_form_is_laid_out_anew_breaks_nothing(key: str) -> None:
    async with driven() as app:
        for kind in ("cifar10", "folder"):
            await app.press("d", "f2")
            field(app, "kind").query_one(OneOf).choose(kind)
            # Not awaited: the key is on its way while the message of the other kind is.
            app.app.simulate_key(key)
            app.app.simulate_key("f2")
            await app.pilot.pause(0.05)
            if isinstance(app.app.screen, DataScreen):
                keys = [entry.key for entry in screen(app).query(OptionField)]
                assert len(set(keys)) == len(keys)
                screen(app).dismiss(None)
            await app.pilot.pause()
        assert not app.shows(DataScreen)
