"""Quotes, furniture and narrative told apart, on small dumps made for each case."""

from __future__ import annotations

import pytest
from oracles import Writer, by_pair

import dedup


def article(number: int, outlet: str, *body: str, day: int | None = None) -> dict:
    return {
        "id": f"a{number:02}",
        "outlet": f"{outlet}.example",
        "published": f"2024-02-{day or number + 1:02}",
        "text": "\n\n".join(body),
    }


def relation(result, a: str, b: str) -> str | None:
    rows = by_pair(result.relations.to_pylist()).get((a, b))
    return rows[0]["relation"] if rows else None


def test_a_copy_is_a_copy(scan_records):
    w = Writer("copy")
    wire = w.sentences(8)
    result = scan_records([article(0, "one", *wire), article(1, "two", w.sentence(), *wire[:6])])
    (row,) = result.relations.to_pylist()
    assert row["relation"] == "copy"
    assert not row["revision"]
    assert row["earlier"] == "a00"
    assert row["p_copied"] > 0.9
    (group,) = result.groups.to_pylist()
    assert group["core"] == group["articles"] == ["a00", "a01"]
    assert group["first_observed"] == "a00"
    assert result.articles["flag"].to_pylist() == ["earliest", "syndicated"]


def test_a_revision_is_marked(scan_records):
    w = Writer("revision")
    body = w.sentences(8)
    result = scan_records([article(0, "one", *body), article(1, "one", *body, w.sentence())])
    (row,) = result.relations.to_pylist()
    assert (row["relation"], row["revision"]) == ("copy", True)
    assert result.articles["flag"].to_pylist().count("duplicate") == 1


def test_some_lifted_sentences_are_partial(scan_records):
    w = Writer("lift")
    wire = w.sentences(10)
    result = scan_records(
        [
            article(0, "one", *wire),
            article(1, "two", *wire),
            article(2, "three", *w.sentences(8), *wire[2:5], *w.sentences(4)),
        ]
    )
    assert relation(result, "a00", "a02") == "partial"
    (group,) = result.groups.to_pylist()
    assert (group["core"], group["articles"]) == (["a00", "a01"], ["a00", "a01", "a02"])
    assert result.articles["flag"].to_pylist()[2] == "partial"


def test_a_shared_statement_is_a_quote_and_joins_nothing(scan_records):
    w = Writer("statement")
    quotes = [w.quote(), w.quote()]
    result = scan_records(
        [
            article(
                k,
                f"o{k}",
                *w.sentences(3),
                f"{quotes[0]} said {w.word()}.",
                f"{quotes[1]} he added.",
                *w.sentences(4),
            )
            for k in range(3)
        ]
    )
    assert {r["relation"] for r in result.relations.to_pylist()} == {"quote"}
    assert result.relations.num_rows == 3
    assert result.groups.num_rows == 0
    assert set(result.articles["flag"].to_pylist()) == {"unique"}
    assert {p["kind"] for p in result.passages.to_pylist()} == {"quote"}


@pytest.mark.parametrize("place", ["head", "tail"])
def test_what_one_outlet_repeats_is_furniture(scan_records, place):
    w = Writer("furniture")
    signature = " ".join(w.sentences(2))
    records = []
    for k in range(6):
        body = w.sentences(8)
        body.insert(0 if place == "head" else len(body), signature)
        records.append(article(k, "one", *body, day=1 + 3 * k))
    result = scan_records(records, all_relations=True)
    assert {r["relation"] for r in result.relations.to_pylist()} == {"boilerplate"}
    assert {p["kind"] for p in result.passages.to_pylist()} == {"boilerplate"}
    assert result.groups.num_rows == 0
    assert scan_records(records).relations.num_rows == 0, "not listed unless asked for"


def test_furniture_inside_a_copy_is_cut_out_of_the_match(scan_records):
    w = Writer("inside")
    signature, wire = w.sentence(18), w.sentences(7)
    loners = [article(k, "one", *w.sentences(7), signature) for k in range(5)]
    revised = [
        article(8, "one", *wire, signature),
        article(9, "one", *wire[:6], w.sentence(), signature),
    ]
    result = scan_records(loners + revised)
    assert relation(result, "a08", "a09") == "copy"
    matches = by_pair(result.matches.to_pylist())["a08", "a09"]
    assert {m["kind"] for m in matches} == {"prose", "boilerplate"}
    text = revised[0]["text"]
    for m in matches:
        span = text[m["a_start"] : m["a_end"]]
        assert (signature.rstrip(".") in span) == (m["kind"] == "boilerplate")
    (row,) = by_pair(result.relations.to_pylist())["a08", "a09"]
    letters = [sum(c.isalnum() for c in t) for t in (text, signature)]
    assert row["coverage_a"] <= 1 - letters[1] / letters[0] + 1e-6, "furniture covers nothing"


def test_a_story_of_one_outlet_in_many_versions_is_no_furniture(scan_records):
    """Five live versions of one story: repeated by one outlet, but by related articles."""
    w = Writer("live")
    body = w.sentences(10)
    versions = [article(k, "one", *body[: 6 + k], day=5) for k in range(5)]
    result = scan_records(versions)
    assert {p["kind"] for p in result.passages.to_pylist()} == {"prose"}
    (group,) = result.groups.to_pylist()
    assert len(group["core"]) == 5


