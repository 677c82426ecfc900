"""What a reader is given and what it hands back: the seam between formats and the rest.

A format is one function ``read(source, intake) -> Iterator[RawRecord]``. It yields what it can
read and tells the :class:`Intake` everything else: rejects, damage, notes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dedup.errors import IncompleteInputError, InternalError
from dedup.model import FileLedger, Ledger, Reject, Withdrawal
from dedup.read.columns import ColumnMap, Columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from dedup.config import ReadSettings
    from dedup.read.pagequeue import PageQueue
    from dedup.read.streams import RawInput, Stream

SAMPLE_CHARACTERS = 200
_SAMPLE_BYTES = 4 * SAMPLE_CHARACTERS
_MOST_FAULTS = 20
"""Reasons given why a file is incomplete; how many more there are is said."""


class RawRecord(NamedTuple):
    """One record as a format delivers it: column names and plain Python values.

    ``columns`` is set by formats whose columns are known beforehand (text files); otherwise
    they are recognised by name. ``embargo`` is the time before which it must not be published, as
    stated.
    """

    position: str
    values: dict[str, Any]
    issues: tuple[str, ...] = ()
    columns: Columns | None = None
    embargo: str | None = None


class SampleCompleteError(Exception):
    """Nothing failed: enough of a file was looked at."""


@dataclass(slots=True)
class Progress:
    """Counts the input bytes consumed, over all files, and tells the caller."""

    total: int = 0
    report: Callable[[int, int], None] | None = None
    done: int = 0

    def advance(self, count: int) -> None:
        """Add ``count`` bytes."""
        self.done += count
        if self.report is not None:
            # Sizes stated inside a damaged file may claim more than there is.
            self.report(min(self.done, self.total) if self.total else self.done, self.total)


@dataclass(slots=True)
class Source:
    """An opened input: ``stream`` for formats read in order, ``path`` for those that seek.

    ``path`` is ``None`` for standard input. ``name`` is for people, always valid Unicode;
    ``text_id`` is the id of a file that is one article.
    """

    name: str
    path: str | None
    text_id: str
    suffix: str
    raw: RawInput
    stream: Stream
    size: int | None

    @property
    def plain(self) -> bool:
        """Whether the bytes of the file at ``path`` are those of its format."""
        return self.path is not None and not self.stream.compression


@dataclass(slots=True)
class Intake:
    """Keeps the ledger of one file while it is read.

    ``name`` is the file itself; ``entry`` may be shared by the text files of one folder.
    """

    name: str
    entry: FileLedger
    ledger: Ledger
    settings: ReadSettings
    progress: Progress
    pages: PageQueue | None = None
    revisions: int = 0
    """Articles whose id was seen before with another text."""
    embargoed: int = 0
    """Articles whose embargo is not over."""
    empty_answers: int = 0
    """Answers of a service that hold no records."""
    observe: Callable[[RawRecord], None] | None = None
    """Is told of each record, when a sample is looked at: then all columns are read."""
    most_rejects: int | None = None
    """Rejects of this file after which a sample is complete."""
    columns: ColumnMap = field(init=False)

    def __post_init__(self) -> None:
        self.columns = ColumnMap(self.name, self.settings.fields, self.entry.columns)

    def reject(self, position: str, reason: str, sample: bytes | str = "") -> None:
        """Count and list a record that is not used.

        Raises :class:`~dedup.errors.IncompleteInputError` under ``strict``.
        """
        self.entry.read += 1
        self.entry.rejected += 1
        self.ledger.rejects.append(Reject(self.name, position, reason, safe_sample(sample)))
        if self.most_rejects is not None:
            self.most_rejects -= 1
            if self.most_rejects <= 0:
                raise SampleCompleteError
        if self.settings.strict:
            raise IncompleteInputError(
                f"{_place(self.name, position)}: record rejected: {reason}. Correct or remove the "
                "record, or run without --strict (strict=True) to go on with the others."
            )

    def withdraw(self, item: str, version: int | None, position: str, status: str) -> None:
        """Record that an item and its versions up to ``version`` must not be used."""
        self.ledger.withdrawals.append(Withdrawal(item, version, self.name, position, status))

    def incomplete(self, reason: str) -> None:
        """Mark the file as not read to its end; of very many reasons the first are kept.

        Raises :class:`~dedup.errors.IncompleteInputError` under ``strict``.
        """
        if self.name != self.entry.file:
            reason = f"{self.name}: {reason}"
        before = self.entry.incomplete
        count = self.ledger.faults.get(id(self.entry), 0) + 1
        self.ledger.faults[id(self.entry)] = count
        if before is None:
            self.entry.incomplete = reason
        elif count <= _MOST_FAULTS:
            self.entry.incomplete = f"{before}; {reason}"
        else:
            self.entry.incomplete = before.removesuffix(_further(count - 1)) + _further(count)
        if self.settings.strict:
            prefix = "" if reason.startswith(self.name) else f"{self.name}: "
            raise IncompleteInputError(
                f"{prefix}{reason}. Fetch the file again, or run without --strict (strict=True) "
                "to use what can be read."
            )

    def workers(self) -> PageQueue:
        """Where web pages are taken apart."""
        if self.pages is None:
            raise InternalError(f"{self.name}: there is nothing to take web pages apart with")
        return self.pages

    def note(self, text: str) -> None:
        """Say something about the file that is no fault of a record; said once."""
        if text not in self.entry.notes:
            self.entry.notes.append(text)


def _further(count: int) -> str:
    return f"; and {count - _MOST_FAULTS} more" if count > _MOST_FAULTS else ""


def _place(name: str, position: str) -> str:
    return f"{name}, {position}" if position else name


def safe_sample(data: bytes | str) -> str:
    """The first 200 characters; what is not printable becomes a space or U+FFFD."""
    if isinstance(data, bytes):
        data = data[:_SAMPLE_BYTES].decode("utf-8", "replace")
    return "".join(
        c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in data[:SAMPLE_CHARACTERS]
    )
