from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.core.dataset import BrokenImageError
from imgstore_tui.core.errors import DataError
from imgstore_tui.datasets.synthetic.recipe import Recipe
from imgstore_tui.testing.conformance_dataset import is_sentence, snapshot
from tests.support.datasets import at, reasons, save, scanned_folder
from tests.support.photos import broken_files, odd_files, save_files


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing", "There is no folder"),
        ("file", "is a file, not a folder"),
        ("empty", "There are no pictures in"),
        ("other", "There are no pictures in"),
        ("broken", "holds 1 file, but it cannot be used"),
        ("a\0b", "cannot be read"),
    ],
)
def test_a_folder_that_cannot_serve_is_refused_in_a_sentence(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").touch()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").write_bytes(b"hello")
    with pytest.raises(DataError, match=message) as caught:
        scanned_folder(tmp_path / path)
    assert is_sentence(str(caught.value))


def test_a_folder_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", forbid)  # mode bits do not stop root
    with pytest.raises(DataError, match=r"may not be read\. Ask its owner"):
        scanned_folder(tmp_path)


def test_broken_files_are_listed_with_their_reasons(tmp_path: Path) -> None:
    good = save(tmp_path / "good.png")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("<script>")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:20])
    os.mkfifo(tmp_path / "pipe.png")
    dataset = scanned_folder(tmp_path)
    assert len(dataset) == 1
    assert list(reasons(dataset)) == ["cut.png", "empty.jpg", "pipe.png", "text.png"]
    assert reasons(dataset)["empty.jpg"] == "The file is empty."
    assert reasons(dataset)["pipe.png"] == "It is no regular file."
    assert all(is_sentence(reason) for reason in reasons(dataset).values())


def test_a_subfolder_that_cannot_be_read_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "good.png")
    (tmp_path / "locked").mkdir()
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert reasons(scanned_folder(tmp_path)) == {"locked": "The folder cannot be read: Permission denied."}


def test_a_file_too_large_to_hold_is_listed(tmp_path: Path) -> None:
    save(tmp_path / "good.png")
    with (tmp_path / "huge.tif").open("wb") as file:
        file.write(b"II*\0")
        file.truncate((1 << 30) + 1)
    assert "more than 1 GiB" in reasons(scanned_folder(tmp_path))["huge.tif"]


def test_damage_further_in_shows_when_the_picture_is_read(tmp_path: Path) -> None:
    save(tmp_path / "good.png")
    whole = save(tmp_path / "cut.png", 200, 300).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    dataset = scanned_folder(tmp_path)
    assert len(dataset) == 2
    cut = at(dataset, "cut.png")
    with pytest.raises(BrokenImageError, match=r"Picture 'cut\.png' cannot be used\.") as caught:
        dataset.image(cut)
    assert caught.value.excluded.name == "cut.png"
    assert is_sentence(caught.value.excluded.reason)
    assert dataset.image(1 - cut).shape == (20, 30, 3)
    assert ": 1 picture " in dataset.summary


def test_what_is_hidden_is_skipped(tmp_path: Path) -> None:
    for name in ("a.png", ".a.png", "._a.png", ".thumbs/a.png", "@eaDir/a.png", "__MACOSX/a.png"):
        save(tmp_path / name)
    dataset = scanned_folder(tmp_path)
    assert len(dataset) == 1
    assert dataset.excluded == ()


