"""A third party's backend adds files of other programs to what ``store:`` reads, without a change of ours."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import is_sentence, pixels
from tests.outside.scans import write_scans
from tests.support.entry_points import offer
from tests.support.program import program

IMAGES = np.stack([pixels((7, 5, 3), number) for number in range(6)])
LABELS = np.array([3, -1, 0, 2**40, 7, 7])


@pytest.fixture(autouse=True)
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path / "installed", {"imgstore_tui.backends": {"scans": "tests.outside.scans:Scans"}}, monkeypatch)


def scanned(path: Path) -> Dataset:
    dataset = registry.make_dataset(f'store:"{path}"')
    dataset.scan()
    return dataset


def check(path: Path) -> None:
    dataset = scanned(path)
    assert [dataset.label(index) for index in range(len(dataset))] == LABELS.tolist()
    np.testing.assert_array_equal([dataset.image(index) for index in range(len(dataset))], IMAGES)
    assert "scans+raw" in dataset.summary


def test_one_file_and_a_folder_of_files_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "README.txt").write_text("not an image")
    write_scans(folder / "a.scans", IMAGES[:2], LABELS[:2])
    write_scans(folder / "b.scans", IMAGES[2:], LABELS[2:])
    write_scans(tmp_path / "all.scans", IMAGES, LABELS)
    check(folder)
    check(tmp_path / "all.scans")


def test_they_are_converted_by_the_command(tmp_path: Path) -> None:
    write_scans(tmp_path / "all.scans", IMAGES, LABELS)
    done = program("convert", f"store:{tmp_path / 'all.scans'}", "npy", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "images.npy"), IMAGES)


def test_a_damaged_one_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "torn.scans"
    write_scans(path, IMAGES, LABELS)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="not a file of scans") as caught:
        scanned(path)
    assert is_sentence(str(caught.value), path)


def test_a_suffix_that_two_backends_claim_is_read_by_the_one_that_can(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, images=IMAGES, labels=LABELS)
    path = tmp_path / "scans.tar"
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("scans.npz")
        member.size = buffer.tell()
        buffer.seek(0)
        tar.addfile(member, buffer)
    check(path)


def test_the_first_refusal_is_reported_when_no_claimant_can_read(tmp_path: Path) -> None:
    path = tmp_path / "empty.tar"
    tarfile.open(path, "w").close()
    first = next(kind.name for kind in registry.local_backends() if ".tar" in kind.foreign_suffixes)
    with pytest.raises(DataError) as caught:
        scanned(path)
    assert ("not a file of scans" in str(caught.value)) == (first == "scans")
    assert str(path) in str(caught.value)
