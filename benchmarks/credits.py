"""Who wrote it: credits and mentions against labels, feeds and false friends, and the speed.

    python benchmarks/credits.py DATA [--out benchmarks/results]

``DATA`` holds the labelled corpora (``allsides.jsonl.zst``, ``allsides-credits.jsonl``,
``korea-china/``, ``formats.tar.zst``). Writes ``credits.json`` and ``credits.md``. Everything
runs with the packaged lists and the default settings.
"""

from __future__ import annotations

import argparse
import html
import io
import json
import re
import tarfile
import time
import tomllib
from collections import defaultdict
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import zstandard

from dedup.agencies import load
from dedup.attribute import Attributor
from dedup.outlets import outlet_identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FALSE_FRIENDS = Path(__file__).parent.parent / "tests" / "false_friends.toml"

# Longer texts were read by the labellers in their first and last characters only.
READ_WHOLE, READ_FIRST, READ_LAST = 4500, 3300, 1200

# How the labels call sources, where that is not one of a source's own names.
LABELS = {
    "abc": "abcnews.go.com",
    "atlantic": "theatlantic.com",
    "cbs": "cbsnews.com",
    "fox": "foxnews.com",
    "guardian": "theguardian.com",
    "nbc": "nbcnews.com",
    "real clear politics": "realclearpolitics.com",
}

# What a reader of the five articles sees (outlets that name themselves are left out).
KOREA_CHINA = {
    "ap": ["002"],
    "kcna": ["001", "002", "003", "004"],
    "reuters": ["001", "004"],
    "thehill.com": ["001"],
    "xinhua": ["000", "002", "003"],
    "yonhap": ["003"],
}

Counts = dict[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    args = parser.parse_args()
    attributor = Attributor(load())
    articles = list(read_articles(args.data / "allsides.jsonl.zst"))
    result = {
        "sources": kinds(attributor),
        "korea_china": korea_china(attributor, args.data / "korea-china"),
        "labelled": labelled(attributor, articles, args.data / "allsides-credits.jsonl"),
        "false_friends": false_friends(attributor),
        "feeds": feeds(attributor, args.data / "formats.tar.zst"),
        "speed": speed(articles),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "credits.json").write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    (args.out / "credits.md").write_text(as_markdown(result))
    print(as_markdown(result))


def kinds(attributor: Attributor) -> Counts:
    out: Counts = defaultdict(int)
    for entry in attributor.agencies:
        out[entry.kind] += 1
    return dict(out)


def korea_china(attributor: Attributor, folder: Path) -> dict[str, Any]:
    """Credited or cited sources by article, the outlets' own names left out."""
    table: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("*.txt")):
        given, cited = attributor.evidence(ref=path.stem, text=path.read_text(encoding="utf-8"))
        own = {e.source for e in given if attributor.agencies.kind(e.source) == "outlet"}
        for source in {e.source for e in given + cited} - own:
            table[source].append(path.stem)
    return {"found": dict(sorted(table.items())), "exact": dict(table) == KOREA_CHINA}


