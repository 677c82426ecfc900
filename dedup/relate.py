"""Relations of article pairs from their classified matches.

``p_copied`` and ``p_shared`` are logistic functions of how much narrative and how much quoted
matter two articles have in common, in bits and as a share of their text.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from dedup.align import portions
from dedup.classify import Matches, judge_runs, node_outlets
from dedup.column import Column
from dedup.kernels import spans as kernels
from dedup.kinds import BOILERPLATE, PROSE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.align import Alignment
    from dedup.arena import Arena
    from dedup.collection import Collection, RecordArrays
    from dedup.config import Settings
    from dedup.kinds import PassageStatistics
    from dedup.passages import SharedPassages
    from dedup.speech import Speech

_Arrays = TypeVar("_Arrays")

# Logistic weights: intercept, then one a column of ``evidence()``. SHARED is near what
# tools/fit_relations.py fits on labelled pairs. COPIED was set by hand: neither a fitted logistic
# function nor boosted trees rank better in folds by story (docs/measurements.md), and the fit gives
# the share a tenth of this weight, since all its articles are long, and would overlook two
# sentences that are a third of a short one.
COPIED = (-5.0, 0.85, 5.0, 0.2, 0.5, 0.0)
SHARED = (-1.7, 0.75, 0.75, 1.55, 1.1, -2.7)

QUOTES_CARRIED = 1.5
"""Letters of quotation that a letter of copied narrative carries along as narrative."""
LOOSE, CLOSE = 0.45, 0.75
"""Similarity at which agreement in wording begins to count as copying, and counts in full."""
UNLIKE, FAITHFUL = 0.35, 0.65
"""Similarity at which agreement in speech begins to count as one quote, and counts in full: quotes
are cut and cleaned, but hardly reworded."""
DENSE = 1.5
"""Letters a token below which a text is in overlapping tokens (scripts without spaces). One
replaced word touches several of those, so that their similarity is lower: a root is taken."""
DENSE_TOKENS = 1.6

NONE, R_BOILERPLATE, R_QUOTE, R_PARTIAL, R_COPY = range(5)


@dataclass(frozen=True, slots=True)
class Relations:
    """One row an aligned pair, sorted by (a, b): node indices, relation (int8), shares and
    probabilities.

    ``narrative_a``, ``narrative_b``: share of letters that are copied narrative;
    ``coverage_a``, ``coverage_b``: share in ``prose`` or ``quote``. All float64, 0-1.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    relation: NDArray[np.int8]
    narrative_a: NDArray[np.float64]
    narrative_b: NDArray[np.float64]
    coverage_a: NDArray[np.float64]
    coverage_b: NDArray[np.float64]
    p_copied: NDArray[np.float64]
    p_shared: NDArray[np.float64]


def _logistic(weights: tuple[float, ...], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-(weights[0] + x @ np.array(weights[1:])))))


