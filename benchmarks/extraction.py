"""What is taken from web pages, against the expected extraction of a corpus; and pages a second.

    python benchmarks/extraction.py [--corpora DIR] [--copies 10] [--peers]

Reads ``formats.tar.zst`` (folder ``html``: gzipped article pages with the expected extraction as
JSON, from the tests of fundus). Writes ``benchmarks/results/extraction.{json,md}``. ``--peers``
measures trafilatura, too, where it is installed.

Measures, each a mean over pages:

- text: F1 of tokens as multisets, between the text found and the expected summary, headings and
  paragraphs. A token is a run of letters and digits in lower case; characters of Chinese, Japanese
  and Korean are tokens by themselves. *With title*: the title stands before the text on both sides;
- title: equal after everything but letters and digits is removed, in lower case;
- date: the same minute (a time without zone counts as UTC on both sides); the same day within 24 h;
- author: the same set of names, compared as titles are.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import re
import resource
import sys
import tarfile
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import machine
import numpy as np
import zstandard
from processes import ROOT

from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.pages.extraction import Page, extract
from dedup.pages.pool import default_workers
from dedup.read import read_articles
from dedup.read.dates import DateReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGES = ("dedup", "resiliparse", "selectolax", "fastwarc", "trafilatura")
_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
_BETWEEN_NAMES = re.compile(r"\s*,\s*|\s+and\s+|\s+und\s+")


@dataclass(frozen=True)
class Example:
    """A page of the corpus, and what is expected of it."""

    name: str
    country: str
    data: bytes
    url: str
    text: str
    title: str
    date: str | None
    authors: frozenset[str]


def examples(corpora: Path) -> list[Example]:
    """All pages: those of a site in the order of their dates belong to its parsers in theirs."""
    packed = (corpora / "formats.tar.zst").read_bytes()
    plain = zstandard.ZstdDecompressor().stream_reader(packed).read()
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        for member in archive:
            opened = archive.extractfile(member) if member.isfile() else None
            if opened is not None:
                files[member.name.removeprefix("./")] = opened.read()
    return list(_examples(files))


def _examples(files: dict[str, bytes]) -> Iterator[Example]:
    pages: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(files):
        if found := re.fullmatch(r"(html/\w+/.+)_\d{4}_\d\d_\d\d\.html\.gz", name):
            pages[found[1]].append(name)
    for site, names in pages.items():
        expected = json.loads(files[f"{site}.json"])
        country = site.split("/")[1]
        about = json.loads(files[f"html/{country}/meta.info"])
        versions = sorted(expected, key=lambda v: [int(n) for n in re.findall(r"\d+", v)])
        for name, version in zip(names, versions, strict=True):
            wanted = expected[version]
            body = wanted["body"]
            parts = [*body["summary"]]
            for section in body["sections"]:
                parts += section["headline"] + section["paragraphs"]
            yield Example(
                name=name,
                country=country,
                data=gzip.decompress(files[name]),
                url=about[name.rsplit("/", 1)[1]]["url"],
                text="\n".join(parts),
                title=wanted["title"],
                date=wanted["publishing_date"],
                authors=frozenset(map(folded, wanted.get("authors") or ())),
            )


def folded(text: str) -> str:
    """Letters and digits in lower case."""
    return "".join(c for c in text.casefold() if c.isalnum())


def f1(found: str, expected: str) -> tuple[float, float, float]:
    """F1, precision and recall of tokens as multisets."""
    a, b = Counter(_TOKEN.findall(found.lower())), Counter(_TOKEN.findall(expected.lower()))
    common = (a & b).total()
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / a.total(), common / b.total()
    return 2 * precision * recall / (precision + recall), precision, recall


def agreement(pages: list[Example]) -> dict[str, Any]:
    """How far what is found agrees with what is expected."""
    date = DateReader(datetime.now(UTC))
    rows = []
    for page in pages:
        found = extract(Page(page.data)).values
        stated, expected = date(found.get("published")).micros, date(page.date).micros
        apart = abs(stated - expected) if stated is not None and expected is not None else None
        names = _BETWEEN_NAMES.split(found.get("byline", ""))
        rows.append(
            {
                "page": page.name,
                "country": page.country,
                "text": f1(found.get("text", ""), page.text),
                "with_title": f1(
                    f"{found.get('title', '')}\n{found.get('text', '')}",
                    f"{page.title}\n{page.text}",
                )[0],
                "title": folded(found.get("title", "")) == folded(page.title),
                "minute": apart is not None and apart < 60e6,
                "day": apart is not None and apart < 86_400e6,
                "author": {folded(name) for name in names if name} == page.authors,
                "outlet": bool(found.get("outlet")),
            }
        )
    scores = np.array([row["text"][0] for row in rows])
    resampled = np.random.default_rng(1).choice(scores, (10_000, len(scores))).mean(axis=1)
    by_country: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        by_country[row["country"]].append(row["text"][0])
    return {
        "pages": len(rows),
        "text_f1": fmean(scores),
        "text_f1_95": np.quantile(resampled, [0.025, 0.975]).tolist(),
        "text_f1_median": float(np.median(scores)),
        "text_precision": fmean(row["text"][1] for row in rows),
        "text_recall": fmean(row["text"][2] for row in rows),
        "text_f1_with_title": fmean(row["with_title"] for row in rows),
        "below_one_half": sorted(row["page"] for row in rows if row["text"][0] < 0.5),
        **{name: fmean(row[name] for row in rows) for name in ("title", "minute", "day")},
        **{name: fmean(row[name] for row in rows) for name in ("author", "outlet")},
        "text_f1_by_country": {c: [len(s), fmean(s)] for c, s in sorted(by_country.items())},
    }


def extractors(peers: bool) -> dict[str, Callable[[Example], str]]:
    """Ways to find the text, by name."""
    from resiliparse.extract.html2text import extract_plain_text
    from selectolax.lexbor import LexborHTMLParser

    from dedup.pages.linked_data import LinkedData

    def main_content(page: Example) -> str:
        text = page.data.decode("utf-8", "replace")
        return str(extract_plain_text(text, main_content=True, alt_texts=False))

    def linked(page: Example) -> str:
        nodes = LexborHTMLParser(page.data).css('script[type*="ld+json" i]')
        return LinkedData(node.text() for node in nodes).body()

    ways: dict[str, Callable[[Example], str]] = {
        "dedup (text and metadata)": lambda page: extract(Page(page.data)).values.get("text", ""),
        "resiliparse, main content": main_content,
        "articleBody of JSON-LD": linked,
    }
    if peers:
        import trafilatura

        ways["trafilatura"] = lambda page: trafilatura.extract(page.data) or ""
        ways["trafilatura, fast"] = lambda page: trafilatura.extract(page.data, fast=True) or ""
    return ways


def compared(pages: list[Example], peers: bool) -> dict[str, dict[str, float]]:
    """F1 and processor time of each way, in one process."""
    rows = {}
    for name, way in extractors(peers).items():
        way(pages[0])  # loads what is loaded once
        before = time.process_time()
        texts = [way(page) for page in pages]
        seconds = time.process_time() - before
        scores = [f1(text, page.text) for text, page in zip(texts, pages, strict=True)]
        rows[name] = {
            "f1": fmean(s[0] for s in scores),
            "precision": fmean(s[1] for s in scores),
            "recall": fmean(s[2] for s in scores),
            "milliseconds": 1000 * seconds / len(pages),
        }
    return rows


def warc(pages: list[Example], copies: int) -> bytes:
    """A WARC file of all pages, each record a gzip member."""
    parts = []
    for copy in range(copies):
        for page in pages:
            head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
            block = f"{head}Content-Length: {len(page.data)}\r\n\r\n".encode() + page.data
            lines = (
                "WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2024-05-06T07:08:09Z\r\n"
                f"WARC-Target-URI: {page.url}#{copy}\r\n"
                "Content-Type: application/http; msgtype=response\r\n"
                f"Content-Length: {len(block)}\r\n\r\n"
            )
            parts.append(gzip.compress(lines.encode() + block + b"\r\n\r\n", 6))
    return b"".join(parts)


def speed(pages: list[Example], copies: int) -> dict[str, float]:
    """Pages a second from a WARC file to articles, workers started anew."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pages.warc.gz"
        path.write_bytes(warc(pages, copies))
        ledger = Ledger()
        cpu, wall = _cpu(), time.perf_counter()
        for _ in read_articles([str(path)], ReadSettings(), ledger):
            pass
        wall, cpu = time.perf_counter() - wall, _cpu() - cpu
        return {
            "pages": ledger.read,
            "articles": ledger.articles,
            "stored_mb": path.stat().st_size / 1e6,
            "html_mb": sum(len(page.data) for page in pages) * copies / 1e6,
            "workers": default_workers(),
            "seconds": wall,
            "cpu_seconds": cpu,
            "pages_a_second": ledger.read / wall,
            "pages_a_cpu_second": ledger.read / cpu,
        }


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def markdown(about: dict[str, Any], result: dict[str, Any]) -> str:
    """The results as text."""
    found, fast = result["agreement"], result["speed"]
    low, high = found["text_f1_95"]
    lines = [
        "# Web pages",
        "",
        (
            f"{machine.headline(about)} Load of the machine when it began: {about['load']}. "
            f"{found['pages']} article pages of 13 countries, the "
            "expected extraction from the tests of fundus. Measures as in "
            "`benchmarks/extraction.py`. The few thresholds of the method were chosen on these "
            "pages."
        ),
        "",
        "| measure | value |",
        "|---|---|",
        f"| text, token F1 (95 % interval) | {found['text_f1']:.3f} ({low:.3f}-{high:.3f}) |",
        (
            f"| text, precision / recall | {found['text_precision']:.3f} / "
            f"{found['text_recall']:.3f} |"
        ),
        f"| text, median F1 | {found['text_f1_median']:.3f} |",
        f"| title and text, token F1 | {found['text_f1_with_title']:.3f} |",
        f"| title equal | {found['title']:.3f} |",
        f"| date, same minute / same day | {found['minute']:.3f} / {found['day']:.3f} |",
        f"| authors equal | {found['author']:.3f} |",
        f"| outlet named | {found['outlet']:.3f} |",
        f"| pages with a text F1 below 0.5 | {len(found['below_one_half'])} |",
        f"| pages a second from WARC, {fast['workers']} workers | {fast['pages_a_second']:.0f} |",
        f"| pages a second of processor time | {fast['pages_a_cpu_second']:.0f} |",
        "",
        f"The WARC file held {fast['pages']:.0f} pages, {fast['html_mb']:.0f} MB of HTML.",
        "",
        "| text found by | F1 | precision | recall | processor ms a page |",
        "|---|---|---|---|---|",
    ]
    for name, row in result["compared"].items():
        lines.append(
            f"| {name} | {row['f1']:.3f} | {row['precision']:.3f} | {row['recall']:.3f} | "
            f"{row['milliseconds']:.1f} |"
        )
    lines += ["", "| country | pages | text F1 |", "|---|---|---|"]
    for country, (count, score) in found["text_f1_by_country"].items():
        lines.append(f"| {country} | {count} | {score:.3f} |")
    return "\n".join(lines) + "\n"


def rounded(value: Any) -> Any:
    """The same, floats with four places."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("DEDUP_CORPORA") or ROOT.parent / "shared" / "data"
    parser.add_argument("--corpora", type=Path, default=Path(default))
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    args = parser.parse_args()
    if not (args.corpora / "formats.tar.zst").is_file():
        sys.exit(f"no formats.tar.zst in {args.corpora}; name its folder with --corpora")
    pages = examples(args.corpora)
    about = machine.circumstances(("dedup", "benchmarks/extraction.py"), PACKAGES)
    about["load"] = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    result = rounded(
        {
            "agreement": agreement(pages),
            "compared": compared(pages, args.peers),
            "speed": speed(pages, args.copies),
        }
    )
    text = markdown(about, result)
    args.out.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"about": about, **result}, indent=1, ensure_ascii=False)
    (args.out / "extraction.json").write_text(content + "\n", "utf-8")
    (args.out / "extraction.md").write_text(text, "utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
