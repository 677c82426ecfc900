"""Write the first inputs of the saved corpus, all invented: ``python fuzz/seeds.py``."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

CORPUS = Path(__file__).parent / "corpus"
RECORDS = [
    {"id": "a", "outlet": "x.example", "published": "2021-03-04", "text": 'Zwei, "mit"\nZeile é'},
    {"id": "b", "outlet": "y.example", "published": "4 March 2021", "text": "Other."},
]
TABLE = pa.Table.from_pylist(RECORDS)
PROSE = (
    "WEXMOUTH (Reuters) - “The harbour is closed,” she said on Monday. Mr. Smith, of the U.S., "
    "agreed: it's 5.3 km away... ‘Really?’ 海港关闭了。他说。 الميناء مغلق. Пожар!\n\n"
    "(AP) — The end."
)


def _sunk(write: object) -> bytes:
    sink = io.BytesIO()
    write(sink)  # type: ignore[operator]
    return sink.getvalue()


def _zip(sink: io.BytesIO) -> None:
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.jsonl"), '{"text": "x"}\n')
        archive.writestr(zipfile.ZipInfo("../b.txt"), "y")


def _tar(sink: io.BytesIO) -> None:
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, data in (("a.jsonl", b'{"text": "x"}\n'), ("d/" * 60 + "b.txt", b"y")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def _arrow(opened: object) -> bytes:
    def write(sink: io.BytesIO) -> None:
        with opened(sink, TABLE.schema) as out:  # type: ignore[operator]
            out.write_table(TABLE)

    return _sunk(write)


PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>T | X</title>
<script type="application/ld+json">{"@type": "NewsArticle",
"headline": "T", "author": {"name": "A"}, "datePublished": "2021-03-04T05:06:07Z",
"publisher": {"@id": "#x"}}</script></head><body><nav>N</nav>
<article><h1>T</h1><p>Fourteen ships were waiting for a pilot on Monday.</p><p>Zwei é</p></article>
</body></html>""".encode()
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE
WARC = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://x.example/a\r\n"
    b"WARC-Date: 2021-03-04T05:06:07Z\r\nContent-Type: application/http\r\n"
    b"Content-Length: %d\r\n\r\n%s\r\n\r\n" % (len(RESPONSE), RESPONSE)
)
ARC = (
    b"filedesc://a.arc 0.0.0.0 20210304050607 text/plain 2\nx\n\n"
    b"https://x.example/a 192.0.2.1 20210304050607 text/html %d\n%s\n" % (len(RESPONSE), RESPONSE)
)
WET = (
    b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://x.example/b\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nText.\r\n\r\n"
)
LINES = "".join(json.dumps(r) + "\n" for r in RECORDS).encode()
TABLES = {
    "commas": b'id,text\na,"x, ""y""\nz"\nb,c\n',
    "sep": b"sep=;\r\nid;text\r\na;b\r\n",
    "escapes": b'id,text\na,"x \\"y\\", z"\nb,\\N\n',
    "tabs": b'id\ttext\na\t"b" c\n',
    "old": b"id,text\ra,b\r",
    "mixed": b"id,text\na,b\rc,d\r\ne,f\n",
    "title": b'# a comment\nid,text\na,"b\nc,x","d\n',
}
ITEM = {
    "uri": "urn:x:1",
    "versioncreated": "2025-03-04T10:00:00Z",
    "headline": "Rain",
    "body_html": "<p>Rain &amp; hail.</p>",
}
FEED = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>X</title><item><guid>1</guid>'
    "<description>&lt;p&gt;Rain &eacute;&lt;/p&gt;</description></item></channel></rss>"
)
ENTRY = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>a</id><content type="xhtml">'
    '<div xmlns="http://www.w3.org/1999/xhtml"><p>Rain.</p></div></content></entry></feed>'
)
NITF = (
    "<!DOCTYPE nitf><nitf><head><docdata><doc-id id-string='1'/></docdata></head><body><body.head>"
    "<hedline><hl1>Rain</hl1></hedline></body.head><body.content><p>Rain.</p></body.content></body>"
    "</nitf>"
)
NEWSML = (
    "<NewsML><NewsItem><Identification><NewsIdentifier><NewsItemId>1</NewsItemId></NewsIdentifier>"
    "</Identification><NewsComponent><ContentItem><DataContent><p>Rain.</p></DataContent>"
    "</ContentItem></NewsComponent></NewsItem></NewsML>"
)
NEWSML_G2 = (
    '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="1" version="2"><contentMeta>'
    "<headline>Rain</headline></contentMeta><contentSet><inlineXML><html><body><p>Rain.</p></body>"
    "</html></inlineXML></contentSet></newsItem>"
)
SEEDS: dict[str, dict[str, bytes]] = {
    "read-jsonl-jsonl": {
        "lines": LINES,
        "odd": b'{"text": "a\\ud800"}\n\n[1]\n{"text": NaN}\n{"id": 1.5, "text": "\xe9"}\r\n',
        "utf16": LINES.decode().encode("utf-16"),
        "hit": b'{"_id": "1", "_source": {"body": "x"}}\n',
    },
    "read-json": {
        "array": json.dumps(RECORDS, indent=1).encode(),
        "concatenated": b'{"text": "a"}{"text": "b"} 12 null "x" ]',
        "broken": b'[{"id": 1, "text": [}, {"id": 2, "text": "b\n"}, {"id": 3, "text": "c"}]',
        "answer": json.dumps({"response": {"docs": RECORDS}}).encode(),
        "cut": json.dumps(
            {"n": [], "data": {"items": [{"attributes": r} for r in RECORDS]}}
        ).encode()[:-60],
        "empty": b'{"status": "ok", "articles": []}',
    },
    "read-csv-csv": TABLES,
    "read-unnamed": {"lines": LINES, "table": TABLES["commas"], "array": b'[{"text": "a"}]'},
    "read-parquet-parquet": {"table": _sunk(lambda sink: pq.write_table(TABLE, sink))},
    "read-arrow-arrow": {"file": _arrow(ipc.new_file), "stream": _arrow(ipc.new_stream)},
    "read-html-html": {"page": PAGE, "utf16": PAGE.decode().encode("utf-16"), "short": b"<p>a</p>"},
    "read-warc-warc": {
        "page": WARC,
        "text": WET + WARC,
        "packed": gzip.compress(WARC, mtime=0) * 2,
    },
    "read-arc-arc": {"page": ARC},
    "read-archive": {"zip": _sunk(_zip), "tar": _sunk(_tar)},
    "read-text-txt": {"prose": PROSE.encode(), "utf16": PROSE.encode("utf-16")},
    "read-markdown-md": {
        "front": b"---\ntitle: 'x'\ndate: 2021-03-04\n---\nText.\n",
        "plain": b"# T",
    },
    "read-json-ninjs": {"item": json.dumps(ITEM, indent=1).encode()},
    "read-xml-xml": {
        "records": b"<?xml version='1.0'?><a><b><id>1</id><text>Rain</text></b></a>",
        "wrapped": b"<?xml version='1.0'?><a><t>x</t><s><b id='1'><text>R</text></b>"
        b"<b id='2'><text>S</text></b></s><s><b id='3' date='2021-03-04' text='T'/></s></a>",
        "texts": b"<?xml version='1.0'?><articles><article>R</article><article n='1'>S</article>"
        b"</articles>",
        "newsml-g2": NEWSML_G2.encode(),
        "sitemap": b"<urlset><url><loc>https://x.example/</loc></url></urlset>",
    },
    "read-newsml-1-newsml": {"item": NEWSML.encode()},
    "read-nitf-nitf": {"item": NITF.encode()},
    "read-rss-rss": {"feed": FEED.encode(), "utf16": FEED.encode("utf-16")},
    "read-atom-atom": {"feed": ENTRY.encode()},
    "read-iptc-7901-iptc": {
        "message": b"\x01abc123 4 pl 60 XYZ 7\r\nRain/\r\n\x02By Ann=\r\nRain fell.\r\n\x03"
        b"041000 GMT Mar 25\r\n"
    },
    "read-anpa-1312-anpa": {
        "message": b"\x16\x16\x01a0123\x1ftab--\r\nu i BC-Rain 03-04 0060\r\n\x02^Rain<\r\n"
        b"\tRain fell.\r\n\x03\r\nAP-WF-03-04-25 1000GMT<\r\n"
    },
    "read-mail-eml": {
        "mail": b"From: a@x.example\nTo: b@x.example\nDate: Tue, 4 Mar 2025 10:00:00 +0000\n"
        b"Subject: =?utf-8?q?Rain?=\nMessage-ID: <1@x.example>\n\nRain fell.\n"
    },
    "read-packed": {"gzip": b"\x01" + LINES, "zstd": b"\x00" + LINES, "cut": b"\x55" + LINES},
    **{name: {"prose": PROSE.encode()} for name in ("segmenter", "kernels", "signatures")},
    "languages": {"prose": PROSE.encode() + b"\0" + PROSE.encode()[:80]},
}


def main() -> None:
    """Write the files; those of mended faults lie beside them and stay."""
    for target, seeds in SEEDS.items():
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        for name, data in seeds.items():
            (CORPUS / target / f"seed-{name}").write_bytes(data)


if __name__ == "__main__":
    main()