def test_coverage_is_of_prose_and_quotes_share_copied_of_prose(scan_records):
    w = Writer("coverage")
    wire = w.sentences(6)
    quote = f"{w.quote()} said {w.word()}."
    a, b = [*wire, quote], [*wire[:5], quote, *w.sentences(2)]
    result = scan_records([article(0, "one", *a), article(1, "two", *b)])
    (row,) = result.relations.to_pylist()

    def letters(parts: list[str]) -> int:
        return sum(c.isalnum() for part in parts for c in part)

    assert row["coverage_b"] == pytest.approx(letters([*wire[:5], quote]) / letters(b), abs=0.06)
    shares = result.articles["share_copied"].to_pylist()
    assert shares[1] <= row["coverage_b"] + 1e-9
    assert all(0 <= s <= 1 for s in shares)


# --- coincidences ---------------------------------------------------------------------------------

NAMES = (
    "the Orange County Regional History Center",
    "Visa, MasterCard, Discover, American Express",
    "Senate Majority Leader Mitch McConnell",
    "Marjorie Dannenfelser, president of the Susan B. Anthony List",
)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_two_texts_have_in_common_are_a_coincidence(name):
    w = Writer(name)
    a, b = (
        " ".join([*w.sentences(6), f"{w.sentence(4, '')} {name}.", *w.sentences(6)]) for _ in "ab"
    )
    assert dedup.compare(a, b) == []
    (match,) = dedup.compare(a, b, dedup.Settings(min_prose_information=0))
    assert match.kind == "prose"
    assert a[match.a_start : match.a_end].endswith(name)


def test_names_alone_can_still_be_compared():
    """They are no tenth of a long text, but all of a short one."""
    assert len(dedup.compare(*2 * [NAMES[1] + "."])) == 1


def test_a_sentence_of_running_text_is_no_coincidence():
    w = Writer("running")
    sentence = (
        "The ferry that had been out of service since the storm of last week was towed back to its "
        "berth on the north shore by two tugs before dawn."
    )
    a, b = (" ".join([*w.sentences(9), sentence, *w.sentences(9)]) for _ in "ab")
    (match,) = dedup.compare(a, b)
    assert a[match.a_start : match.a_end] == sentence.rstrip(".")


def test_a_short_quote_is_no_coincidence(scan_records):
    w = Writer("short quote")
    quote = "“We will not be selling the northern harbour to any Swiss billionaire,”"
    result = scan_records(
        [
            article(k, f"o{k}", *w.sentences(5), f"{quote} said {w.word()}.", *w.sentences(5))
            for k in range(3)
        ]
    )
    assert {p["kind"] for p in result.passages.to_pylist()} == {"quote"}
    assert {r["relation"] for r in result.relations.to_pylist()} == {"quote"}


# --- quotes without marks -------------------------------------------------------------------------


def kinds(result, a: str, b: str) -> set[str]:
    return {m["kind"] for m in by_pair(result.matches.to_pylist()).get((a, b), [])}


def test_marks_on_one_side_make_it_a_quote(scan_records):
    w = Writer("one side")
    words = w.sentence(24, "")
    result = scan_records(
        [
            article(0, "one", *w.sentences(6), f"“{words},” said {w.word()}.", *w.sentences(6)),
            article(1, "two", *w.sentences(6), f"{words}.", *w.sentences(6)),
        ]
    )
    assert relation(result, "a00", "a01") == "quote"
    assert kinds(result, "a00", "a01") == {"quote"}


def test_an_embedded_tweet_is_a_quote(scan_records):
    w = Writer("tweet")
    tweet = f"{w.sentence(24, '')} — {w.word()} (@{w.word()[:12]}) March 3, 2018"
    result = scan_records(
        [article(k, f"o{k}", *w.sentences(6), tweet, *w.sentences(6)) for k in range(2)]
    )
    assert relation(result, "a00", "a01") == "quote"


def test_tweets_of_one_day_with_the_same_signature_are_not_shared():
    w = Writer("signed")
    signature = "— Marjorie Dannenfelser (@marjorie) September 23, 2018"
    a, b = ("\n\n".join([*w.sentences(6), f"{w.sentence(24)} {signature}"]) for _ in "ab")
    assert dedup.compare(a, b) == []


def test_a_block_quotation_is_a_quote_unless_it_is_the_article(scan_records):
    w = Writer("block")
    block = "\n\n".join(w.sentences(4))
    lead = f"The {w.word()} newspaper puts it like this:"
    quoted = article(0, "one", *w.sentences(12), block, *w.sentences(12))
    quoting = article(1, "two", *w.sentences(4), lead, block, *w.sentences(6))
    lifting = article(2, "three", lead, block, w.sentence())
    assert relation(scan_records([quoted, quoting]), "a00", "a01") == "quote"
    assert relation(scan_records([quoted, lifting]), "a00", "a02") == "copy"


