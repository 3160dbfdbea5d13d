"""Tars of pictures as other programs write them: every member is a picture, or is counted and named as left out."""

from __future__ import annotations

import bz2
import gzip
import io
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.backends.webdataset.foreign import TarImages
from imgstore_tui.core.errors import StoreError
from imgstore_tui.images.decode import decode
from imgstore_tui.storekit.foreign_files import ForeignReader
from imgstore_tui.testing.store_material import is_sentence
from tests.support.foreign_files import write_tar

Members = Iterable[tuple[str, bytes] | tarfile.TarInfo]


def picture(value: int, kind: str = "PNG", size: tuple[int, int] = (4, 4)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (value, value, value)).save(buffer, kind)
    return buffer.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    facts = tarfile.TarInfo(name)
    facts.type, facts.linkname = kind, target
    return facts


def check_sums(path: Path, files: TarImages) -> None:
    """Compare the sums with the members that Python's module counts."""
    with tarfile.open(path) as tar:
        members = len(tar.getmembers())
    behind = (
        sum("behind the end mark" in entry.reason for entry in files.excluded) + files.beside["behind the end mark"]
    )
    assert len(files.names) + len(files.excluded) + files.beside.total() - behind == members


def values(path: Path) -> dict[str, int]:
    """Return the first value of each picture by its name."""
    files = TarImages(path)
    check_sums(path, files)
    firsts = {name: int(decode(files.payload(number)).flat[0]) for number, name in enumerate(files.names)}
    files.close()
    return firsts


def left_out(path: Path) -> dict[str, str]:
    files = TarImages(path)
    files.close()
    assert all(is_sentence(entry.reason) for entry in files.excluded)
    return {entry.name: entry.reason for entry in files.excluded}


def test_names_with_dots_are_pictures_of_their_own(tmp_path: Path) -> None:
    names = ["a.jpg", "track 2.0 (x).jpg", "v1.2.png", "22.05.jpg", "22.06.JPG", "train.v1/a.jpg"]
    members = [(name, picture(number)) for number, name in enumerate(names)]
    assert values(write_tar(tmp_path / "a.tar", members)) == {name: number for number, name in enumerate(names)}


def test_labels_belong_to_names_with_dots(tmp_path: Path) -> None:
    members = [("22.05.png", picture(1)), ("22.05.cls", b"5"), ("22.06.png", picture(2)), ("22.06.cls", b"6")]
    with ForeignReader.open(tmp_path, [write_tar(tmp_path / "a.tar", members)], TarImages, "tar") as reader:
        assert reader.read_labels().tolist() == [5, 6]


