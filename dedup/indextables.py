"""The tables of an index: the SQL that makes them, and which hold the results of its last run.

``docs/index.md`` documents them. They stay readable by plain SQL: what only the analysis reads is
in ``frames`` and ``parts``.
"""

from __future__ import annotations

SCHEMA = 4
"""Another number whenever the tables, or what is in them, are others."""

_OWN = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    run INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    state TEXT NOT NULL, started TEXT NOT NULL, finished TEXT, inputs TEXT NOT NULL,
    about TEXT
);
CREATE TABLE records (
    id TEXT NOT NULL, digest TEXT NOT NULL, file TEXT NOT NULL, position TEXT NOT NULL,
    outlet TEXT, published INTEGER, precision TEXT NOT NULL, published_raw TEXT, url TEXT,
    title TEXT, byline TEXT, language TEXT, version INTEGER, metadata TEXT, issues TEXT NOT NULL,
    first_seen TEXT NOT NULL, run INTEGER NOT NULL, claims TEXT NOT NULL,
    PRIMARY KEY (id, digest)
);
CREATE INDEX records_digest ON records (digest);
CREATE TABLE texts (
    text INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, analysed INTEGER,
    content BLOB NOT NULL
);
CREATE TABLE frames (
    text INTEGER PRIMARY KEY REFERENCES texts, passages INTEGER NOT NULL, tokens INTEGER NOT NULL,
    words INTEGER NOT NULL, content INTEGER NOT NULL, language TEXT, frame BLOB NOT NULL
);
CREATE TABLE parts (
    part INTEGER PRIMARY KEY, kind TEXT NOT NULL, run INTEGER NOT NULL, digest TEXT NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX parts_kind ON parts (kind);
CREATE TABLE changes (
    run INTEGER NOT NULL, number INTEGER NOT NULL, "table" TEXT NOT NULL, change TEXT NOT NULL,
    key TEXT NOT NULL, fields TEXT, "before" TEXT, "after" TEXT,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE TABLE group_history (
    "group" TEXT NOT NULL, run INTEGER NOT NULL, event TEXT NOT NULL, others TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE erased (mark BLOB PRIMARY KEY, run INTEGER NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE outputs (run INTEGER NOT NULL, folder TEXT NOT NULL, articles TEXT);
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, run INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE notifications (
    run INTEGER NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
    message TEXT, at TEXT NOT NULL, error TEXT, PRIMARY KEY (run, key, name)
) WITHOUT ROWID;
"""

RESULTS = ("articles", "passages", "matches", "relations", "groups", "sources", "near_misses")
"""Tables of the output contract that the index keeps, as of its last run. Scores are not among
their columns: they follow from the whole corpus and are computed at export."""
LEFT_OUT = frozenset({"score"})
KEYS = {
    "articles": ("ref",),
    "passages": ("id",),
    "matches": ("a", "b", "a_start", "b_start", "a_end", "b_end"),
    "relations": ("a", "b"),
    "groups": ("id",),
    "sources": ("id",),
    "near_misses": ("a", "b"),
}
UNRANKED = {("groups", "passages")}
"""Columns that are in the order of their scores in an output, and in that of ids in an index: a
score follows from the whole corpus, and nothing of a group changed when its order did."""


def result_columns(table: str) -> list[str]:
    """The columns of a table of results in the index."""
    from dedup.model import table_schemas

    return [name for name in table_schemas()[table].names if name not in LEFT_OUT]


def create_statements() -> str:
    """The SQL that makes all tables and their indexes."""
    import pyarrow as pa

    from dedup.model import table_schemas

    def kind(column: pa.DataType) -> str:
        if pa.types.is_floating(column):
            return "REAL"
        return "INTEGER" if pa.types.is_integer(column) or pa.types.is_boolean(column) else "TEXT"

    made = [_OWN]
    for table in RESULTS:
        schema = table_schemas()[table]
        columns = [f'"{n}" {kind(schema.field(n).type)}' for n in result_columns(table)]
        key = ", ".join(f'"{name}"' for name in KEYS[table])
        made.append(f"CREATE TABLE {table} ({', '.join(columns)}, PRIMARY KEY ({key}));\n")
    made += [f"CREATE INDEX {t}_b ON {t} (b);\n" for t in ("relations", "matches")]
    made.append('CREATE INDEX articles_group ON articles ("group");\n')
    made.append("CREATE INDEX articles_id ON articles (id);\n")
    made.append("CREATE INDEX articles_digest ON articles (digest);\n")
    return "".join(made)
