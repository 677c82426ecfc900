"""Faults of texts and outputs, by their numbers in docs/reliability.md, met by the real command."""

from __future__ import annotations

import csv
import json
import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from dumps import write_jsonl
from fault_runs import jsonl, scan
from oracles import Writer, newsroom
from report_page import shown_texts
from test_scan_cli import DONE

from dedup import hash32, signature

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def story(name: str, sentences: int = 8) -> str:
    return " ".join(Writer(name).sentences(sentences))


def test_fault_15_texts_of_nothing(tmp_path: Path) -> None:
    odd = ["", " ", "\n", "x", "?!", "…", "\u200b", "\u00ad", "-" * 500]
    records = [
        {"id": f"{n}-{i}", "outlet": f"o{i}", "text": text}
        for n, text in enumerate(odd)
        for i in range(3)
    ]
    write_jsonl(tmp_path / "a.jsonl", records)
    done = scan(tmp_path)
    assert len(done.articles) == len(records)
    assert {a["flag"] for a in done.articles} == {"unique"}
    assert (done.rows("groups"), done.rejected) == ([], [])


def test_fault_16_giant_words_and_texts_without_spaces(tmp_path: Path) -> None:
    copied = story("copied")
    records = [
        {"id": "word", "text": "a" * 10_000_000},
        {"id": "chinese", "text": "港口关闭了" * 200_000},
        {"id": "punctuation", "text": "-" * 5_000_000},
        {"id": "one", "outlet": "x", "text": "b" * 1_000_000 + " " + copied},
        {"id": "two", "outlet": "y", "text": copied + " " + "c" * 1_000_000},
    ]
    write_jsonl(tmp_path / "a.jsonl", records)
    done = scan(tmp_path)
    assert done.code == DONE
    assert {a["flag"] for a in done.articles if a["id"] in ("word", "punctuation")} == {"unique"}
    (match,) = [m for m in done.rows("matches") if {m["a"], m["b"]} == {"one", "two"}]
    assert match["similarity"] > 0.9


def test_fault_17_invisible_and_look_alike_characters(tmp_path: Path) -> None:
    plain = story("hidden")
    dressed = {
        "soft-hyphens": plain.replace("e", "e\u00ad"),
        "zero-width": "\u200b".join(plain),
        "bidi": "\u202e" + plain.replace(" ", " \u2066"),
        "full-width": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in plain),
        "look-alikes": plain.translate(str.maketrans("aeopc", "аеорс")),
    }
    records = [{"id": "plain", "outlet": "plain", "text": plain}]
    records += [{"id": k, "outlet": k, "text": v} for k, v in dressed.items()]
    write_jsonl(tmp_path / "a.jsonl", records)
    done = scan(tmp_path)
    assert done.texts == {r["id"]: r["text"] for r in records}
    core = set(done.rows("groups")[0]["core"])
    assert {"plain", "soft-hyphens", "zero-width", "bidi"} <= core
    for passage in done.rows("passages"):
        cuts = [done.texts[o["article"]][o["start"] : o["end"]] for o in passage["occurrences"]]
        assert passage["text"] in cuts, "offsets are those of the text as it was read"
    page = (done.out / "report.html").read_text("utf-8")
    assert not any("\u202e" in text for text in (page, *shown_texts(page)))
    assert any("␦" in text for text in shown_texts(page)), "and what was taken out is seen"
    assert '<bdi dir="auto">' in page


def test_fault_19_texts_that_collide_in_their_hashes(tmp_path: Path) -> None:
    """Two texts without a common word whose words have the same 32-bit hashes."""
    one, two = colliding_words(60)
    texts = [
        " ".join(
            " ".join(words[i : i + 12]).capitalize() + "." for i in range(0, len(words) - 11, 12)
        )
        for words in (one, two)
    ]
    records = [{"id": f"{i}", "outlet": f"o{i}", "text": t} for i, t in enumerate(texts)]
    write_jsonl(tmp_path / "a.jsonl", records)
    done = scan(tmp_path)
    assert (signature(texts[0]) == signature(texts[1])).all(), "they do collide"
    assert done.rows("matches") == done.rows("relations") == done.rows("groups") == []


