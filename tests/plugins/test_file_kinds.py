"""What a file is, is told by its first bytes; what cannot be read is named as the file that it is."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import StoreError
from imgstore_tui.plugins.file_kind import kind_of_file
from imgstore_tui.plugins.foreign import ForeignStore, open_foreign
from imgstore_tui.testing.store_material import is_sentence


def picture(kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (7, 8, 9)).save(buffer, kind)
    return buffer.getvalue()


def tar(form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as file:
        facts = tarfile.TarInfo("a.png")
        facts.size = len(picture())
        file.addfile(facts, io.BytesIO(picture()))
    return buffer.getvalue()


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, x_train=np.zeros((2, 2, 2), np.uint8))
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("cat/1.png", picture())
    return buffer.getvalue()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12345\n"
CONTENTS = {
    "tar": tar(),
    "npz": npz(),
    "zip": zipped(),
    "git-lfs": POINTER,
    "idx": struct.pack(">IIII", 2051, 1, 2, 2) + bytes(4),
    "npy": npz()[npz().index(b"\x93NUMPY") :],
    "HDF5": bytes(512) + b"\x89HDF\r\n\x1a\n",
    "pickle": pickle.dumps({"a": 1}),
    "SQLite": b"SQLite format 3\0" + bytes(100),
    "LMDB": bytes(16) + struct.pack("<I", 0xBEEFC0DE) + bytes(100),
    "picture": picture("JPEG"),
    "text": "name,label\ncafé,1\n".encode(),
    "empty": b"",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_first_bytes_tell_what_a_file_is(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.TAR").write_bytes(CONTENTS[name])
    assert kind_of_file(tmp_path / "x.TAR").name == name


def test_a_record_of_tensorflow_is_told_by_the_checksum_of_its_length(tmp_path: Path) -> None:
    google_crc32c = pytest.importorskip("google_crc32c", reason="google_crc32c is not installed (extra tfrecord)")
    from imgstore_tui.backends.tfrecord.records import masked

    for length in (0, 1, 255, 2**33):
        head = struct.pack("<Q", length)
        (tmp_path / "train-00000-of-01024").write_bytes(head + struct.pack("<I", masked(google_crc32c.value(head))))
        assert kind_of_file(tmp_path / "train-00000-of-01024").name == "TFRecord"


@pytest.mark.parametrize("name", ["a.tar", "A.TAR", "shard-00000-of-00001", "b.dat", "c.parquet"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT])
def test_a_tar_is_read_whatever_it_is_called(name: str, form: int, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(tar(form))
    for location in (tmp_path / name, tmp_path):
        opened = open_foreign(location)
        assert opened is not None
        assert opened.backend == "webdataset"
        assert opened.reader.read_bytes([0], np.zeros(1, np.int64)) == [picture()]
        opened.reader.close()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (POINTER, "is a pointer of git-lfs, not the file itself; get that first: git lfs pull"),
        (picture(), "is a PNG picture; name the folder that it lies in: folder:"),
        (pickle.dumps([1]), "is a pickle, which runs code when it is loaded and is never loaded here"),
        (lzma.compress(tar()), "is a tar file compressed by xz; unpack it first: unxz -k x.tar."),
        (b"\x28\xb5\x2f\xfd" + bytes(20), "is a file compressed by zstd; unpack it first: unzstd x.tar."),
        (
            gzip.compress(b"PAR1" + bytes(20), mtime=0),
            "is a Parquet file compressed by gzip; unpack it first: gunzip -k x.tar.",
        ),
    ],
    ids=["pointer", "picture", "pickle", "xz", "zstd", "gzip"],
)
def test_what_is_not_read_is_named_as_the_file_that_it_is(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        open_foreign(path)
    assert f"{path} {text}" in str(caught.value)
    assert is_sentence(str(caught.value), path)


def test_a_pointer_among_shards_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar())
    (tmp_path / "b.tar").write_bytes(POINTER)
    with pytest.raises(StoreError, match=r"b\.tar is a pointer of git-lfs"):
        open_foreign(tmp_path)


def test_shards_of_two_formats_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar())
    (tmp_path / "b.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(StoreError, match=r"several formats: a\.tar \(WebDataset tar\), b\.h5 \(HDF5\)") as caught:
        open_foreign(tmp_path)
    assert is_sentence(str(caught.value))


def opened(location: Path) -> ForeignStore:
    store = open_foreign(location)
    assert store is not None
    store.reader.close()
    return store


def test_what_lies_beside_shards_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar())
    (tmp_path / "README.md").write_text("text")
    (tmp_path / "more").mkdir()
    (tmp_path / ".cache").mkdir()
    assert opened(tmp_path).warnings == (
        "Beside the files that are read, more/, README.md are in the folder and not looked into.",
    )


def test_links_lead_out_of_a_folder_only_into_the_cache_of_hugging_face(tmp_path: Path) -> None:
    data = tmp_path / "hub" / "snapshots" / "x" / "data"
    data.mkdir(parents=True)
    (tmp_path / "hub" / "blobs").mkdir()
    (tmp_path / "hub" / "blobs" / "aa").write_bytes(tar())
    (tmp_path / "secret").write_bytes(tar())
    (data / "train-00000-of-00001.tar").symlink_to("../../../blobs/aa")
    assert opened(data).reader.content.count == 1
    (data / "train-00001-of-00001.tar").symlink_to("../../../../secret")
    with pytest.raises(StoreError, match="is a link that leaves the folder, which is not followed") as caught:
        open_foreign(data)
    assert is_sentence(str(caught.value))
    assert opened(data / "train-00001-of-00001.tar").reader.content.count == 1  # the user names it


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tar")
    assert kind_of_file(tmp_path / "a.tar").name == "special file"
    assert open_foreign(tmp_path) is None