def labelled(
    attributor: Attributor, articles: list[dict[str, Any]], labels: Path
) -> dict[str, Any]:
    """Precision and recall over (article, source) pairs, inside what the labellers read.

    Agencies are compared by id; of the other labels those that are a name of a listed outlet.
    An article's own outlet counts on neither side, an agency's own credits do.
    """
    known = attributor.agencies

    def source_of(label: str) -> str | None:
        names = known.by_name
        found = names.get(label) or names.get("the " + label)
        return LABELS.get(label) or (found[0] if found else None)

    wanted = {line["id"]: line for line in map(json.loads, labels.read_text().splitlines())}
    counts: dict[str, Counts] = defaultdict(lambda: {"right": 0, "false": 0, "missed": 0})
    by_agency: dict[str, Counts] = defaultdict(lambda: {"right": 0, "false": 0, "missed": 0})
    for article in articles:
        if article["id"] not in wanted:
            continue
        label, text = wanted[article["id"]], article["text"]
        if len(text) > READ_WHOLE:
            text = text[:READ_FIRST] + "\n\n" + text[-READ_LAST:]
        outlet = (outlet_identity(article["outlet"], article["url"]) or (None,))[0]
        own = known.own_sources(outlet)
        given, cited = attributor.evidence(
            ref=article["id"], text=text, byline=article["byline"], outlet_id=outlet
        )
        for what, found, names in (("credits", given, "credits"), ("mentions", cited, "mentions")):
            expected = {source_of(name) for name in label[names]} - {None}
            sources = {e.source for e in found}
            _count(counts[what], sources - own, expected - own)
            agencies = [
                {s for s in side if known.kind(s) != "outlet"} for side in (sources, expected)
            ]
            if what == "mentions":
                agencies = [side - own for side in agencies]
            _count(counts[f"{what} of agencies"], *agencies)
            if what == "credits":
                for agency in agencies[0] | agencies[1]:
                    _count(by_agency[agency], agencies[0] & {agency}, agencies[1] & {agency})
    return {
        "articles": len(wanted),
        "measures": {what: _measures(c) for what, c in counts.items()},
        "credits by agency": {agency: dict(c) for agency, c in sorted(by_agency.items())},
    }


def _count(counts: Counts, found: Iterable[Any], expected: Iterable[Any]) -> None:
    found, expected = set(found), set(expected)
    counts["right"] += len(found & expected)
    counts["false"] += len(found - expected)
    counts["missed"] += len(expected - found)


def _measures(counts: Counts) -> dict[str, float]:
    right = counts["right"]
    return {
        **counts,
        "precision": round(right / max(1, right + counts["false"]), 3),
        "recall": round(right / max(1, right + counts["missed"]), 3),
    }


def false_friends(attributor: Attributor) -> dict[str, Any]:
    """Sentences that name no source; any evidence in them is a mistake."""
    sentences = tomllib.loads(FALSE_FRIENDS.read_text(encoding="utf-8"))
    hits = [
        f"{language}: {text}"
        for language, texts in sentences.items()
        for text in texts
        if any(attributor.evidence(ref="", text=text))
    ]
    total = sum(map(len, sentences.values()))
    return {"languages": len(sentences), "sentences": total, "hits": hits}


def feeds(attributor: Attributor, archive: Path) -> dict[str, Any]:
    """Agencies' own files as text: of those whose text holds an agency's name, how many have it
    in a credit or a mention. Pictures' captions are counted apart: who took a picture did not
    write a text."""
    named: list[str] = []
    missed: list[str] = []
    captions: list[str] = []
    with zstandard.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as members:
        for member in members:
            name = Path(member.name).name
            if "agency-feeds/" not in member.name or not member.isfile() or name == "LICENSE":
                continue
            raw = members.extractfile(member)
            content = raw.read() if raw else b""
            if len(content) > 100_000:  # pictures and sound
                continue
            text = feed_text(content)
            finder = attributor.finder
            hits = finder.find(pa.array([text], pa.large_string()), everywhere=0)
            if not any(not finder.outlets[name] for _, _, _, name, _ in hits):
                continue
            given, cited = attributor.evidence(ref=name, text=text)
            agencies = {e.source for e in given + cited}
            if any(attributor.agencies.kind(source) != "outlet" for source in agencies):
                named.append(name)
            elif re.search(rb"icls:picture|<itemClass[^>]*picture|PICTURE", content):
                captions.append(name)
            else:
                missed.append(name)
    share = round(len(named) / max(1, len(named) + len(missed)), 3)
    return {"named": len(named), "missed": missed, "captions": captions, "share": share}


