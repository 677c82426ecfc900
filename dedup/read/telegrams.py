"""Messages of teleprinter wires in a stream: each begins with SOH (start of heading, 01 hex)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head
    from dedup.read.intake import Intake, Source

SOH, STX, ETX, EOT = "\x01", "\x02", "\x03", "\x04"
_LONGEST_HEADER = 200
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan ene gen", "feb fev fév", "mar mär mrz mars", "apr abr avr", "may mai mag"),
            *("jun jui juin giu", "jul juil lug", "aug ago aoû aou", "sep set", "oct okt ott"),
            *("nov", "dec dez dic déc"),
        ),
        start=1,
    )
    for name in names.split()
}
_ZONES = {
    "gmt": "+00:00",
    "utc": "+00:00",
    "z": "+00:00",
    "met": "+01:00",
    "mez": "+01:00",
    "cet": "+01:00",
    "mesz": "+02:00",
    "cest": "+02:00",
    "est": "-05:00",
    "edt": "-04:00",
}


class Message(NamedTuple):
    """``data`` begins after SOH; ``offset`` is the byte of the SOH."""

    offset: int
    data: bytes


def after_soh(head: Head) -> str:
    """The characters that follow the first SOH; empty where the file begins with something else."""
    start = head.text.lstrip("\x16\x00\r\n\t ")
    return start[1:_LONGEST_HEADER] if start.startswith(SOH) else ""


def messages(source: Source, intake: Intake) -> Iterator[Message]:
    """The messages of a stream; what is longer than ``max_record_bytes`` is rejected."""
    limit = intake.settings.max_record_bytes
    held, offset, size, begun = [b""], 0, 0, False
    for chunk in source.stream.chunks():
        parts = chunk.split(b"\x01")
        for i, part in enumerate(parts):
            if i:
                yield from _message(held, offset, size, begun, intake)
                offset += size + begun
                held, size, begun = [], 0, True
            size += len(part)
            if size <= limit:
                held.append(part)
    if begun and source.stream.failure is not None and ETX.encode() not in b"".join(held):
        intake.reject(f"byte {offset}", "the message is cut off, the file ends early", held[0])
        return
    yield from _message(held, offset, size, begun, intake)


def _message(
    held: list[bytes], offset: int, size: int, begun: bool, intake: Intake
) -> Iterator[Message]:
    data = b"".join(held)
    if size > intake.settings.max_record_bytes:
        intake.reject(
            f"byte {offset}",
            f"the message has {size} bytes, more than max_record_bytes allows "
            f"({intake.settings.max_record_bytes})",
            data[:1000],
        )
    elif begun:
        yield Message(offset, data)
    elif data.strip(b"\x16\x00\r\n\t \x7f\x04\x0c"):
        intake.reject(f"byte {offset}", "what stands before the first message (SOH)", data)


def without_controls(text: str) -> str:
    """Text without control characters but tabs and newlines; ends of lines are newlines."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def wire_time(day: str, month: str, year: str, clock: str, zone: str = "") -> str | None:
    """A time of a wire in ISO 8601; ``None`` when its parts are no time.

    ``month`` is a number or begins like its name in English, German, French, Spanish or Italian;
    two digits of a year below 70 are of this century. ``clock`` is ``HHMM``. A zone that is not
    known is left out.

    >>> wire_time("07", "Okt", "15", "1341", "GMT")
    '2015-10-07T13:41+00:00'
    """
    name = month.lower()
    number = int(month) if month.isdecimal() else _MONTHS.get(name[:4], _MONTHS.get(name[:3], 0))
    if not 1 <= number <= 12 or not 1 <= int(day) <= 31:
        return None
    if len(year) == 2:
        year = f"{'20' if int(year) < 70 else '19'}{year}"
    offset = _ZONES.get(zone.lower(), "")
    return f"{year}-{number:02}-{int(day):02}T{clock[:2]}:{clock[2:4]}{offset}"