def evidence(
    f: dict[str, NDArray[np.float64]], same_outlet: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """What the probabilities are functions of (float64, pairs x 5).

    Columns: ``log2(1 + bits / 50)`` of narrative, root of the greater narrative share, the same two
    of quotes and of prose or quotes, and whether both articles come from one outlet (where an
    isolated shared passage is furniture more often than a quote).
    """
    return np.stack(
        [
            np.log2(1 + f["prose_bits"] / 50),
            np.sqrt(np.maximum(f["narrative_a"], f["narrative_b"])),
            np.log2(1 + f["quote_bits"] / 50),
            np.sqrt(np.maximum(f["coverage_a"], f["coverage_b"])),
            same_outlet.astype(np.float64),
        ],
        axis=1,
    )


def _narrative(
    c: Collection,
    matches: Matches,
    lo: NDArray[np.int64],
    hi: NDArray[np.int64],
    pairs: int,
) -> NDArray[np.float64]:
    """Letters of copied narrative per pair: what is nobody's words, the quotes that it carries,
    and less the looser its wording agrees (two reports of one event agree a little, too)."""
    letters = kernels.letters_of_spans(lo, hi, c.t_start, c.t_length)
    plain = letters * matches.plain * (matches.kind != BOILERPLATE)
    carried = np.minimum(letters - plain, QUOTES_CARRIED * plain) * (matches.kind == PROSE)
    dense = letters < DENSE * (hi - lo)
    similarity = np.where(dense, matches.similarity ** (1 / DENSE_TOKENS), matches.similarity)
    close = np.clip((similarity - LOOSE) / (CLOSE - LOOSE), 0.0, 1.0)
    return np.bincount(matches.pair, (plain + carried) * close, pairs).astype(np.float64)


def features(
    c: Collection, alignment: Alignment, matches: Matches
) -> dict[str, NDArray[np.float64]]:
    """Per pair: shares of narrative and of prose or quote on both sides, and the bits of
    narrative, of quotes and of furniture, counted by their similarity."""
    pairs = len(alignment.pair_a)
    out: dict[str, NDArray[np.float64]] = {}
    real = matches.kind != BOILERPLATE
    for side, nodes, lo, hi in (
        ("a", alignment.pair_a, matches.a0, matches.a1),
        ("b", alignment.pair_b, matches.b0, matches.b1),
    ):
        owner, lo_, hi_ = matches.pair[real], lo[real], hi[real]
        order = np.lexsort((lo_, owner))
        letters = kernels.union_letters(owner, lo_, hi_, order, pairs, c.t_start, c.t_length)
        whole = np.maximum(1, c.d_letters[nodes])
        out[f"coverage_{side}"] = np.minimum(1.0, letters / whole)
        out[f"narrative_{side}"] = np.minimum(
            out[f"coverage_{side}"], _narrative(c, matches, lo, hi, pairs) / whole
        )
    similarity = matches.similarity
    faithful = np.clip((similarity - UNLIKE) / (FAITHFUL - UNLIKE), 0.0, 1.0)
    for name, share in (
        ("prose", similarity * real * matches.plain),
        ("quote", faithful * real * (1.0 - matches.plain)),
        ("boilerplate", similarity * (1.0 - real)),
    ):
        bits = np.bincount(matches.pair, matches.bits * share, pairs)
        out[f"{name}_bits"] = bits.astype(np.float64)
    return out


def furniture_only(same_outlet: bool) -> tuple[float, float]:
    """``p_copied`` and ``p_shared`` of two articles that share nothing but furniture."""
    nothing = np.zeros((1, len(SHARED) - 1))
    nothing[0, -1] = same_outlet
    p_copied = float(_logistic(COPIED, nothing)[0])
    return p_copied, max(p_copied, float(_logistic(SHARED, nothing)[0]))


def relate(
    c: Collection,
    alignment: Alignment,
    matches: Matches,
    records: RecordArrays,
    settings: Settings,
) -> Relations:
    """Name the relation of every aligned pair that has a match."""
    f = features(c, alignment, matches)
    shorter_is_a = c.d_letters[alignment.pair_a] <= c.d_letters[alignment.pair_b]
    narrative = np.where(shorter_is_a, f["narrative_a"], f["narrative_b"])
    outlet = node_outlets(c.nodes, records)
    a, b = outlet[alignment.pair_a], outlet[alignment.pair_b]
    x = evidence(f, (a == b) & (a >= 0))
    p_copied = _logistic(COPIED, x)
    shared_bits = f["prose_bits"] + f["quote_bits"]
    p_shared = np.maximum(p_copied, _logistic(SHARED, x))
    copied = (p_copied >= 0.5) & (narrative >= settings.partial_share)
    relation = np.where(
        copied & (narrative >= settings.copy_share),
        R_COPY,
        np.where(
            copied,
            R_PARTIAL,
            np.where(
                (p_shared >= 0.5) & (shared_bits > 0),
                R_QUOTE,
                np.where(f["boilerplate_bits"] > 0, R_BOILERPLATE, NONE),
            ),
        ),
    ).astype(np.int8)
    return Relations(
        alignment.pair_a,
        alignment.pair_b,
        relation,
        f["narrative_a"],
        f["narrative_b"],
        f["coverage_a"],
        f["coverage_b"],
        p_copied,
        p_shared,
    )


def related_matches(
    c: Collection,
    alignment: Alignment,
    shared: SharedPassages,
    statistics: PassageStatistics,
    template: NDArray[np.bool_],
    speech: Speech,
    records: RecordArrays,
    settings: Settings,
    arena: Arena,
) -> tuple[Matches, Relations]:
    """The matches of all aligned pairs and the relations that follow from them
    (:func:`~dedup.classify.judge_runs`, :func:`relate`), found portion by portion; where ``arena``
    spills they are in its files."""
    outlet = node_outlets(c.nodes, records)
    matches, relations = _Growing(Matches, arena), _Growing(Relations, arena)
    for pairs, part in portions(alignment):
        found = judge_runs(
            c, part, shared, statistics, template, outlet, speech, settings
        ).matches()
        relations.append(relate(c, part, found, records, settings))
        matches.append(replace(found, pair=found.pair + pairs.start))
    return matches.whole(), relations.whole()


class _Growing(Generic[_Arrays]):
    """A dataclass of arrays (``kind``) that grows portion by portion."""

    def __init__(self, kind: type[_Arrays], arena: Arena) -> None:
        self._kind, self._arena = kind, arena
        self._columns: dict[str, Column] = {}

    def append(self, part: _Arrays) -> None:
        """Add the rows of a portion."""
        for name in (f.name for f in fields(self._kind)):  # type: ignore[arg-type]
            array = getattr(part, name)
            column = self._columns.setdefault(name, Column(self._arena, array.dtype))
            column.append(np.ascontiguousarray(array))

    def whole(self) -> _Arrays:
        """All rows; this is used up."""
        return self._kind(*(column.whole() for column in self._columns.values()))
