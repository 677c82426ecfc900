"""The flags of articles, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from inference_fixture import with_inferred

from dedup.agencies import Agencies, load
from dedup.facts import ArticleFacts, GroupFacts, InferredSource
from dedup.flags import FlagVerdict, flag_article
from dedup.model import Evidence
from dedup.sources import corrected_source, group_source

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
    everybody = with_inferred(members, agencies)
    core = [m for m in everybody if m.core]
    attached = [m for m in everybody if not m.core]
    group = GroupFacts.of(group_source(core, attached, agencies), core, attached)
    return {m.ref: flag_article(m, group, agencies) for m in everybody}


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
        "It credits nobody, but 90% of it is shared with 002, which credits Associated Press."
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


def test_the_confidence_of_an_inference_falls_with_the_share(agencies: Agencies) -> None:
    found = [
        flags(agencies, article("a", "a.com", "ap"), article("b", "b.com", share=share))["b"]
        for share in (1.0, 0.8, 0.6)
    ]
    assert [v.confidence for v in found] == pytest.approx([0.95, 0.855, 0.76])
    assert {v.source for v in found} == {"ap"}


def test_contradicting_credits_are_said_and_cost_confidence(agencies: Agencies) -> None:
    verdicts = flags(
        agencies,
        article("a", "a.com", "ap"),
        article("b", "b.com", "reuters"),
        article("c", "c.com"),
    )
    assert short(verdicts)["c"] == ("syndicated", "inferred", "ap")
    assert verdicts["c"].confidence < 0.5
    assert verdicts["c"].why.endswith("Others with this text credit Reuters.")
    note = "The articles credit different sources: Associated Press by 1 article, Reuters by 1"
    assert note in verdicts["a"].why
    assert note in verdicts["b"].why
    assert short(verdicts)["b"] == ("syndicated", "credit", "reuters"), "its own word stands"


def test_the_user_s_source_goes_before_all_claims(agencies: Agencies) -> None:
    members = with_inferred(
        [article("a", "a.com", "ap"), article("b", "b.com"), article("c", "c.com", "reuters")],
        agencies,
    )
    found = group_source(members, [], agencies)
    verdict = corrected_source(found, "reuters", "mine.toml, line 3", members, agencies)
    group = GroupFacts.of(verdict, members)
    said = {m.ref: flag_article(m, group, agencies) for m in members}
    assert short(said) == {
        "a": ("syndicated", "inferred", "reuters"),
        "b": ("syndicated", "inferred", "reuters"),
        "c": ("syndicated", "credit", "reuters"),
    }
    assert "by your correction (mine.toml, line 3)" in said["b"].why
    assert said["b"].confidence == 1.0
    nobody = corrected_source(found, "unknown", "mine.toml, line 3", members, agencies)
    group = GroupFacts.of(nobody, members)
    assert {flag_article(m, group, agencies).flag for m in members} == {"shared"}
    assert nobody.evidence == found.evidence, "what the articles claim stays to be seen"


def test_a_correction_holds_for_the_article_observed_first_too(agencies: Agencies) -> None:
    members = [article("a", "a.com", "ap", day=1), article("b", "b.com", day=2)]
    found = group_source(members, [], agencies)
    reuters = corrected_source(found, "reuters", "mine.toml, line 3", members, agencies)
    said = {m.ref: flag_article(m, GroupFacts.of(reuters, members), agencies) for m in members}
    assert {v[:3] for v in short(said).values()} == {("syndicated", "inferred", "reuters")}
    nobody = corrected_source(found, "unknown", "mine.toml, line 3", members, agencies)
    first = flag_article(members[0], GroupFacts.of(nobody, members), agencies)
    assert first.flag == "earliest"
    assert "by your correction (mine.toml, line 3) its source is unknown" in first.why
    assert "credits nobody" not in first.why


def test_what_is_inferred_of_an_article_with_a_contribution(agencies: Agencies) -> None:
    whole = article("a", "a.com", "reuters", share=0.9)
    helped = article("b", "b.com", "ap", share=0.9, slot=HELP)
    for origin, share, expected in (
        ("a", 0.9, "It credits only a contribution of Associated Press, but 90% of it is shared "),
        ("b", 0.5, "It credits a contribution of Associated Press; 90% of it is shared with 1 "),
    ):
        source = "reuters" if origin == "a" else "ap"
        shown = Evidence("inferred", source, "b", "text", 0, 1, "x")
        inferred = InferredSource(source, 0.6, share, origin, origin, shown)
        members = [whole, replace(helped, inferred=inferred)]
        group = GroupFacts.of(group_source([whole], [], agencies), members)
        assert flag_article(members[1], group, agencies).why.startswith(expected)


def test_a_family_s_papers_are_one_outlet(agencies: Agencies) -> None:
    def of_family(ref: str, outlet: str, *credits_: str, **more: int) -> ArticleFacts:
        own = frozenset({"a.com", "b.com"})
        return replace(
            article(ref, outlet, *credits_, **more),  # type: ignore[arg-type]
            owner_id="house",
            owner_name="The House",
            own_sources=own,
        )

    first, second = of_family("a", "a.com", day=1), of_family("b", "b.com", day=2)
    later = article("c", "c.com", day=3)
    assert short(flags(agencies, first, second, later)) == {
        "a": ("earliest", None, None),
        "b": ("shared", None, None),
        "c": ("syndicated", "copy", "a.com"),
    }
    alone = group_source([first, second], [], agencies)
    assert (alone.id, alone.name, alone.confidence) == ("house", "The House", 0.9)
    credited = of_family("d", "a.com", "b.com", day=1)
    assert flag_article(credited, None, agencies).flag == "unique", "a sister paper is no source"


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
    members = [article("a", "a.com", day=1), article("b", "b.com", day=1)]
    group = GroupFacts.of(group_source(members, [], agencies), members)
    whys = [flag_article(m, replace(group, fuller="b"), agencies).why for m in members]
    assert whys[0].endswith("who was first. The text of b holds it whole and more besides.")
    assert whys[1].endswith("It holds the texts of the others whole and more besides.")


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
