"""The index on the disk: one SQLite database in a folder, and who may write to it.

SQLite commits atomically and lets others read what was last committed while a job writes
(write-ahead log), which is what an unattended index needs; ``docs/index.md`` says what else was
measured. Everything is in one file, so that no commit can leave two files at odds.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import zipfile
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import zstandard

from dedup.errors import IndexDamagedError, IndexMissingError, IndexWriteError
from dedup.indexnotes import PARTS
from dedup.indextables import SCHEMA, create_statements
from dedup.partshapes import problem_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

FILE = "index.sqlite"
APPLICATION = 0x64647570  # "ddup", in the database's header

_PAGE = 8192
_LEVEL = 3
_DISK = {
    errno.ENOSPC: "the disk is full: free some space and start the command again",
    errno.EDQUOT: "the disk quota is used up: free some space and start the command again",
}


def now() -> str:
    """The present time as it stands in the index: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def pack_arrays(arrays: dict[str, NDArray[Any]]) -> bytes:
    """Arrays by name as one compressed part (numpy's ``npz`` under zstandard)."""
    out = BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]
    return zstandard.ZstdCompressor(level=_LEVEL).compress(out.getvalue())


def unpack_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """The reverse of :func:`pack_arrays`."""
    plain = zstandard.ZstdDecompressor().decompress(data)
    with np.load(BytesIO(plain), allow_pickle=False) as archive:
        return dict(archive)


UNREADABLE = (
    *(zstandard.ZstdError, zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError),
    # No bytes at all; a size that is damaged, too.
    *(TypeError, MemoryError),
)
"""What a damaged part, text or frame raises when it is unpacked."""


def not_writable(folder: Path, error: OSError | sqlite3.Error) -> IndexWriteError:
    """What went wrong on the disk, in the user's terms."""
    number = error.errno if isinstance(error, OSError) else None
    known = _DISK.get(number or 0)
    if isinstance(error, sqlite3.Error) and error.sqlite_errorname == "SQLITE_FULL":
        known = _DISK[errno.ENOSPC]
    reason = known or getattr(error, "strerror", None) or str(error)
    return IndexWriteError(
        f"{folder}: the index cannot be written: {reason}. What it held before is intact"
    )


