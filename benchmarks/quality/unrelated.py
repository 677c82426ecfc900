"""False matches: what is found in texts that have nothing in common.

Two kinds of texts are unrelated by construction:

- *news*: real English and Chinese articles at full length, two of them a pair if they appeared
  half a year apart or more, in different outlets, and share no run of :data:`COMMON_RUN` words.
  (Where that many words are the same, a text does hold words of another: a quoted speech, a
  slogan. Those pairs stand in the detail of the row.) The Chinese corpus is one programme, whose
  articles share its furniture and its formulas: that its pairs are unrelated is not quite true,
  and their rate an upper bound. Any two of the invented articles are a pair; they are few.
- *random words*: texts whose sentences have the lengths of real ones and words drawn in
  proportion to their frequency in the benchmark's articles, in all four languages. They measure
  what chance alone brings about.

``scan`` looks at all pairs of a dump at once. Those count that it lists as related, by a quote
or more; those that share what it knows to be furniture stand in the detail. ``compare`` aligns
pairs one by one, and any match counts: it cannot know furniture.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from itertools import accumulate, combinations
from random import Random
from typing import TYPE_CHECKING, Any

import dedup
from quality.edit_operations import SCRIPTS, Script, vocabulary
from quality.edit_texts import INVENTED_LANGUAGES, full_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from quality.edit_texts import Article

    Row = dict[str, Any]

SCANNED = 2000
"""Texts of one scan: about two million pairs."""
COMPARED = 5000
"""Pairs that ``compare`` aligns, for each language, of invented news and of random words."""
COMPARED_NEWS = 100_000
"""The same of real news, from which more is to be learned."""
GOAL = 1e-5
"""Pairs with a match, of unrelated pairs."""
DAYS_APART = 183
COMMON_RUN = 8
"""Words in a row (Chinese: pieces of two characters, so twice as many characters)."""
RANDOM_WORDS = 200

Pair = tuple[int, int]


def runs(script: Script, text: str) -> set[str]:
    """All runs of :data:`COMMON_RUN` words of a text, folded to small letters."""
    if script.separator:
        words = [text[a:b].casefold() for a, b in script.words(text)]
        step, glue = COMMON_RUN, " "
    else:
        # Pieces of two depend on where a run of characters begins; single ones do not.
        words = [c for c in text.casefold() if c.isalnum()]
        step, glue = 2 * COMMON_RUN, ""
    return {glue.join(words[i : i + step]) for i in range(len(words) - step + 1)}


def sharing(script: Script, texts: Sequence[str]) -> set[Pair]:
    """The pairs of texts that have a run of words in common."""
    holders: dict[str, list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        for run in runs(script, text):
            holders[run].append(i)
    return {pair for held in holders.values() for pair in combinations(held, 2)}


def far_apart(articles: Sequence[Article]) -> list[list[int]]:
    """For each article those after it in the list that appeared long before or after it, in
    another outlet unless there is but one."""
    days = [a.day.toordinal() if a.day else 0 for a in articles]
    several = len({a.outlet for a in articles}) > 1
    return [
        [
            j
            for j in range(i + 1, len(days))
            if abs(day - days[j]) >= DAYS_APART
            and not (several and articles[i].outlet == articles[j].outlet)
        ]
        for i, day in enumerate(days)
    ]


def random_texts(
    script: Script, articles: Sequence[Article], *, count: int, rng: Random
) -> list[str]:
    """Texts of random words in sentences as long as real ones."""
    words = vocabulary(script, [a.sentences for a in articles])
    lengths = [n for a in articles for s in a.sentences if (n := script.count([s])) > 0]
    stop = {"Chinese": "。"}.get(script.name, ". ")
    glue = script.separator
    texts = []
    for _ in range(count):
        parts: list[str] = []
        left = RANDOM_WORDS
        while left > 0:
            n = rng.choice(lengths)
            drawn = glue.join(rng.choice(words) for _ in range(n))
            parts.append(drawn[0].upper() + drawn[1:] + stop)
            left -= n
        texts.append("".join(parts).strip())
    return texts


def scanned_pairs(articles: Sequence[Article], texts: Sequence[str]) -> dict[Pair, str]:
    """The relations that a scan of the texts lists, furniture included."""
    from quality.edits import scan_records

    rows = [
        {
            "id": str(i),
            "outlet": a.outlet or f"outlet-{i % 24}.example",
            "published": a.day.isoformat() if a.day else None,
            "text": text,
        }
        for i, (a, text) in enumerate(zip(articles, texts, strict=True))
    ]
    result = scan_records(rows, all_relations=True)
    found: dict[Pair, str] = {}
    for row in result.relations.to_pylist():
        a, b = sorted((int(row["a"]), int(row["b"])))
        found[a, b] = row["relation"]
    return found


def _sampled(allowed: Sequence[Sequence[int]], most: int, rng: Random) -> Iterator[Pair]:
    """Up to ``most`` of the allowed pairs, at random, each once."""
    total = sum(map(len, allowed))
    if total <= most:
        yield from ((i, j) for i, row in enumerate(allowed) for j in row)
        return
    seen: set[Pair] = set()
    sizes = list(accumulate(map(len, allowed)))
    while len(seen) < most:
        at = rng.randrange(total)
        i = bisect_right(sizes, at)
        pair = (i, allowed[i][at - sizes[i]])
        if pair not in seen:
            seen.add(pair)
            yield pair


def _count(
    label: str, found: int, pairs: int, of: str, measure: str, extra: str = ""
) -> dict[str, Any]:
    bound = "" if found else f"; none found bounds the rate at {3 / max(1, pairs):.1e} (95 %)"
    return {
        "part": f"edits, false matches, {measure}",
        "what": f"{label}: {of}",
        "figure": found / max(1, pairs),
        "goal": GOAL,
        "detail": f"{found} of {pairs:,} unrelated pairs matched{bound}{extra}",
    }


def false_match_rows(
    articles: dict[str, list[Article]],
    corpora: Path,
    *,
    seed: int,
    scanned: int = SCANNED,
    compared: int = COMPARED,
    compared_news: int = COMPARED_NEWS,
    progress: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Rates of pairs with a match by language, kind of text and measure."""
    rows: list[Row] = []

    def add(row: Row) -> None:
        rows.append(row)
        if progress:
            progress(row)

    for language, pool in articles.items():
        script = SCRIPTS[language]
        rng = Random(f"{seed}|{language}|unrelated")
        news = full_texts(language, corpora, most=scanned, seed=seed)
        kinds = {
            "invented news" if language in INVENTED_LANGUAGES else "news": (
                [a for a, _ in news],
                [text for _, text in news],
            )
        }
        made = random_texts(script, pool, count=scanned, rng=rng)
        kinds["random words"] = ([pool[i % len(pool)] for i in range(scanned)], made)
        for kind, (owners, texts) in kinds.items():
            natural = kind == "news"
            allowed = (
                far_apart(owners)
                if natural
                else [list(range(i + 1, len(texts))) for i in range(len(texts))]
            )
            common = sharing(script, texts) if natural else set()
            inside = [set(row) for row in allowed]
            excused = sum(j in inside[i] for i, j in common)
            pairs = sum(map(len, allowed)) - excused
            relations = {
                pair: relation
                for pair, relation in scanned_pairs(owners, texts).items()
                if pair[1] in inside[pair[0]]
            }
            furniture = {pair for pair, relation in relations.items() if relation == "boilerplate"}
            listed = relations.keys() - furniture
            extra = f"; {len(furniture - common):,} more share furniture only"
            if natural:
                extra += (
                    f"; {excused:,} pairs apart, which share {COMMON_RUN} words in a row: "
                    f"{len(listed & common):,} of them listed"
                )
            add(_count(language, len(listed - common), pairs, kind, "scan", extra))
            tried = found = 0
            for i, j in _sampled(allowed, compared_news if natural else compared, rng):
                if (i, j) not in common:
                    tried += 1
                    found += bool(dedup.compare(texts[i], texts[j]))
            add(_count(language, found, tried, kind, "compare"))
    return rows