def feed_text(content: bytes) -> str:
    """What a reader of a feed's file would read: its markup and its headers taken away."""
    text = content.decode("utf-8", "replace")
    if re.match(r"(?:[\w-]+: .*\n)+", text) and "MIME-Version" in text:
        part = message_from_bytes(content, policy=policy.default).get_body(("plain", "html"))
        return part.get_content() if part else ""
    if text.lstrip().startswith("{"):
        return "\n".join(_strings(json.loads(text)))
    if text.lstrip("\ufeff \n").startswith("<"):
        text = re.sub(r"<!\[CDATA\[(.*?)\]\]>", r"\1", text, flags=re.DOTALL)
        body = re.search(
            r"<(?:body|inlineXML|contentSet|DataContent|content:encoded|nitf|description)\b.*",
            text,
            re.DOTALL | re.IGNORECASE,
        )
        text = body.group() if body else text
        blocks = "p|br|hl\\d|h\\d|div|byline|dateline|tagline|title|tr|li|body[\\w.]*"
        text = re.sub(rf"</?(?:\w+:)?(?:{blocks})\b[^>]*>", "\n", text, flags=re.IGNORECASE)
        text = html.unescape(re.sub(r"<[^>]+>", "", text))
    return re.sub(r"[ \t]+", " ", text)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str) and len(value) > 60:
        yield re.sub(r"<[^>]+>", "\n", value)


def speed(articles: list[dict[str, Any]]) -> dict[str, Any]:
    """Megabytes of text a second of one core: all articles at once, the best of five runs."""
    texts = pa.array([a["text"] for a in articles], pa.large_string())
    size = sum(len(a["text"].encode()) for a in articles)
    columns = {
        "refs": [a["id"] for a in articles],
        "titles": [a["title"] for a in articles],
        "bylines": [a["byline"] for a in articles],
        "urls": [a["url"] for a in articles],
        "outlet_ids": [(outlet_identity(a["outlet"], a["url"]) or (None,))[0] for a in articles],
        "metadata": [None] * len(articles),
    }
    attributor = Attributor(load())
    attributor.evidence(ref="", text="Reuters")  # compiles, or loads what was compiled
    seconds = []
    for _ in range(5):
        begun = time.process_time()
        attributor.evidence_of(texts, range(len(articles)), **columns)
        seconds.append(time.process_time() - begun)
    finding = []
    for _ in range(5):
        begun = time.process_time()
        for _ in attributor.finder.find(texts):
            pass
        finding.append(time.process_time() - begun)
    return {
        "articles": len(articles),
        "megabytes": round(size / 1e6, 1),
        "seconds": round(min(seconds), 2),
        "megabytes a second": round(size / 1e6 / min(seconds), 1),
        "of this without the interpreter lock, seconds": round(min(finding), 2),
    }


def read_articles(path: Path) -> Iterator[dict[str, Any]]:
    with zstandard.open(path) as stream:
        for line in io.BufferedReader(stream):
            yield orjson.loads(line)


def as_markdown(result: dict[str, Any]) -> str:
    listed = " / ".join(str(result["sources"][k]) for k in ("agency", "press-release", "outlet"))
    exact = "exact" if result["korea_china"]["exact"] else "not exact"
    rows = [
        ("agencies, press-release wires, outlets listed", listed),
        ("sources of the five Korea–China articles", exact),
    ]
    for what, m in result["labelled"]["measures"].items():
        value = f"precision {m['precision']:.3f}, recall {m['recall']:.3f}"
        detail = f"{m['right']} right, {m['false']} false, {m['missed']} missed"
        rows.append((f"labelled articles: {what}", f"{value} ({detail})"))
    for agency, c in result["labelled"]["credits by agency"].items():
        value = f"{c['right']} right, {c['false']} false, {c['missed']} missed"
        rows.append((f"labelled articles: credited to {agency}", value))
    friends = result["false_friends"]
    value = f"{len(friends['hits'])} of {friends['sentences']} in {friends['languages']} languages"
    rows.append(("false friends taken for a source", value))
    f = result["feeds"]
    value = f"{f['share']:.3f} ({f['named']} of {f['named'] + len(f['missed'])})"
    rows.append(("agency feeds: the agency named, from the text alone", value))
    rows.append(("… captions of pictures, which are no text of theirs", str(len(f["captions"]))))
    s = result["speed"]
    value = f"{s['megabytes a second']} MB/s ({s['megabytes']} MB in {s['seconds']} s)"
    rows.append(("speed on one core", value))
    lines = ["# Credits and mentions", "", "| what | measured |", "|---|---|"]
    lines += [f"| {what} | {value} |" for what, value in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
