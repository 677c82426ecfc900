"""Credit slots: the places of an article where a name says who *wrote* the text.

Each test looks at a bounded window around one occurrence of a name, with patterns that have no
nested quantifiers, and returns the span of the whole slot ("(Reuters) -", "Sumber: AP"), which
is what a reader needs to see, or ``None``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dedup import slot_patterns as p
from dedup.agencies import Strictness

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = 1500
"""Characters from the start in which a dateline may stand: captions can come before it."""
BYLINE_HEAD = 800
TAIL = 500
"""Characters before the end in which a sign-off such as ``/ritzau/`` may stand."""
LINE = 240
"""How far back the start of a line is looked for."""
WIRE_NAMES = frozenset({"CNN Wire", "The-CNN-Wire"})
"""Names that are a credit wherever they stand."""

CITED, BRACKETED, LABELLED, HELPED, HEADED = 1, 2, 4, 8, 16
EVERYTHING = 31
"""What an occurrence of a name may be: cited, or in a slot with brackets, behind a label or a
copyright sign, in a line about contributions, in a dateline or byline."""

_PHOTO_STARTS = frozenset("/piIfPFvVgGhH")

Span = tuple[int, int]


class Hit(NamedTuple):
    """One occurrence of a name: its span, how strict to be, whether it is an outlet's name."""

    start: int
    end: int
    strictness: Strictness
    outlet: bool


def line_start(text: str, start: int) -> int:
    """Start of the line that holds ``start``, looked for :data:`LINE` characters back."""
    return text.rfind("\n", max(0, start - LINE), start) + 1 or max(0, start - LINE)


def is_photo_credit(text: str, hit: Hit) -> bool:
    """Whether the name credits a picture: "AP Photo/…", "//Reuters", "Jim Bourg/Reuters"."""
    following = text[hit.end : hit.end + 2].lstrip()[:1]
    if following in _PHOTO_STARTS and p.PHOTO_AFTER.match(text, hit.end):
        return True
    before = text[max(0, hit.start - 90) : hit.start]
    tight = "/" in before[-12:] or before[-4:].rstrip().endswith(("via", "|", "—"))
    if tight and p.PHOTO_TIGHT.search(before[-12:]):
        return True
    return ("(" in before or "[" in before) and bool(p.PHOTO_PAREN.search(before))


def is_furniture(text: str, start: int) -> bool:
    """Whether the line of ``start`` only points to other articles ("Baca juga: …")."""
    return bool(p.FURNITURE.match(text, line_start(text, start)))


def credit_slot(text: str, hit: Hit, known: Callable[[str], bool], possible: int) -> Span | None:
    """The span of the credit slot that ``hit`` stands in, or ``None``.

    ``known`` tells whether a text is a source's name or alias, for lists such as "(AFP, dpa)";
    ``possible`` which slots are (bits of :data:`EVERYTHING`).
    """
    start, end = hit.start, hit.end
    line = line_start(text, start)
    found = None
    if possible & BRACKETED:
        before = text[max(0, start - 100) : start]
        tight = before.rstrip(" \t")[-1:]
        if (tight and tight in p.OPEN) or text[end : end + 1] == "】":
            found = _bracketed(text, hit, before, line, known)
        elif "(" in before[-30:] and start > len(text) - TAIL:
            found = _sign_off(text, hit, known)
        if not found and tight and tight in "-–—" and start > len(text) - TAIL:
            found = _signed(text, hit)
    if not found and possible & LABELLED:
        found = _label(text, hit, line) or _copyright(text, hit)
    if not found and possible & HELPED:
        found = _contribution(text, hit, line)
    if not found and possible & HEADED and start < HEAD:
        found = _bare_dateline(text, hit, line) or _byline(text, hit, line)
        found = found or _only_names(text, hit, line, known)
    return found


def is_contribution(slot: str) -> bool:
    """Whether a credit only says that somebody *helped* ("AP contributed to this report")."""
    if p.CONTRIBUTED.search(slot):
        return True
    # "CON DAO (AP) -" is a place.
    return "(" not in slot and bool(p.HELPS.match(slot))


