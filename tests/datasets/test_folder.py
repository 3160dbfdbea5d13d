from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.dataset import BrokenImageError, Dataset
from imgstore_tui.core.errors import DataError, UsageError
from imgstore_tui.datasets.folder import Folder
from imgstore_tui.registry import make_dataset
from imgstore_tui.synthesis import Recipe
from imgstore_tui.testing.conformance_dataset import DatasetConformance, MakeDataset, is_sentence, snapshot
from tests.photos import broken_files, odd_files, save_files


def save(path: Path, height: int = 20, width: int = 30, channels: int = 3, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = Recipe(height, width, channels, seed).images(seed, 1)[0]
    Image.fromarray(pixels).save(path)
    return path


def folder(root: Path, resize: str = "", sample: int = 0, seed: int = 0) -> Folder:
    return Folder(root, {"resize": resize, "sample": sample, "seed": seed})


def scanned(root: Path, resize: str = "", sample: int = 0, seed: int = 0) -> Folder:
    dataset = folder(root, resize, sample, seed)
    dataset.scan()
    return dataset


def reasons(dataset: Dataset) -> dict[str, str]:
    return {entry.name: entry.reason for entry in dataset.excluded}


class TestVaryingFolder(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        for number, suffix in enumerate(("png", "jpg", "webp", "bmp", "tif", "PNG", "jpeg", "TIFF")):
            save(tmp_path / "cats" / f"{number}.{suffix}", 10 + number, 20 + number, seed=number)
        save(tmp_path / "dogs" / "grey.png", channels=1)
        save(tmp_path / "dogs" / "deep" / "alpha.png", channels=4)
        Image.fromarray(np.full((4, 5), 40_000, np.uint16)).save(tmp_path / "dogs" / "sixteen.png")
        (tmp_path / "dogs" / "broken.png").write_bytes(b"not a picture")
        return lambda: folder(tmp_path)


class TestUniformFolder(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        for number in range(4):
            save(tmp_path / f"{number}.png", seed=number)
        return lambda: folder(tmp_path)


class TestSampledFolder(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        tree_of(tmp_path, a=9, b=3, c=1)
        return lambda: make_dataset(f"folder:{tmp_path},sample=8,seed=3")


class TestResizedFolder(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        save(tmp_path / "a.png", 9, 40)
        save(tmp_path / "b.png", 50, 12, channels=1)
        save(tmp_path / "c.png", 33, 33, channels=4)
        Image.fromarray(np.full((40, 50), 40_000, np.uint16)).save(tmp_path / "d.png")
        return lambda: make_dataset(f"folder:{tmp_path},resize=16x8")


def test_pictures_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for number, name in enumerate(("b/1.png", "a/2.png", "a/10.png", "c.png")):
        save(tmp_path / name, 10 + number)
    dataset = scanned(tmp_path)
    assert [dataset.image(index).shape[0] for index in range(4)] == [12, 11, 10, 13]


def test_the_first_folder_level_gives_the_labels(tmp_path: Path) -> None:
    for name in ("zebra/1.png", "!ant/deep/1.png", "ant/1.png", "root.png"):
        save(tmp_path / name)
    dataset = scanned(tmp_path)
    assert dataset.label_names == (".", "!ant", "ant", "zebra")
    assert [dataset.label(index) for index in range(4)] == [1, 2, 0, 3]


def test_without_folders_there_are_no_names(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    assert scanned(tmp_path).label_names == ()
    assert scanned(tmp_path).label(0) == 0


def test_a_broken_file_keeps_its_class(tmp_path: Path) -> None:
    save(tmp_path / "b" / "1.png")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"")
    assert scanned(tmp_path).label_names == ("a", "b")
    assert scanned(tmp_path).label(0) == 1


@pytest.mark.parametrize(
    ("second", "uniform"),
    [((20, 30, 3), ((20, 30, 3), "uint8")), ((20, 31, 3), None), ((20, 30, 1), None), ((20, 30, 4), None)],
)
def test_uniform_is_one_shape_and_type(tmp_path: Path, second: tuple[int, int, int], uniform: object) -> None:
    save(tmp_path / "a.png")
    save(tmp_path / "b.png", *second)
    assert scanned(tmp_path).uniform == uniform


def test_depth_counts_as_kind(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 5), np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "b.png")
    dataset = scanned(tmp_path)
    assert dataset.uniform is None
    assert "of one size but varying kinds" in dataset.summary


def test_resize_makes_all_pictures_rgb_of_one_size(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (10, 200, 30)).save(tmp_path / "a.png")
    Image.new("L", (10, 90), 77).save(tmp_path / "b.png")
    dataset = scanned(tmp_path, "32x16")
    assert dataset.uniform == ((16, 32, 3), "uint8")
    assert (dataset.image(0) == (10, 200, 30)).all()
    assert (dataset.image(1) == 77).all()
    assert not dataset.has_originals
    assert dataset.summary.endswith("2 pictures of 16x32x3 (resized)")


@pytest.mark.parametrize("size", ["32", "32x", "x", "0x5", "5x0", "-1x5", "32x32x3", "99999x5", "a x b", "\x1b[31m"])
def test_a_size_that_is_none_is_refused(tmp_path: Path, size: str) -> None:
    with pytest.raises(UsageError, match=r"takes WIDTHxHEIGHT") as caught:
        folder(tmp_path, size)
    assert is_sentence(str(caught.value))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing", "There is no folder"),
        ("file", "is a file, not a folder"),
        ("empty", "There are no pictures in"),
        ("other", "There are no pictures in"),
        ("broken", "holds 1 file, but it cannot be used"),
        ("a\0b", "cannot be read"),
    ],
)
def test_a_folder_that_cannot_serve_is_refused_in_a_sentence(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").touch()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").write_bytes(b"hello")
    with pytest.raises(DataError, match=said) as caught:
        scanned(tmp_path / path)
    assert is_sentence(str(caught.value))


def test_a_folder_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", forbid)  # mode bits do not stop root
    with pytest.raises(DataError, match=r"may not be read\. Ask its owner"):
        scanned(tmp_path)


def test_broken_files_are_listed_with_their_reasons(tmp_path: Path) -> None:
    good = save(tmp_path / "good.png")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("<script>")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:20])
    os.mkfifo(tmp_path / "pipe.png")
    dataset = scanned(tmp_path)
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
    assert reasons(scanned(tmp_path)) == {"locked": "The folder cannot be read: Permission denied."}


