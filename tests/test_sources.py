"""Who is named as the source of a group."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from inference_fixture import with_inferred

from dedup.agencies import Agencies, load
from dedup.direction import Common, fuller_outlet
from dedup.facts import ArticleFacts
from dedup.model import Evidence
from dedup.sources import group_source

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def agencies() -> Agencies:
    return load()


def article(
    ref: str,
    outlet: str | None,
    *credits_: str,
    day: int | None = None,
    share: float = 0.9,
    slot: str = "(X) -",
) -> ArticleFacts:
    return ArticleFacts(
        ref=ref,
        outlet_id=outlet,
        outlet_name=outlet.title() if outlet else None,
        published_us=None if day is None else day * DAY,
        precision="unknown" if day is None else "day",
        published_raw=None if day is None else f"day {day}",
        credits=tuple(Evidence("credit", c, ref, "text", 0, len(slot), slot) for c in credits_),
        share_copied=share,
        core=True,
        own_sources=frozenset({outlet}) if outlet else frozenset(),
    )


def test_an_agency_credited_once_is_the_source_of_all(agencies: Agencies) -> None:
    core = [article("a", "a.com", "ap", day=2), article("b", "b.com", day=1)]
    core = with_inferred(core, agencies)
    verdict = group_source(core, [], agencies)
    assert (verdict.id, verdict.name, verdict.kind) == ("ap", "Associated Press", "agency")
    assert verdict.confidence == pytest.approx(0.8)
    assert [(e.role, e.article) for e in verdict.evidence] == [("credit", "a"), ("inferred", "b")]
    assert verdict.note == ""


def test_independent_outlets_raise_the_confidence(agencies: Agencies) -> None:
    same = [article("a", "a.com", "ap"), article("b", "a.com", "ap")]
    two = [article("a", "a.com", "ap"), article("b", "b.com", "ap")]
    assert group_source(same, [], agencies).confidence == pytest.approx(0.8)
    assert group_source(two, [], agencies).confidence == pytest.approx(0.9)


def test_a_conflict_lowers_the_confidence_and_keeps_all_evidence(agencies: Agencies) -> None:
    core = [
        article("a", "a.com", "ap"),
        article("b", "b.com", "ap"),
        article("c", "c.com", "reuters"),
    ]
    verdict = group_source(core, [], agencies)
    assert verdict.id == "ap"
    assert verdict.confidence == pytest.approx(2 / 3 * 0.9)
    assert {e.source for e in verdict.evidence} == {"ap", "reuters"}
    assert verdict.note == (
        "The articles credit different sources: Associated Press by 2 articles, "
        "Reuters by 1 article."
    )


def test_votes_weigh_by_the_share_in_common(agencies: Agencies) -> None:
    core = [article("a", "a.com", "ap", share=0.3), article("b", "b.com", "reuters", share=0.9)]
    assert group_source(core, [], agencies).id == "reuters"


def test_a_contribution_weighs_less_than_a_credit(agencies: Agencies) -> None:
    helped = article("a", "a.com", "ap", slot="The AP contributed to this report")
    assert group_source([helped, article("b", "b.com", "reuters")], [], agencies).id == "reuters"
    alone = group_source([helped, article("c", "c.com")], [], agencies)
    assert (alone.id, alone.confidence) == ("ap", pytest.approx(0.6))


def test_an_agency_wins_over_an_outlet(agencies: Agencies) -> None:
    core = [article("a", "tempo.co", "tempo.co", "reuters"), article("b", "b.com", "cnn.com")]
    assert group_source(core, [], agencies).id == "reuters"


def test_a_credited_outlet(agencies: Agencies) -> None:
    core = [article("a", "fox40.com", "cnn.com", day=1), article("b", "b.com", day=2)]
    verdict = group_source(core, [], agencies)
    assert (verdict.id, verdict.name, verdict.kind) == ("cnn.com", "CNN", "outlet")


def test_one_outlet(agencies: Agencies) -> None:
    verdict = group_source([article("a", "a.com"), article("b", "a.com")], [], agencies)
    assert (verdict.id, verdict.name, verdict.confidence) == ("a.com", "A.Com", 0.9)


def test_the_outlet_observed_first(agencies: Agencies) -> None:
    core = [article("a", "a.com", day=2), article("b", "b.com", day=1), article("c", "c.com")]
    verdict = group_source(core, [], agencies)
    assert (verdict.id, verdict.kind, verdict.confidence) == ("b.com", "outlet", 0.4)
    (seen,) = verdict.evidence
    assert (seen.role, seen.field, seen.text) == (
        "earliest-observed",
        "metadata.published",
        "day 1",
    )


def test_the_outlet_is_known_where_the_article_is_not(agencies: Agencies) -> None:
    core = [
        article("a", "a.com", day=1),
        article("b", "a.com", day=1),
        article("c", "c.com", day=2),
    ]
    assert group_source(core, [], agencies).id == "a.com"


def test_a_self_credit_needs_to_be_the_only_one_and_not_late(agencies: Agencies) -> None:
    own = article("a", "tempo.co", "tempo.co", day=1)
    assert group_source([own, article("b", "b.com", day=1)], [], agencies).id == "tempo.co"
    assert group_source([own, article("b", "b.com", day=0)], [], agencies).id == "b.com"
    other = article("b", "kompas.com", "kompas.com", day=1)
    assert group_source([own, other], [], agencies).id == "unknown"


def test_the_outlet_that_the_others_cite(agencies: Agencies) -> None:
    post = article("a", "nypost.com", day=1)
    said = Evidence("mention", "nypost.com", "b", "text", 0, 15, "the Post reported")
    other = replace(article("b", "b.com", day=1), mentions=(said,))
    verdict = group_source([post, other], [], agencies)
    assert (verdict.id, verdict.confidence) == ("nypost.com", 0.6)
    assert verdict.evidence == (said,)
    late = replace(post, published_us=3 * DAY)
    assert group_source([late, other], [], agencies).id == "b.com", "the stated times go before"
    both = replace(post, mentions=(replace(said, source="b.com", article="a"),))
    assert group_source([both, other], [], agencies).id == "unknown", "they cite each other"


def test_the_text_that_holds_the_others_and_more() -> None:
    core = [article("a", "a.com"), article("b", "b.com")]
    fuller = [Common("a", "b", 0.5, 0.97)]
    assert fuller_outlet(core, fuller) == core[0]
    assert fuller_outlet(core, [Common("b", "a", 0.97, 0.5)]) == core[0]
    assert fuller_outlet(core, [Common("a", "b", 0.95, 0.97)]) is None, "as long as the other"
    assert fuller_outlet([*core, article("c", "c.com")], fuller) is None, "it must hold all"
    assert fuller_outlet([core[0], article("b", "a.com")], fuller) is None, "one outlet"
    apart = Common("a", "x", 1.0, 0.5)
    assert fuller_outlet(core, [*fuller, apart]) == core[0], "x is attached, not of the core"


def test_unknown(agencies: Agencies) -> None:
    verdict = group_source([article("a", "a.com"), article("b", "b.com")], [], agencies)
    assert (verdict.id, verdict.kind, verdict.confidence) == ("unknown", "unknown", 0.0)


def test_articles_without_an_outlet_are_not_one_outlet(agencies: Agencies) -> None:
    assert group_source([article("a", None), article("b", None)], [], agencies).id == "unknown"


def test_attached_articles_do_not_vote(agencies: Agencies) -> None:
    core = [article("a", "a.com", "ap"), article("b", "b.com")]
    attached = [article(r, f"{r}.com", "reuters", "ap", share=0.2) for r in "cde"]
    verdict = group_source(core, attached, agencies)
    assert (verdict.id, verdict.confidence) == ("ap", pytest.approx(0.8))
    assert {e.article for e in verdict.evidence if e.role == "credit"} == set("acde")


def test_the_order_of_members_plays_no_part(agencies: Agencies) -> None:
    core = [
        article("a", "a.com", "ap", share=0.51),
        article("b", "b.com", "reuters", share=0.6),
        article("c", "c.com", "ap", day=1, share=0.7),
        article("d", "d.com", day=2),
    ]
    verdicts = {repr(group_source(order, [], agencies)) for order in permutations(core)}
    assert len(verdicts) == 1