@pytest.mark.parametrize("target", ["s0.target.cls", "s0.cls"])
def test_the_last_part_of_an_ending_tells_the_kind(target: str, tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", [("s0.input.png", picture(1)), (target, b"3")])
    with ForeignReader.open(tmp_path, [path], TarImages, "tar") as reader:
        assert reader.read_labels().tolist() == [3]
    assert values(path) == {"s0.input.png": 1}


def test_of_several_pictures_of_a_sample_one_is_taken_and_the_others_are_named(tmp_path: Path) -> None:
    members: Members = [
        ("a.seg.png", picture(1)),
        ("a.jpg", picture(2, "JPEG")),
        ("a.png", picture(3)),
        ("b.mask.png", picture(4)),
        ("b.input.png", picture(5)),
        ("a.cls", b"1"),
    ]
    path = write_tar(tmp_path / "a.tar", members)
    assert values(path) == {"a.jpg": 2, "b.input.png": 5}
    reason = "Its sample holds several pictures (jpg, png, seg.png), of which a.jpg is taken."
    assert left_out(path) == {
        "a.seg.png": reason,
        "a.png": reason,
        "b.mask.png": "Its sample holds several pictures (input.png, mask.png), of which b.input.png is taken.",
    }


def test_links_are_the_pictures_that_they_lead_to(tmp_path: Path) -> None:
    members: Members = [
        link("first.png", "x/a.png"),
        ("x/a.png", picture(1)),
        link("./b.png", "x/a.png", tarfile.LNKTYPE),
        link("y/c.png", "../x/./a.png"),
        link("y/d.png", "c.png"),
        link("e.png", "b.png"),
    ]
    expected = dict.fromkeys(["first.png", "x/a.png", "./b.png", "y/c.png", "y/d.png", "e.png"], 1)
    assert values(write_tar(tmp_path / "a.tar", members)) == expected


def test_links_that_lead_out_of_the_archive_or_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(picture(9))
    members: Members = [
        ("a.png", picture(1)),
        link("out.png", "../secret.png"),
        link("root.png", str(tmp_path / "secret.png")),
        link("hard.png", "../secret.png", tarfile.LNKTYPE),
        link("loop.png", "loop2.png"),
        link("loop2.png", "loop.png"),
        link("notes.txt", "nowhere"),
    ]
    path = write_tar(tmp_path / "a.tar", members)
    assert values(path) == {"a.png": 1}
    out, nothing = "It is a link that leads out of the archive.", "It is a link to nothing in the archive."
    assert left_out(path) == {
        "out.png": out, "root.png": out, "hard.png": nothing, "loop.png": nothing, "loop2.png": nothing
    }  # fmt: skip


def test_a_hard_link_leads_to_what_was_unpacked_before_it(tmp_path: Path) -> None:
    members: Members = [("a.png", picture(1)), link("b.png", "a.png", tarfile.LNKTYPE), ("a.png", picture(2))]
    path = write_tar(tmp_path / "a.tar", members)
    assert values(path) == {"b.png": 1, "a.png": 2}  # as GNU tar unpacks it
    assert left_out(path) == {"a.png": "A later member has the same name, which tar -x unpacks in its place."}


def test_an_archive_behind_the_end_mark_is_named(tmp_path: Path) -> None:
    first = write_tar(tmp_path / "a.tar", [("a.png", picture(1))])
    second = write_tar(tmp_path / "b.tar", [("b.png", picture(2)), ("b.cls", b"1")])
    both = tmp_path / "both.tar"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    assert values(both) == {"a.png": 1}
    assert list(left_out(both)) == ["b.png"]
    both.write_bytes(first.read_bytes() + b"no archive")
    files = TarImages(both)
    files.close()
    assert files.warnings == [f"{both} has 10 bytes behind its end mark that are no archive."]


def test_kinds_without_a_decoder_and_names_without_an_ending(tmp_path: Path) -> None:
    members = [("a.GIF", b"GIF89a"), ("b.jp2", b"x"), ("c", picture(3)), ("README", b"text"), ("d.nef", b"x")]
    path = write_tar(tmp_path / "a.tar", [*members, ("e.png", b""), ("._f.png", b"x"), ("g.json", b"{}")])
    assert values(path) == {"c": 3}
    assert list(left_out(path)) == ["a.GIF", "b.jp2", "d.nef", "e.png"]
    with ForeignReader.open(path, [path], TarImages, "tar") as reader:
        assert reader.warnings == [
            "Beside 1 picture, 3 entries are not pictures: without an ending (1), hidden files (1), .json (1)."
        ]


def holes() -> tuple[bytes, list[tuple[int, int]]]:
    """Return a bitmap of black with two points, and the pieces of it that are not zeros."""
    image = np.zeros((64, 512, 3), np.uint8)
    image[63, 0], image[0, 511] = 77, 99  # a bitmap begins with its last row
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "BMP")
    data = buffer.getvalue()
    pieces = [(0, 512), (len(data) - 1536 - len(data) % 512, 1536 + len(data) % 512)]
    assert not any(data[512 : pieces[1][0]])
    return data, pieces


def gnu_sparse(data: bytes, pieces: list[tuple[int, int]], *, extended: bool) -> bytes:
    facts = tarfile.TarInfo("holes.bmp")
    facts.type, facts.size = tarfile.GNUTYPE_SPARSE, sum(length for _, length in pieces)
    head = bytearray(facts.tobuf(tarfile.GNU_FORMAT))
    entries = b"".join(b"%011o\0%011o\0" % piece for piece in pieces)
    here, later = (entries[:24], entries[24:]) if extended else (entries, b"")
    head[386:483] = here.ljust(96, b"\0") + bytes([extended])
    head[483:495] = b"%011o\0" % len(data)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + (later.ljust(512, b"\0") if extended else b"")


