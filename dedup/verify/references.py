"""Tables of results against each other: whatever one names is in the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dedup.store import Store
    from dedup.verify import Verified

_HAS_RECORD = (
    "EXISTS (SELECT 1 FROM records r WHERE r.id = articles.id AND r.digest = articles.digest)"
)
_HAS_ARTICLE = (
    "EXISTS (SELECT 1 FROM articles a WHERE a.id = records.id AND a.digest = records.digest)"
)
_IN_GROUP = (
    'EXISTS (SELECT 1 FROM "groups" g, json_each(g.articles) m WHERE g.id = articles."group" '
    "AND m.value = articles.ref)"
)


def _named(table: str, column: str, target: str, key: str) -> tuple[str, str]:
    """A check that a column of a table, where it is not null, is among another's keys."""
    return (
        (
            f'SELECT DISTINCT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL '  # noqa: S608
            f'AND "{column}" NOT IN (SELECT "{key}" FROM "{target}")'
        ),
        f"{table}: '{column}' is {{0}}, which is not in '{target}'",
    )


def _listed(table: str, column: str, target: str, key: str) -> tuple[str, str]:
    """The same for the items of a column that is a JSON list."""
    return (
        (
            f'SELECT t.id, j.value FROM "{table}" t, json_each(t."{column}") j '  # noqa: S608
            f'WHERE j.value NOT IN (SELECT "{key}" FROM "{target}")'
        ),
        f"{table}: '{column}' of {{0}} names {{1}}, which is not in '{target}'",
    )


def _checks() -> Iterator[tuple[str, str]]:
    """Queries that find what is wrong, and how that is said."""
    for table in ("relations", "matches", "near_misses"):
        for side in ("a", "b"):
            yield _named(table, side, "articles", "ref")
    yield (
        (
            "SELECT DISTINCT a, b FROM matches m WHERE NOT EXISTS "
            "(SELECT 1 FROM relations r WHERE r.a = m.a AND r.b = m.b)"
        ),
        "matches: those of {0} and {1} have no relation",
    )
    yield (
        "SELECT a, b, earlier FROM relations WHERE earlier IS NOT NULL AND earlier NOT IN (a, b)",
        "relations: the earlier of {0} and {1} is {2}, neither of them",
    )
    yield _named("matches", "passage", "passages", "id")
    yield _named("articles", "group", "groups", "id")
    yield _named("articles", "best_match", "articles", "ref")
    yield (
        (
            f'SELECT ref, "group" FROM articles WHERE "group" IN (SELECT id FROM "groups") '  # noqa: S608
            f"AND NOT {_IN_GROUP}"
        ),
        "articles: {0} says that it is in group {1}, which does not list it",
    )
    yield (
        (
            'SELECT g.id, j.value FROM "groups" g, json_each(g.core) j JOIN articles a '
            'ON a.ref = j.value WHERE a."group" IS NOT g.id'
        ),
        "groups: {0} has {1} in its core, whose group is another",
    )
    yield (
        (
            'SELECT g.id, j.value FROM "groups" g, json_each(g.core) j '
            "WHERE j.value NOT IN (SELECT value FROM json_each(g.articles))"
        ),
        "groups: {0} has {1} in its core, but not among its articles",
    )
    yield (
        (
            'SELECT g.id, g.first_observed FROM "groups" g WHERE first_observed IS NOT NULL '
            "AND first_observed NOT IN (SELECT value FROM json_each(g.articles))"
        ),
        "groups: {0} was first observed in {1}, which is none of its articles",
    )
    yield _listed("groups", "core", "articles", "ref")
    yield _listed("groups", "articles", "articles", "ref")
    yield _listed("groups", "passages", "passages", "id")
    yield _listed("sources", "groups", "groups", "id")
    for column in ("articles", "credited", "cited_by"):
        yield _listed("sources", column, "articles", "ref")
    for table in ("records", "parts", "changes", "group_history", "erased", "outputs"):
        yield _named(table, "run", "runs", "run")


def check_references(store: Store, found: Verified, lengths: Mapping[str, int]) -> None:
    """``lengths``: characters of the texts that could be read, by digest."""
    reading = store.value("SELECT min(run) FROM runs WHERE state = 'reading'")
    for query, says in _checks():
        for row in store.connection.execute(query):
            found.problems.append(says.format(*row))
    # A run that is not finished has taken records in, or out, that are not compared yet.
    for (identity,) in store.connection.execute(
        f"SELECT id FROM records WHERE run IS NOT ? AND NOT {_HAS_ARTICLE}",  # noqa: S608
        (reading,),
    ):
        found.problems.append(f"records: {identity} is not among the articles")
    if reading is None:
        for (ref,) in store.connection.execute(f"SELECT ref FROM articles WHERE NOT {_HAS_RECORD}"):  # noqa: S608
            found.problems.append(f"articles: {ref} has no record")
        for (digest,) in store.connection.execute(
            "SELECT digest FROM texts WHERE analysed IS NULL"
        ):
            found.problems.append(f"texts: {digest} was never compared")
    _check_occurrences(store, found, lengths)


def _check_occurrences(store: Store, found: Verified, lengths: Mapping[str, int]) -> None:
    """Occurrences of passages lie inside their articles' texts."""
    query = (
        "SELECT p.id, j.value ->> 'article', j.value ->> 'start', j.value ->> 'end', a.digest "
        "FROM passages p, json_each(p.occurrences) j "
        "LEFT JOIN articles a ON a.ref = j.value ->> 'article'"
    )
    for name, ref, start, end, digest in store.connection.execute(query):
        if digest is None:
            found.problems.append(f"passages: {name} occurs in {ref}, which is not in 'articles'")
        elif digest in lengths and not 0 <= start < end <= lengths[digest]:
            found.problems.append(f"passages: {name} lies outside the text of {ref}")
