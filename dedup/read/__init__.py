"""Reading: files -> Arrow record batches of articles, with a ledger of what was read.

:func:`read_articles` is all that other packages need. Inside, ``discover`` finds files,
``formats`` is the registry of formats, each a module of its own over ``streams``, and
``records`` validates what they deliver.
"""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING

from dedup.errors import InputError, MissingExtraError, UsageError
from dedup.model import FileLedger, Ledger, Reject
from dedup.read.archives import MAX_DEPTH, Allowance, kind_of, members
from dedup.read.columns import AskedColumns, check_overrides
from dedup.read.dates import current_time
from dedup.read.discover import Found, discover
from dedup.read.formats import (
    TEXT,
    Format,
    compression_for,
    detect,
    expected,
    is_known,
    suffixes_of,
)
from dedup.read.head import head_of
from dedup.read.intake import Intake, Progress, RawRecord, SampleCompleteError, Source
from dedup.read.opening import open_input
from dedup.read.pagequeue import PageQueue, PendingPage
from dedup.read.records import Batch, Validator
from dedup.read.sample import FileSample, Sample
from dedup.read.streams import RawInput, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from datetime import datetime

    import pyarrow as pa

    from dedup.config import ReadSettings

__all__ = ["read_articles", "read_stream"]


def read_articles(
    inputs: Sequence[str],
    settings: ReadSettings,
    ledger: Ledger,
    *,
    batch_bytes: int = 16 * 2**20,
    now: datetime | None = None,
    on_bytes: Callable[[int, int], None] | None = None,
    chosen: Callable[[Found], bool] | None = None,
    sample: Sample | None = None,
) -> Iterator[pa.RecordBatch]:
    """Read articles and keep the ledger; one pass, one open file at a time.

    Args:
        inputs: files, folders, patterns, or ``-`` for standard input (text
            that is no other format is one article).
        settings: how to read.
        ledger: is filled while the batches are consumed, and complete after the last.
        batch_bytes: UTF-8 bytes of text from which a batch is handed on.
        now: dates more than a day later are unknown; the present by default, or what the
            environment's ``SOURCE_DATE_EPOCH`` says.
        on_bytes: is told ``(input bytes consumed, input bytes in all)``, as stored. The total
            is 0 when standard input is among the inputs.
        chosen: says of every file found whether it is read.
        sample: look at a part of the inputs only, and tell about it.

    Yields:
        Batches of :func:`dedup.model.article_schema`, in the order of the inputs, folders
        sorted by path, repeated records included. For every file ``read = articles + repeats +
        rejected``.

    Raises:
        UsageError: a column asked for is in no file, or a table has no text column (one of
            several files is a reject then).
        InputError: an input does not exist, or its format is not known.
        IncompleteInputError: under ``settings.strict``, the first reject or damaged file.
    """
    check_overrides(settings.fields)
    validator = Validator(settings, now if now is not None else current_time())
    files, hidden = discover(inputs, ledger)
    if chosen is not None:
        files = [found for found in files if chosen(found)]
    if sample is not None:
        files = sample.chosen(files)
    _check_formats(files, settings)
    run = _Run(settings, ledger, Progress(_total(files), on_bytes), validator, sample)
    run.together = len(files) > 1
    for folder, count in hidden.items():
        if count:
            run.group(folder, TEXT.name).notes.append(f"hidden files or folders left out: {count}")
    batch = Batch()
    with contextlib.closing(run):
        for found in files:
            for _ in run.read(found, batch):
                if batch.bytes >= batch_bytes:
                    yield batch.take()
        for _ in run.finish(batch):
            if batch.bytes >= batch_bytes:
                yield batch.take()
    run.asked.check()
    if len(batch):
        yield batch.take()


