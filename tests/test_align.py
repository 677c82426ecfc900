# ruff: noqa: E501 - texts read better as one line each
"""Alignment of two texts: similarity against the oracle, edges, mirroring, what must not match."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from oracles import Writer, placed_tokens, tfisf_cosine

from dedup import Match, compare
from dedup.config import Settings
from dedup.segment import fnv64


def swapped(match: Match) -> Match:
    return Match(
        match.b_start, match.b_end, match.a_start, match.a_end, match.similarity, match.kind
    )


def related_texts(seed: int) -> tuple[str, str]:
    """Two texts that share some sentences: verbatim, cut, with words replaced, or reordered."""
    w, r = Writer(f"pair {seed}"), random.Random(seed)
    one, two = w.sentences(r.randint(2, 9)), w.sentences(r.randint(0, 9))
    shared = r.sample(one, r.randint(1, len(one)))
    for sentence in shared:
        words = sentence.split()
        for _ in range(r.choice([0, 0, 2, 5])):
            words[r.randrange(len(words))] = w.word()
        words = words[: len(words) - r.choice([0, 0, 3])]
        two.insert(r.randint(0, len(two)), " ".join(words).rstrip(".") + ".")
    if r.random() < 0.3:
        one.insert(1, w.quote() + " she said.")
        two.insert(0, one[1])
    glue = r.choice([" ", "\n\n", "\n"])
    return glue.join(one), glue.join(two)


# --- invariant 2 ----------------------------------------------------------------------------------


@given(st.integers(0, 10**6))
def test_similarity_holds_on_the_text(seed):
    a, b = related_texts(seed)
    for m in compare(a, b):
        found = tfisf_cosine(a, (m.a_start, m.a_end), b, (m.b_start, m.b_end))
        assert m.similarity == pytest.approx(found, abs=2e-6)
        assert Settings().min_similarity <= m.similarity <= 1


@given(st.integers(0, 10**6))
def test_swapped_texts_give_swapped_matches(seed):
    a, b = related_texts(seed)
    mirrored = sorted((swapped(m) for m in compare(b, a)), key=lambda m: (m.a_start, m.b_start))
    assert compare(a, b) == mirrored


@given(st.integers(0, 10**6))
def test_spans_begin_and_end_with_tokens(seed):
    a, b = related_texts(seed)
    for text, spans in (
        (a, [(m.a_start, m.a_end) for m in compare(a, b)]),
        (b, [(m.b_start, m.b_end) for m in compare(a, b)]),
    ):
        starts, ends = ({t[k] for t in placed_tokens(text)} for k in (1, 2))
        assert all(start in starts and end in ends for start, end in spans)


PIECES = st.lists(
    st.sampled_from(
        [
            *Writer("pieces").sentences(6),
            "港口将在周一关闭十一周，货物改由铁路运输。",
            "Yes.",
            "\n\n",
            "“",
            "”",
            "\ud800",
            "😀 ",
        ]
    ),
    max_size=12,
).map(" ".join)


@given(PIECES, PIECES)
@hypothesis_settings(max_examples=200)
def test_any_two_texts_can_be_compared(a, b):
    found = compare(a, b)
    assert found == sorted(found, key=lambda m: (m.a_start, m.b_start))
    for m in found:
        assert 0 <= m.a_start < m.a_end <= len(a)
        assert 0 <= m.b_start < m.b_end <= len(b)
    assert len(set(found)) == len(found), "no match is listed twice"


# --- what is found, and where ---------------------------------------------------------------------


def off_by(text: str, found: tuple[int, int], wanted: tuple[int, int]) -> int:
    """Words between the edges that were found and those that are right."""
    words = placed_tokens(text)

    def between(x: int, y: int) -> int:
        return sum(min(x, y) <= start < max(x, y) for _, start, _, _ in words)

    return max(between(found[0], wanted[0]), between(found[1], wanted[1]))


@pytest.mark.parametrize("seed", range(40))
def test_a_copied_paragraph_is_found_to_the_word(seed):
    w, r = Writer(f"copied {seed}"), random.Random(seed)
    copied = " ".join(w.sentences(r.randint(2, 5)))
    sides = []
    for _ in range(2):
        head, tail = (" ".join(w.sentences(r.randint(2, 6))) for _ in range(2))
        sides.append((f"{head}\n\n{copied}\n\n{tail}", len(head) + 2))
    (a, a_at), (b, b_at) = sides
    (m,) = compare(a, b)
    # The same small word may happen to stand beside the paragraph on both sides.
    assert off_by(a, (m.a_start, m.a_end), (a_at, a_at + len(copied))) <= 1
    assert off_by(b, (m.b_start, m.b_end), (b_at, b_at + len(copied))) <= 1
    assert m.similarity == pytest.approx(1, abs=1e-6)
    assert m.kind == "prose"


@pytest.mark.parametrize("seed", range(40))
def test_a_copy_that_begins_and_ends_inside_sentences_has_edges_within_two_words(seed):
    w, r = Writer(f"inside {seed}"), random.Random(seed)
    copied = w.sentences(3)
    words = " ".join(copied).rstrip(".").split()
    words = words[r.randint(1, 4) : len(words) - r.randint(1, 4)]
    middle = " ".join(words)
    texts, spans = [], []
    for _ in range(2):
        head = (
            " ".join(w.sentences(3)) + " " + " ".join(w.word() for _ in range(3)).capitalize() + " "
        )
        texts.append(
            head
            + middle
            + " "
            + " ".join(w.word() for _ in range(3))
            + ". "
            + " ".join(w.sentences(2))
        )
        spans.append((len(head), len(head) + len(middle)))
    (m,) = compare(*texts)
    assert off_by(texts[0], (m.a_start, m.a_end), spans[0]) <= 2
    assert off_by(texts[1], (m.b_start, m.b_end), spans[1]) <= 2


@pytest.mark.parametrize("seed", range(20))
def test_reordered_sentences_are_covered(seed):
    w, r = Writer(f"order {seed}"), random.Random(seed)
    shared = w.sentences(5)
    other = r.sample(shared, 5)
    head = " ".join(w.sentences(2))
    a, b = " ".join(shared), head + " " + " ".join(other)
    found = compare(a, b)
    covered = set().union(*(range(m.a_start, m.a_end) for m in found))
    assert len(covered) >= 0.95 * (len(a) - 1)
    assert min(m.b_start for m in found) >= len(head)


@pytest.mark.parametrize("seed", range(20))
def test_dropped_and_replaced_words_are_no_obstacle(seed):
    w, r = Writer(f"dropped {seed}"), random.Random(seed)
    shared = w.sentences(4)
    changed = []
    for sentence in shared:
        words = sentence.rstrip(".").split()
        for _ in range(2):
            del words[r.randrange(2, len(words) - 2)]
        words[r.randrange(2, len(words) - 2)] = w.word()
        changed.append(" ".join(words) + ".")
    a = " ".join([*w.sentences(3), *shared, *w.sentences(3)])
    b = " ".join([*w.sentences(2), *changed, *w.sentences(4)])
    (m,) = compare(a, b)
    for text, parts, lo, hi in ((a, shared, m.a_start, m.a_end), (b, changed, m.b_start, m.b_end)):
        start = text.index(parts[0])
        end = start + len(" ".join(parts))
        assert min(hi, end) - max(lo, start) >= 0.85 * (end - start)
        assert off_by(text, (min(lo, start), max(hi, end)), (start, end)) <= 2, "overshoots"


def test_one_sentence_against_its_parts():
    """One side joins with commas what the other splits with stops."""
    w = Writer("split")
    parts = [s.rstrip(".") for s in w.sentences(3)]
    a = ", ".join(p[0].lower() + p[1:] for p in parts).capitalize() + "."
    b = ". ".join(parts) + "."
    (m,) = compare(a, f"{w.sentence()} {b} {w.sentence()}")
    assert (m.a_start, m.a_end) == (0, len(a) - 1)


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_sentence_copied_into_a_longer_one(place):
    """Fifteen words of one sentence stand verbatim in one of forty-five."""
    w = Writer(f"longer {place}")
    copied = w.sentence(15).rstrip(".")
    around = [w.sentence(15).rstrip(".").lower() for _ in range(2)]
    around.insert({"first": 0, "middle": 1, "last": 2}[place], copied)
    a = f"{w.sentence()} {', '.join(around)}. {w.sentence()}"
    b = f"{w.sentence()} {copied}. {w.sentence()}"
    (m,) = compare(a, b)
    assert off_by(a, (m.a_start, m.a_end), (a.index(copied), a.index(copied) + len(copied))) <= 2


@pytest.mark.parametrize("seed", range(30))
def test_unrelated_texts_share_nothing(seed):
    w = Writer(f"unrelated {seed}")
    assert compare(" ".join(w.sentences(12)), " ".join(w.sentences(12))) == []


def test_common_phrases_are_nothing():
    phrase = "He said it was one of the most important of all of them, and that it would be so."
    w = Writer("phrases")
    assert compare(f"{w.sentence()} {phrase}", f"{w.sentence()} {phrase}") == []


# --- identical texts ------------------------------------------------------------------------------


@pytest.mark.parametrize("sentences", [1, 2, 5, 40])
def test_identical_texts_give_one_full_match(sentences):
    text = " ".join(Writer("same").sentences(sentences))
    assert compare(text, text) == [Match(0, len(text) - 1, 0, len(text) - 1, 1.0, "prose")]


def test_identical_texts_with_small_talk_between_give_one_full_match():
    """Six sentences too short to be seeds lie between the two that are."""
    w = Writer("small talk")
    talk = "Yes it is. No it is not. We are here. So it goes. It was so. They are in."
    text = f"{w.sentence()} {talk} {w.sentence()}"
    assert compare(text, text) == [Match(0, len(text) - 1, 0, len(text) - 1, 1.0, "prose")]


def test_a_long_text_of_seeds_far_apart_gives_no_match_twice():
    """No work or output that grows with the square: matches do not run into each other."""
    w = Writer("far apart")
    talk = "Yes it is. No it is not. We are here. So it goes. It was so. They are in."
    text = " ".join(f"{w.sentence()} {talk}" for _ in range(30))
    found = compare(text, text + " And so on.")
    assert sum(m.a_end - m.a_start for m in found) <= len(text)


@pytest.mark.parametrize("text", ["", " ", "a", "...", "No.", "\x00\x01", "the the the", "中"])
def test_too_little_to_compare(text):
    assert compare(text, text) == []


# --- other scripts --------------------------------------------------------------------------------

TRANSLATED = {
    "Chinese": "交通部星期一表示，由于秋季风暴冲刷主桥桥墩，林德港将从下周起关闭十一周，货物改由铁路运输。",
    "Japanese": "運輸省は月曜日、秋の嵐で主橋の橋脚が浸食されたため、港を来週から十一週間閉鎖すると発表した。",
    "Korean": "교통부는 월요일 가을 폭풍으로 주교의 교각이 침식되어 항구를 다음 주부터 십일 주간 폐쇄한다고 발표했다.",
    "Arabic": "أعلنت وزارة النقل يوم الاثنين أن الميناء سيغلق أحد عشر أسبوعا بعد أن كشف الغواصون أضرارا في دعائم الجسر.",
    "Hindi": "परिवहन मंत्रालय ने सोमवार को कहा कि पुल के खंभों में दरारें मिलने के बाद बंदरगाह ग्यारह सप्ताह बंद रहेगा।",
    "Thai": "กระทรวงคมนาคมแถลงเมื่อวันจันทร์ว่าท่าเรือจะปิดเป็นเวลาสิบเอ็ดสัปดาห์หลังพบความเสียหายที่ตอม่อสะพานหลัก",
    "Russian": "Министерство транспорта сообщило в понедельник, что порт закроют на одиннадцать недель из-за повреждения опор моста.",
}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_script_is_aligned(language):
    shared = TRANSLATED[language]
    w = Writer(language)
    a, b = f"{w.sentence()}\n\n{shared}", f"{shared}\n\n{w.sentence()} {w.sentence()}"
    (m,) = compare(a, b)
    assert a[m.a_start : m.a_end] == b[m.b_start : m.b_end] == shared.rstrip("।。.")


# --- words are compared on the text ---------------------------------------------------------------


COLLIDING = json.loads((Path(__file__).parent / "golden" / "colliding_words.json").read_text())
"""Pairs of words with equal 64-bit FNV-1a hashes: a lattice finds such in a second."""


def test_texts_built_to_collide_do_not_match():
    ours, theirs = (" ".join(words) + "." for words in zip(*COLLIDING, strict=True))
    for mine, yours in COLLIDING:
        assert mine != yours
        assert fnv64(mine.encode()) == fnv64(yours.encode())
    assert compare(ours, theirs) == []


def test_words_that_collide_inside_one_text_are_still_two_words():
    """One text holds our words here and there, and colliding ones where it seems to copy us."""
    w = Writer("attack")
    ours, theirs = zip(*COLLIDING, strict=True)
    a = f"{w.sentence()} {' '.join(ours).capitalize()}. {w.sentence()}"
    scattered = " ".join(f"{w.sentence(12).rstrip('.')} {word}." for word in ours)
    b = f"{scattered}\n\n{' '.join(theirs).capitalize()}. {w.sentence()}"
    for m in compare(a, b):
        found = tfisf_cosine(a, (m.a_start, m.a_end), b, (m.b_start, m.b_end))
        assert m.similarity == pytest.approx(found, abs=2e-6)


@pytest.mark.parametrize("times", [2, 8, 12, 40])
def test_a_refrain_is_found_however_often_it_is_sung(times):
    line = Writer("refrain").sentence(16)
    song = " ".join([line] * times)
    assert compare(song, song) == [Match(0, len(song) - 1, 0, len(song) - 1, 1.0, "prose")]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_found_does_not_hang_on_which_text_sorts_first(seed):
    """One text joins with a comma what the other splits; the second half is reworded a little."""
    w = Writer(f"joined {seed}")
    one, two = w.sentence(16).rstrip("."), w.sentence(14).rstrip(".")
    changed = [w.word() if k in (3, 6, 9) else word for k, word in enumerate(two.split())]
    split = f"{one}. {two}."
    joined = f"{one}, {' '.join(changed)}."
    ends = {}
    for first in "ab":
        mine, yours = ("A. ", "B. ") if first == "a" else ("B. ", "A. ")
        (m,) = compare(mine + split, yours + joined)
        ends[first] = (m.a_start, m.a_end, m.b_start, m.b_end)
    assert ends["a"] == ends["b"]


SHARED_BY_BOTH = (
    "The harbour council of Lindqvist voted on Tuesday to rebuild the northern pier, whose timber "
    "had rotted since the great flood, at a cost of eleven million crowns."
)


def test_words_stretched_by_ignored_characters_do_no_harm():
    """A pair of Han with many characters without width in between is a word like any other."""

    def text(name: str) -> str:
        pairs = " ".join(
            chr(0x4E00 + 2 * i) + "\u200b" * 140 + chr(0x4E01 + 2 * i) for i in range(190)
        )
        return f"{pairs} {name}.\n{SHARED_BY_BOTH}"

    matches = compare(text("Bergholm"), text("Lindqvist"))
    assert matches
    assert all(m.a_end > m.a_start for m in matches)