def test_links_are_followed_to_files_inside_only(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    save(root / "a" / "real.png")
    save(outside / "secret.png")
    (root / "inside.png").symlink_to(root / "a" / "real.png")
    (root / "leaves.png").symlink_to(outside / "secret.png")
    (root / "nothing.png").symlink_to("gone.png")
    (root / "circle.png").symlink_to("circle.png")
    (root / "b").symlink_to(outside)
    (root / "up").symlink_to(root)
    dataset = scanned_folder(root)
    assert len(dataset) == 2
    assert reasons(dataset) == {
        "b": "It is a link to a folder, which is not followed; with links=follow it is.",
        "circle.png": "It is a link that leads in a circle.",
        "leaves.png": "It is a link that leaves the folder, which is not followed; with links=follow it is.",
        "nothing.png": "It is a link to nothing, or has just gone.",
        "up": "It is a link to a folder, which is not followed; with links=follow it is.",
    }


def test_a_root_that_is_a_link_is_followed(tmp_path: Path) -> None:
    save(tmp_path / "root" / "a.png")
    (tmp_path / "link").symlink_to("root")
    assert len(scanned_folder(tmp_path / "link")) == 1


NAMES = [
    b"new\nline", b"[red]x[/]", b"[/foo]", b"[@click=app.quit]q", b"\x1b[31mred", b"\x9b31m", b"tab\t", b"caf\xe9",
    b"\xff\xfe", "\u202eevil".encode(), b"=1+1", "日本".encode(), b"a b", b"a,b", b"-rf", b"%s{0}",
]  # fmt: skip


@pytest.mark.parametrize("raw", NAMES)
def test_any_name_survives_and_none_speaks(tmp_path: Path, raw: bytes) -> None:
    home = tmp_path / os.fsdecode(raw)
    save(tmp_path / f"{home}/{os.fsdecode(raw)}.png")
    broken = save(tmp_path / f"{home}/{os.fsdecode(raw)}2.png", 99)
    broken.write_bytes(broken.read_bytes()[:-999])
    dataset = scanned_folder(tmp_path)
    assert dataset.label_names == (os.fsdecode(raw).partition("/")[0],)
    bad = at(dataset, broken.name)
    assert dataset.image(1 - bad).shape == (20, 30, 3)
    with pytest.raises(BrokenImageError) as damaged:
        dataset.image(bad)
    assert damaged.value.excluded.name == str(broken.relative_to(tmp_path))
    assert str(damaged.value).isprintable()
    assert str(damaged.value).encode()  # no half of a surrogate pair is left
    inner = scanned_folder(home)
    assert inner.summary.isprintable()
    with pytest.raises(DataError) as caught:
        scanned_folder(home / "missing")
    assert str(caught.value).isprintable()


def vanish(path: Path) -> None:
    path.unlink()


def shrink(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_another_picture(path: Path) -> None:
    before = path.stat()
    save(path, 32, 20)  # a BMP of the same size in bytes
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "change", [vanish, shrink, grow, touch, become_a_pipe, become_a_folder, become_another_picture]
)
def test_a_picture_that_changes_after_the_scan_is_named(tmp_path: Path, change: Callable[[Path], None]) -> None:
    save(tmp_path / "stays.bmp", 32, 32)
    path = save(tmp_path / "changes.bmp", 20, 32)
    dataset = scanned_folder(tmp_path)
    changes, stays = at(dataset, "changes.bmp"), at(dataset, "stays.bmp")
    change(path)
    with pytest.raises(BrokenImageError, match=r"Picture 'changes\.bmp' cannot be used\. ") as caught:
        dataset.image(changes)
    assert is_sentence(str(caught.value))
    assert dataset.image(stays).shape == (32, 32, 3)


def test_a_folder_that_was_never_opened_for_writing_stays_as_it_was(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png")
    (tmp_path / "a" / "2.png").write_bytes(b"broken")
    (tmp_path / "link.png").symlink_to("a/1.png")
    before = snapshot((tmp_path,))
    dataset = scanned_folder(tmp_path)
    for index in range(len(dataset)):
        dataset.original(index)
        dataset.image(index)
    assert snapshot((tmp_path,)) == before


def test_odd_pictures_take_part_and_broken_ones_do_not(tmp_path: Path) -> None:
    picture = Image.fromarray(Recipe(120, 200, 3, 1).images(0, 1)[0])
    save_files(tmp_path / "odd", odd_files, picture)
    save_files(tmp_path / "broken", broken_files, picture)
    dataset = scanned_folder(tmp_path)
    refused = set(reasons(dataset))
    for index in range(len(dataset)):
        try:
            dataset.image(index)
        except BrokenImageError as error:
            refused.add(error.excluded.name)
    # Pixels that no codec here could keep are refused too, rather than cut to 8 bits behind the user's back.
    lossy = {"odd/floats.tif", "odd/sixteen bits colour.png"}
    assert refused == {f"broken/{name}" for name in broken_files(picture)} | lossy