class Store:
    """An open index. Use :meth:`create` or :meth:`open`; close it, or use it in a ``with``."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, writing: bool) -> None:
        self.folder = folder
        self.connection = connection
        self.writing = writing

    @classmethod
    def create(cls, folder: Path, meta: dict[str, str]) -> None:
        """Make an empty index in ``folder``: complete, or not at all.

        Raises :class:`~dedup.errors.IndexWriteError` where the folder cannot be written.
        """
        fresh = folder / f"{FILE}.new"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            connection = sqlite3.connect(fresh, isolation_level=None)
            try:
                connection.execute(f"PRAGMA page_size = {_PAGE}")
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {SCHEMA}")
                connection.executescript(f"BEGIN; {create_statements()} COMMIT;")
                nothing = digest_of(repr([]).encode())
                rows = {"created": now(), PARTS: nothing, **meta}.items()
                connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
            finally:
                connection.close()
            fresh.rename(folder / FILE)
        except (OSError, sqlite3.Error) as error:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise not_writable(folder, error) from error

    @classmethod
    def open(cls, folder: Path, *, writing: bool = False, schema: int = SCHEMA) -> Store:
        """Open an index, of this ``schema``, to read or (who holds the :class:`Lock`) to write.

        Raises:
            IndexMissingError: there is no index in ``folder``.
            IndexDamagedError: what is there is no index, or of another version.
            IndexWriteError: the disk has no room for the log that also readers need.
        """
        path = folder / FILE
        if not path.is_file():
            raise no_index(folder)
        connection = _connected(folder)
        store = cls(folder, connection, writing)
        try:
            store._check(path, schema)
            # SQLite itself knows the two cases of ASCII only.
            connection.create_function("folded", 1, str.lower, deterministic=True)
            if writing:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("PRAGMA wal_autocheckpoint = 8192")
            else:
                connection.execute("PRAGMA query_only = ON")
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise store.failed(error) from error
            raise
        return store

    def _check(self, path: Path, schema: int) -> None:
        try:
            application = self._pragma("application_id")
            version = self._pragma("user_version")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorname != "SQLITE_NOTADB":
                raise
            raise IndexDamagedError(f"{path}: is no index of dedup ({error})") from error
        if application != APPLICATION:
            raise IndexDamagedError(f"{path}: is no index of dedup")
        if version != schema:
            raise IndexDamagedError(
                f"{path}: was made by another version of dedup (schema {version}, this one has "
                f"{SCHEMA}); export it with that one ('dedup index export') and make a new index"
            )

    def _pragma(self, name: str) -> int:
        return int(self.connection.execute(f"PRAGMA {name}").fetchone()[0])

    def close(self) -> None:
        """Close the database; a writer empties the log first."""
        if self.writing:
            try:
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                self.connection.close()
                raise not_writable(self.folder, error) from error
        self.connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
            return
        self.connection.close()
        if isinstance(error, sqlite3.Error):
            raise self.failed(error) from error

    def failed(self, error: sqlite3.Error) -> IndexWriteError | IndexDamagedError:
        """What went wrong with the database, in the user's terms."""
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")):
            return not_writable(self.folder, error)
        return IndexDamagedError(
            f"{self.folder}: the index cannot be read: {error}; 'dedup index verify "
            f"{self.folder}' says what is damaged, 'dedup index rebuild {self.folder}' makes it "
            "anew from its texts"
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block, or nothing of it; one inside of another is part of that.

        Raises :class:`~dedup.errors.IndexWriteError` where the disk is full or fails.
        """
        if self.connection.in_transaction:
            yield  # part of one that is under way
            return
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise not_writable(self.folder, error) from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads in the block see one state of the index, whatever others commit."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    # --- small things -----------------------------------------------------------------------

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(query, values).fetchall()

    def value(self, query: str, *values: Any) -> Any:
        """The first value of a query's first row, or ``None``."""
        row = self.connection.execute(query, values).fetchone()
        return None if row is None else row[0]

    def insert(self, table: str, rows: Iterable[tuple[Any, ...]], *, replace: bool = False) -> None:
        """Insert whole rows of a table."""
        width = len(self.columns(table))
        verb = "INSERT OR REPLACE" if replace else "INSERT"
        marks = ", ".join("?" * width)
        self.connection.executemany(f'{verb} INTO "{table}" VALUES ({marks})', rows)

    def last_number(self, table: str) -> int:
        """The highest number that a row of a table with AUTOINCREMENT ever had; 0 without one."""
        return int(self.value("SELECT seq FROM sqlite_sequence WHERE name = ?", table) or 0)

    def columns(self, table: str) -> list[str]:
        """The columns of a table."""
        return [row[1] for row in self.connection.execute(f'PRAGMA table_info("{table}")')]

    def meta(self) -> dict[str, str]:
        """What the index says of itself."""
        return dict(self.connection.execute("SELECT name, value FROM meta"))

    def note(self, notes: Mapping[str, str]) -> None:
        """Note something of the index itself (:mod:`dedup.indexnotes`)."""
        self.insert("meta", notes.items(), replace=True)

    def forget_note(self, name: str) -> None:
        """Take a note away, if it is there."""
        self.connection.execute("DELETE FROM meta WHERE name = ?", (name,))

    def parts(self, kind: str) -> list[dict[str, NDArray[Any]]]:
        """The arrays of one kind, in the order in which they were added.

        Raises :class:`~dedup.errors.IndexDamagedError` where one of them cannot be unpacked, or is
        not of the arrays of its kind.
        """
        query = "SELECT part, data FROM parts WHERE kind = ? ORDER BY part"
        arrays = []
        for part, data in self.connection.execute(query, (kind,)):
            try:
                arrays.append(unpack_arrays(data))
            except UNREADABLE as error:
                raise self.damaged_part(part, kind, f"cannot be unpacked: {error}") from error
            if problem := problem_of(kind, arrays[-1]):
                raise self.damaged_part(part, kind, problem)
        return arrays

    def damaged_part(self, part: int, kind: str, says: str) -> IndexDamagedError:
        """The error for a part that cannot be used, with what helps."""
        return IndexDamagedError(
            f"{self.folder}: its part {part} ({kind}) {says}; 'dedup index rebuild {self.folder}' "
            "makes the index anew from its texts"
        )

    def add_part(self, kind: str, run: int, arrays: dict[str, NDArray[Any]]) -> None:
        """Add arrays of one kind."""
        data = pack_arrays(arrays)
        query = "INSERT INTO parts (kind, run, digest, data) VALUES (?, ?, ?, ?)"
        self.connection.execute(query, (kind, run, digest_of(data), data))
        self.note({PARTS: self.digest_of_parts()})

    def replace_parts(self, kind: str, run: int, arrays: dict[str, NDArray[Any]]) -> None:
        """Put one part in the place of all of a kind."""
        self.drop_parts(kind)
        self.add_part(kind, run, arrays)

    def drop_parts(self, kind: str | None = None) -> None:
        """Take away all arrays of one kind, or of all kinds."""
        self.connection.execute("DELETE FROM parts WHERE ?1 IS NULL OR kind = ?1", (kind,))
        self.note({PARTS: self.digest_of_parts()})

    def digest_of_parts(self) -> str:
        """Another one whenever a part is added, lost or changed with its digest."""
        rows = self.rows("SELECT kind, run, digest FROM parts ORDER BY part")
        return digest_of(repr(rows).encode())


def no_index(folder: Path) -> IndexMissingError:
    """There is none, and how one is made."""
    return IndexMissingError(
        f"{folder}: there is no index here; 'dedup update {folder} INPUT…' makes one"
    )


def schema_of(folder: Path) -> int:
    """The number of the schema of an index; 0 for what is none, or cannot be read."""
    with closing(_connected(folder)) as connection:
        try:
            names = ("application_id", "user_version")
            kind, number = (connection.execute(f"PRAGMA {n}").fetchone()[0] for n in names)
        except sqlite3.Error:
            return 0
    return int(number) if kind == APPLICATION else 0


def _connected(folder: Path) -> sqlite3.Connection:
    """A connection that makes no database where there is none."""
    mode = "rw"
    if not os.access(folder, os.W_OK):
        # There the shared memory of a log cannot be made: without a log it is not needed.
        log = folder / f"{FILE}-wal"
        mode = "ro" if log.exists() and log.stat().st_size else "ro&immutable=1"
    return sqlite3.connect(
        f"file:{_quoted(folder / FILE)}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=30,
        check_same_thread=False,  # one thread at a time: texts are packed beside
    )


def digest_of(data: bytes) -> str:
    """32 hex digits (BLAKE2b) by which damage is noticed."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _quoted(path: Path) -> str:
    """A path in a ``file:`` URI of SQLite."""
    from urllib.parse import quote

    return quote(str(path.resolve()))
