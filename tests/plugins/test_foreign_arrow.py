"""Arrow files, streams and saved data sets of other programs: what is read, and what is refused."""

from __future__ import annotations

import json
import struct
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError, UsageError
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.testing.store_material import is_sentence
from tests.support import foreign_files
from tests.support.foreign_files import FILES, ROWS, files, png

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
FEATURES = {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog", "fox"], "_type": "ClassLabel"}}


def write(path: Path, *, form: str = "stream", rows: int = 2, compression: Any = None, **columns: Any) -> Path:
    """Write a stream as Hugging Face datasets does, or a file as Feather is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    start = {"stream": pa.ipc.new_stream, "file": pa.ipc.new_file}[form]
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with start(str(path), table.schema, options=options) as sink:
        for batch in table.to_batches(max_chunksize=rows):
            sink.write_batch(batch)
    return path


def save_to_disk(folder: Path, shards: int = 1, rows: Any = ROWS, labels: Any = (2, 0, 1)) -> Path:
    """Write what ``Dataset.save_to_disk`` writes."""
    names = [f"data-{number:05}-of-{shards:05}.arrow" for number in range(shards)]
    for number, name in enumerate(names):
        part = slice(number * len(rows) // shards, (number + 1) * len(rows) // shards)
        write(folder / name, image=pa.array(rows[part], STRUCT), label=pa.array(labels[part], pa.int64()))
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    return folder


opened = partial(foreign_files.opened, backend="arrow")
refusal = partial(foreign_files.refusal, backend="arrow")


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
@pytest.mark.parametrize("form", ["stream", "file"])
@pytest.mark.parametrize(
    "column",
    [pa.array(ROWS, STRUCT), pa.array(FILES, pa.binary()), pa.array(FILES, pa.large_binary()),
     pa.array(FILES, pa.binary_view())],
    ids=["struct", "binary", "large", "view"],
)  # fmt: skip
def test_files_and_streams_are_read_whatever_they_are_called(
    column: Any, form: str, compression: Any, tmp_path: Path
) -> None:
    reader = opened(write(tmp_path / "a.dat", form=form, compression=compression, image=column, label=[3, 1, 2]))
    assert reader.read_labels().tolist() == [3, 1, 2]
    assert files(reader) == FILES


def test_a_saved_data_set_has_its_names_of_classes(tmp_path: Path) -> None:
    reader = opened(save_to_disk(tmp_path / "saved", shards=2))
    assert reader.content.label_names == ("cat", "dog", "fox")
    assert reader.read_labels().tolist() == [2, 0, 1]
    assert files(reader) == FILES
    dataset = registry.make_dataset(f"store:{tmp_path / 'saved'}")
    dataset.scan()
    assert "arrow+original, labels: 0 cat, 1 dog, 2 fox" in dataset.summary


def test_splits_are_kept_apart_by_the_names_that_they_have(tmp_path: Path) -> None:
    save_to_disk(tmp_path / "d" / "train", shards=2)
    save_to_disk(tmp_path / "d" / "extra", rows=ROWS[:1], labels=[1])
    save_to_disk(tmp_path / "d" / "validation", rows=ROWS[1:2], labels=[2])
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["train", "extra", "validation"]}')
    assert "holds several splits: extra, train, validation. Name one with split=" in refusal(tmp_path / "d")
    assert files(opened(tmp_path / "d", split="extra")) == FILES[:1]
    assert files(opened(tmp_path / "d", split="val")) == FILES[1:2]
    assert files(opened(tmp_path / "d", split="all")) == [*FILES, FILES[0], FILES[1]]
    assert files(opened(tmp_path / "d" / "train")) == FILES
    assert "has no split test; there are extra, train, validation" in refusal(tmp_path / "d", split="test")


def test_the_cache_is_read_without_results_of_map(tmp_path: Path) -> None:
    for name, label in (("mnist-train-00000-of-00002", 1), ("mnist-train-00001-of-00002", 2), ("mnist-test", 0)):
        write(tmp_path / f"{name}.arrow", image=pa.array(ROWS[:1], STRUCT), label=[label])
    write(tmp_path / "cache-1c2.arrow", image=pa.array(ROWS, STRUCT))
    (tmp_path / "dataset_info.json").write_text(
        json.dumps({"features": FEATURES, "splits": {"train": {"num_examples": 2}, "test": {"num_examples": 1}}})
    )
    assert "several splits: test, train" in refusal(tmp_path)
    reader = opened(tmp_path, split="train")
    assert reader.read_labels().tolist() == [1, 2]
    assert "1 Arrow file of results of map or filter not read" in " ".join(reader.warnings)
    reader.close()


@pytest.mark.parametrize("kind", [pa.list_(STRUCT), pa.large_list(pa.binary()), pa.list_(pa.binary(), 2)], ids=str)
def test_a_list_of_pictures_is_as_many_pictures(kind: Any, tmp_path: Path) -> None:
    items = ROWS if kind.value_type == STRUCT else FILES
    images = pa.array([[items[0], items[1]], None, [items[2], None]], kind)
    reader = opened(write(tmp_path / "a.arrow", images=images, label=["b", "x", "a"]))
    assert reader.content.label_names == ("a", "b")
    assert reader.read_labels().tolist() == [1, 1, 0]
    assert [entry.name for entry in reader.excluded] == ["a.arrow row 1"]
    assert files(reader) == FILES


def test_rows_without_a_picture_are_named(tmp_path: Path) -> None:
    rows = [ROWS[0], None, ROWS[1], {"bytes": None, "path": "far/away.png"}, ROWS[2]]
    path = write(tmp_path / "a.arrow", image=pa.array(rows, STRUCT), label=[1, None, 2, None, 3])
    reader = opened(path)
    assert [entry.name for entry in reader.excluded] == ["a.arrow row 1", "a.arrow row 3"]
    assert reader.content.count + len(reader.excluded) == pa.ipc.open_stream(path.read_bytes()).read_all().num_rows
    assert reader.read_labels().tolist() == [1, 2, 3]
    assert files(reader) == FILES


@pytest.mark.parametrize("form", ["stream", "file"])
def test_labels_may_be_a_dictionary(form: str, tmp_path: Path) -> None:
    labels = pa.array(["dog", "cat", "dog"]).dictionary_encode()
    reader = opened(write(tmp_path / "a.arrow", form=form, image=FILES, label=labels, rows=3))
    assert reader.content.label_names == ("cat", "dog")
    assert reader.read_labels().tolist() == [1, 0, 1]
    assert files(reader) == FILES


def test_what_is_ambiguous_is_refused_with_the_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.arrow", left=FILES, right=[png(200)] * 3, size=[1, 2, 3])
    assert "several columns of pictures: left, right. Name one with image=" in refusal(path)
    assert files(opened(path, image="right")) == [png(200)] * 3
    assert "no column of picture files: its columns are pixels list" in refusal(
        write(tmp_path / "b.arrow", pixels=[[1, 2, 3]] * 3)
    )
    with pytest.raises(UsageError, match="leave out the options axes"):
        opened(path, axes="NCHW")


BOMB_BYTES = 1 << 27


@pytest.mark.parametrize("form", ["stream", "file"])
@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_a_bomb_is_refused_before_it_is_unpacked(form: str, compression: str, tmp_path: Path) -> None:
    ends = pa.py_buffer(np.array([0, BOMB_BYTES], np.int32))
    value = pa.Array.from_buffers(pa.binary(), 1, [None, ends, pa.py_buffer(np.zeros(BOMB_BYTES, np.uint8))])
    path = write(tmp_path / "a.arrow", form=form, compression=compression, image=value)
    before = pa.default_memory_pool().max_memory()
    if compression == "zstd":
        assert path.stat().st_size < BOMB_BYTES // 1000
        assert "would unpack to far more than pictures of its size" in refusal(path)
        assert pa.default_memory_pool().max_memory() - before < 64 << 20
    else:
        assert "no column of picture files" in refusal(path)  # it is as large as pictures may be


@pytest.mark.parametrize("kind", [pa.string_view(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_many_rows_that_share_one_long_text_are_no_labels(kind: Any, tmp_path: Path) -> None:
    text, count = b"x" * (1 << 20), 1000
    if pa.types.is_dictionary(kind):
        labels = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([text.decode()]))
    else:
        views = struct.pack("<i4sii", len(text), text[:4], 0, 0) * count
        labels = pa.Array.from_buffers(kind, count, [None, pa.py_buffer(views), pa.py_buffer(text)])
    reader = opened(write(tmp_path / "a.arrow", image=FILES[:1] * count, label=labels, rows=count))
    assert "too long for the name of a class" in reader.label_note
    assert not reader.content.has_labels
    reader.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [("../secret.arrow", "names no files in its folder"), ("link.arrow", "is a link that leaves the folder"),
     ("gone.arrow", "is missing")],
)  # fmt: skip
def test_no_file_outside_of_the_folder_is_read(name: str, text: str, tmp_path: Path) -> None:
    write(tmp_path / "secret.arrow", image=FILES)
    folder = save_to_disk(tmp_path / "saved")
    (folder / "link.arrow").symlink_to(tmp_path / "secret.arrow")
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    assert text in refusal(folder)


@pytest.mark.parametrize("name", ["state.json", "dataset_info.json"])
@pytest.mark.parametrize("text", ["[" * 100_000, "{}", "null", '{"_data_files": [1]}', "\0"])
def test_a_folder_that_makes_no_sense_is_a_sentence(name: str, text: str, tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "saved")
    (folder / name).write_text(text)
    if (name, text) in {("dataset_info.json", "{}"), ("dataset_info.json", '{"_data_files": [1]}')}:
        assert opened(folder).content.label_names == ()
    else:
        assert "damaged" in refusal(folder)


@pytest.mark.parametrize("form", ["stream", "file"])
def test_damaged_files_are_sentences_or_other_pictures(form: str, tmp_path: Path) -> None:
    whole = write(tmp_path / "a.arrow", form=form, image=pa.array(ROWS, STRUCT), label=[1, 2, 3]).read_bytes()
    order, sentences = np.random.default_rng(0), []
    for number in range(200):
        data = bytearray(whole)
        for place in order.integers(0, len(data), 3):
            data[place] = order.integers(0, 256)
        path = tmp_path / f"{number}.arrow"
        path.write_bytes(data[: len(data) if number % 2 else order.integers(1, len(data))])
        try:
            store = open_foreign(path)
            if store is not None:
                with store.reader as reader:
                    reader.read_bytes(range(reader.content.count), np.zeros(reader.content.count, np.int64))
        except StoreError as error:
            sentences.append(str(error))
    assert len(sentences) > 50
    assert all(map(is_sentence, sentences))


@pytest.mark.parametrize("kind", [pa.string_view(), pa.binary_view()], ids=str)
def test_labels_of_views_are_read_beside_rows_without_a_picture(kind: Any, tmp_path: Path) -> None:
    labels = pa.array(["dog", "no", "cat"]).cast(kind)
    reader = opened(write(tmp_path / "a.arrow", image=[FILES[0], None, FILES[1]], label=labels))
    assert reader.content.label_names == ("cat", "dog")
    assert reader.read_labels().tolist() == [1, 0]
    reader.close()