def test_a_file_too_large_to_hold_is_listed(tmp_path: Path) -> None:
    save(tmp_path / "good.png")
    with (tmp_path / "huge.tif").open("wb") as file:
        file.write(b"II*\0")
        file.truncate((1 << 30) + 1)
    assert "more than 1 GiB" in reasons(scanned(tmp_path))["huge.tif"]


def test_damage_further_in_shows_when_the_picture_is_read(tmp_path: Path) -> None:
    save(tmp_path / "good.png")
    whole = save(tmp_path / "cut.png", 200, 300).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    dataset = scanned(tmp_path)
    assert len(dataset) == 2
    with pytest.raises(BrokenImageError, match=r"Picture 'cut\.png' cannot be used\.") as caught:
        dataset.image(0)
    assert caught.value.excluded.name == "cut.png"
    assert is_sentence(caught.value.excluded.reason)
    assert dataset.image(1).shape == (20, 30, 3)


def test_what_is_hidden_is_skipped(tmp_path: Path) -> None:
    for name in ("a.png", ".a.png", "._a.png", ".thumbs/a.png", "@eaDir/a.png", "__MACOSX/a.png"):
        save(tmp_path / name)
    dataset = scanned(tmp_path)
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
    dataset = scanned(root)
    assert len(dataset) == 2
    assert reasons(dataset) == {
        "b": "It is a link to a folder, which is not followed.",
        "circle.png": "It is a link that leads in a circle.",
        "leaves.png": "It is a link that leaves the folder, which is not followed.",
        "nothing.png": "It is a link to nothing, or has just gone.",
        "up": "It is a link to a folder, which is not followed.",
    }