def _is_place(segment: str) -> bool:
    """Whether the text between the line's start and the agency is a place and a date."""
    if len(segment) > 80 or "©" in segment:
        return False
    lower = words = 0
    for token in segment.split():
        letters = token.strip(".,;:()[]-–—/'’\"“*•|")
        if not letters:
            continue
        words += 1
        if letters[0].islower() and letters.lower() not in p.PARTICLES and len(letters) > 1:
            lower += 1
    return words <= 10 and lower <= 2


def _bracketed(
    text: str, hit: Hit, before: str, line: int, known: Callable[[str], bool]
) -> Span | None:
    start, end = hit.start, hit.end
    opener = max(0, start - 100) + len(before.rstrip(" \t")) - 1
    mark = text[opener]
    if text[end : end + 1] == "】" and start < HEAD and p.JAPANESE_PLACE.search(before):
        return max(line, text.rfind("【", 0, start)), end + 1
    if mark in "/／" and opener and text[opener - 1].isalnum():
        # "Jim Bourg/Reuters", "(Reuters/AP)": a slash within a list, no delimiter.
        return _sign_off(text, hit, known) if start > len(text) - TAIL else None
    if start < HEAD:
        if mark == "=" and p.KOREAN_PLACE.search(before):
            return line, end
        reporter = p.CHINESE_REPORTER.match(text, end)
        if reporter and mark in "（(":
            return opener, reporter.end()
        closed = p.CLOSE.match(text, end)
        if closed:
            found = _dateline(text, hit, opener, closed.end(), line)
            if found:
                return found
    if hit.outlet and mark in "（(" and start > len(text) - 3 * TAIL:
        signed = p.SELF_SIGNATURE.match(text, end)
        if signed and not known(signed[1].strip()) and not p.PHOTO_BEFORE.search(text[line:opener]):
            return opener, text.index(")", end) + 1
    if start > len(text) - TAIL:
        return _sign_off(text, hit, known)
    return None


def _dateline(text: str, hit: Hit, opener: int, close: int, line: int) -> Span | None:
    place = text[line:opener]
    dashed = p.DASH.match(text, close)
    stripped = place.strip(' \t*•-–—"“')
    if _is_place(place):
        if dashed:
            if stripped or hit.strictness < Strictness.AMBIGUOUS:
                return line + len(place) - len(place.lstrip()), dashed.end()
        elif text[opener] not in "/／" and p.BODY.match(text, close):
            # "New Delhi, Jun 1 (PTI) The ...", "Washington (CNN) President ...", "(CNN)The ...".
            dated = bool(p.DATED.search(stripped))
            head = line <= 300 and len(stripped) <= 40 and hit.strictness < Strictness.AMBIGUOUS
            if (stripped and dated) or head:
                return line + len(place) - len(place.lstrip()), close
    if dashed and p.CAPITAL_PLACE.search(text[max(0, opener - 60) : opener].rstrip()):
        return opener, dashed.end()
    return None


def _sign_off(text: str, hit: Hit, known: Callable[[str], bool]) -> Span | None:
    """``(PAP)``, ``/ritzau/`` or ``rs/msh (AFP, dpa)`` at the end of one of the last lines."""
    if hit.outlet or not p.SIGN_OFF.match(text, hit.end):
        return None
    if p.PHOTO_LINE.search(text, line_start(text, hit.start), hit.start):
        return None
    opener = max(text.rfind(mark, max(0, hit.start - 40), hit.start) for mark in "(（")
    if opener < 0:
        opener = text.rfind("/", max(0, hit.start - 3), hit.start)
        if opener < 0 or text[hit.end : hit.end + 1] != "/":
            return None
        if opener and not text[opener - 1].isspace():
            return None
        return opener, hit.end + 1
    if text[hit.end : hit.end + 1] == "/" and text[opener] != "(":
        return None
    close = min(i for i in (text.find(m, hit.end) for m in ")）/／") if i >= 0)
    inside = text[opener + 1 : close]
    if not all(known(part) for part in p.SPLIT.split(inside) if part) and not known(inside.strip()):
        return None
    return opener, close + 1


