"""Pages, WARC and ARC files, made by hand, for the tests of reading them."""

from __future__ import annotations

import gzip

SENTENCES = [
    "The harbour authority said on Monday that {n} freighters were waiting for a pilot.",
    "Ships have been waiting since Thursday, when a storm tore three mooring buoys from chains.",
    "A spokeswoman for the port said that the first of them would be let in before nightfall.",
]


def paragraphs(n: int) -> list[str]:
    return [sentence.format(n=n) for sentence in SENTENCES]


def page(n: int, *, head: str = "", body: str = "", before: str = "", after: str = "") -> bytes:
    """A page as sites build it: furniture around an article of three paragraphs."""
    text = "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs(n))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Ships wait {n} | Coast Daily</title>{head}</head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/sport">Sport</a></li></ul></nav>
{before}<main><article><h1>Ships wait {n}</h1>{text}{body}</article></main>{after}
<aside><h2>Most read</h2><p>Mayor opens the new swimming pool at the western end of the park.</p>
</aside><footer><p>Copyright Coast Daily. All rights reserved, no part may be used.</p></footer>
</body></html>""".encode()


def http(
    body: bytes, *, status: str = "200 OK", kind: str = "text/html; charset=utf-8", more: str = ""
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def record(kind: str, block: bytes, url: str = "", content: str = "", **more: str) -> bytes:
    """One WARC record."""
    content = content or ("application/http; msgtype=response" if kind == "response" else "")
    lines = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        "WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000000>",
        "WARC-Date: 2024-05-06T07:08:09Z",
        *([f"WARC-Target-URI: {url}"] if url else []),
        *([f"Content-Type: {content}"] if content else []),
        *(f"{name}: {value}" for name, value in more.items()),
        f"Content-Length: {len(block)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def address(n: int) -> str:
    return f"https://www.example.com/news/{n}"


def records(count: int) -> list[bytes]:
    """A ``warcinfo``, and for each page a request and a response."""
    made = [record("warcinfo", b"software: test\r\n", content="application/warc-fields")]
    for n in range(count):
        request = b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
        made.append(record("request", request, address(n)))
        made.append(record("response", http(page(n)), address(n)))
    return made


def packed(parts: list[bytes]) -> bytes:
    """As WARC files are compressed: each record a gzip member."""
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


def arc(count: int) -> bytes:
    """An ARC file of version 1."""
    about = b"1 0 Test\nURL IP-address Archive-date Content-type Archive-length\n"
    parts = [b"filedesc://test.arc 0.0.0.0 20040506070809 text/plain %d\n%s" % (len(about), about)]
    for n in range(count):
        block = http(page(n))
        line = f"{address(n)} 192.0.2.1 20040506070809 text/html {len(block)}\n"
        parts.append(line.encode() + block)
    return b"\n".join(parts) + b"\n"
