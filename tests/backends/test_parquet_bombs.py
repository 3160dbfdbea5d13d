"""Small Parquet files that unpack to gigabytes: refused by name while little of them is in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.testing.store_material import StoreSetup
from tests.support.program import program, sentence

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra arrow)")

STRUCT = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
VALUE = 1 << 20
NOTE = {b"note": b"x" * 6000}
ROWS = 1500
MOST_BYTES = 700 << 20
"""What a process may take that has Python, Arrow and the first part of a bomb in memory."""


def zeros(rows: int) -> Any:
    """Return values of zeros of 1 MiB each."""
    ends = np.arange(rows + 1, dtype=np.int32) * VALUE
    return pa.Array.from_buffers(
        pa.binary(), rows, [None, pa.py_buffer(ends), pa.py_buffer(np.zeros(rows * VALUE, np.uint8))]
    )


def write(path: Path, rows: int, metadata: Any = None, **settings: Any) -> None:
    images = pa.StructArray.from_arrays([zeros(rows), pa.nulls(rows, pa.string())], fields=list(STRUCT))
    # As many bytes as rows, as a file of real rows has.
    schema = pa.schema([pa.field("image", STRUCT), pa.field("label", pa.int64())], metadata=metadata or NOTE)
    table = pa.Table.from_arrays([images, pa.array(np.zeros(rows, np.int64))], schema=schema)
    pq.write_table(
        table, path, compression="zstd", compression_level=19, write_statistics=False, row_group_size=rows, **settings
    )


KINDS: dict[str, dict[str, Any]] = {
    "dictionary": {"use_dictionary": ["image.bytes"], "dictionary_pagesize_limit": 1 << 30},
    "delta": {"use_dictionary": False, "column_encoding": {"image.bytes": "DELTA_BYTE_ARRAY"}},
    "small pages": {"use_dictionary": False},
    "one page": {"use_dictionary": False, "data_page_size": 1 << 30},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_of_another_program_is_refused_before_it_fills_the_memory(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bomb.parquet"
    write(path, ROWS, **KINDS[kind])
    assert path.stat().st_size < 200_000
    code = (
        "import json, re, sys\n"
        "from pathlib import Path\n"
        "from imgstore_tui.backends.parquet.foreign import ParquetImages\n"
        "from imgstore_tui.core.errors import StoreError\n"
        "from imgstore_tui.core.foreign_layout import ForeignLayout\n"
        "sentence = ''\n"
        "file = None\n"
        "try:\n"
        "    file = ParquetImages(Path(sys.argv[1]), ForeignLayout(image='image'))\n"
        "    file.payload(file.count - 1)\n"
        "except StoreError as error:\n"
        "    sentence = str(error)\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())\n"
        "print(json.dumps([sentence, int(peak[1]) * 1024]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    refusal, peak = json.loads(done.stdout)
    assert str(path) in refusal
    assert "unpack" in refusal
    assert peak < MOST_BYTES


def test_a_bomb_in_the_column_of_labels_is_no_label(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    images = pa.array([{"bytes": b"\x89PNG\r\n\x1a\n" + bytes([n % 256]), "path": None} for n in range(ROWS)], STRUCT)
    labels = zeros(1).cast(pa.string()).take(pa.array(np.zeros(50, np.int64)))
    labels = pa.chunked_array([labels] * (ROWS // 50))
    pq.write_table(
        pa.table({"image": images, "label": labels}), path, use_dictionary=["label"], compression="zstd",
        dictionary_pagesize_limit=1 << 30, write_statistics=False, row_group_size=ROWS,
    )  # fmt: skip
    assert path.stat().st_size < 200_000
    code = (
        "import json, re, sys\n"
        "from pathlib import Path\n"
        "from imgstore_tui.backends.parquet.foreign import ParquetImages\n"
        "from imgstore_tui.core.foreign_layout import ForeignLayout\n"
        "file = ParquetImages(Path(sys.argv[1]), ForeignLayout(image='image'))\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())\n"
        "print(json.dumps([file.labels.reason, int(peak[1]) * 1024]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    reason, peak = json.loads(done.stdout)
    assert reason == "label would unpack to far more than labels take"
    assert peak < MOST_BYTES


def test_a_bomb_is_a_sentence_on_the_command_line(tmp_path: Path) -> None:
    write(tmp_path / "bomb.parquet", ROWS, **KINDS["dictionary"])
    refused = program("convert", f"store:{tmp_path / 'bomb.parquet'},image=image", "lmdb", str(tmp_path / "out"))
    assert "unpack" in sentence(refused)
    assert not (tmp_path / "out").exists()


def test_pictures_that_repeat_are_no_bomb(tmp_path: Path) -> None:
    from imgstore_tui.backends.parquet.foreign import ParquetImages

    path = tmp_path / "repeated.parquet"
    values = [bytes([number % 3]) * 1000 for number in range(500)]
    images = pa.StructArray.from_arrays(
        [pa.array(values, pa.binary()), pa.nulls(len(values), pa.string())], fields=list(STRUCT)
    )
    pq.write_table(pa.table({"image": images}), path, row_group_size=200)
    file = ParquetImages(path, ForeignLayout(image="image"))
    assert [file.payload(number) for number in (499, 0, 250, 201)] == [values[n] for n in (499, 0, 250, 201)]
    file.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_whose_file_was_replaced_by_a_bomb_is_refused(tmp_path: Path, kind: str) -> None:
    setup = StoreSetup.of("parquet:rows=400,compression=zstd")
    path = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 400))
    write(path, 400, {**pq.read_schema(path).metadata, **NOTE}, **KINDS[kind])
    with setup.backend.open(tmp_path / "store") as reader:
        labels = np.zeros(1, np.int64)
        before = pa.default_memory_pool().max_memory()
        with pytest.raises(StoreError) as caught:
            reader.read_bytes([0], labels)
        assert pa.default_memory_pool().max_memory() - before < 64 << 20
    assert str(path) in str(caught.value)
