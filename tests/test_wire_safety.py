"""Hostile and broken wire formats: a message, never a crash, a leak or a lost record."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_wire_text import ANPA, IPTC_7901, MAIL, NINJS, NINJS_3
from test_wire_xml import NITF, RSS, g2, newsml_1, only, read

from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.read import read_articles
from dedup.read.charsets import decoded, known_charset
from dedup.read.markup import text_of_html
from dedup.read.wrapping import unwrapped, wrap_width
from dedup.read.xmlitems import prolog_of

LAUGHS = """<?xml version="1.0"?><!DOCTYPE rss [
<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">
]><rss><channel><item><guid>1</guid><description>&c;</description></item></channel></rss>"""


def item(text: str, number: int = 1) -> str:
    return f"<item><guid>{number}</guid><description>{text}</description></item>"


def feed(*items: str) -> str:
    return f"<rss><channel>{''.join(items)}</channel></rss>"


# --- XML ----------------------------------------------------------------------------------------


def test_an_entity_bomb_is_refused(tmp_path):
    rows, ledger = read(tmp_path / "a.xml", LAUGHS)
    assert rows == []
    assert "declares a DTD of its own" in ledger.rejects[0].reason
    assert ledger.files[0].incomplete is not None


def test_an_external_entity_is_never_fetched(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("do not read", encoding="utf-8")
    doctype = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    rows, ledger = read(tmp_path / "a.xml", doctype + feed(item("&x;")))
    assert rows == []
    assert "declares a DTD of its own" in ledger.rejects[0].reason


def test_an_external_dtd_is_never_read(tmp_path):
    dtd = tmp_path / "evil.dtd"
    dtd.write_text('<!ENTITY x "from the DTD">', encoding="utf-8")
    doctype = f'<!DOCTYPE rss SYSTEM "{dtd.as_uri()}">'
    content = doctype + feed(item("Rain&nbsp;&amp; hail"))
    assert only(tmp_path, content)["text"] == "Rain & hail"
    rows, _ = read(tmp_path / "b.xml", doctype + feed(item("Rain &x; hail")))
    assert all("from the DTD" not in row["text"] for row in rows)


def test_xml_nested_too_deeply_is_rejected(tmp_path):
    rows, ledger = read(tmp_path / "a.xml", feed(item("<b>" * 100_000)))
    assert rows == []
    assert "not well-formed XML" in ledger.rejects[0].reason


def test_what_stands_before_a_fault_is_kept(tmp_path):
    rows, ledger = read(tmp_path / "a.xml", feed(item("Rain"), "\n", item("<b>Hail</i>", 2)))
    assert [row["text"] for row in rows] == ["Rain"]
    (reject,) = ledger.rejects
    assert reject.position == "line 2"
    assert reject.reason.startswith("not well-formed XML: ")
    assert "not well-formed XML" in (ledger.files[0].incomplete or "")


def test_a_file_that_ends_early_is_used_as_far_as_it_goes(tmp_path):
    whole = feed(*(item(f"Rain {i} " * 50, i) for i in range(3000))).encode()
    packed = gzip.compress(whole)
    rows, ledger = read(tmp_path / "a.xml.gz", packed[: len(packed) * 2 // 3])
    assert 500 < len(rows) < 3000
    assert ledger.rejects[-1].reason == "the record is cut off, the file ends early"
    assert "cut off" in (ledger.files[0].incomplete or "")


def test_an_item_that_is_too_large(tmp_path):
    large = "x " * 3_000_000
    rows, ledger = read(
        tmp_path / "a.xml", feed(item("Rain"), item(large, 2)), max_record_bytes=1_000_000
    )
    assert [row["text"] for row in rows] == ["Rain"]
    assert "max_record_bytes (1000000)" in ledger.rejects[0].reason


def test_a_feed_of_many_items_is_read_piece_by_piece(tmp_path):
    numbers = range(20_000)
    rows, _ = read(
        tmp_path / "a.xml",
        feed(*(item(f"Rain &amp; hail, part {i}", i) for i in numbers)),
        max_record_bytes=200_000,
    )
    assert [row["text"] for row in rows] == [f"Rain & hail, part {i}" for i in numbers]


@pytest.mark.parametrize(
    ("declared", "stored", "issues"),
    [
        ("iso-8859-1", "iso-8859-1", []),
        ("windows-1252", "cp1252", []),
        ("utf-8", "utf-8", []),
        ("utf8", "utf-8", []),
        ("iso-8859-1", "utf-8", ["charset-assumed"]),
        ("x-unknown", "cp1252", ["charset-assumed"]),
        ("utf-16", "utf-16", []),
        ("koi8-r", "utf-8", []),
    ],
)
def test_charsets_are_those_of_the_bytes(tmp_path, declared, stored, issues):
    text = "Zürich: Straße" if declared != "koi8-r" else "Zurich"
    content = f'<?xml version="1.0" encoding="{declared}"?>{feed(item(text))}'
    row = only(tmp_path, content.encode(stored))
    assert row["text"] == text
    assert row["issues"] == [*issues, "summary-only"] or set(row["issues"]) == {
        *issues,
        "summary-only",
    }


@pytest.mark.parametrize(
    ("stored", "encoding"), [("utf-16-le", None), ("utf-32", None), ("koi8-r", "koi8-r")]
)
def test_what_was_transcoded_is_not_what_it_declares(tmp_path, stored, encoding):
    long = "rain " * 5000 + "дождь"
    content = f'<?xml version="1.0" encoding="iso-8859-1"?>{feed(item(long))}'
    row = only(tmp_path, content.encode(stored), encoding=encoding)
    assert row["text"] == long
    assert row["issues"] == ["summary-only"]


def test_invalid_utf8_marks_the_item_in_which_it_stands(tmp_path):
    content = feed(item("Rain"), item("Ha@l", 2)).encode().replace(b"@", b"\xff")
    content = '<?xml version="1.0" encoding="utf-8"?><!-- é -->'.encode() + content
    rows, _ = read(tmp_path / "a.xml", content)
    assert [row["text"] for row in rows] == ["Rain", "Ha\ufffdl"]
    assert ["invalid-utf8" in row["issues"] for row in rows] == [False, True]
    rows, ledger = read(tmp_path / "a.xml", content, reject_invalid_utf8=True)
    assert [row["text"] for row in rows] == ["Rain"]
    assert ledger.rejects[0].reason == "invalid UTF-8"


def test_control_characters_do_not_stop_a_feed(tmp_path):
    rows, _ = read(tmp_path / "a.xml", feed(item("Rain"), item("Ha\x0bl\x01", 2)))
    assert [row["text"] for row in rows] == ["Rain", "Ha\ufffdl\ufffd"]
    assert "illegal-characters" in rows[1]["issues"]


def test_a_prolog_is_read_by_its_words():
    text = (
        '\ufeff<?xml version="1.0"?><!-- <a> --> <!DOCTYPE b [ <!ENTITY c "]"> ]><p:r xmlns:p="u"/>'
    )
    assert prolog_of('<!-- [ --><!DOCTYPE r SYSTEM "x"><r a="[">') == ("r", "", False)
    assert (prolog_of(text) or ("", "", False))[2]
    assert prolog_of("just text") is None


# --- markup -------------------------------------------------------------------------------------


def test_scripts_and_page_heads_are_no_text():
    html = "<head><title>no</title></head><script>no()</script><header>no</header><p>yes</p>"
    assert text_of_html(html) == "yes"


def test_html_nested_too_deeply_keeps_its_text():
    assert text_of_html("<b>" * 1000 + "Rain &amp; hail<p>Sun") == "Rain & hail\nSun"


@given(st.text())
@example("<![CDATA[<p>]]>&#0;&#xD800;&amp;")
def test_any_string_has_a_text(html):
    text = text_of_html(html)
    text.encode()
    assert text == text.strip()
    assert "\n\n" not in text


@given(st.text(alphabet="ab .", max_size=400))
def test_wrapping_loses_nothing(text):
    lines = text.split(".")
    for width in (0, wrap_width(lines), 10):
        joined = unwrapped(lines, width)
        assert " ".join(" ".join(joined).split()) == " ".join(" ".join(lines).split())


@given(st.binary(max_size=200), st.none() | st.text(max_size=12))
@example(b"abc", "hex")
@example(b"\xff\xfe", "utf-16")
def test_any_bytes_have_a_text(data, declared):
    text, issues = decoded(data, declared)
    assert isinstance(text, str)
    if not issues and known_charset(declared or "utf-8") == "utf-8":
        assert text.encode() == data


# --- any bytes as any format --------------------------------------------------------------------

SAMPLES = [
    *(g2(), NITF, newsml_1(), RSS.format(wordpress=""), LAUGHS, IPTC_7901, ANPA, MAIL),
    f"From a@b.example Tue Mar  4 10:00:00 2025\n{MAIL}",
    json.dumps(NINJS, indent=1),
    json.dumps([NINJS, NINJS_3]),
    "<feed><entry><id>a</id><title>Rain</title><content>Rain fell.</content></entry></feed>",
    "<urlset><url><loc>https://valley.example/</loc></url></urlset>",
    "<?xml version='1.0'?><a><id>1</id><text>Rain</text></a>",
]
NAMES = ["a.xml", "a.txt", "a.json", "a.eml", "a.mbox", "a.anpa", "a.iptc", "a.ninjs", "a.rss"]


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """One of the samples with some bytes cut, doubled or replaced."""
    data = draw(st.sampled_from(SAMPLES)).encode("utf-8")
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 30)))
        put = draw(
            st.sampled_from([b"", b"\x00", b"<", b"&", b"]]>", b"\xff", b'"', b"\x01", b"{"])
        )
        data = draw(st.sampled_from([data[:at] + put + data[end:], data[:end], data + data[at:]]))
    return data


@settings(max_examples=300)
@given(broken() | st.binary(max_size=300), st.sampled_from(NAMES))
def test_any_bytes_end_in_articles_or_rejects(tmp_path_factory, data, name):
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(data)
    ledger = Ledger()
    rows = 0
    for batch in read_articles([str(path.parent / name)], ReadSettings(), ledger):
        batch.validate(full=True)
        rows += batch.num_rows
    assert rows == ledger.articles + ledger.repeats
    assert ledger.read == rows + ledger.rejected
    assert len(ledger.rejects) == ledger.rejected


def test_utf_7_is_never_decoded(tmp_path):
    """In it "+ADw-" stands for "<"; the standards of HTML and XML leave it to mail (RFC 2152)."""
    item = "<item><guid>1</guid><description>+ADw-b+AD4-Rain+ADw-/b+AD4-</description></item>"
    feed = f'<?xml version="1.0" encoding="UTF-7"?><rss><channel>{item}</channel></rss>'
    rows, _ = read(tmp_path / "a.rss", feed)
    assert "+ADw-" in rows[0]["text"]
    assert "charset-assumed" in rows[0]["issues"]
