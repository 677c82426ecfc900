"""Reading a part of the inputs, to tell what they are (``dedup doctor``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dedup.model import FileLedger
    from dedup.read.discover import Found
    from dedup.read.intake import RawRecord

MAX_COLUMNS = 200
_LONGEST = 200


@dataclass(slots=True)
class ColumnSample:
    """What one column holds in the records looked at.

    ``filled``: values that are neither null nor blank. ``characters``: of all strings together.
    ``example``: the first value that is filled.
    """

    filled: int = 0
    characters: int = 0
    example: str = ""

    def add(self, value: Any) -> None:
        """Count one value."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return
        if not self.filled:
            text = value if isinstance(value, str) else repr(value)
            self.example = text.strip()[:_LONGEST]
        self.filled += 1
        self.characters += len(value) if isinstance(value, str) else 0


@dataclass(slots=True)
class FileSample:
    """What was looked at of one file: its records, and how many of its stored bytes they took.

    ``entry`` is what the ledger says of it, ``encoding`` that of its text, ``""`` where the format
    has one of its own. Columns are those of formats that have any.
    """

    name: str
    entry: FileLedger
    size: int
    encoding: str = ""
    consumed: int = 0
    records: int = 0
    whole: bool = False
    columns: dict[str, ColumnSample] = field(default_factory=dict)

    def add(self, record: RawRecord) -> None:
        """Count one record; columns beyond the first 200 are not looked at."""
        self.records += 1
        if record.columns is not None:
            return
        for name, value in record.values.items():
            column = self.columns.get(name)
            if column is None:
                if len(self.columns) >= MAX_COLUMNS:
                    continue
                column = self.columns[name] = ColumnSample()
            column.add(value)


@dataclass(slots=True)
class Sample:
    """Look at ``records`` of each of ``files`` files, spread evenly over the inputs.

    ``found`` and ``total`` are files and bytes of all inputs, ``seen`` what was looked at; they are
    filled while reading. A table without a text column is no error in a sample.
    """

    files: int
    records: int
    found: int = 0
    total: int = 0
    seen: list[FileSample] = field(default_factory=list)

    def chosen(self, files: list[Found]) -> list[Found]:
        """The files to look at."""
        self.found, self.total = len(files), sum(file.size for file in files)
        if len(files) <= self.files:
            return files
        return [files[i * len(files) // self.files] for i in range(self.files)]