def colliding_words(count: int) -> tuple[list[str], list[str]]:
    """Pairs of different words of five letters with equal :func:`dedup.hash32`."""
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)
    places = np.random.default_rng(1).permutation(26**5)[:900_000]
    words = np.stack([letters[places // 26**i % 26] for i in range(5)], axis=1)
    hashes = np.full(len(words), 0xCBF29CE484222325, np.uint64)
    with np.errstate(over="ignore"):
        for column in words.T:
            hashes = (hashes ^ column.astype(np.uint64)) * np.uint64(0x100000001B3)
    folded = (hashes ^ (hashes >> np.uint64(32))).astype(np.uint32)
    order = np.argsort(folded, kind="stable")
    at = np.flatnonzero(folded[order][1:] == folded[order][:-1])[:count]
    pairs = [[bytes(words[order[i + k]]).decode() for i in at] for k in (0, 1)]
    assert len(pairs[0]) == count
    assert [hash32(w.encode()) for w in pairs[0]] == [hash32(w.encode()) for w in pairs[1]]
    return pairs[0], pairs[1]


def test_fault_20_one_sentence_in_every_article(tmp_path: Path) -> None:
    footer = "Subscribe to our newsletter for the latest stories from the region every morning."
    count = 600
    records = [
        {"id": f"{i:03}", "outlet": f"o{i % 40}.example", "text": f"{story(f's{i}', 5)}\n{footer}"}
        for i in range(count)
    ]
    write_jsonl(tmp_path / "a.jsonl", records)
    done = scan(tmp_path)
    assert done.rows("groups") == []
    assert {a["flag"] for a in done.articles} == {"unique"}
    assert done.run["work"]["pairs_aligned"] < 10 * count
    assert any(cap["name"] == "max_partners" for cap in done.run["caps"])
    assert "max_partners" in done.stdout


HOSTILE = {
    "dots": ".",
    "abbreviations": "A. ",
    "brackets": "(",
    "quotes": "“",
    "quotes and dots": '."',
    "datelines": "CITY (AP) — ",
    "open datelines": "CITY (",
    "bylines": "By By ",
    "credits": "(Reporting by ",
    "agencies": "Reuters/AP/AFP/",
    "apostrophes": "a'",
    "spaces": " \u00a0",
    "line ends": "\n",
    "hyphens": "a-",
    "mail": "a@",
    "addresses": "https://",
    "marks": "e\u0301\u0301",
    "joiners": "\u200d",
    "emphasis": "!?",
    "digits": "1,",
}


def test_fault_21_texts_built_against_patterns(tmp_path: Path) -> None:
    """A megabyte of each: what is not linear here does not end in the time a test has."""
    records = [
        {"id": name, "outlet": name, "title": piece * 5_000, "byline": piece * 5_000}
        | {"text": (piece * (1_000_000 // len(piece)))}
        for name, piece in HOSTILE.items()
    ]
    write_jsonl(tmp_path / "a.jsonl", records)
    done = scan(tmp_path)
    assert done.code == DONE
    assert len(done.articles) == len(HOSTILE)


def test_fault_22_dates_that_tell_nothing(tmp_path: Path) -> None:
    text = story("dates")
    dates = {
        "future": "2999-01-01T00:00:00Z",
        "missing": None,
        "malformed": "sometime last week",
        "ambiguous": "03/04/2025",
        "known": "2021-05-06T07:08:09Z",
        "no-zone": "2021-05-07 07:08:09",
    }
    records = [
        {"id": name, "outlet": f"{name}.example", "published": date, "text": text}
        for name, date in dates.items()
    ]
    write_jsonl(tmp_path / "a.jsonl", records)
    done = scan(tmp_path)
    published = {a["id"]: a["published"] for a in done.articles}
    unknown = ("future", "missing", "malformed", "ambiguous")
    assert [published[name] for name in unknown] == [None] * 4
    assert {i for a in done.articles for i in a["issues"]} == {
        *("date-in-future", "date-unreadable", "date-ambiguous", "date-without-zone")
    }
    flags = {a["id"]: a["flag"] for a in done.articles}
    assert not any(flags[name] == "earliest" for name in unknown)
    (group,) = done.rows("groups")
    assert group["first_observed"] not in unknown


SCRIPTS = {
    "title": "</script><script>alert(1)</script>",
    "outlet": "<img src=x onerror=alert(1)>",
    "byline": '"><svg onload=alert(1)>',
    "id": "</title><script>alert(2)</script>",
    "language": "<script>",
}


def test_fault_33_scripts_in_every_field(tmp_path: Path) -> None:
    text = story("scripts")
    evil = "<script>alert(3)</script> </script> <!-- <![CDATA["
    records = [
        {**SCRIPTS, "id": f"{SCRIPTS['id']}{n}", "url": url, "text": f"{evil} {text} {evil}"}
        for n, url in enumerate(("javascript:alert(4)", "data:text/html,<script>alert(5)</script>"))
    ]
    write_jsonl(tmp_path / "a.jsonl", records)
    done = scan(tmp_path)
    assert len(done.rows("groups")[0]["core"]) == 2
    page = (done.out / "report.html").read_text("utf-8")
    for inert in ("<script>alert", "<img src=x", "<svg onload", "<!-- <![CDATA["):
        assert inert not in page
    for scheme in ("javascript:", "data:text"):
        assert f'href="{scheme}' not in page
        assert not any(text.startswith(scheme) for text in shown_texts(page)), "no address"
    assert any("<script>alert(3)" in text for text in shown_texts(page)), "shown as text"
    assert page.count("<script") == page.count("</script>")


@pytest.mark.parametrize("start", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1"])
def test_fault_34_formulas_in_cells(tmp_path: Path, start: str) -> None:
    records = [{"id": f"{start}{n}", "title": start, "text": story("cells")} for n in range(2)]
    write_jsonl(tmp_path / "a.jsonl", records)
    done = scan(tmp_path, format="csv")
    for path in done.out.glob("*.csv"):
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.reader(file):
                for cell in row:
                    number = cell.lstrip("-").replace(".", "").isdigit()
                    assert number or not cell.startswith(("=", "+", "-", "@", "\t")), path.name
    plain = scan(tmp_path)
    assert {a["title"] for a in plain.articles} == {start.strip()}, "JSON Lines stay as they are"
    assert {a["id"] for a in plain.articles} == {r["id"].strip() for r in records}


def test_fault_35_ids_that_look_like_paths(tmp_path: Path) -> None:
    text = story("paths")
    ids = ["../../outside", "/etc/passwd", "a\x00b", "..\\..\\windows", "C:\\x", "~", "-rf", "a/b"]
    records = [{"id": i, "outlet": f"../{n}", "text": text} for n, i in enumerate(ids)]
    write_jsonl(tmp_path / "a.jsonl", records)
    before = set(tmp_path.parent.rglob("*"))
    done = scan(tmp_path)
    assert {a["id"] for a in done.articles} == set(ids)
    new = set(tmp_path.parent.rglob("*")) - before
    assert {p.parent for p in new if p != done.out} == {done.out}
    assert all(p.is_file() for p in new if p != done.out)


def test_fault_38_order_files_and_threads(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = list(newsroom(7, stories=6, loners=10))
    tables: dict[str, set[bytes]] = defaultdict(set)
    for n, (files, threads) in enumerate(((1, 1), (3, 2), (7, 3))):
        folder = tmp_path / f"run-{n}"
        folder.mkdir()
        random.Random(n).shuffle(records)
        for k in range(files):
            (folder / f"{k}.jsonl").write_bytes(jsonl(*records[k::files]))
        done = scan(folder, threads=threads)
        for name in ("relations", "groups", "matches", "passages", "sources"):
            tables[name].add((done.out / f"{name}.jsonl").read_bytes())
        tables["flags"].add(json.dumps({a["ref"]: a["flag"] for a in done.articles}).encode())
    assert len(done.rows("groups")) > 3
    assert {name: len(found) for name, found in tables.items()} == dict.fromkeys(tables, 1)
