# ruff: noqa: E501 - records read better as one line each
"""Eight made-up articles in several scripts, hostile ones among them, as the tables of a run."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pyarrow as pa

from dedup.config import Settings
from dedup.model import table_schemas

HOSTILE_ID = "<script>alert(1)</script>"
HOSTILE_TITLE = "</script><img src=x onerror=alert(2)>\u202egnp.exe\x00\x1b[31m"
FORMULA = '=HYPERLINK("http://evil.example","win")'

P1 = (
    "The harbour of Port Lindqvist will close for eleven weeks from Monday, after divers found "
    "that the piers of its main bridge had been undercut by the autumn storms."
)
P2 = (
    "Freight worth about 40 million crowns a week will be sent by rail through the Halden "
    "tunnel instead, the ministry of transport said."
)
QUOTE = "“Nobody will stand on that bridge until I have slept under it myself,”"
FURNITURE = "Sign up for our newsletter and never miss a story again."
ARABIC = (
    "أعلنت وزارة النقل أن الميناء سيغلق أحد عشر أسبوعا ابتداء من يوم الاثنين بعد أن كشف "
    "الغواصون أضرارا في دعائم الجسر الرئيسي."
)
CHINESE = "交通部表示，由于秋季风暴冲刷主桥桥墩，该港口将从周一起关闭十一周，货物改由铁路运输。"

TEXTS: dict[str, str] = {
    "ap-1": f"PORT LINDQVIST (AP) — {P1} {P2}\n\n{QUOTE} harbour master Ada Brandt said. The last "
    "closure, in 1987, lasted three days.",
    "tribune-7": f"🌊🌊 Storm special 👩‍👩‍👧‍👦\n\n{P1} {P2}\n\n{QUOTE} said Ada Brandt. 🚢\n\n{FURNITURE}",
    "herald-3": f"Commuters face a hard winter. Local buses will run every twenty minutes, the council "
    f"promised on Tuesday, but drivers doubt it. {P2} Shops along the quay expect to lose a third "
    f"of their trade.\n\n{FURNITURE}",
    "ar-1": f"أوسلو - {ARABIC} ولم تحدد الوزارة تكلفة الإصلاح.",
    HOSTILE_ID: f"<b>عاجل</b> <script>alert(3)</script> \u202e {ARABIC} \x00 &amp; وكالات",
    "zh/../1": f"【新华社】{CHINESE}专家称损失难以估计。",
    "zh-2": f"𠮷田港消息：{CHINESE}",
    "blog-9": f"I met the harbour master, who has kept her promises for thirty years. {QUOTE} she told "
    "me over coffee. I believe her, and you should too.",
}


def _evidence(
    role: str, source: str, article: str, text: str, field: str = "text"
) -> dict[str, Any]:
    start = TEXTS[article].find(text) if field == "text" else 0
    return {
        "role": role,
        "source": source,
        "article": article,
        "field": field,
        "start": start,
        "end": start + len(text),
        "text": text,
    }


AP_CREDIT = _evidence("credit", "ap", "ap-1", "PORT LINDQVIST (AP)")
XINHUA_CREDIT = _evidence("credit", "xinhua", "zh/../1", "【新华社】")


def _article(
    ref: str,
    outlet: str | None,
    when: str | None,
    precision: str,
    title: str | None,
    url: str | None,
    flag: str,
    **more: Any,
) -> dict[str, Any]:
    published = None if when is None else dt.datetime.fromisoformat(when).replace(tzinfo=dt.UTC)
    row: dict[str, Any] = {
        "id": ref,
        "ref": ref,
        "digest": digest(ref),
        "file": "dump.jsonl",
        "position": f"line {list(TEXTS).index(ref) + 1}",
        "outlet": outlet,
        "published": published,
        "precision": precision,
        "published_raw": when,
        "url": url,
        "title": title,
        "byline": None,
        "language": None,
        "flag": flag,
        "basis": None,
        "confidence": None,
        "source": None,
        "share_copied": 0.0,
        "group": None,
        "best_match": None,
        "credits": [],
        "mentions": [],
        "why": None,
        "issues": [],
    }
    return row | more


def digest(ref: str) -> str:
    return hashlib.blake2b(TEXTS[ref].encode(), digest_size=16).hexdigest()


def _articles() -> list[dict[str, Any]]:
    g1 = {"group": "g-harbour", "source": "ap"}
    return [
        _article("ap-1", "AP News", "2021-07-11T18:30:12", "second", "Port Lindqvist harbour to close",
                 "https://ap.example/harbour?a=1&b=2", "syndicated", basis="credit", confidence=0.98,
                 share_copied=0.7123456789, best_match="tribune-7", credits=[AP_CREDIT],
                 why="credits AP in its dateline", **g1),
        _article("tribune-7", "The Tribune", "2021-07-12T05:02:00", "minute", "🌊 Harbour shut for weeks",
                 "http://tribune.example/7", "syndicated", basis="copy", confidence=0.91,
                 share_copied=0.83, best_match="ap-1", why="83 % stands in ap-1, observed earlier", **g1),
        _article("herald-3", "The Herald", "2021-07-13T00:00:00", "day", FORMULA,
                 "javascript:alert(4)", "partial", basis="copy", confidence=0.74,
                 share_copied=0.31, best_match="ap-1", issues=["invalid-utf8"], **g1),
        _article("ar-1", "وكالة الخليج", "2021-07-12T00:00:00", "day", "إغلاق الميناء أحد عشر أسبوعا",
                 "https://ar.example/1", "earliest", group="g-arabic", share_copied=0.8),
        _article(HOSTILE_ID, "@evil", None, "unknown", HOSTILE_TITLE, "data:text/html,<script>1</script>",
                 "shared", group="g-arabic", share_copied=0.7, why="<b>why</b>"),
        _article("zh/../1", "新华网", "2021-07-01T00:00:00", "month", "港口关闭十一周", None,
                 "syndicated", basis="credit", confidence=0.9, source="xinhua", group="g-<zh>",
                 share_copied=0.75, credits=[XINHUA_CREDIT]),
        _article("zh-2", "新华网", "2021-07-14T00:00:00", "day", "港口关闭十一周（更新）",
                 "https://xinhua.example/2", "duplicate", basis="copy", confidence=0.9, source="xinhua",
                 group="g-<zh>", share_copied=0.8),
        _article("blog-9", None, "2021-07-20T00:00:00", "day", "The woman under the bridge",
                 "https://blog.example/9", "unique"),
    ]  # fmt: skip


PASSAGES: list[tuple[str, str, str, list[str], dict[str, Any] | None]] = [
    ("p1", P1, "prose", ["ap-1", "tribune-7"], {"id": "ap", "name": "Associated Press"}),
    (
        "p2",
        P2,
        "prose",
        ["ap-1", "tribune-7", "herald-3"],
        {"id": "ap", "name": "Associated Press"},
    ),
    ("p3", ARABIC, "prose", ["ar-1", HOSTILE_ID], None),
    ("p4", CHINESE, "prose", ["zh/../1", "zh-2"], {"id": "xinhua", "name": "新华社"}),
    ("p5", QUOTE, "quote", ["ap-1", "tribune-7", "blog-9"], None),
    ("p6", FURNITURE, "boilerplate", ["tribune-7", "herald-3"], None),
]


def _span(ref: str, text: str) -> tuple[int, int]:
    start = TEXTS[ref].index(text)
    return start, start + len(text)


def _match(a: str, b: str, passage: str) -> dict[str, Any]:
    _, text, kind, _, _ = next(p for p in PASSAGES if p[0] == passage)
    (a_start, a_end), (b_start, b_end) = _span(a, text), _span(b, text)
    return {
        "a": a,
        "b": b,
        "a_start": a_start,
        "a_end": a_end,
        "b_start": b_start,
        "b_end": b_end,
        "similarity": 1.0 / 3.0 + 0.6,
        "score": float(len(text)) / 7.0,
        "kind": kind,
        "passage": passage,
    }


def _relation(
    a: str, b: str, relation: str, cover: tuple[float, float], **more: Any
) -> dict[str, Any]:
    return {
        "a": a,
        "b": b,
        "relation": relation,
        "revision": False,
        "p_shared": 0.99,
        "p_copied": 0.9,
        "coverage_a": cover[0],
        "coverage_b": cover[1],
        "score": 100.0 * max(cover),
        "earlier": a,
    } | more


def _source(
    identifier: str, name: str, kind: str, evidence: list[dict[str, Any]]
) -> dict[str, Any]:
    return {"id": identifier, "name": name, "kind": kind, "confidence": 0.95, "evidence": evidence}


def make_tables() -> dict[str, pa.Table]:
    """The tables of a run over :data:`TEXTS`."""
    outlets = {a["ref"]: a["outlet"] for a in _articles()}
    mention = _evidence("mention", "xinhua", "zh/../1", "交通部表示")
    rows: dict[str, list[dict[str, Any]]] = {
        "articles": _articles(),
        "passages": [
            {
                "id": identifier,
                "text": text,
                "kind": kind,
                "score": 100.0 - 10 * rank,
                "source": source and {**source, "kind": "agency", "confidence": 0.9, "evidence": []},
                "first_observed": refs[0] if identifier != "p3" else None,
                "outlets": sorted({outlets[r] for r in refs if outlets[r]}),
                "occurrences": [
                    {"article": r, "start": _span(r, text)[0], "end": _span(r, text)[1]} for r in refs
                ],
            }
            for rank, (identifier, text, kind, refs, source) in enumerate(PASSAGES)
        ],
        "matches": [
            _match("ap-1", "tribune-7", "p1"),
            _match("ap-1", "tribune-7", "p2"),
            _match("ap-1", "tribune-7", "p5"),
            _match("ap-1", "herald-3", "p2"),
            _match("tribune-7", "herald-3", "p6"),
            _match("ar-1", HOSTILE_ID, "p3"),
            _match("ap-1", "blog-9", "p5"),
        ],
        "relations": [
            _relation("ap-1", "tribune-7", "copy", (0.71, 0.83)),
            _relation("ap-1", "herald-3", "partial", (0.35, 0.31)),
            _relation("ap-1", "blog-9", "quote", (0.12, 0.3), earlier=None),
            _relation("ar-1", HOSTILE_ID, "copy", (0.8, 0.7), earlier=None),
            _relation("tribune-7", "herald-3", "boilerplate", (0.0, 0.0)),
            _relation("zh/../1", "zh-2", "copy", (0.75, 0.8), revision=True),
        ],
        "groups": [
            {
                "id": "g-harbour",
                "key": "k1",
                "core": ["ap-1", "tribune-7"],
                "articles": ["ap-1", "tribune-7", "herald-3"],
                "source": _source("ap", "Associated Press", "agency", [AP_CREDIT]),
                "first_observed": "ap-1",
                "passages": ["p1", "p2", "p5"],
            },
            {
                "id": "g-arabic",
                "key": "k2",
                "core": ["ar-1", HOSTILE_ID],
                "articles": ["ar-1", HOSTILE_ID],
                "source": _source("unknown", "unknown", "unknown", []),
                "first_observed": None,
                "passages": ["p3"],
            },
            {
                # No match: the page falls back on the occurrences of the passage.
                "id": "g-<zh>",
                "key": "k3",
                "core": ["zh-2", "zh/../1"],
                "articles": ["zh-2", "zh/../1"],
                "source": _source("xinhua", "新华社", "agency", [XINHUA_CREDIT, mention]),
                "first_observed": "zh/../1",
                "passages": ["p4"],
            },
        ],
        "sources": [
            {"id": "ap", "name": "Associated Press", "kind": "agency", "groups": ["g-harbour"],
             "articles": ["ap-1", "tribune-7", "herald-3"], "credited": ["ap-1"], "cited_by": []},
            {"id": "xinhua", "name": "新华社", "kind": "agency", "groups": ["g-<zh>"],
             "articles": ["zh-2", "zh/../1"], "credited": [], "cited_by": ["ar-1", "zh/../1"]},
        ],
        "near_misses": [
            _relation("herald-3", "blog-9", "quote", (0.05, 0.04), missed_by="min_information 47 < 50"),
        ],
        "rejected": [
            {"file": "dump.jsonl", "position": "line 9", "reason": "no text", "sample": "{\"id\": \"<img>\"}"},
        ],
        "texts": [
            {"id": ref, "ref": ref, "digest": digest(ref), "text": text} for ref, text in TEXTS.items()
        ],
    }  # fmt: skip
    return {
        name: pa.Table.from_pylist(rows[name], schema=schema)
        for name, schema in table_schemas().items()
    }


def empty_tables() -> dict[str, pa.Table]:
    return {name: schema.empty_table() for name, schema in table_schemas().items()}


def make_run(*, incomplete: str | None = None) -> dict[str, Any]:
    """What stands in ``run.json``."""
    settings = Settings()
    file = {
        "file": "dump.jsonl", "format": "jsonl", "bytes": 4321, "read": 10, "articles": 8,
        "repeats": 1, "rejected": 1, "incomplete": incomplete, "notes": [], "columns": {"text": "body"},
    }  # fmt: skip
    return {
        "dedup": "0.1.0",
        "settings": settings.as_dict(),
        "fingerprint": settings.fingerprint(),
        "inputs": ["dump.jsonl"],
        "ledger": {
            "read": 10, "articles": 8, "repeats": 1, "rejected": 1, "files": [file],
            "skipped": [{"file": "pipe", "position": "", "reason": "a FIFO", "sample": ""}],
            "warnings": ["dump.jsonl: grew while it was read"],
        },
        "versions": {"python": "3.11", "numpy": "2.4"},
        "counts": {
            "passages": 6, "matches": 7,
            "relations": {"copy": 3, "partial": 1, "quote": 1, "boilerplate": 1}, "groups": 3,
            "flags": {"syndicated": 3, "partial": 1, "duplicate": 1, "earliest": 1, "shared": 1, "unique": 1},
        },
        "caps": [{"name": "max_partners", "count": 2, "meaning": "passages compared by representatives only"}],
        "timing": {"stages": [{"stage": "read", "seconds": 0.123}], "total_seconds": 1.5, "peak_memory_mb": 99.0},
    }  # fmt: skip