def pax_sparse(data: bytes, pieces: list[tuple[int, int]], version: str) -> bytes:
    flat = [number for piece in pieces for number in piece]
    before, records = b"", [("GNU.sparse.size", str(len(data)))]
    if version == "0.0":
        for piece in pieces:
            records += [("GNU.sparse.offset", str(piece[0])), ("GNU.sparse.numbytes", str(piece[1]))]
    elif version == "0.1":
        records += [("GNU.sparse.map", ",".join(map(str, flat))), ("GNU.sparse.name", "holes.bmp")]
    else:
        records = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "holes.bmp")]
        records += [("GNU.sparse.realsize", str(len(data)))]
        before = "".join(f"{number}\n" for number in [len(pieces), *flat]).encode()
        before = before.ljust(-(-len(before) // 512) * 512, b"\0")
    body = b"".join(record(key, value) for key, value in records)
    extended = tarfile.TarInfo("PaxHeader/x")
    extended.type, extended.size = tarfile.XHDTYPE, len(body)
    facts = tarfile.TarInfo("holes.bmp" if version == "0.0" else "GNUSparseFile.1/holes.bmp")
    facts.size = sum(length for _, length in pieces) + len(before)
    padded = body.ljust(-(-len(body) // 512) * 512, b"\0")
    return extended.tobuf(tarfile.USTAR_FORMAT) + padded + facts.tobuf(tarfile.USTAR_FORMAT) + before


def record(key: str, value: str) -> bytes:
    text = f" {key}={value}\n".encode()
    length = len(text) + 1
    while len(str(length)) + len(text) != length:
        length = len(str(length)) + len(text)
    return str(length).encode() + text


SPARSE: dict[str, Callable[[bytes, list[tuple[int, int]]], bytes]] = {
    "gnu": lambda data, pieces: gnu_sparse(data, pieces, extended=False),
    "gnu extended": lambda data, pieces: gnu_sparse(data, pieces, extended=True),
    "0.0": lambda data, pieces: pax_sparse(data, pieces, "0.0"),
    "0.1": lambda data, pieces: pax_sparse(data, pieces, "0.1"),
    "1.0": lambda data, pieces: pax_sparse(data, pieces, "1.0"),
}


def sparse_tar(path: Path, form: str, pieces: list[tuple[int, int]] | None = None) -> bytes:
    data, real = holes()
    stored = b"".join(data[offset : offset + length] for offset, length in real)
    stored = stored.ljust(-(-len(stored) // 512) * 512, b"\0")
    path.write_bytes(SPARSE[form](data, pieces or real) + stored)
    after = write_tar(path.with_name("after.tar"), [("after.png", picture(7))])
    path.write_bytes(path.read_bytes() + after.read_bytes())
    return data


@pytest.mark.parametrize("form", SPARSE)
def test_members_with_holes_are_read_as_they_were(form: str, tmp_path: Path) -> None:
    data = sparse_tar(tmp_path / "a.tar", form)
    with tarfile.open(tmp_path / "a.tar") as tar:
        theirs = tar.extractfile("holes.bmp")
        assert theirs is not None
        assert theirs.read() == data
    files = TarImages(tmp_path / "a.tar")
    assert files.names == ["holes.bmp", "after.png"]
    assert files.payload(0) == data
    assert files.payload(1) == picture(7)
    files.close()


@pytest.mark.parametrize("form", SPARSE)
@pytest.mark.parametrize(
    "pieces", [[(0, 512), (2**32, 2048)], [(512, 512), (0, 2048)], [(0, 2**32)], [(0, 512), (0, 2048)]]
)
def test_pieces_that_do_not_fit_are_refused(form: str, pieces: list[tuple[int, int]], tmp_path: Path) -> None:
    sparse_tar(tmp_path / "a.tar", form, pieces)
    with pytest.raises(StoreError, match=r"a\.tar (is damaged|has been cut short)") as caught:
        TarImages(tmp_path / "a.tar")
    assert is_sentence(str(caught.value))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_of_every_dialect(form: int, tmp_path: Path) -> None:
    name = "d" * 90 + "/" + "n" * (90 if form == tarfile.USTAR_FORMAT else 150) + ".png"
    assert values(write_tar(tmp_path / "a.tar", [(name, picture(5)), ("b.png", picture(6))], form)) == {
        name: 5, "b.png": 6
    }  # fmt: skip


def global_header(records: bytes) -> bytes:
    facts = tarfile.TarInfo("pax_global_header")
    facts.type, facts.size = tarfile.XGLTYPE, len(records)
    return facts.tobuf(tarfile.USTAR_FORMAT) + records.ljust(-(-len(records) // 512) * 512, b"\0")


def test_global_headers_are_no_members_and_hold_for_all_that_follow(tmp_path: Path) -> None:
    one = write_tar(tmp_path / "one.tar", [("a.png", picture(1))], tarfile.USTAR_FORMAT).read_bytes()
    path = tmp_path / "a.tar"
    path.write_bytes(global_header(record("comment", "40c28f8a1b")) + one)  # as git archive writes it
    assert values(path) == {"a.png": 1}
    path.write_bytes(global_header(record("path", "renamed.png")) + one)  # as GNU tar and Python read it
    assert values(path) == {"renamed.png": 1}
    path.write_bytes(global_header(record("comment", "x")) + bytes(1024))
    with pytest.raises(StoreError, match="holds no pictures"):
        ForeignReader.open(path, [path], TarImages, "tar")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_compressed_tar_is_read_in_any_order(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    plain = write_tar(tmp_path / "a.tar", [(f"{number}.png", picture(number)) for number in range(5)])
    (tmp_path / "b.tgz").write_bytes(pack(plain.read_bytes()))
    files = TarImages(tmp_path / "b.tgz")
    files.release()
    assert [files.payload(number) for number in (4, 0, 2)] == [picture(number) for number in (4, 0, 2)]
    files.close()
    (tmp_path / "b.tgz").write_bytes(pack(plain.read_bytes())[:-12])
    with pytest.raises(StoreError, match=r"cut short|damaged") as caught:
        TarImages(tmp_path / "b.tgz")
    assert is_sentence(str(caught.value))


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgstore_tui.storekit.unpacked_file._FREE_BYTES", 2**16)
    monkeypatch.setattr("imgstore_tui.storekit.unpacked_file._MOST_SHRUNK", 10)
    (tmp_path / "a.tgz").write_bytes(gzip.compress(bytes(2**22)))
    with pytest.raises(StoreError, match="unpacks to more than") as caught:
        TarImages(tmp_path / "a.tgz")
    assert is_sentence(str(caught.value))


def test_an_extended_header_that_says_it_is_huge_is_not_read(tmp_path: Path) -> None:
    facts = tarfile.TarInfo("x")
    facts.type, facts.size = tarfile.XHDTYPE, 2**32
    path = tmp_path / "a.tar"
    with path.open("wb") as file:
        file.write(facts.tobuf(tarfile.GNU_FORMAT))
        file.truncate(2**33)  # a hole
    with pytest.raises(StoreError, match="an extended header says that it has 4,294,967,296 bytes") as caught:
        TarImages(path)
    assert is_sentence(str(caught.value))


@pytest.mark.full
@pytest.mark.timeout(300)
def test_a_million_members_are_scanned_in_bounded_memory(tmp_path: Path) -> None:
    one = write_tar(tmp_path / "one.tar", [("0000000.png", b"\x89PNG\r\n\x1a\n" + bytes(8))]).read_bytes()[:1024]
    count = 1_000_000
    heads = np.tile(np.frombuffer(one, np.uint8), (10_000, 1))
    with (tmp_path / "a.tar").open("wb") as file:
        for first in range(0, count, 10_000):
            digits = np.arange(first, first + 10_000)[:, None] // 10 ** np.arange(6, -1, -1) % 10
            heads[:, :7] = digits + ord("0")
            heads[:, 148:156] = ord(" ")
            sums = heads[:, :512].sum(1, dtype=np.int64)
            heads[:, 148:154] = (sums[:, None] >> 3 * np.arange(5, -1, -1) & 7) + ord("0")
            heads[:, 154] = 0
            file.write(heads.tobytes())
        file.write(bytes(1024))
    code = (
        "import sys; from pathlib import Path;"
        "from imgstore_tui.backends.webdataset.foreign import TarImages;"
        "files = TarImages(Path(sys.argv[1])); print(len(files.names), len(files.excluded));"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )  # of getrusage the maximum would be that of the process that starts it
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.tar")], capture_output=True, text=True, check=True
    )
    counts, peak = done.stdout.splitlines()
    assert counts == f"{count} 0"
    assert int(peak) < 600_000, peak
