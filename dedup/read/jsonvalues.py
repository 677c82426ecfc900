"""JSON arrays, concatenated JSON and indented objects: values framed by their brackets.

The frames are found by a scan of quotes and brackets, their contents are parsed one by one, so
that memory is bounded by the greatest record and one broken record costs itself alone.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from dedup.read import ninjs
from dedup.read.cutoff import Damaged, rescued
from dedup.read.intake import Intake, RawRecord, Source
from dedup.read.jsontext import RefusedError, kind_of, tolerant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head
    from dedup.read.streams import Stream

_ARRAY = re.compile(r"\[\s*(?:[{\]]|$)")
_STRUCTURE = re.compile(rb'["{}\[\]]')
_BETWEEN = re.compile(rb"[\s,\x1e]*+")
_SCALAR_END = re.compile(rb'[\s,{}\[\]"]')
_FIRST_KEY = re.compile(rb'\{\s*"([^"\\]{1,200})"\s*:')
_SAME_KEY = (rb'(?<=[\s,\[\]}])\{\s*"', rb'"\s*:')
_ANY_OBJECT = re.compile(rb'(?<=[\s,\[\]}])\{\s*"')
_OPENED_BY = {b"]"[0]: b"["[0], b"}"[0]: b"{"[0]}
_QUOTE, _BACKSLASH = b'"'[0], b"\\"[0]
_RECORD_SEPARATOR = b"\x1e"  # before each value of a JSON text sequence (RFC 7464)
_SAMPLE = 1000
_OVERLAP = 512  # bytes kept while something is sought: it may stand on the edge of two chunks


def shows(head: Head) -> bool:
    """Whether the text begins with an array of objects, or with an object that is no line."""
    text = head.text
    if head.data.lstrip(b" \t\r\n").startswith(_RECORD_SEPARATOR):
        return text.startswith("{")
    if text.startswith("["):
        return head.suffix == ".json" or _ARRAY.match(text) is not None
    if not text.startswith("{"):
        return False
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(text)
    except RecursionError:
        return False
    except ValueError:
        # Cut off by the length of the head, or broken. A broken line of JSON Lines is followed by
        # another one.
        following = text.partition("\n")[2].lstrip()
        return following != "" and not following.startswith("{")
    return "\n" in text[:end] or text[end:].partition("\n")[0].strip() != ""


class Frame(NamedTuple):
    """The bytes of one value, its number from 1 and the offset of its first byte.

    ``data`` is its beginning only where ``reason`` says why it cannot be used. ``broken`` is all of
    a broken value, if it can be held, up to the next place that begins as it does; ``last`` says
    whether the input ends there.
    """

    number: int
    offset: int
    data: bytes
    reason: str | None
    broken: bytes = b""
    last: bool = False


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the objects of arrays and of concatenated JSON; other values are rejected."""
    settings = intake.settings
    frames = Frames(source.stream, settings.max_record_bytes)
    issues: tuple[str, ...]
    any_object = False
    before: dict[str, Any] | None = None
    for number, offset, data, reason, broken, last in frames:
        place = f"record {number}"
        position = f"{place}, byte {offset}"
        if broken and (records := rescued(Damaged(broken, place, offset, last), before, intake)):
            any_object = True
            yield from records
            continue
        if reason is not None:
            intake.reject(position, reason, data)
            continue
        issues = ()
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            try:
                value, issues = tolerant(data, error, settings.reject_invalid_utf8)
            except RefusedError as refused:
                if records := rescued(Damaged(data, place, offset), before, intake):
                    any_object = True
                    yield from records
                else:
                    intake.reject(position, str(refused), data)
                continue
        if type(value) is not dict:
            intake.reject(position, f"is not a JSON object but {kind_of(value)}", data)
            continue
        any_object, before = True, value
        if items := ninjs.items_of(value, intake):
            yield from ninjs.records(items, place, issues, intake)
        else:
            yield RawRecord(place, value, issues)
    if frames.unclosed:
        intake.incomplete("the array is not closed: the file ends early")
    if any_object:
        intake.columns.check(need_text=False)


