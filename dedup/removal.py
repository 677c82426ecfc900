"""Articles out of an index: by id, outlet or age, or erased so that nothing of them is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from dedup.errors import UsageError
from dedup.indexnotes import COMPARE_ANEW, ERASURE_KEY, NAMING_OUTPUTS, REMOVED, UNUSED_WORDS
from dedup.ingest import erasure_mark
from dedup.outlets import outlet_identity
from dedup.store import now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedup.store import Store


def remove(
    store: Store,
    run: int,
    *,
    ids: Sequence[str] = (),
    outlets: Sequence[str] = (),
    before: str | None = None,
    keep_days: int | None = None,
    erase: bool = False,
) -> dict[str, list[str]]:
    """Take articles out, all their revisions with them; in one transaction. Returns what was not
    there, under ``missing`` the ids and under ``missing_outlets`` the outlets, as far as there is
    any.

    ``outlets``: ids of outlets as in ``sources`` or names as in the records; ``before``: ISO date
    of publication, or of the day on which an undated article was first seen. ``erase`` keeps a
    keyed digest of each text, by which it is known if it comes again.

    Raises :class:`~dedup.errors.UsageError` for a date that is none, and for less than one day.
    """
    if not ids and not outlets and before is None and keep_days is None:
        return {}
    rows, found = _chosen(store, ids, outlets, _moment(before, keep_days))
    known = {row[0] for row in rows} | (_taken_out(store, run) if ids else set())
    missing = {
        "missing": [name for name in ids if name not in known],
        "missing_outlets": [name for name in outlets if name not in found],
    }
    if rows:
        take_out(store, run, rows, erase=erase)
    return {what: names for what, names in missing.items() if names}


def _taken_out(store: Store, run: int) -> set[str]:
    """Ids of articles that an earlier process of the run took out: the tables of results hold them
    until the run commits, then its changes name them."""
    gone = store.rows(
        "SELECT id FROM articles WHERE NOT EXISTS "
        "(SELECT 1 FROM records r WHERE r.id = articles.id AND r.digest = articles.digest)"
    )
    told = store.rows(
        """SELECT json_extract(key, '$[0]') FROM changes """
        """WHERE run = ? AND "table" = 'articles' AND change = 'removed'""",
        run,
    )
    return {identity for (identity,) in (*gone, *told)}


def take_out(
    store: Store, run: int, rows: Sequence[tuple[str, str]], *, erase: bool = False
) -> None:
    """Take out the records with these keys (id, digest), and texts that no other record has.

    With ``erase`` also all other records with one of these texts. Folders of earlier runs that
    name one of the articles are noted (only their owner can clear them), and how many were taken
    out: whatever process ends this run tells it.
    """
    if erase:
        query = "SELECT id, digest FROM records WHERE digest = ?"
        rows = [
            row for digest in {digest for _, digest in rows} for row in store.rows(query, digest)
        ]
    outputs = _outputs(store, _refs(store, rows))
    with store.transaction():
        if outputs:
            told = sorted({*outputs, *naming_outputs(store)})
            store.note({NAMING_OUTPUTS: orjson.dumps(told).decode()})
        store.connection.executemany("DELETE FROM records WHERE id = ? AND digest = ?", rows)
        orphans = store.rows(
            "SELECT text, analysed FROM texts WHERE digest NOT IN (SELECT digest FROM records)"
        )
        numbers = [(number,) for number, _ in orphans]
        store.connection.executemany("DELETE FROM frames WHERE text = ?", numbers)
        store.connection.executemany("DELETE FROM texts WHERE text = ?", numbers)
        if any(analysed is not None for _, analysed in orphans):
            # What limits had cut may come back: the next comparison starts from the beginning.
            store.note({COMPARE_ANEW: "1"})
        store.note({REMOVED: str(len(rows) + noted_removals(store))})
        if erase:
            _erase(store, run, rows)


def _moment(before: str | None, keep_days: int | None) -> datetime | None:
    moments = []
    if before is not None:
        try:
            stated = datetime.fromisoformat(before)
        except ValueError as error:
            raise UsageError(
                f"before: expected a date such as 2024-06-30, got '{before}'"
            ) from error
        moments.append(stated.astimezone(UTC) if stated.tzinfo else stated.replace(tzinfo=UTC))
    if keep_days is not None:
        moments.append(kept_from(keep_days))
    return max(moments) if moments else None


def kept_from(keep_days: int) -> datetime:
    """The moment from which on articles are kept; raises as :func:`remove`."""
    if keep_days < 1:
        raise UsageError(f"keep: expected at least one day, got {keep_days}")
    try:
        return datetime.now(UTC) - timedelta(days=keep_days)
    except OverflowError as error:
        raise UsageError(f"keep: {keep_days} days are more than the calendar has") from error


def _chosen(
    store: Store, ids: Sequence[str], outlets: Sequence[str], before: datetime | None
) -> tuple[list[tuple[str, str]], set[str]]:
    """Keys (id, digest) of the records to remove, and which of the outlets there are."""
    keys: dict[tuple[str, str], None] = {}
    found: set[str] = set()
    for name in ids:
        try:
            keys |= dict.fromkeys(store.rows("SELECT id, digest FROM records WHERE id = ?", name))
        except UnicodeEncodeError as error:
            raise UsageError(f"{name!a}: no id of an article: it is no UTF-8") from error
    if outlets:
        wanted = set(outlets)
        for identity, digest, outlet, url in store.rows(
            "SELECT id, digest, outlet, url FROM records"
        ):
            known = outlet_identity(outlet, url)
            named = wanted & {outlet, known[0] if known else None}
            if named:
                keys[identity, digest] = None
                found |= named
    if before is not None:
        at = before.isoformat(timespec="seconds").replace("+00:00", "Z")
        query = (
            "SELECT id, digest FROM records WHERE CASE WHEN published IS NULL "
            "THEN first_seen < ? ELSE published < ? END"
        )
        keys |= dict.fromkeys(store.rows(query, at, int(before.timestamp() * 1_000_000)))
    return list(keys), found


def _refs(store: Store, keys: Sequence[tuple[str, str]]) -> set[str]:
    """How the tables name the records."""
    known: dict[tuple[Any, ...], str] = {
        (identity, digest): ref
        for ref, identity, digest in store.rows("SELECT ref, id, digest FROM articles")
    }
    return {known[key] for key in keys if key in known}


def noted_removals(store: Store) -> int:
    """How many articles the run under way took out and has not committed."""
    return int(store.meta().get(REMOVED, "0"))


def naming_outputs(store: Store) -> list[str]:
    """Folders that name an article which the run under way took out."""
    told: list[str] = orjson.loads(store.meta().get(NAMING_OUTPUTS, "[]"))
    return told


def _outputs(store: Store, refs: set[str]) -> tuple[str, ...]:
    """Folders that earlier runs wrote and that name one of the articles."""
    found = {
        folder
        for folder, articles in store.rows("SELECT folder, articles FROM outputs")
        if articles is not None and not refs.isdisjoint(orjson.loads(articles))
    }
    return tuple(sorted(found))


def _erase(store: Store, run: int, keys: Sequence[tuple[str, str]]) -> None:
    """Keep a mark of each text, and nothing that quotes one."""
    secret = store.meta()[ERASURE_KEY]
    marks = {erasure_mark(secret, digest) for _, digest in keys}
    store.insert("erased", ((mark, run, now()) for mark in marks), replace=True)
    # What earlier runs changed is known still, but no longer the words that changed.
    store.connection.execute('UPDATE changes SET "before" = NULL, "after" = NULL, fields = NULL')
    store.drop_parts("delta")
    store.note({COMPARE_ANEW: "1", UNUSED_WORDS: "1"})
