"""Arrow files and streams, plain or packed or through a pipe, whole or damaged."""

from __future__ import annotations

import gzip
import io
import json
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest
import zstandard

from dedup.config import ReadSettings
from dedup.errors import DedupError, UsageError
from dedup.model import Ledger
from dedup.read import read_articles

if TYPE_CHECKING:
    from pathlib import Path


def read(*inputs: Any, **options: Any) -> tuple[list[dict[str, Any]], Ledger]:
    ledger = Ledger()
    rows: list[dict[str, Any]] = []
    for batch in read_articles([str(i) for i in inputs], ReadSettings(**options), ledger):
        batch.validate(full=True)
        rows += batch.to_pylist()
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    return rows, ledger


def table(count: int = 300) -> pa.Table:
    rng = random.Random(1)
    return pa.table(
        {
            "id": [f"a{i}" for i in range(count)],
            "text": [rng.randbytes(40).hex() for _ in range(count)],
            "date": pa.array([i * 10**15 for i in range(count)], pa.timestamp("ns")),
            "authors": [["A", "B"]] * count,
            "source": pa.array(["x.example"] * count).dictionary_encode(),
            "unused": [{"deep": [1]}] * count,
        }
    )


def as_file(data: pa.Table, compression: str | None = None) -> bytes:
    sink = io.BytesIO()
    options = ipc.IpcWriteOptions(compression=compression)
    with ipc.new_file(sink, data.schema, options=options) as writer:
        writer.write_table(data, max_chunksize=100)
    return sink.getvalue()


def as_stream(data: pa.Table) -> bytes:
    sink = io.BytesIO()
    with ipc.new_stream(sink, data.schema) as writer:
        writer.write_table(data, max_chunksize=100)
    return sink.getvalue()


def as_parquet(data: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(data, sink, row_group_size=100)
    return sink.getvalue()


def as_feather(data: pa.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(data, sink)
    return sink.getvalue()


DRESSES = {
    "file": as_file,
    "zstd file": lambda data: as_file(data, "zstd"),
    "stream": as_stream,
    "feather": as_feather,
    "parquet": as_parquet,
}
PACK = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}


@pytest.mark.parametrize("pack", PACK)
@pytest.mark.parametrize("name", ["a.arrow", "a.parquet", "unnamed", "a.jsonl", "a.txt"])
@pytest.mark.parametrize("dress", DRESSES)
def test_every_dress_whatever_its_name(tmp_path: Path, dress: str, name: str, pack: str) -> None:
    file = tmp_path / (name + pack)
    file.write_bytes(PACK[pack](DRESSES[dress](table())))
    rows, ledger = read(file)
    assert [r["id"] for r in rows] == [f"a{i}" for i in range(300)]
    assert (rows[0]["byline"], rows[0]["outlet"]) == ("A, B", "x.example")
    assert rows[0]["position"] == "row 1"
    assert rows[299]["text"] == table()["text"][299].as_py()
    assert not ledger.incomplete
    assert "unused" not in ledger.files[0].columns.values()


@pytest.mark.parametrize("dress", DRESSES)
def test_through_a_pipe(dress: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = DRESSES[dress](table())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    rows, ledger = read("-")
    assert len(rows) == 300
    assert not ledger.incomplete


@pytest.mark.parametrize("dress", DRESSES)
def test_cut_off_keeps_what_came_before(tmp_path: Path, dress: str) -> None:
    data = DRESSES[dress](table())
    (tmp_path / "a.arrow").write_bytes(data[: len(data) * 2 // 3])
    rows, ledger = read(tmp_path / "a.arrow")
    assert ledger.incomplete
    assert len(rows) == (100 if dress == "stream" else 0)  # others have their contents at the end


def test_a_damaged_batch_of_a_file_costs_itself_alone(tmp_path: Path) -> None:
    whole = as_file(table(), "zstd")
    parts = whole.split(zstandard.FRAME_HEADER)  # as many in each of the three batches
    third = len(parts) // 3
    damaged = bytearray(zstandard.FRAME_HEADER.join(parts[: third + 1]))
    damaged += b"....".join([b"", *parts[third + 1 : 2 * third + 1]])
    damaged += zstandard.FRAME_HEADER.join([b"", *parts[2 * third + 1 :]])
    (tmp_path / "a.arrow").write_bytes(damaged)
    rows, ledger = read(tmp_path / "a.arrow")
    assert len(rows) == 200
    assert "record batch 1 is damaged" in (ledger.files[0].incomplete or "")


@pytest.mark.parametrize("dress", DRESSES)
def test_flipped_bytes_never_end_the_process(tmp_path: Path, dress: str) -> None:
    data = DRESSES[dress](table(60).select(["id", "text", "authors", "source", "date"]))
    rng = random.Random(5)
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(8, len(data))] = rng.randrange(256)
        (tmp_path / "a.arrow").write_bytes(damaged)
        try:
            read(tmp_path / "a.arrow")
        except DedupError as error:
            assert "a.arrow" in str(error)  # noqa: PT017


def test_strings_that_are_no_utf8_are_mended_or_rejected(tmp_path: Path) -> None:
    raw = pa.array([b"good", b"caf\xe9"])
    (tmp_path / "a.arrow").write_bytes(as_file(pa.table({"text": raw.view(pa.string())})))
    rows, _ = read(tmp_path / "a.arrow")
    assert [(r["text"], "invalid-utf8" in r["issues"]) for r in rows] == [
        ("good", False),
        ("caf\ufffd", True),
    ]
    assert len(read(tmp_path / "a.arrow", reject_invalid_utf8=True)[0]) == 1


def test_no_text_column_is_an_error_that_lists_them(tmp_path: Path) -> None:
    (tmp_path / "a.arrow").write_bytes(as_file(pa.table({"headline": ["x"]})))
    with pytest.raises(UsageError, match=r"a\.arrow.*headline.*--field text=COLUMN"):
        read(tmp_path / "a.arrow")


def test_feather_of_the_first_version_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "a.feather").write_bytes(b"FEA1" + bytes(60))
    assert "version 1" in (read(tmp_path / "a.feather")[1].files[0].incomplete or "")


def test_a_folder_saved_by_datasets(tmp_path: Path) -> None:
    """What ``Dataset.save_to_disk`` and ``DatasetDict.save_to_disk`` leave, with a cache of map."""
    folder = tmp_path / "news" / "train"
    folder.mkdir(parents=True)
    data = table()
    parts = ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    for part, rows in zip(parts, (data.slice(0, 200), data.slice(200)), strict=True):
        (folder / part).write_bytes(as_stream(rows))
    (folder / "cache-0123456789abcdef.arrow").write_bytes(as_stream(data))
    state = {"_data_files": [{"filename": part} for part in parts], "_split": "train"}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": {}}))
    (folder.parent / "dataset_dict.json").write_text(json.dumps({"splits": ["train"]}))
    rows, ledger = read(tmp_path / "news")
    assert len(rows) == 300
    assert (ledger.repeats, ledger.rejected) == (0, 0)
    skipped = {s.file.rpartition("/")[2]: s.reason for s in ledger.skipped}
    assert sorted(skipped) == [
        "cache-0123456789abcdef.arrow",
        "dataset_dict.json",
        "dataset_info.json",
        "state.json",
    ]
    assert "state.json" in skipped["cache-0123456789abcdef.arrow"]


def test_files_of_these_names_elsewhere_are_read(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"text": "The state."}')
    (tmp_path / "dataset_info.json").write_text('{"text": "Other."}')
    assert len(read(tmp_path)[0]) == 2
