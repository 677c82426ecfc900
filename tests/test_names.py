"""Where known names stand in texts: the kernel against slow oracles."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import frames, slots
from dedup.agencies import load, words
from dedup.attribute import Attributor
from dedup.names import NameFinder, reader

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = [
    *("Associated Press", "AP News", "AP classes", "The Hill", "Agência Lusa", "dpa", "Bloomberg"),
    *sorted(words("AP Reuters CNN (sda sda 新华社 路透社 ТАСС رويترز 연합뉴스 रॉयटर्स PRNewswire")),
]
WORDS = [
    *("\n", "\t"),
    *sorted(
        words(
            "told according to said reported the news agency and on in with Sumber: Source: © 2019 "
            "Copyright contributed this report used — - ( ) [ ] / = : . , ’s 's “ ” Photo By Jane "
            "Roe Jan. WASHINGTON 1 менее сообщает según 据 報道 。 é 😀 _ poll A published by "
            "Additional reporting Theo Hal kepada berkata dengan state-run via from host interview"
        )
    ),
]
TEXTS = st.lists(
    st.tuples(st.sampled_from(NAMES + WORDS), st.sampled_from(["", " ", " ", " "])), max_size=60
).map(lambda parts: "".join(word + space for word, space in parts))


@cache
def known_names() -> NameFinder:
    return NameFinder(load())


@pytest.fixture
def finder() -> NameFinder:
    return known_names()


@pytest.fixture(scope="module")
def attributor() -> Attributor:
    return Attributor(load())


def array(*texts: str | None) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def oracle(finder: NameFinder, text: str) -> Iterator[tuple[int, int, int]]:
    """Leftmost-longest, position by position; false friends swallow what they hold."""

    def letter(char: str) -> bool:
        return char.isascii() and (char.isalnum() or char == "_")

    names: dict[str, list[tuple[str, int]]] = {}
    for index, name in enumerate(finder.patterns):
        names.setdefault(name[0], []).append((name, index))
    at = 0
    while at < len(text):
        best = None
        for name, index in names.get(text[at], ()):
            end = at + len(name)
            if not text.startswith(name, at):
                continue
            if letter(text[at]) and at and letter(text[at - 1]):
                continue
            if finder.ends[index] and end < len(text) and letter(text[end]):
                continue
            if best is None or end > best[1]:
                best = at, end, index
        if best is None:
            at += 1
            continue
        if finder.sources[best[2]]:
            yield best
        at = best[1]


@given(st.lists(TEXTS, max_size=4))
@settings(deadline=None, max_examples=150)
def test_names_are_found_as_by_the_oracle(texts: list[str]) -> None:
    finder = known_names()
    found = [o[:4] for o in finder.find(array(*texts), everywhere=0)]
    expected = [(i, *hit) for i, text in enumerate(texts) for hit in oracle(finder, text)]
    assert found == expected


@given(TEXTS)
@settings(deadline=None, max_examples=300)
def test_what_is_passed_over_says_nothing(text: str) -> None:
    finder = known_names()
    everywhere = {o[:4]: o[4] for o in finder.find(array(text), everywhere=0)}
    looked_at = {o[:4]: o[4] for o in finder.find(array(text))}
    assert looked_at.keys() <= everywhere.keys()
    for _, start, end, name in everywhere:
        possible = looked_at.get((0, start, end, name), 0)
        hit = slots.Hit(start, end, finder.strictness[name], finder.outlets[name])
        if not possible & slots.CITED:
            assert frames.citation(text, hit) is None
        for slot in (slots.BRACKETED, slots.LABELLED, slots.HELPED, slots.HEADED):
            if not possible & slot:
                assert slots.credit_slot(text, hit, lambda name: name in NAMES, slot) is None


def test_names_at_the_edges_of_texts(finder: NameFinder) -> None:
    texts = array("AP", "x", "AP", None, "", "Source: AP", "PAPAP", "AP\u0301")
    found = [(i, start, end) for i, start, end, _, _ in finder.find(texts, everywhere=0)]
    assert found == [(0, 0, 2), (2, 0, 2), (5, 8, 10), (7, 0, 2)]


def test_a_shorter_name_where_the_longer_runs_on(finder: NameFinder) -> None:
    text = "AP Newsroom"
    found = [text[s:e] for _, s, e, _, _ in finder.find(array(text), everywhere=0)]
    assert found == ["AP"]


def test_a_false_friend_swallows_the_name(finder: NameFinder) -> None:
    assert list(finder.find(array("AP classes, AP Physics"), everywhere=0)) == []


def test_slices_and_many_texts(finder: NameFinder) -> None:
    texts = array(*(["Reuters said so."] * 700 + ["é Reuters"] * 3000))
    found = list(finder.find(texts.slice(699), everywhere=0))
    assert len(found) == 3001
    assert [o[:3] for o in found[:2]] == [(0, 0, 7), (1, 2, 9)]
    assert reader(texts.slice(699))(1) == "é Reuters"


def test_a_text_is_judged_without_its_neighbours(finder: NameFinder) -> None:
    text = "CNN) is a channel." + " x" * 1500
    alone = [o[1:] for o in finder.find(array(text))]
    behind = [o[1:] for o in finder.find(array("He left the ", text)) if o[0] == 1]
    assert behind == alone != []


def test_many_articles_at_once_give_what_each_gives_alone(attributor: Attributor) -> None:
    texts = ["LONDON (Reuters) - Shares rose.", "He told the AP so.", "Nothing.", "Source: AP"]
    rows = [1, 0, 3, 1, 2]
    together = attributor.evidence_of(
        array(*texts),
        rows,
        refs=[str(i) for i in range(5)],
        titles=[None, "Rise - AP News", None, "Bank to close, Reuters reports", ""],
        bylines=[None, "AFP", None, None, "Jane Roe"],
        urls=[None] * 5,
        outlet_ids=[None] * 5,
        metadata=[None] * 5,
    )
    alone = [
        attributor.evidence(ref="0", text=texts[1]),
        attributor.evidence(ref="1", text=texts[0], title="Rise - AP News", byline="AFP"),
        attributor.evidence(ref="2", text=texts[3]),
        attributor.evidence(ref="3", text=texts[1], title="Bank to close, Reuters reports"),
        attributor.evidence(ref="4", text=texts[2], title="", byline="Jane Roe"),
    ]
    assert together == alone
