"""The folder for stores is chosen: named or not, it is never in the data or around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgstore_tui.bench.run.scratch import choose_scratch
from imgstore_tui.core.errors import UsageError
from tests.support.mount_namespace import in_mount_namespace


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "photos" / "holiday"
    folder.mkdir(parents=True)
    return folder.parent


def test_here_is_where_stores_are_made(data: Path) -> None:
    assert choose_scratch(None, [data]) == Path.cwd()


def test_inside_the_data_it_is_the_folder_beside_it(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data / "holiday")
    assert choose_scratch(None, [data]) == data.parent


@pytest.mark.parametrize("path", ["photos", "photos/holiday", "photos/holiday/..", "link", "link/holiday"])
def test_a_named_folder_in_the_data_is_refused(data: Path, path: str) -> None:
    (data.parent / "link").symlink_to(data)
    with pytest.raises(UsageError, match="lies in the data"):
        choose_scratch(str(data.parent / path), [data])


def test_a_named_folder_around_the_data_is_refused(data: Path) -> None:
    with pytest.raises(UsageError, match="holds the data"):
        choose_scratch(str(data.parent), [data])


def test_a_named_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        choose_scratch(str(tmp_path / "none"), [])


def test_a_neighbour_with_a_longer_name_is_no_overlap(data: Path) -> None:
    beside = data.parent / "photos2"
    beside.mkdir()
    assert choose_scratch(str(beside), [data]) == beside


CHOOSE = """
import sys
from pathlib import Path
from imgstore_tui.bench.run.scratch import choose_scratch
from imgstore_tui.core.errors import UsageError
try:
    print(choose_scratch(sys.argv[1], [Path(sys.argv[2])]))
except UsageError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("mounts", "path", "message"),
    [
        ('mount --bind "$1/../../photos" "$1"', "mounted", "lies in the data"),
        # A part of the data, seen somewhere else.
        ('mount --bind "$1/../../photos/holiday" "$1"', "mounted", "lies in the data"),
        ('mount --bind "$1/../../photos/holiday" "$1"', "mounted/inner", "lies in the data"),
        # A folder that is seen within the data.
        ('mount --bind "$1/../../other" "$1/../../photos/holiday"', "../other", "lies in the data"),
        ('mount --bind "$1/../.." "$1"', "mounted", "holds the data"),
        ('mount --bind "$1/../../photos" "$1/../../other/deep"', "../other", "holds the data"),
        # Neighbours on one file system, through mounts of it.
        ('mount --bind "$1/../../other" "$1"', "mounted", "/here/mounted"),
    ],
)
def test_bind_mounts_are_seen_through(mounts: str, path: str, message: str, data: Path) -> None:
    top = data.parent
    for name in ("photos/holiday/inner", "other/deep", "here/mounted"):
        (top / name).mkdir(parents=True)
    mounted = mounts.replace("$1", str(top / "here" / "mounted"))
    assert message in in_mount_namespace(mounted, CHOOSE, str(top / "here" / path), str(data))
