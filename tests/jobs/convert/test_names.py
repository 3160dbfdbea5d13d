"""Names of files and their tree are kept by a conversion wherever the storage can; what is lost is said before."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

import imgstore_tui
from imgstore_tui.jobs.convert.names import lost_names
from imgstore_tui.plugins import registry
from tests.support.conversions import AVAILABLE, begin_and_interrupt, convert, plan
from tests.support.datasets import save
from tests.support.program import program

NAMED = [name for name in AVAILABLE if registry.backends.get(name).capabilities.names]
SERVERS = sorted(name for name, backend in registry.backends.all().items() if not backend.capabilities.names)
TREE = ("cats/a.png", "cats/old/a.PNG", "dogs/my photo, v1.2.png", "dogs/é.png", "dogs/e\u0301.png", "dogs/%41.png")


def photos(root: Path, names: tuple[str, ...] = TREE) -> str:
    for number, name in enumerate(names):
        save(root / name, seed=number)
    return f'folder:"{root}"'


def pictures(root: Path) -> dict[str, bytes]:
    """Return the bytes of all pictures below a folder, by their paths."""
    kinds = {".png", ".jpg", ".nef"}
    files = (path for path in root.rglob("*") if path.suffix.lower() in kinds)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def sentences_of(text: str, spec: str, destination: Path) -> list[str]:
    """Convert, and return what was said before the first image was written."""
    conversion, sentences, before = plan(text, spec, destination), list[str](), list[str]()
    conversion.notify = sentences.append

    def progress(step: str, done: int, total: int) -> None:
        if step == "writing" and not before:
            before.extend(sentences)

    conversion.run(progress)
    return before


@pytest.mark.sample_first(3)
@pytest.mark.parametrize("backend", NAMED)
def test_a_folder_comes_back_as_it_was(backend: str, tmp_path: Path) -> None:
    source = photos(tmp_path / "photos")
    convert(source, f"{backend}+original", tmp_path / "stored")
    convert(f'store:"{tmp_path / "stored"}"', "disk+original", tmp_path / "again")
    assert pictures(tmp_path / "again") == pictures(tmp_path / "photos")
    with imgstore_tui.open(tmp_path / "stored") as store:
        names = store.names()
        assert names is not None
        assert sorted(names) == sorted(TREE)
        assert store.names([1]) == names[1:2]
        assert store.labels is not None
        assert [store.label_names[label] for label in store.labels] == [name.partition("/")[0] for name in names]


def test_a_conversion_that_was_broken_off_keeps_all_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = tuple(f"{'cats' if number % 2 else 'dogs'}/{number}.png" for number in range(30))
    source = photos(tmp_path / "photos", names)
    monkeypatch.setattr("imgstore_tui.jobs.convert.fill.FIRST_SESSION", 4)
    monkeypatch.setattr("imgstore_tui.jobs.convert.fill.SESSION_S", 0.0)
    monkeypatch.setattr("imgstore_tui.jobs.convert.prepare.BATCH", 4)
    for spec in ("lmdb+original", "disk+original", "webdataset+original"):
        destination = tmp_path / spec[:4]
        begin_and_interrupt(source, destination, monkeypatch, spec)
        assert convert(source, spec, destination).resumed
        with imgstore_tui.open(destination) as store:
            assert sorted(store.names() or []) == sorted(names)


def test_pictures_that_nobody_decodes_keep_their_names(tmp_path: Path) -> None:
    photos(tmp_path / "photos")
    (tmp_path / "photos" / "cats" / "raw.NEF").write_bytes(b"no decoder here")
    convert(f'folder:"{tmp_path / "photos"}",decode=no', "lmdb+original", tmp_path / "stored")
    convert(f'folder:"{tmp_path / "photos"}",decode=no', "disk+original", tmp_path / "again")
    assert pictures(tmp_path / "again") == pictures(tmp_path / "photos")
    with imgstore_tui.open(tmp_path / "stored") as store:
        assert sorted(store.names() or []) == sorted([*TREE, "cats/raw.NEF"])


def test_names_end_in_what_a_codec_makes(tmp_path: Path) -> None:
    source = photos(tmp_path / "photos", ("a.jpg", "b/a.png", "b/a.bmp", "c.JPEG"))
    before = sentences_of(source, "disk+jpeg", tmp_path / "stored")
    assert len(pictures(tmp_path / "stored")) == 3  # besides .JPEG
    names = {path.relative_to(tmp_path / "stored").as_posix() for path in (tmp_path / "stored").rglob("*.[jJ][pP]*")}
    assert {"a.jpg", "b/a.jpg", "c.JPEG"} < names
    assert len(names) == 4
    assert any("has the name of another one" in sentence for sentence in before)


def test_names_that_no_store_keeps_are_escaped_and_said(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    photos(root, ("fine.png",))
    for number, name in enumerate((b"caf\xe9.png", b"two\nlines.png", b"\x1b[31m.png")):
        save(root / "next.png", seed=7 + number).rename(root / os.fsdecode(name))
    before = sentences_of(f'folder:"{root}"', "disk+original", tmp_path / "stored")
    assert any(sentence.startswith("3 names have characters") for sentence in before)
    assert pictures(tmp_path / "stored").keys() == {"fine.png", "caf%E9.png", "two%0Alines.png", "%1B[31m.png"}


def test_names_that_differ_in_case_or_unicode_form_only_are_kept_and_said(tmp_path: Path) -> None:
    source = photos(tmp_path / "photos", ("A.png", "a.png", "é.png", "e\u0301.png"))
    before = sentences_of(source, "disk+original", tmp_path / "stored")
    assert any(sentence.startswith("2 names differ from another in case or Unicode form") for sentence in before)
    assert pictures(tmp_path / "stored") == pictures(tmp_path / "photos")


@pytest.mark.parametrize("backend", SERVERS)
def test_what_a_store_does_not_keep_is_a_sentence(backend: str, tmp_path: Path) -> None:
    """Of servers; with a server that runs, the tests of servers look for it."""
    dataset = registry.make_dataset(photos(tmp_path / "photos"))
    dataset.scan()
    lost = "does not keep the names of files, of 6 pictures: only their numbers and classes."
    assert lost_names(dataset, registry.with_defaults(registry.backends.get(backend))) == f"Storage {backend} {lost}"


def test_every_local_store_keeps_names() -> None:
    assert {backend.name for backend in registry.local_backends() if not backend.capabilities.names} == set()


def test_a_store_of_files_is_opened_by_whoever_reads_folders(tmp_path: Path) -> None:
    convert(photos(tmp_path / "photos"), "disk+original", tmp_path / "stored")
    dataset = registry.make_dataset(f'folder:"{tmp_path / "stored"}"')
    dataset.scan()
    assert dataset.label_names == ("cats", "dogs")
    assert len(dataset) == len(TREE)


def test_a_name_in_a_store_never_leads_out_of_it(tmp_path: Path) -> None:
    convert(photos(tmp_path / "photos", ("cats/a.png", "dogs/b.png")), "disk+original", tmp_path / "stored")
    secret = save(tmp_path / "secret.png", seed=99)
    table = tmp_path / "stored" / "labels.csv"
    rows = table.read_bytes()
    for name in (b"../../x.pn", str(secret).encode()[:10].ljust(10, b"/")):
        table.write_bytes(rows.replace(b"cats/a.png", name))
        done = program("convert", f'store:"{tmp_path / "stored"}"', "lmdb+original", str(tmp_path / "out"))
        assert done.returncode == 3
        assert "names no file" in done.stderr
    table.write_bytes(rows)
    (tmp_path / "stored" / "cats" / "a.png").unlink()
    (tmp_path / "stored" / "cats").rmdir()
    (tmp_path / "stored" / "cats").symlink_to(tmp_path / "photos" / "cats")
    done = program("convert", f'store:"{tmp_path / "stored"}"', "lmdb+original", str(tmp_path / "out"))
    assert "cats/a.png" in done.stderr


def test_a_tar_holds_the_tree_under_keys_that_webdataset_reads(tmp_path: Path) -> None:
    source = photos(tmp_path / "photos", ("cats/a.png", "cats/a.PNG", "cats/v1.2 x.png", f"{'deep/' * 30}é.png"))
    convert(source, "webdataset+original:shard=3", tmp_path / "stored")
    members: dict[str, bytes] = {}
    for path in sorted((tmp_path / "stored").glob("*.tar")):
        with tarfile.open(path) as archive:
            for member in archive:
                members[member.name] = (archive.extractfile(member) or io.BytesIO()).read()
    keys = {name.rpartition(".")[0] for name in members if name.endswith(".cls")}
    assert {"cats/v1%2E2 x", f"{'deep/' * 30}é", "cats/a"} < keys
    assert len(keys) == 4
    assert all("." not in key.rpartition("/")[2] for key in keys)
    pictures_in = sorted(data for name, data in members.items() if not name.endswith(".cls"))
    assert pictures_in == sorted(pictures(tmp_path / "photos").values())


def test_names_of_a_tar_of_another_program_never_lead_out_of_the_destination(tmp_path: Path) -> None:
    image = save(tmp_path / "one.png", seed=1).read_bytes()
    names = ("../up.png", "/abs.png", "a/../../b.png", "ok/c.png", "n" * 300 + ".png", "ok/d.PNG", "tab\tx.png")
    with tarfile.open(tmp_path / "hostile.tar", "w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(image)
            archive.addfile(member, io.BytesIO(image))
    (tmp_path / "place").mkdir()
    before = sentences_of(f'store:"{tmp_path / "hostile.tar"}"', "disk+original", tmp_path / "place" / "stored")
    assert any("becomes" in sentence for sentence in before)
    assert len(pictures(tmp_path / "place" / "stored")) == len(names)
    assert {path.name for path in tmp_path.iterdir()} == {"one.png", "hostile.tar", "place"}
    assert {path.name for path in (tmp_path / "place").iterdir()} == {"stored"}
