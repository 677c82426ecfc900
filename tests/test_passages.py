"""Shared passages: every occurrence, once, where it stands."""

from __future__ import annotations

import pytest
from oracles import Writer, jaccard, newsroom

from dedup import tokens


def rows_with(result, article: str) -> list[dict]:
    return [
        p
        for p in result.passages.to_pylist()
        if article in {o["article"] for o in p["occurrences"]}
    ]


def texts_of(result) -> dict[str, str]:
    return dict(zip(result.texts["ref"].to_pylist(), result.texts["text"].to_pylist(), strict=True))


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    from dumps import write_jsonl

    import dedup

    path = tmp_path_factory.mktemp("room") / "dump.jsonl"
    return dedup.scan(write_jsonl(path, newsroom(1, stories=8)), threads=1)


def test_occurrences_say_what_the_passage_says(room):
    texts = texts_of(room)
    for passage in room.passages.to_pylist():
        assert len({o["article"] for o in passage["occurrences"]}) >= 2
        spans = [texts[o["article"]][o["start"] : o["end"]] for o in passage["occurrences"]]
        assert passage["text"] in spans
        words = tokens(passage["text"])
        for span in spans:
            assert jaccard(tokens(span), words) > 0.3, "reworded at most"
        if passage["kind"] == "quote":
            assert all(tokens(span) == words for span in spans), "nobody rewords quotes here"


def test_occurrences_are_distinct_and_in_order(room):
    for passage in room.passages.to_pylist():
        places = [(o["article"], o["start"], o["end"]) for o in passage["occurrences"]]
        assert places == sorted(set(places))
        assert all(start < end for _, start, end in places)


def test_no_place_belongs_to_two_passages(room):
    places = [
        (o["article"], o["start"], o["end"])
        for p in room.passages.to_pylist()
        for o in p["occurrences"]
    ]
    assert len(places) == len(set(places))


def test_ids_are_unique_and_rank_descends(room):
    rows = room.passages.to_pylist()
    assert len({p["id"] for p in rows}) == len(rows)
    assert [p["score"] for p in rows] == sorted((p["score"] for p in rows), reverse=True)


def test_all_occurrences_of_exact_repeats_are_found(room):
    """Whatever sentence of the dump stands in two articles is a passage with all its articles."""
    from dedup.candidates import LEAST_CONTENT
    from dedup.segment import passage_spans

    texts = texts_of(room)
    holders: dict[tuple[str, ...], set[str]] = {}
    for ref, text in texts.items():
        for start, end, _ in passage_spans(text):
            holders.setdefault(tuple(tokens(text[start:end])), set()).add(ref)
    listed = {}
    for p in room.passages.to_pylist():
        for o in p["occurrences"]:
            words = tuple(tokens(texts[o["article"]][o["start"] : o["end"]]))
            listed.setdefault(words, set()).update(x["article"] for x in p["occurrences"])
    repeated = {words: refs for words, refs in holders.items() if len(refs) > 1 and len(words) > 9}
    assert len(repeated) > 30
    assert LEAST_CONTENT < 9
    for words, refs in repeated.items():
        assert refs <= listed[words]


def test_a_passage_twice_in_one_article_has_two_occurrences(scan_records):
    w = Writer("twice")
    shared = w.sentence(16)
    result = scan_records(
        [
            {"id": "a", "text": f"{shared} {w.sentence()} {shared}"},
            {"id": "b", "text": f"{w.sentence()} {shared}"},
        ]
    )
    (passage,) = result.passages.to_pylist()
    assert [o["article"] for o in passage["occurrences"]] == ["a", "a", "b"]


def test_a_passage_twice_in_one_article_alone_is_not_shared(scan_records):
    w = Writer("alone")
    shared = w.sentence(16)
    result = scan_records(
        [
            {"id": "a", "text": f"{shared} {w.sentence()} {shared}"},
            {"id": "b", "text": w.sentence()},
        ]
    )
    assert result.passages.num_rows == 0


def test_identical_articles_share_all_their_passages(scan_records):
    text = " ".join(Writer("identical").sentences(4))
    result = scan_records([{"id": k, "text": text, "outlet": f"{k}.example"} for k in "abc"])
    assert result.passages.num_rows == 4
    for p in result.passages.to_pylist():
        assert [o["article"] for o in p["occurrences"]] == ["a", "b", "c"]


def test_reworded_occurrences_join_their_passage(scan_records):
    w = Writer("reworded")
    words = [w.word() for _ in range(20)]
    changed = [*words[:7], w.word(), *words[8:14], w.word(), *words[15:]]
    filler = [w.sentences(3) for _ in range(2)]
    result = scan_records(
        [
            {"id": "a", "text": " ".join([*filler[0], " ".join(words).capitalize() + "."])},
            {"id": "b", "text": " ".join([*filler[1], " ".join(changed).capitalize() + "."])},
        ]
    )
    (passage,) = result.passages.to_pylist()
    assert [o["article"] for o in passage["occurrences"]] == ["a", "b"]


def test_what_stands_beside_does_not_join(scan_records):
    w = Writer("beside")
    quote = w.quote()
    result = scan_records(
        [{"id": k, "text": f"{w.sentence()} {quote} said {w.sentence()}"} for k in "abc"]
    )
    (passage,) = result.passages.to_pylist()
    assert passage["text"] == quote.strip("“,”")
    assert passage["kind"] == "quote"
    assert result.groups.num_rows == 0
