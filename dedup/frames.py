"""Citation frames: the words around a name that cite it for a fact ("Reuters reported").

Scripts with spaces are read word by word from the name outwards, skipping what only describes
the name ("the official ... news agency"); Chinese, Japanese, Korean and Thai by short patterns.
All windows are bounded, so a name costs the same wherever it stands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dedup import frame_words as w
from dedup.agencies import Strictness, words

if TYPE_CHECKING:
    from dedup.slots import Hit, Span

LEFT = 80
RIGHT = 64
CLOSE = 30
"""Windows in characters; nearly always the close one is enough."""
NEAR = 40
"""Distance in characters within which a citation verb supports a distinctive name."""

# Vowel signs of Indic scripts, marks and the joiners of Persian are inside words.
_INSIDE = r"\w'’\u0300-\u036f\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u200c\u200d"
WORD = re.compile(rf"[{_INSIDE}]+(?:-[{_INSIDE}]+)?|[^\w\s]|\n")
_ASCII_WORD = re.compile(r"[\w']+(?:-[\w']+)?|[^\w\s]|\n", re.ASCII)
"""The same for windows of ASCII, several times as fast."""
_STOPS = frozenset(".!?…।؟۔\n")
_QUOTES = frozenset("\"“”‘’'«»„)")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

POLL = re.compile(
    r"\s?[/–-]\s?[A-Z][^.\n;]{0,60}?\b(?:[Pp]olls?|[Ss]urvey)\b|"
    r"\s(?:[A-Z]\w+\s){0,3}(?:[Pp]olls?|[Ss]urvey)\b"
)
"""Behind the name of who asked: "CNN/ORC International poll", "Granite State Poll"."""
_COLON_QUOTE = re.compile(r"\s?:\s?[\"“„«]")
_QUOTED_BY = re.compile(
    r"[”\"][\s—–-]{1,4}((?:[A-ZÀ-Þ][\w.’'-]*,?\s|and\s|of\s|the\s|de\s|van\s|von\s){1,12})$"
)
_PROGRAMME = re.compile(r"['’]s?\s[\"“][A-Z0-9]")
_BIOGRAPHY = re.compile(
    r"\b(?:is|was|as)\s(?:the\s|an?\s)?(?:[\w-]+\s){0,4}?(?:host|anchor|columnist|contributor|editor|"
    r"commentator|analyst|correspondent|reporter)\b[^.\n]*$"
)
"""What an author does for a living: "Jane Roe is the host of ... on CNN"."""

_DEVANAGARI = re.compile(r"[\u0900-\u097f]")

_CJK_LEFT = re.compile(
    r"(?:据|據|引述|援引|引用|告诉|告訴|接受|转引|轉引|綜合|综合|根据|根據|依據|向|对|對)[^。！？，,\n]{0,10}$"
)
_CJK_RIGHT = re.compile(
    r"[\"”」』》]?(?:通讯社|通訊社|通信社?|新闻|新聞)?[^。！？，,、\n]{0,12}?"
    r"(?:报道|報道|報導|报导|消息|称|稱|说|說|指出|援引|引述|专访|專訪|采访|獨家|独家|披露|公布|"
    r"によると|によれば|に対し|の取材|が報じ|は報じ|が伝え|は伝え|が配信|"
    r"따르면|보도|전했|인용|밝혔|와의 인터뷰)"
)
_CJK_CLOSE = re.compile(
    r"[^。！？\n]{0,20}?(?:따르면|보도|전했|인용|によると|によれば|[电電](?=[，,：:]))"
)
_THAI_LEFT = re.compile(
    r"(?:สำนักข่าว|รายงานของ|รายงานจาก|อ้าง|อ้างอิง|บอกกับ|เปิดเผยกับ|กล่าวกับ|ให้สัมภาษณ์)[^\n]{0,12}$"
)
_THAI_RIGHT = re.compile(r"[^\n]{0,12}?(?:รายงาน|ระบุ|เผย|อ้าง|แจ้ง)")
_HINDI_RIGHT = re.compile(
    r"\s?(?:समाचार\s)?(?:एजेंसी\s|न्यूज़\s)?(?:के अनुसार|के मुताबिक|के हवाले|ने बताया|ने कहा|ने खबर|ने ख़बर|"
    r"ने रिपोर्ट|की रिपोर्ट|की खबर|की ख़बर|को बताया|से कहा|से बातचीत)"
)


def citation(text: str, hit: Hit) -> Span | None:
    """The span of the citation that ``hit`` stands in, name and frame, or ``None``.

    A distinctive agency's name is also taken where a citation verb stands within :data:`NEAR`
    characters of the same sentence; other names need the frame to touch them; ambiguous ones an
    unmistakable verb or a word such as "agency" beside them.
    """
    start, end = hit.start, hit.end
    beside = text[max(0, start - 1) : start + 1] + text[end - 1 : end + 2]
    if not beside.isascii():
        if _UNSPACED.search(beside):
            return _unspaced(text, hit)
        found = _hindi(text, hit) if _DEVANAGARI.search(beside) else None
        if found:
            return found
    quoted = _quotation(text, hit)
    if quoted is not None:
        return quoted
    before, index, connector, agency = _walk_left(text, start)
    following, adverbs, agency_after = _walk_right(text, end)
    strictness = hit.strictness
    if agency or agency_after:
        strictness = Strictness.SAFE
    said = before[index].group().lower() if index >= 0 else ""
    says = following.group().lower() if following else ""
    if strictness is Strictness.AMBIGUOUS:
        title = hit.outlet and " " in text[start:end]  # "The Nation"
        if said in w.UNMISTAKABLE_LEFT or (title and said in w.OBJECTS):
            return before[index].start(), end
        if following and says in w.UNMISTAKABLE_RIGHT:
            return start, following.end()
        return None
    if said in w.SAY_LEFT:
        return before[index].start(), end
    if following and says in w.SAY_RIGHT:
        return start, following.end()
    if _arabic_object(text, start, before):
        return before[-1].start(), end
    if said in w.LEFT_NOUNS and connector in _OF_NOUNS:
        return before[index].start(), end
    poll = POLL.match(text, end)
    if poll:
        return start, poll.end()
    possessive = _possessive(text, hit)
    if possessive is not None:
        return start, possessive
    if following and says in w.NOUNS and not adverbs:
        return start, following.end()
    if hit.outlet:
        linked = connector in w.OUTLET_LEFT if strictness is Strictness.SAFE else connector == "on"
        if not linked or said in w.SHOWN or _BIOGRAPHY.search(text, max(0, start - LEFT), start):
            return None
        return before[index + 1].start(), end
    # "dpa" and "epd", written so, are as distinctive; "berkata demikian kepada Bernama".
    safe = strictness is Strictness.SAFE or text[start:end].islower() or connector == "kepada"
    described = before[index + 1].start() if index + 1 < len(before) else start
    if safe and _near(text, described, end):
        return start, end
    return None


_OF_NOUNS = words("for from by in at on di dari con avec")


def _words(text: str, start: int, end: int) -> list[re.Match[str]]:
    pattern = _ASCII_WORD if text[start:end].isascii() else WORD
    return list(pattern.finditer(text, start, end))


def _hindi(text: str, hit: Hit) -> Span | None:
    """Postpositions: ``पीटीआई के अनुसार``."""
    start, end = hit.start, hit.end
    named = hit.strictness < Strictness.AMBIGUOUS or "एजेंसी" in text[max(0, start - 12) : start]
    found = _HINDI_RIGHT.match(text, end) if named else None
    return (start, found.end()) if found else None


def _walk_left(text: str, start: int) -> tuple[list[re.Match[str]], int, str, bool]:
    """Over what describes the name: the words before it, which of them is the first that does
    not, the connector met, and whether one says "agency"."""
    before = _words(text, max(0, start - CLOSE), start)
    index, connector, agency = _skip(before)
    if index <= 0 and start > CLOSE:
        before = _words(text, max(0, start - LEFT), start)
        index, connector, agency = _skip(before)
    return before, index, connector, agency


def _skip(before: list[re.Match[str]]) -> tuple[int, str, bool]:
    index = len(before) - 1
    connector = ""
    agency = False
    people = False  # "according to Jane Roe and John Doe of": names between two connectors
    skipped = 0
    while index >= 0 and skipped < 12:
        raw = before[index].group()
        word = raw.lower()
        if word in w.JOINING and index and before[index - 1].group()[0].isupper():
            # "reports from CNN, the AP": other names stand between.
            index -= 1
            while index and before[index - 1].group()[0].isupper():
                index -= 1
        elif word in w.DESCRIPTORS or word in _QUOTES:
            agency = agency or (skipped < 5 and word in w.AGENCY_WORDS)
        elif word in w.CONNECTORS and (not connector or people):
            connector = word
            people = False
        elif connector in _OF_PEOPLE and raw[0].isupper():
            people = True
        else:
            break
        skipped += 1
        index -= 1
    return index, connector, agency


_OF_PEOPLE = words("of at from with")


_ON_THE_RIGHT: dict[str, str] = {
    **dict.fromkeys(w.ADVERBS, "adverb"),
    **dict.fromkeys([*w.DESCRIPTORS, *_QUOTES, "s"], "describe"),
    **dict.fromkeys(w.AGENCY_WORDS, "agency"),
    **dict.fromkeys(w.JOINING - {",", "/"}, "join"),
}


def _walk_right(text: str, end: int) -> tuple[re.Match[str] | None, int, bool]:
    """Over what describes the name: the first word that does not, adverbs met, "agency"?"""
    adverbs = 0
    agency = False
    joined = 0  # words of a list's next name that may still come: "CNN and the AP reported"
    at, stop = end, end + RIGHT
    pattern = _ASCII_WORD if text[at:stop].isascii() else WORD
    for position in range(12):
        match = pattern.search(text, at, stop)
        if match is None:
            return None, adverbs, agency
        at = match.end()
        raw = match.group()
        word = raw.lower()
        if joined and (raw[0].isupper() or word == "the"):
            joined -= 1
            continue
        means = _ON_THE_RIGHT.get(word)
        if means is None:
            return match, adverbs, agency
        if means == "join":
            joined = 5
        elif means == "agency":
            agency = agency or position < 3
        adverbs += means in ("join", "adverb")
    return None, adverbs, agency


def _quotation(text: str, hit: Hit) -> Span | None:
    """``Politico: “...``, ``“...” Jane Roe, Bloomberg`` on a line's end, ``CBS’s “60 Minutes”``."""
    start, end = hit.start, hit.end
    then = text[end : end + 1]
    if then in (":", " "):
        colon = _COLON_QUOTE.match(text, end)
        if colon and text[max(0, start - 3) : start].rstrip(" ")[-1:] in _OPENS_QUOTATION:
            return start, end + 1
    elif then in ("\n", "", "]", ")"):
        if text[max(0, start - 6) : start].rstrip(" ").removesuffix("the").rstrip()[-1:] == ",":
            quoted = _QUOTED_BY.search(text, max(0, start - LEFT), start)
            if quoted:
                return quoted.start(1), end
    elif hit.outlet and then in ("'", "’") and hit.strictness < Strictness.AMBIGUOUS:
        programme = _PROGRAMME.match(text, end)
        if programme:
            return start, programme.end()
    return None