def read_stream(
    found: Found,
    handle: IO[bytes],
    settings: ReadSettings,
    ledger: Ledger,
    *,
    batch_bytes: int = 16 * 2**20,
    now: datetime | None = None,
) -> Iterator[pa.RecordBatch]:
    """Read one file that somebody else has opened, as :func:`read_articles` reads it.

    ``found`` says what to call it; its path is not looked at. Ids are known within it only, so a
    record that repeats one of another file counts as an article in ``ledger``.
    """
    check_overrides(settings.fields)
    validator = Validator(settings, now if now is not None else current_time())
    run = _Run(settings, ledger, Progress(), validator, None)
    batch = Batch()
    with contextlib.closing(run):
        for steps in (run.read_opened(found, RawInput(handle, None), batch), run.finish(batch)):
            for _ in steps:
                if batch.bytes >= batch_bytes:
                    yield batch.take()
    if len(batch):
        yield batch.take()


def _total(files: list[Found]) -> int:
    unknown = any(f.path is None or (f.remote and not f.size) for f in files)
    return 0 if unknown else sum(f.size for f in files)


def _size(found: Found, opened: IO[bytes]) -> int | None:
    """Stored bytes of an opened file, where that is known."""
    if found.remote:
        return found.size or None
    return None if found.path is None else os.fstat(opened.fileno()).st_size


