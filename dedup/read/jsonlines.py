"""JSON Lines: one JSON object a line. The hot path of reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from dedup.read import ninjs
from dedup.read.cutoff import Damaged, rescued
from dedup.read.intake import Intake, RawRecord, Source
from dedup.read.jsontext import RefusedError, kind_of, tolerant
from dedup.read.streams import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head


def shows(head: Head) -> bool:
    """Whether the text begins with a JSON object, of which others know that it is not theirs."""
    return head.text.startswith("{")


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the objects of a JSON Lines file; anything else is rejected with its position."""
    settings = intake.settings

    def too_long(number: int, offset: int, length: int, head: bytes) -> None:
        reason = f"the line has {length} bytes, more than max_record_bytes allows"
        intake.reject(
            f"line {number}, byte {offset}", f"{reason} ({settings.max_record_bytes})", head
        )

    lines = Lines(source.stream, settings.max_record_bytes, too_long)
    loads = orjson.loads
    issues: tuple[str, ...]
    any_object = False
    before: dict[str, Any] | None = None
    for number, offset, view in lines.views():
        issues = ()
        try:
            value = loads(view)
        except orjson.JSONDecodeError as error:
            line = bytes(view)
            if not line.strip():
                continue  # blank lines are not records
            try:
                value, issues = tolerant(line, error, settings.reject_invalid_utf8)
            except RefusedError as refused:
                damaged = Damaged(line, f"line {number}", offset, lines.unterminated)
                if records := rescued(damaged, before, intake):
                    any_object = True
                    yield from records
                    continue
                reason = str(refused)
                if lines.unterminated and source.stream.failure is not None:
                    reason = f"the record is cut off, the file ends early ({reason})"
                intake.reject(f"line {number}, byte {offset}", reason, line)
                continue
        if type(value) is not dict:
            reason = f"the line is not a JSON object but {kind_of(value)}"
            intake.reject(f"line {number}, byte {offset}", reason, bytes(view))
            continue
        any_object, before = True, value
        if items := ninjs.items_of(value, intake):
            yield from ninjs.records(items, f"line {number}", issues, intake)
        else:
            yield RawRecord(f"line {number}", value, issues)
    if any_object:
        intake.columns.check(need_text=False)