_OPENS_QUOTATION = frozenset({"", "\n", "[", "-", "–", "—", "•", "*", "("})


def _near(text: str, start: int, end: int) -> bool:
    """Whether a citation verb stands within :data:`NEAR` characters in the same sentence.

    ``start`` is where the name and what describes it begin.
    """
    for match in reversed(_words(text, max(0, start - NEAR), start)):
        word = match.group()
        if word in _STOPS:
            break
        if word.lower() in w.SAY_LEFT:
            return True
    for match in _words(text, end, end + NEAR):
        word = match.group()
        if word in _STOPS:
            break
        if word.lower() in w.SAY_RIGHT:
            return True
    return False


def _possessive(text: str, hit: Hit) -> int | None:
    """End of "CNN's Jake Tapper", "AP's tally", "Fox News' Chris Wallace"; ``None`` otherwise."""
    if text[hit.end : hit.end + 1] not in ("'", "’"):
        return None
    at = hit.end + 1 + (text[hit.end + 1 : hit.end + 2] == "s")
    if text[at : at + 1] != " ":
        return None
    following = WORD.search(text, at, at + RIGHT)
    if following is None:
        return None
    if following.group()[0].isupper() and hit.outlet:
        return following.end()
    return following.end() if following.group().lower() in w.NOUNS else None


