"""What is known of an article and of a group when sources and flags are decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dedup.chronology import Moment, earlier, first_observed, leads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dedup.model import Evidence, SourceKind


@dataclass(frozen=True, slots=True)
class InferredSource:
    """Who wrote an article that credits nobody, by the text that it shares.

    ``confidence`` as :class:`dedup.inference.Inferred` has it; ``share`` (0-1) of it that is the
    source's along the best way, which begins at article ``origin`` (its ref), that credits the
    source, and comes in from article ``giver``; ``evidence`` is a stretch of what it shares with
    that one; ``rivals`` are sources that others with this text credit.
    """

    source: str
    confidence: float
    share: float
    origin: str
    giver: str
    evidence: Evidence
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArticleFacts:
    """One article, as attribution sees it."""

    ref: str
    """Its id, or ``id@digest8`` for a superseded revision."""
    outlet_id: str | None = None
    """Identity of its outlet (:func:`dedup.outlets.outlet_identity`), ``None`` when unknown."""
    outlet_name: str | None = None
    """Display name of its outlet."""
    published_us: int | None = None
    """Publication time in UTC microseconds."""
    precision: str = "unknown"
    """How exactly that is known, one of :data:`dedup.model.PRECISIONS`."""
    published_raw: str | None = None
    """The publication time as it stood in the record, for evidence."""
    credits: tuple[Evidence, ...] = ()
    """Whom it credits as the author of its text (roles ``credit`` and ``metadata``)."""
    mentions: tuple[Evidence, ...] = ()
    """Whom it cites for facts."""
    share_copied: float = 0.0
    """Share (0-1) of its letters and digits in prose shared with any article of its group."""
    best_match: str | None = None
    """Ref of the article that it shares most with."""
    core: bool = False
    """Whether it belongs to its group's core (joined by ``copy``) or is only attached."""
    duplicate_of: str | None = None
    """Ref of an article of the same outlet whose text it repeats or revises, in either order;
    for several take the one observed first, else the smallest ref other than its own."""
    url: str | None = None
    byline: str | None = None
    own_sources: frozenset[str] = frozenset()
    """Source ids that mean its own outlet (:meth:`dedup.agencies.Agencies.own_sources`) or one of
    the same family."""
    owner_id: str | None = None
    """The family of its outlet (:mod:`dedup.families`), where one is declared."""
    owner_name: str | None = None
    """Display name of that family."""
    inferred: InferredSource | None = None
    """Who wrote its text, by inference; only where it credits nobody for it."""
    judged_same: bool = False
    """Whether the user said of it and another member that they are the same."""

    @property
    def moment(self) -> Moment:
        """Its publication time with the precision, to compare."""
        return Moment(self.published_us, self.precision)

    @property
    def outlet_key(self) -> str:
        """What tells outlets apart: those of a family are one, and an article without an outlet
        stands for one of its own."""
        owner = self.owner_id or self.outlet_id
        return owner if owner is not None else f"\0{self.ref}"

    def is_own(self, source: str) -> bool:
        """Whether a source id means this article's own outlet."""
        return source in (self.outlet_id, self.owner_id) or source in self.own_sources


@dataclass(frozen=True, slots=True)
class SourceVerdict:
    """Who wrote the text that a group shares.

    ``confidence`` is 0-1 (formula: :func:`dedup.sources.group_source`); ``evidence`` holds every
    claim, contradicting ones too; ``note`` says in words what they disagree about, or is empty.
    ``corrected`` is the place of the user's correction that decided it, or empty.
    """

    id: str
    name: str
    kind: SourceKind
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    note: str = ""
    corrected: str = ""


UNKNOWN = SourceVerdict("unknown", "unknown", "unknown", 0.0)
"""The verdict when nothing says who wrote a text."""


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A group while its articles are flagged; build it with :meth:`of`.

    ``members`` by ref, core and attached; ``first_observed`` the ref surely observed before all
    other dated members, or ``None``; ``leads`` the few core members, ``all_leads`` the few of
    all members, against which "somebody else was earlier" is decided.
    """

    source: SourceVerdict
    members: Mapping[str, ArticleFacts]
    first_observed: str | None = None
    leads: tuple[ArticleFacts, ...] = ()
    all_leads: tuple[ArticleFacts, ...] = ()
    fuller: str | None = None
    """The ref of the core member that holds the texts of all other outlets and more, if any."""

    @classmethod
    def of(
        cls,
        source: SourceVerdict,
        core: Sequence[ArticleFacts],
        attached: Sequence[ArticleFacts] = (),
    ) -> GroupFacts:
        """Derive the order of observation from all members, core and attached."""
        members = {member.ref: member for member in (*core, *attached)}
        return cls(
            source=source,
            members=members,
            first_observed=first_observed({ref: m.moment for ref, m in members.items()}),
            leads=_leads(core),
            all_leads=_leads(members.values()),
        )

    def earlier_elsewhere(self, article: ArticleFacts) -> ArticleFacts | None:
        """A member of another outlet surely observed before ``article``, or ``None``.

        A core member can only have its text from the core; an attached one from anywhere.
        """
        for lead in self.leads if article.core else self.all_leads:
            different = lead.outlet_key != article.outlet_key
            if different and earlier(lead.moment, article.moment) == -1:
                return lead
        return None


def _leads(members: Iterable[ArticleFacts]) -> tuple[ArticleFacts, ...]:
    by_ref = {member.ref: member for member in members}
    ahead = leads((m.ref, m.outlet_key, m.moment) for m in by_ref.values())
    return tuple(by_ref[ref] for ref in ahead)
