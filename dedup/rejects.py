"""The records that a run could not use: listed in full, held in bounded memory."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from dedup.model import Reject, table_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.arena import Arena

HELD = 2**15
"""Rejects held as objects, some 300 bytes each."""


class RejectList:
    """Rejects in the order in which they were met.

    What is more than :data:`HELD` goes to a temporary file, in batches of Arrow, which is mapped to
    be read. Raises :class:`~dedup.errors.SpillError` where it cannot be written.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._held: list[Reject] = []
        self._written = 0
        self._file: IO[bytes] | None = None
        self._writer: pa.RecordBatchStreamWriter | None = None

    def append(self, reject: Reject) -> None:
        """Add one."""
        self._held.append(reject)
        if len(self._held) == HELD:
            self._write()

    def _write(self) -> None:
        with self._arena.speaking():
            if self._file is None or self._writer is None:
                self._file = tempfile.TemporaryFile(dir=self._arena.folder)  # noqa: SIM115
                # Not closed at its end: the list may grow after it was read.
                self._writer = pa.ipc.new_stream(self._file, table_schemas()["rejected"])
            batch = _batch(self._held)
            self._writer.write_batch(batch)
            self._file.flush()
            self._arena.spilled += batch.nbytes
        self._written += len(self._held)
        self._held = []

    def __len__(self) -> int:
        return self._written + len(self._held)

    def __iter__(self) -> Iterator[Reject]:
        for batch in self.table().to_batches(max_chunksize=HELD):
            for row in batch.to_pylist():
                yield Reject(**row)

    def table(self) -> pa.Table:
        """The table ``rejected`` so far; its rows in the file are not copied."""
        schema = table_schemas()["rejected"]
        batches: list[pa.RecordBatch] = []
        rows = 0
        if self._file is not None:
            with self._arena.speaking():
                memory = self._arena.map(self._file, self._file.tell())
            reader = pa.ipc.open_stream(pa.py_buffer(memory))
            while rows < self._written:
                batches.append(reader.read_next_batch())
                rows += batches[-1].num_rows
        return pa.Table.from_batches([*batches, _batch(self._held)], schema)


def _batch(rejects: list[Reject]) -> pa.RecordBatch:
    schema = table_schemas()["rejected"]
    columns = [pa.array([getattr(r, name) for r in rejects], pa.string()) for name in schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
