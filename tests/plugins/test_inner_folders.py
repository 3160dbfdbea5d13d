"""A folder that holds nothing to read itself, as the root of a repository: the folder below it is named."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.core.errors import DataError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import is_sentence


def png(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (value, 2, 3)).save(buffer, "PNG")
    return buffer.getvalue()


def as_tar(path: Path, count: int = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for number in range(count):
            data = png(number)
            member = tarfile.TarInfo(f"{number}.png")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def refusal(text: str) -> str:
    with pytest.raises(DataError) as caught:
        registry.make_dataset(text).scan()
    assert is_sentence(str(caught.value))
    return str(caught.value)


def count_of(text: str) -> int:
    dataset = registry.make_dataset(text)
    dataset.scan()
    return len(dataset)


LAYOUTS = {
    "data of a repository": ("data/train-00000-of-00001.tar", "data"),
    "partitions": ("split=train/part-0.tar", "split=train"),
    "name, config and version": ("flowers/plain/1.0.0/flowers-train.tar-00000-of-00001", "flowers/plain/1.0.0"),
    "deep": ("a/b/c/d/e/x.tar", "a/b/c/d/e"),
}


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_the_folder_below_that_is_read_is_named(layout: str, tmp_path: Path) -> None:
    name, folder = LAYOUTS[layout]
    as_tar(tmp_path / name)
    (tmp_path / "README.md").write_text("# Data\n")
    (tmp_path / "empty").mkdir()
    text = refusal(f'store:"{tmp_path}"')
    assert f"{folder} (tar)" in text
    assert f"store:{tmp_path / folder}." in text
    assert count_of(f'store:"{tmp_path / folder}"') == 2
    text = refusal(f'folder:"{tmp_path}"')
    assert "There are no pictures in" in text
    assert f"name their folder: store:{tmp_path / folder}." in text


def test_parquet_of_a_repository_and_its_partitions_are_named(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    from pyarrow import parquet

    for folder in ("data", "split=train", "split=test"):
        (tmp_path / folder).mkdir()
        parquet.write_table(pa.table({"image": [png(1), png(2)]}), tmp_path / folder / "part-0.parquet")
    (tmp_path / "README.md").write_text("# Data\n")
    text = refusal(f'store:"{tmp_path}"')
    assert "data (Parquet), split=test (Parquet), split=train (Parquet)" in text
    for folder in ("data", "split=train"):
        assert count_of(f'store:"{tmp_path / folder}"') == 2
    assert "store:" in refusal(f'folder:"{tmp_path}"')


def test_pictures_below_are_a_folder_and_no_store(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "1.png").write_bytes(png(1))
    text = refusal(f'store:"{tmp_path}"')
    assert f"folders with pictures, such as cat. Name it as folder:{tmp_path}." in text


def test_pointers_of_git_lfs_below_are_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"
    (tmp_path / "data" / "train.parquet").write_bytes(pointer)
    assert "data (pointers of git-lfs)" in refusal(f'store:"{tmp_path}"')


def test_links_that_lead_out_are_not_looked_at(tmp_path: Path) -> None:
    as_tar(tmp_path / "outside" / "secret.tar")
    (tmp_path / "root" / "data").mkdir(parents=True)
    (tmp_path / "root" / "data" / "a.tar").symlink_to(tmp_path / "outside" / "secret.tar")
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "outside")
    text = refusal(f'store:"{tmp_path / "root"}"')
    assert "secret" not in text
    assert not re.search(r"(data|linked) \(tar\)", text)


def test_the_cache_of_hugging_face_is_named_by_its_snapshots(tmp_path: Path) -> None:
    as_tar(tmp_path / "hub" / "blobs" / "aa")
    data = tmp_path / "hub" / "snapshots" / "x" / "data"
    data.mkdir(parents=True)
    (data / "train.tar").symlink_to("../../../blobs/aa")
    text = refusal(f'store:"{tmp_path / "hub"}"')
    assert "blobs" not in text
    assert text.endswith(f"store:{data}.")
    assert count_of(f'store:"{data}"') == 2


def test_very_many_folders_are_looked_at_in_bounds(tmp_path: Path) -> None:
    for number in range(400):
        (tmp_path / f"{number:03}" / "x").mkdir(parents=True)
    as_tar(tmp_path / "399" / "x" / "a.tar")
    assert is_sentence(refusal(f'store:"{tmp_path}"'))