def _signed(text: str, hit: Hit) -> Span | None:
    """``- BERNAMA`` or ``... demikian. — AFP`` where the text ends."""
    found = p.SIGNED.search(text, max(0, hit.start - 6), hit.start)
    if hit.outlet or not found or not p.SIGNED_END.match(text, hit.end):
        return None
    alone = not text[line_start(text, hit.start) : hit.start].strip(" \t-–—")
    if hit.strictness is Strictness.AMBIGUOUS and not alone:
        return None
    dash = found.end() - len(found.group().lstrip('.!?”"’)\n '))
    return dash, hit.end


def _label(text: str, hit: Hit, line: int) -> Span | None:
    window = text[max(line, hit.start - 80) : hit.start]
    if (":" not in window and "：" not in window) or p.PHOTO_AFTER.match(text, hit.end):
        return None
    found = p.LABEL.search(window)
    if not found or not p.LABEL_END.match(text, hit.end):
        return None
    if p.PHOTO_BEFORE.search(window[max(0, found.start() - 30) : found.start() + 1]):
        return None
    start = hit.start - len(window) + found.start()
    while start < hit.start and not text[start].isalnum():
        start += 1
    return start, hit.end


def _copyright(text: str, hit: Hit) -> Span | None:
    before = text[max(0, hit.start - 100) : hit.start]
    found = p.RIGHTS.search(before)
    if not found or p.PHOTO_AFTER.match(text, hit.end):
        return None
    if p.PHOTO_BEFORE.search(before[max(0, found.start() - 20) : found.start()]):
        return None
    if not found["year"] and not p.RIGHTS_END.match(text, hit.end):
        return None
    at_end = hit.end > len(text) - 2 * TAIL
    if found["mark"] == "©" and not at_end and not p.RIGHTS_ALL.match(text, hit.end):
        return None  # "© 2013 Reuters" under a picture
    return hit.start - len(before) + found.start(), hit.end


def _contribution(text: str, hit: Hit, line: int) -> Span | None:
    start, end = hit.start, hit.end
    if any(text.find(word, end, end + 300) >= 0 for word in ("contribut", "used in this")):
        stop = text.find("\n", end, end + 320)
        window = text[end : stop if stop >= 0 else end + 320]
        found = p.CONTRIBUTED.search(window)
        sentence = window[:1] not in tuple(".!?") and not p.NEW_SENTENCE.search(
            window, 0, found.start() if found else 0
        )
        if found and sentence:
            begin = start - 4 if text[max(0, start - 4) : start].lower() == "the " else start
            return begin, end + len(window[: found.end()].rstrip())
    # "AAP gfr", the initials of who wrote and edited, is how some agencies sign.
    signed = not text[line:start].strip() and not hit.outlet and start > len(text) - TAIL
    initials = p.INITIALS.match(text, end) if signed else None
    if initials and hit.strictness < Strictness.AMBIGUOUS:
        return start, end + len(initials.group().rstrip())
    alone = p.ACCORDING.match(text, line, start)
    if alone and start > len(text) - TAIL and p.LINE_END.match(text, end):
        return line, end
    # From the line's end before, so that the pattern sees where the line begins.
    first = max(line - 1, start - 220, 0)
    lowered = text[first:start].lower()
    if any(word in lowered for word in p.HELP_WORDS):
        found = p.HELPED.search(text, first, start)
        if found and p.HELPED_END.match(text, end):
            short = not found["by"] and not lowered.lstrip("\n .(•—–-").startswith("contribut")
            names = len(found["between"]) <= (25 if short else 160)
            finished = p.LINE_END.match(text, end) or text[end : end + 1] in ")."
            if names and (finished or not short) and not p.PHOTO_AFTER.match(text, end):
                offset = found.start()
                while not text[offset].isalnum():
                    offset += 1
                return offset, end
    if any(word in lowered for word in p.PUBLISH_WORDS):
        found = p.PUBLISHED_BY.search(text, first, start)
        if found:
            return found.start(), end
    return None