def test_a_root_that_is_a_link_is_followed(tmp_path: Path) -> None:
    save(tmp_path / "root" / "a.png")
    (tmp_path / "link").symlink_to("root")
    assert len(scanned(tmp_path / "link")) == 1


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
    dataset = scanned(tmp_path)
    assert dataset.label_names == (os.fsdecode(raw).partition("/")[0],)
    assert dataset.image(0).shape == (20, 30, 3)
    with pytest.raises(BrokenImageError) as damaged:
        dataset.image(1)
    assert damaged.value.excluded.name == str(broken.relative_to(tmp_path))
    assert str(damaged.value).isprintable()
    assert str(damaged.value).encode()  # no half of a surrogate pair is left
    inner = scanned(home)
    assert inner.summary.isprintable()
    with pytest.raises(DataError) as caught:
        scanned(home / "missing")
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
    dataset = scanned(tmp_path)
    change(path)
    with pytest.raises(BrokenImageError, match=r"Picture 'changes\.bmp' cannot be used\. ") as caught:
        dataset.image(0)
    assert is_sentence(str(caught.value))
    assert dataset.image(1).shape == (32, 32, 3)


def test_a_folder_that_was_never_opened_for_writing_stays_as_it_was(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png")
    (tmp_path / "a" / "2.png").write_bytes(b"broken")
    (tmp_path / "link.png").symlink_to("a/1.png")
    before = snapshot((tmp_path,))
    dataset = scanned(tmp_path)
    for index in range(len(dataset)):
        dataset.original(index)
        dataset.image(index)
    assert snapshot((tmp_path,)) == before


def tree_of(root: Path, **classes: int) -> Path:
    one = save(root / "one.bmp").read_bytes()
    (root / "one.bmp").unlink()
    for name, count in classes.items():
        (root / name).mkdir()
        for number in range(count):
            (root / name / f"{number:03}.bmp").write_bytes(one)
    return root


def test_a_sample_has_each_class_by_its_share_whatever_the_cutoff(tmp_path: Path) -> None:
    dataset = scanned(tree_of(tmp_path, a=100, b=50, c=50), sample=40)
    for cutoff in (4, 12, 40):
        labels = [dataset.label(index) for index in range(cutoff)]
        assert [labels.count(label) for label in range(3)] == [cutoff // 2, cutoff // 4, cutoff // 4]
    assert dataset.summary.endswith("a sample of 40 pictures, 20 % of 200, of 20x30x3 in 3 classes")


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another(tmp_path: Path) -> None:
    tree_of(tmp_path, a=60, b=60)
    names = [scanned(tmp_path, sample=20, seed=seed)._names for seed in (1, 1, 2)]
    assert names[0] == names[1] != names[2]
    assert len(set(names[0])) == 20


def test_a_sample_goes_on_past_broken_files_and_looks_at_no_more_than_it_needs(tmp_path: Path) -> None:
    tree_of(tmp_path, a=60)
    for number in range(0, 60, 3):
        (tmp_path / "a" / f"{number:03}.bmp").write_bytes(b"broken")
    dataset = scanned(tmp_path, sample=10)
    assert len(dataset) == 10
    assert 0 < len(dataset.excluded) < 20


def test_a_sample_larger_than_the_folder_is_all_of_it(tmp_path: Path) -> None:
    dataset = scanned(tree_of(tmp_path, a=3), sample=10)
    assert len(dataset) == 3
    assert dataset.summary.endswith(": 3 pictures of 20x30x3 in 1 class")


def test_the_summary_counts(tmp_path: Path) -> None:
    save(tmp_path / "p" / "a" / "1.png")
    assert scanned(tmp_path / "p").summary == "folder p: 1 picture of 20x30x3 in 1 class"
    save(tmp_path / "p" / "b" / "1.png", 50)
    assert scanned(tmp_path / "p").summary == "folder p: 2 pictures of varying sizes in 2 classes"


def test_odd_pictures_take_part_and_broken_ones_do_not(tmp_path: Path) -> None:
    picture = Image.fromarray(Recipe(120, 200, 3, 1).images(0, 1)[0])
    save_files(tmp_path / "odd", odd_files, picture)
    save_files(tmp_path / "broken", broken_files, picture)
    dataset = scanned(tmp_path)
    refused = set(reasons(dataset))
    for index in range(len(dataset)):
        try:
            dataset.image(index)
        except BrokenImageError as error:
            refused.add(error.excluded.name)
    # Pixels that no codec here could keep are refused too, rather than cut to 8 bits behind the user's back.
    lossy = {"odd/floats.tif", "odd/sixteen bits colour.png"}
    assert refused == {f"broken/{name}" for name in broken_files(picture)} | lossy