class Frames:
    """The values of a stream; those of an array that stands at the top are values themselves.

    Iterating yields :class:`Frame`; none is held that is longer than ``limit`` bytes. After a value
    that is broken (brackets that do not match, a line end inside of a string, the end of the
    input), the scan goes on at the next place that begins as the broken value did (``{"id":``).
    What is scanned again for it is bounded by what was read, so that the scan is linear.
    """

    def __init__(self, stream: Stream, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._buffer = b""
        self._offset = -1  # of the buffer's first byte in the input
        self._at = 0  # everything before was scanned
        self._number = 0
        self._in_array = False
        self._ended = False  # all was read
        self._value: _Value | None = None  # the value under way; it begins at _start
        self._start = 0
        self._long: tuple[int, bytes] | None = None  # offset and head of one too long to hold
        self._sought: re.Pattern[bytes] | None = None  # where to go on after a broken value
        self._spare = 0  # bytes that may be scanned again

    def __iter__(self) -> Iterator[Frame]:
        for chunk in self._stream.chunks():
            self._offset = self._stream.skipped if self._offset < 0 else self._offset
            self._spare += 2 * len(chunk)
            held = self._at
            if self._sought is not None:
                held = max(0, len(self._buffer) - _OVERLAP)
            elif self._value is not None and self._long is None:
                held = self._start
            self._buffer = self._buffer[held:] + chunk
            self._offset += held
            self._at = max(0, self._at - held)
            self._start -= held
            yield from self._frames()
        if self._value is not None and self._value.scalar:
            yield self._whole(len(self._buffer))
        self._ended = True
        while self._value is not None:  # cut off; perhaps others follow in what it swallowed
            yield self._broken("the record is cut off, the file ends early")
            yield from self._frames()

    @property
    def unclosed(self) -> bool:
        """Whether the input ended inside of an array at the top.

        After a broken value it may have been closed in what was passed over.
        """
        passed_over = self._sought is not None and self._buffer.rstrip()[-1:] in (b"", b"]")
        return self._in_array and not passed_over

    def _frames(self) -> Iterator[Frame]:
        """Frame what the buffer holds; the state tells how to go on with the next chunk."""
        while self._found_again():
            if self._value is None and (stray := self._begin()) is not None:
                yield stray
                continue
            if self._value is None:
                return
            try:
                end = self._value.follow(self._buffer, self._at)
            except _MismatchError as mismatch:
                self._at = mismatch.at
                yield self._broken(mismatch.reason)
                continue
            if end < 0:
                self._at = len(self._buffer)
                if self._long is None and self._at - self._start > self._limit:
                    head = self._buffer[self._start : self._start + _SAMPLE]
                    self._long = self._offset + self._start, head
                return
            yield self._whole(end)

    def _found_again(self) -> bool:
        """Whether the scan may go on: nothing is sought, or the place was found."""
        if self._sought is None:
            return True
        found = self._sought.search(self._buffer, self._at)
        if found is None:
            self._at = max(self._at, len(self._buffer) - _OVERLAP)
            return False
        self._at = found.start()
        self._sought = None
        return True

    def _begin(self) -> Frame | None:
        """Go to the next value; returns a bracket that closes nothing."""
        while True:
            match = _BETWEEN.match(self._buffer, self._at)
            self._at = match.end() if match else self._at
            first = self._buffer[self._at : self._at + 1]
            if not first:
                return None
            if first == b"[" and not self._in_array:
                self._in_array = True
            elif first == b"]" and self._in_array:
                self._in_array = False
            else:
                self._start = self._at
                if first in b"]}":
                    self._at += 1
                    return self._frame(1, "a bracket that closes nothing")
                self._value = _Value()
                return None
            self._at += 1

    def _whole(self, end: int) -> Frame:
        """The frame of a value that ends at ``end``."""
        self._at, self._value = end, None
        if self._long is None:
            length = end - self._start
            if length <= self._limit:
                return self._frame(length, None)
            self._long = self._offset + self._start, b""
        length = self._offset + end - self._long[0]
        return self._too_long(length)

    def _too_long(self, length: int) -> Frame:
        offset, head = self._long or (0, b"")
        self._long = None
        self._number += 1
        reason = f"the record has {length} bytes, more than max_record_bytes allows ({self._limit})"
        return Frame(self._number, offset, head, reason)

    def _frame(self, length: int, reason: str | None) -> Frame:
        self._number += 1
        data = self._buffer[self._start : self._start + length]
        return Frame(self._number, self._offset + self._start, data, reason)

    def _broken(self, reason: str) -> Frame:
        """The frame of a broken value; what follows it is sought."""
        self._value = None
        if self._long is not None:
            self._sought = _ANY_OBJECT
            return self._too_long(self._offset + self._at - self._long[0])
        key = _FIRST_KEY.match(self._buffer, self._start)
        self._sought = re.compile(re.escape(key[1]).join(_SAME_KEY)) if key else _ANY_OBJECT
        follows = self._sought.search(self._buffer, self._start + 1, self._at)
        end = follows.start() if follows else self._at
        frame = self._frame(min(_SAMPLE, self._at - self._start), reason)._replace(
            broken=self._buffer[self._start : end],
            last=self._ended and end == len(self._buffer),
        )
        again = self._at - self._start
        if again <= self._spare:
            self._spare -= again
            self._at = self._start + 1
        return frame


class _MismatchError(Exception):
    """Brackets or quotes of a value do not match."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at, self.reason = at, f"not valid JSON: {reason}"


class _Value:
    """Follows one value over the chunks in which it comes."""

    def __init__(self) -> None:
        self._open = bytearray()  # the brackets that are open
        self._in_string = False
        self._escaped = False
        self.scalar = False

    def follow(self, data: bytes, at: int) -> int:
        """The index after the value, ``-1`` when the data end before it.

        Raises :class:`_MismatchError` where it cannot be JSON any more.
        """
        while True:
            if self._in_string:
                at = self._string(data, at)
                if at < 0 or not self._open:
                    return at
            if self.scalar:
                found = _SCALAR_END.search(data, at)
                return found.start() if found else -1
            found = _STRUCTURE.search(data, at)
            if found is None and not self._open and at < len(data):
                self.scalar = True
                continue
            if found is None:
                return -1
            if not self._open and found.start() > at:
                self.scalar = True
                continue
            at = found.end()
            byte = data[found.start()]
            if byte == _QUOTE:
                self._in_string = True
            elif byte in b"{[":
                self._open.append(byte)
            elif self._open.pop() != _OPENED_BY[byte]:
                raise _MismatchError(at, f"'{chr(byte)}' closes another bracket")
            elif not self._open:
                return at

    def _string(self, data: bytes, at: int) -> int:
        """The index after the closing quote, ``-1`` when there is none."""
        if self._escaped:  # what ended the former chunk
            self._escaped = False
            at += 1
        begin = at
        while True:
            end = data.find(b'"', at)
            line = data.find(b"\n", at, end if end >= 0 else len(data))
            if line >= 0:
                raise _MismatchError(line + 1, "a string is not closed in its line")
            if end < 0:
                # An escape at the very end of a chunk belongs to the next one.
                self._escaped = _backslashes(data, begin, len(data)) % 2 == 1
                return -1
            if _backslashes(data, begin, end) % 2 == 0:
                self._in_string = False
                return end + 1
            at = end + 1


def _backslashes(data: bytes, begin: int, end: int) -> int:
    """How many backslashes stand before ``end``, from ``begin`` on."""
    at = end
    while at > begin and data[at - 1] == _BACKSLASH:
        at -= 1
    return end - at
