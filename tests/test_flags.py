"""The flags of articles, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dedup.agencies import Agencies, load
from dedup.facts import ArticleFacts, GroupFacts
from dedup.flags import FlagVerdict, flag_article
from dedup.model import Evidence
from dedup.sources import group_source

DAY = 86_400_000_000
HELP = "The Associated Press contributed to this report"


@pytest.fixture(scope="module")
def agencies() -> Agencies:
    return load()


def article(
    ref: str,
    outlet: str | None,
    *credits_: str,
    day: int | None = None,
    share: float = 0.9,
    core: bool = True,
    slot: str = "(AP) —",
    duplicate_of: str | None = None,
) -> ArticleFacts:
    return ArticleFacts(
        ref=ref,
        outlet_id=outlet,
        outlet_name=outlet,
        published_us=None if day is None else day * DAY,
        precision="unknown" if day is None else "day",
        published_raw=None if day is None else f"2021-07-{day:02}",
        credits=tuple(Evidence("credit", c, ref, "text", 0, len(slot), slot) for c in credits_),
        share_copied=share,
        core=core,
        duplicate_of=duplicate_of,
        own_sources=frozenset({outlet}) if outlet else frozenset(),
    )


def flags(agencies: Agencies, *members: ArticleFacts) -> dict[str, FlagVerdict]:
    core = [m for m in members if m.core]
    attached = [m for m in members if not m.core]
    group = GroupFacts.of(group_source(core, attached, agencies), core, attached)
    return {m.ref: flag_article(m, group, agencies) for m in members}


def short(verdicts: dict[str, FlagVerdict]) -> dict[str, tuple[str, str | None, str | None]]:
    return {ref: (v.flag, v.basis, v.source) for ref, v in verdicts.items()}


def test_credit_without_any_group(agencies: Agencies) -> None:
    verdict = flag_article(article("a", "a.com", "ap", share=0), None, agencies)
    assert (verdict.flag, verdict.basis, verdict.source) == ("syndicated", "credit", "ap")
    assert verdict.why == 'It credits Associated Press for its text (text: "(AP) —").'


def test_a_contribution_without_a_group_is_unique(agencies: Agencies) -> None:
    verdict = flag_article(article("a", "a.com", "ap", share=0, slot=HELP), None, agencies)
    assert (verdict.flag, verdict.basis, verdict.source) == ("unique", None, None)
    assert "Associated Press only contributed" in verdict.why


def test_self_credit_is_not_syndication(agencies: Agencies) -> None:
    facts = article("a", "tempo.co", "tempo.co", share=0)
    assert flag_article(facts, None, agencies).flag == "unique"
    wire = replace(article("a", "apnews.com", "ap"), own_sources=frozenset({"apnews.com", "ap"}))
    assert flag_article(wire, None, agencies).flag == "unique"


def test_korea_china(agencies: Agencies) -> None:
    """002 credits AP, 000 shares its story, neither has an outlet or a date."""
    verdicts = flags(agencies, article("000", None), article("002", None, "ap"))
    assert short(verdicts) == {
        "000": ("syndicated", "inferred", "ap"),
        "002": ("syndicated", "credit", "ap"),
    }
    assert verdicts["000"].why == (
        "It credits nobody, but 90% of it is shared with 1 other article, and 1 of those credits "
        "Associated Press."
    )


def test_the_first_that_credits_nobody_is_earliest(agencies: Agencies) -> None:
    verdicts = flags(
        agencies,
        article("a", "a.com", day=1),
        article("b", "b.com", "ap", day=2),
        article("c", "c.com", day=3),
        article("d", "d.com"),
    )
    assert short(verdicts) == {
        "a": ("earliest", None, None),
        "b": ("syndicated", "credit", "ap"),
        "c": ("syndicated", "inferred", "ap"),
        "d": ("syndicated", "inferred", "ap"),
    }


def test_copy_from_an_earlier_outlet(agencies: Agencies) -> None:
    verdicts = flags(
        agencies,
        article("a", "a.com", day=1),
        article("b", "b.com", day=2),
        article("c", "c.com", day=2),
        article("d", "d.com"),
    )
    assert short(verdicts) == {
        "a": ("earliest", None, None),
        "b": ("syndicated", "copy", "a.com"),
        "c": ("syndicated", "copy", "a.com"),
        "d": ("shared", None, "a.com"),
    }
    assert verdicts["b"].why == (
        "90% of it is shared with 3 other articles; a.com had it earlier (a, 2021-07-01; "
        "this one 2021-07-02)."
    )


def test_unknown_order(agencies: Agencies) -> None:
    verdicts = flags(agencies, article("a", "a.com", day=1), article("b", "b.com", day=1))
    assert {v.flag for v in verdicts.values()} == {"shared"}


def test_a_later_copy_is_flagged_though_the_first_is_not_known(agencies: Agencies) -> None:
    verdicts = flags(
        agencies,
        article("a", "a.com", day=1),
        article("b", "b.com", day=1),
        article("c", "c.com", day=2),
    )
    assert short(verdicts) == {
        "a": ("shared", None, None),
        "b": ("shared", None, None),
        "c": ("syndicated", "copy", "unknown"),
    }


def test_partial(agencies: Agencies) -> None:
    verdicts = flags(
        agencies,
        article("a", "a.com", "ap", day=1),
        article("b", "b.com", day=2),
        article("c", "c.com", day=3, share=0.3, core=False),
        article("d", "d.com", share=0.3, core=False),
    )
    assert short(verdicts)["c"] == ("partial", "copy", "ap")
    assert short(verdicts)["d"] == ("partial", None, "ap")
    assert "30% of it is narrative shared with 3 other articles" in verdicts["c"].why


def test_a_partial_that_is_first_is_earliest(agencies: Agencies) -> None:
    verdicts = flags(
        agencies,
        article("a", "a.com", day=2),
        article("b", "b.com", day=3),
        article("c", "c.com", day=1, share=0.3, core=False),
    )
    assert verdicts["c"].flag == "earliest"
    # What the attached article shares is too little to make it the source of the core.
    assert short(verdicts)["a"] == ("shared", None, None)
    assert short(verdicts)["b"] == ("syndicated", "copy", "a.com")


def test_a_contribution_in_a_group_of_that_source(agencies: Agencies) -> None:
    helped = article("b", "b.com", "ap", slot=HELP)
    verdicts = flags(agencies, article("a", "a.com", "ap"), helped)
    assert short(verdicts)["b"] == ("syndicated", "credit", "ap")
    assert verdicts["b"].confidence == 0.7


def test_duplicates(agencies: Agencies) -> None:
    verdicts = flags(
        agencies,
        article("a", "a.com", day=2, duplicate_of="b"),
        article("b", "a.com", day=1, duplicate_of="a"),
    )
    assert verdicts["a"].flag == "duplicate"
    assert verdicts["a"].why == "a.com published the same text before, as b (2021-07-01)."
    assert verdicts["b"].flag == "earliest"


def test_duplicates_of_unknown_order_keep_the_smallest_ref(agencies: Agencies) -> None:
    verdicts = flags(
        agencies, article("a", "a.com", duplicate_of="b"), article("b", "a.com", duplicate_of="a")
    )
    assert {ref: v.flag for ref, v in verdicts.items()} == {"a": "shared", "b": "duplicate"}


def test_the_agency_s_own_article_is_not_syndicated(agencies: Agencies) -> None:
    own = replace(
        article("a", "apnews.com", "ap", day=2), own_sources=frozenset({"apnews.com", "ap"})
    )
    verdicts = flags(agencies, own, article("b", "b.com", "ap", day=1))
    assert short(verdicts) == {"a": ("shared", None, None), "b": ("syndicated", "credit", "ap")}


def test_every_why_is_one_sentence_and_confidence_a_share(agencies: Agencies) -> None:
    verdicts = flags(
        agencies,
        article("a", "a.com", day=1),
        article("b", "b.com", "ap", day=2),
        article("c", "c.com", share=0.2, core=False),
        article("d", "b.com", day=3, duplicate_of="b"),
    )
    for verdict in verdicts.values():
        assert verdict.why.endswith(".")
        assert "\n" not in verdict.why
        assert 0 <= verdict.confidence <= 1