def test_narrative_between_quotes_is_copied(scan_records):
    """Half narrative and half quotes of a common story: both come along."""
    w = Writer("between")
    story = [s for _ in range(4) for s in (w.sentence(18), f"{w.quote()} said {w.word()}.")]
    result = scan_records(
        [article(0, "one", *story, w.sentence()), article(1, "two", w.sentence(), *story)]
    )
    assert relation(result, "a00", "a01") == "copy"


def test_tags_between_quotes_are_no_narrative(scan_records):
    w = Writer("tags")
    talk = [f"{w.quote()} {w.word()} told reporters on Monday. {w.quote()}" for _ in range(3)]
    result = scan_records(
        [article(k, f"o{k}", *w.sentences(8), *talk, *w.sentences(8)) for k in range(2)]
    )
    assert relation(result, "a00", "a01") == "quote"


def test_the_frames_of_different_quotes_are_a_coincidence():
    w = Writer("frames")
    frame = "said Marjorie Dannenfelser, president of the Susan B. Anthony List"
    a, b = (" ".join([*w.sentences(6), f"{w.quote()} {frame}.", *w.sentences(6)]) for _ in "ab")
    assert dedup.compare(a, b) == []


def test_what_an_article_repeats_of_a_speech_is_no_furniture(scan_records):
    """A statement twice in an article of the same outlet, as summary and in full."""
    w = Writer("twice said")
    quote = f"{w.quote()} said {w.word()}. {w.quote()} {w.quote()}"
    others = [article(k, f"o{k}", *w.sentences(6)) for k in range(2, 8)]
    result = scan_records(
        [
            article(0, "one", *w.sentences(5), quote, *w.sentences(5), quote, w.sentence()),
            article(1, "one", *w.sentences(5), quote, *w.sentences(5)),
            *others,
        ]
    )
    assert kinds(result, "a00", "a01") == {"quote"}


# --- furniture of few articles, and between outlets -----------------------------------------------


@pytest.mark.parametrize(("days", "wanted"), [(20, "boilerplate"), (2, None)])
def test_a_note_at_the_end_of_two_articles_is_furniture_when_time_lies_between(
    scan_records, days, wanted
):
    w = Writer("note")
    note = " ".join(w.sentences(2))
    result = scan_records(
        [
            article(0, "one", *w.sentences(20), note, day=1),
            article(1, "one", *w.sentences(20), note, day=1 + days),
        ],
        all_relations=True,
    )
    found = {p["kind"] for p in result.passages.to_pylist()}
    assert (found == {"boilerplate"}) == (wanted == "boilerplate")


def test_what_one_outlet_quotes_in_every_issue_is_a_quote_to_others(scan_records):
    w = Writer("issue")
    quote = f"“{w.sentence(24, '')}.”"
    issues = [article(k, "one", *w.sentences(8), quote, day=1 + 3 * k) for k in range(8)]
    column = article(8, "two", *w.sentences(8), quote.strip("“”"), *w.sentences(8))
    result = scan_records([*issues, column], all_relations=True)
    assert {p["kind"] for p in result.passages.to_pylist()} == {"boilerplate"}
    rows = by_pair(result.relations.to_pylist())
    between = {rows[pair][0]["relation"] for pair in rows if "a08" in pair}
    inside = {rows[pair][0]["relation"] for pair in rows if "a08" not in pair}
    assert (between, inside) == ({"quote"}, {"boilerplate"})


def test_all_pairs_of_common_furniture_are_listed_when_asked_for(scan_records):
    """Forty articles with one footer: few pairs are aligned, all are listed."""
    w = Writer("footer")
    footer = w.sentence(20)
    records = [article(k, "one", *w.sentences(5), footer, day=1 + k % 28) for k in range(40)]
    result = scan_records(records, all_relations=True)
    assert result.run["work"]["pairs_aligned"] < 40 * 39 / 2
    rows = by_pair(result.relations.to_pylist())
    assert {r[0]["relation"] for r in rows.values()} == {"boilerplate"}
    assert len(rows) == 40 * 39 / 2
    texts = {r["id"]: r["text"] for r in records}
    matches = by_pair(result.matches.to_pylist())
    assert matches.keys() == rows.keys()
    for pair, found in matches.items():
        assert len(found) == 1
        (m,) = found
        assert footer.rstrip(".") in texts[pair[0]][m["a_start"] : m["a_end"]]
        assert m["similarity"] > 0.9
    assert all(r[0]["p_shared"] < 0.1 for r in rows.values())


def test_furniture_of_very_many_is_counted_not_listed(scan_records, monkeypatch):
    from dedup.tables import furniture

    monkeypatch.setattr(furniture, "MOST_HOLDERS", 30)
    w = Writer("footer of many")
    footer = w.sentence(20)
    records = [article(k, "one", *w.sentences(5), footer, day=1 + k % 28) for k in range(40)]
    result = scan_records(records, all_relations=True)
    assert result.relations.num_rows < 40 * 39 / 2
    caps = {cap["name"]: cap["count"] for cap in result.run["caps"]}
    assert caps["furniture_pairs"] == 1
    assert "furniture_pairs" not in {c["name"] for c in scan_records(records).run["caps"]}