_ARABIC_TO = words("وفقا وفقاً قال قالت طبقا تصريح تصريحات صرح مقابلة أوضح أكد خلافا وقال وقالت")


def _arabic_object(text: str, start: int, before: list[re.Match[str]]) -> bool:
    """``قال لرويترز``, ``وفقا لرويترز``: the preposition is written onto the name."""
    if text[start - 1 : start] != "ل" or len(before) < 2:
        return False
    return any(word.group() in _ARABIC_TO for word in before[-4:])


def _unspaced(text: str, hit: Hit) -> Span | None:
    start, end = hit.start, hit.end
    if hit.strictness is Strictness.AMBIGUOUS:
        return None
    for pattern in (_CJK_LEFT, _THAI_LEFT):
        found = pattern.search(text, max(0, start - 24), start)
        if found:
            return found.start(), end
    for pattern in (_CJK_RIGHT, _CJK_CLOSE, _THAI_RIGHT):
        found = pattern.match(text, end, end + 40)
        if found:
            return start, found.end()
    return None


WORDS_LEFT = w.SAY_LEFT | w.LEFT_NOUNS
WORDS_RIGHT = w.SAY_RIGHT | w.NOUNS | {"poll", "survey", "polls"}
WORDS_LINKING = w.OUTLET_LEFT
WORDS_SKIPPED = w.DESCRIPTORS | w.CONNECTORS | w.JOINING
WORDS_ADVERB = w.ADVERBS
WORDS_UNMISTAKABLE = w.UNMISTAKABLE_LEFT | w.UNMISTAKABLE_RIGHT | w.OBJECTS
WORDS_AGENCY = w.AGENCY_WORDS
"""Which words can matter in which way: what :mod:`dedup.names` looks for around a name."""