class _Run:
    """Reads the files of one run, one after another."""

    def __init__(
        self,
        settings: ReadSettings,
        ledger: Ledger,
        progress: Progress,
        validator: Validator,
        sample: Sample | None,
    ) -> None:
        self._sample = sample
        self._settings = settings
        self._ledger = ledger
        self._progress = progress
        self._validator = validator
        self._groups: dict[tuple[str, str], FileLedger] = {}
        self._pages = PageQueue(settings)
        self.together = False
        """Whether there are several files: then one that cannot be used does not end the run."""
        self.asked = AskedColumns()

    def group(self, name: str, form: str) -> FileLedger:
        """The ledger entry shared by files of one folder or pattern: one article each, or none."""
        if (name, form) not in self._groups:
            self._groups[name, form] = FileLedger(name, format=form)
            self._ledger.files.append(self._groups[name, form])
        return self._groups[name, form]

    def read(self, found: Found, batch: Batch) -> Iterator[None]:
        """Read one file into ``batch``; yields after each record."""
        before = self._progress.done
        try:
            handle = open_input(found)
        except OSError as error:
            entry = FileLedger(found.name, bytes=found.size)
            self._ledger.files.append(entry)
            intake = self._intake(found, entry)
            intake.incomplete(f"cannot be opened ({error.strerror or error})")
            return
        with handle as opened:
            size = _size(found, opened)
            raw = RawInput(opened, size, self._progress.advance)
            yield from self._read_opened(found, raw, size, batch)
        if size is not None:
            self._progress.advance(max(0, found.size - (self._progress.done - before)))

    def read_opened(self, found: Found, raw: RawInput, batch: Batch) -> Iterator[None]:
        """Read an opened file of ``found.size`` bytes into ``batch``."""
        yield from self._read_opened(found, raw, found.size, batch)

    def _read_opened(
        self,
        found: Found,
        raw: RawInput,
        size: int | None,
        batch: Batch,
        within: tuple[int, Allowance] | None = None,
    ) -> Iterator[None]:
        """Read an opened file; ``within`` says in how many archives it lies, and what may come out
        of them."""
        suffix, claimed = suffixes_of(found.name)
        compression = compression_for(raw, claimed)
        settings = self._settings
        head = head_of(raw, found.name, suffix, compression, settings.max_ratio, settings.encoding)
        if kind := kind_of(head):
            stream = Stream(raw, compression, settings.max_ratio, settings.encoding)
            source = Source(found.name, found.local, found.text_id, suffix, raw, stream, size)
            yield from self._archive(kind, found, source, batch, within)
            return
        format_ = detect(head, table=bool(settings.fields))
        if format_ is None:
            self._unknown(found, raw, size)
            return
        grouped = format_.one_article and found.group != ""
        if grouped:
            entry = self.group(found.group, format_.name)
        else:
            entry = FileLedger(found.name)
            self._ledger.files.append(entry)
            entry.format = "+".join(filter(None, (format_.name, compression)))
        entry.bytes += size or 0
        intake = self._intake(found, entry)
        if settings.fields and not format_.named_columns and format_ is not TEXT:
            intake.note(f"is {format_.name}, whose fields are known: --field has no effect")
        if claimed and not compression and size:
            intake.note(f"is named as {claimed}, but is not compressed")
        stream = Stream(raw, compression, settings.max_ratio, settings.encoding)
        source = Source(found.name, found.local, found.text_id, suffix, raw, stream, size)
        try:
            if self._sample is None:
                yield from self._records(format_, source, intake, batch)
            elif not (yield from self._sampled(self._sample, format_, source, intake, batch)):
                return
        except (MissingExtraError, UsageError) as error:
            if intake.columns.together is None:
                raise
            # One of many files: the others can be read.
            intake.reject("", str(error).removeprefix(f"{found.name}: "))
        if not grouped:
            yield from self.finish(batch)
        self._close(source, format_, intake, grouped)

    def _archive(
        self,
        kind: str,
        found: Found,
        source: Source,
        batch: Batch,
        within: tuple[int, Allowance] | None,
    ) -> Iterator[None]:
        """Read the members of an archive, each like a file of a folder."""
        form = "+".join(filter(None, (kind, source.stream.compression)))
        entry = FileLedger(found.name, form, source.size or 0)
        self._ledger.files.append(entry)
        intake = self._intake(found, entry)
        outermost = Allowance(found.name, source.raw, self._settings.max_ratio)
        depth, allowance = within or (0, outermost)
        if depth == MAX_DEPTH:
            intake.reject("", f"an archive inside of {depth} archives is not read")
            return
        # As in folders, ids are paths below what the user named.
        prefix = f"{found.text_id}!" if found.group else ""
        empty = True
        for member in members(kind, source, intake, allowance):
            empty = False
            name, text_id = f"{found.name}!{member.path}", prefix + member.path
            inner = Found(None, name, text_id, found.name, member.size)
            raw = RawInput(member.handle, None)
            yield from self._read_opened(inner, raw, None, batch, (depth + 1, allowance))
        if source.stream.failure is not None:
            intake.incomplete(source.stream.failure)
        if empty and entry.incomplete is None:
            self._ledger.warnings.append(f"{found.name}: the archive holds no files to read")

    def _sampled(
        self, sample: Sample, format_: Format, source: Source, intake: Intake, batch: Batch
    ) -> Generator[None, None, bool]:
        """Read the first records of a file; returns whether that was all of it."""
        seen = FileSample(source.name, intake.entry, source.size or 0)
        sample.seen.append(seen)
        intake.columns.lenient = True
        intake.observe = seen.add
        intake.most_rejects = sample.records
        before = self._progress.done
        records = self._records(format_, source, intake, batch)
        try:
            for _ in records:
                yield
                if seen.records >= sample.records:
                    return False
        except SampleCompleteError:
            return False
        else:
            seen.whole = True
            return True
        finally:
            records.close()
            seen.encoding = source.stream.encoding
            seen.consumed = self._progress.done - before

    def _unknown(self, found: Found, raw: RawInput, size: int | None) -> None:
        """A file of a format that is not known: a reject, unless it is empty."""
        if not raw.peek(1):
            self._ledger.skipped.append(Reject(found.name, "", "the file is empty"))
            return
        if found.group:
            entry = self.group(found.group, "unknown")
        else:
            entry = FileLedger(found.name, format="unknown")
            self._ledger.files.append(entry)
        entry.bytes += size or 0
        self._ledger.unknown.add(found.name)
        reason = f"the format was not recognised; read are: {expected()}"
        self._intake(found, entry).reject("", reason, raw.peek(1000))

    def _records(
        self, format_: Format, source: Source, intake: Intake, batch: Batch
    ) -> Generator[None, None, None]:
        pages, add = self._pages, self._validator.add
        for record in format_.read(source, intake):
            if isinstance(record, PendingPage):
                pages.put(record, intake)
                yield from self._take(pages.overdue(), batch)
                continue
            if pages:
                yield from self._take(pages.all(), batch)
            if intake.observe is not None:
                intake.observe(record)
            add(record, intake, batch)
            yield
        if intake.revisions and format_.one_article:
            self._revised(source.name, source.text_id)
        if format_.one_article:
            return
        yield from self.finish(batch)
        if intake.empty_answers:
            intake.note(f"answers that hold no records: {intake.empty_answers}")
        if intake.embargoed:
            intake.note(f"items under an embargo that is not over: {intake.embargoed}")
        if intake.revisions:
            intake.note(f"ids seen before with another text (revisions): {intake.revisions}")

    def _take(self, pages: Iterator[tuple[RawRecord, Intake]], batch: Batch) -> Iterator[None]:
        """Add the articles of pages that were taken apart."""
        for record, intake in pages:
            before = intake.revisions
            if intake.observe is not None:
                intake.observe(record)
            self._validator.add(record, intake, batch)
            if intake.revisions > before and not record.position:  # a file of its own
                self._revised(intake.name, record.values["id"])
            yield

    def _revised(self, name: str, article: str) -> None:
        self._ledger.warnings.append(
            f"{name}: its id '{article}' was seen before with another text, so it counts as a "
            "revision; give the common folder instead to tell them apart"
        )

    def finish(self, batch: Batch) -> Iterator[None]:
        """Take the pages that are still being worked on into ``batch``; yields after each."""
        yield from self._take(self._pages.all(), batch)

    def close(self) -> None:
        """End the processes that take pages apart."""
        self._pages.close()

    def _close(self, source: Source, format_: Format, intake: Intake, grouped: bool) -> None:
        """Say what became of the file as a whole."""
        if source.stream.failure is not None:
            intake.incomplete(source.stream.failure)
        if source.raw.grew():
            size = source.size
            note = f"grew while it was read; the {size} bytes it had at the start were used"
            intake.note(f"{source.name}: {note}" if grouped else note)
        if intake.entry.read == 0 and intake.entry.incomplete is None and not grouped:
            empty = source.size == 0 or (source.stream.produced == 0 and not source.plain)
            self._ledger.warnings.append(
                f"{source.name}: {'the file is empty' if empty else 'no records found'}"
            )
        if format_ is TEXT and source.stream.produced == 0:
            if grouped:
                intake.note("some text files are empty")
            else:
                self._ledger.warnings.append(f"{source.name}: the file is empty")

    def _intake(self, found: Found, entry: FileLedger) -> Intake:
        intake = Intake(
            found.name, entry, self._ledger, self._settings, self._progress, self._pages
        )
        if found.group and (self.together or found.path is None):  # in an archive there may be more
            intake.columns.together = self.asked
        return intake


def _check_formats(files: list[Found], settings: ReadSettings) -> None:
    """Refuse a file named by the user that is no known format, before anything is read."""
    for found in files:
        suffix, claimed = suffixes_of(found.name)
        if found.path is None or found.group or is_known(suffix) or not found.size:
            continue
        try:
            with open_input(found) as opened:
                raw = RawInput(opened, None)
                compression = compression_for(raw, claimed)
                head = head_of(
                    raw, found.name, suffix, compression, settings.max_ratio, settings.encoding
                )
        except OSError as error:
            raise InputError(f"{found.name}: cannot be read ({error.strerror or error})") from error
        if detect(head) is None and not kind_of(head):
            raise InputError(f"{found.name}: the format was not recognised. Read are: {expected()}")