WORDS_LABEL = p.LABEL_WORDS
WORDS_RIGHTS = p.RIGHTS_WORDS
WORDS_HELP = p.HELP_STARTS
WORDS_PUBLISH = p.PUBLISH_WORDS
WORDS_STORY = p.STORY_WORDS
"""Which words can make a slot: what :mod:`dedup.names` looks for around a name."""


def _bare_dateline(text: str, hit: Hit, line: int) -> Span | None:
    """Datelines without brackets: ``新华社北京6月1日电``, ``Accra, June 1, GNA -``, ``AGI -``."""
    start, end = hit.start, hit.end
    place = text[line:start]
    wire = p.CHINESE_WIRE.match(text, end)
    if wire and not place.strip().endswith(("据", "據")) and len(place.strip()) <= 8:
        return start, wire.end()
    if start > BYLINE_HEAD or not _is_place(place) or len(place) > 60:
        return None
    bare = place.strip(' \t*•"“')
    joined = bare[-1:] in tuple(",.-–—")
    if hit.outlet and not bare:
        then = p.THEN_PLACE.match(text, end)
        if then:
            return start, then.end()
    dashed = p.DASHED.match(text, end)
    if dashed and (joined or not bare):
        dated = any(c.isdigit() for c in bare)
        # "PHILADELPHIA, PA –" is a place; "Accra, June 1, GNA -" and "AGI -" are not.
        own = not bare and text[start:end].isupper() and end - start >= 3
        # "Reuters. " after nothing is the end of a stray line, not a dateline.
        ended = not bare and "." in dashed.group()
        if (hit.strictness < Strictness.AMBIGUOUS or dated or own) and not ended:
            return line + len(place) - len(place.lstrip()), dashed.end()
    at_line_end = p.LINE_END.match(text, end) and start < 200
    if at_line_end and any(c.isdigit() for c in bare) and (joined or not bare[-1:].isalpha()):
        return line, end
    if bare.endswith(("-", "/")) and not text[start].isascii() and start < 60:
        return line, end  # "دمشق-سانا", "أنقرة / الأناضول"
    return None


def _only_names(text: str, hit: Hit, line: int, known: Callable[[str], bool]) -> Span | None:
    """A line of nothing but two agencies or more: "AFP/Reuters", "STT–AFP"."""
    stop = text.find("\n", hit.end, hit.end + 60)
    stop = stop if stop >= 0 else min(len(text), hit.end + 60)
    names = p.LIST.split(text[line:stop].strip())
    if hit.outlet or len(names) < 2 or not all(known(name) for name in names):
        return None
    return line + len(text[line:stop]) - len(text[line:stop].lstrip()), hit.end


def _byline(text: str, hit: Hit, line: int) -> Span | None:
    start, end = hit.start, hit.end
    if start > BYLINE_HEAD or start - line > 100 or not p.JOB.match(text, end):
        return None
    if hit.strictness is Strictness.AMBIGUOUS and not p.LINE_END.match(text, end):
        return None
    place = text[line:start]
    if p.PHOTO_BEFORE.search(place) or not _capitalised(place):
        return None
    by = p.BY.match(place)
    if by or (p.PERSON.match(place) and not (hit.outlet and line > 200)):
        return line, end
    bare = place.strip().lower()
    if bare not in ("", "the") or hit.outlet or hit.strictness is Strictness.AMBIGUOUS:
        return None
    above = text[line_start(text, max(0, line - 1)) : max(0, line - 1)]
    if p.BY.match(above) or (start < 200 and hit.strictness is Strictness.SAFE and end - start > 6):
        return line, end
    return None


def _capitalised(place: str) -> bool:
    words = [w for w in place.replace(",", " ").split() if w[0].isalpha()]
    lower = sum(w[0].islower() and w.lower() not in ("the", "and", "by", "for") for w in words)
    return len(words) <= 12 and lower <= 2
