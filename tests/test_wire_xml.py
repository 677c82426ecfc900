"""News in XML, read as a user meets it: one invented item of each vocabulary."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.read import read_articles, xmlfields, xmlitems, xmlrecords

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(path: Path, content: str | bytes, **settings: Any) -> tuple[list[dict[str, Any]], Ledger]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    ledger = Ledger()
    batches = read_articles([str(path)], ReadSettings(**settings), ledger, now=NOW)
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert ledger.read == ledger.articles + ledger.repeats + ledger.rejected
    assert len(rows) == ledger.articles + ledger.repeats
    return rows, ledger


def only(tmp_path: Path, content: str | bytes, **settings: Any) -> dict[str, Any]:
    (row,), _ = read(tmp_path / "item", content, **settings)
    return row


G2 = """<?xml version="1.0" encoding="UTF-8"?>
<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/">
 <header><sent>2025-03-04T10:00:00Z</sent></header>
 <itemSet>
  <newsItem guid="urn:newsml:valley.example:1" version="{version}" xml:lang="en">
   <rightsInfo><copyrightHolder literal="Valley Wire"/></rightsInfo>
   <itemMeta>
    <itemClass qcode="{itemclass}"/>
    <provider qcode="nprov:VW"><name>Valley Wire Ltd</name></provider>
    <versionCreated>2025-03-04T10:00:00+01:00</versionCreated>
    <firstCreated>2025-03-04T08:00:00+01:00</firstCreated>
    {embargoed}
    <pubStatus qcode="stat:{status}"/>
   </itemMeta>
   <contentMeta>
    <headline role="hld:subHeadline">Ducks pleased</headline>
    <headline>Rain floods square</headline>
    <by>By Ann Reed</by><creditline>Valley Wire</creditline>
   </contentMeta>
   <contentSet>{content}</contentSet>
  </newsItem>
 </itemSet>
</newsMessage>"""
XHTML = """<inlineXML contenttype="application/xhtml+xml">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>no</title></head><body>
<header><h1>Rain floods square</h1></header>
<p>RIVERTON (VW) - Rain <b>flooded</b> the square&#160;on Tuesday.</p>
<p>&quot;Ducks are pleased,&quot; the mayor said.</p></body></html></inlineXML>"""
TEXT = 'RIVERTON (VW) - Rain flooded the square on Tuesday.\n"Ducks are pleased," the mayor said.'


def g2(**parts: str) -> str:
    usual = {
        "version": "3",
        "itemclass": "ninat:text",
        "status": "usable",
        "embargoed": "",
        "content": XHTML,
    }
    return G2.format(**(usual | parts))


def test_newsml_g2(tmp_path):
    row = only(tmp_path, g2())
    assert row["text"] == TEXT
    assert (row["id"], row["version"]) == ("urn:newsml:valley.example:1", 3)
    assert (row["title"], row["byline"]) == ("Rain floods square", "By Ann Reed")
    assert (row["outlet"], row["language"]) == ("VW", "en")
    assert row["published"] == datetime(2025, 3, 4, 9, tzinfo=UTC)  # of this version
    assert json.loads(row["metadata"]) == {
        "copyrightHolder": "Valley Wire",
        "creditLine": "Valley Wire",
        "provider": "Valley Wire Ltd, VW",
    }


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"itemclass": "ninat:picture"}, "not a text but of class 'picture'"),
        ({"content": '<remoteContent href="a.xml"/>'}, "its content is in other files"),
        ({"content": '<inlineData encoding="base64">QQ==</inlineData>'}, "its text is encoded"),
        ({"content": ""}, "the item holds no text"),
    ],
)
def test_newsml_g2_items_that_are_no_text(tmp_path, parts, reason):
    rows, ledger = read(tmp_path / "a.xml", g2(**parts))
    assert rows == []
    assert reason in ledger.rejects[0].reason
    assert ledger.rejects[0].position == "line 5"


def test_newsml_g2_package_and_item_alone(tmp_path):
    item = g2().split("<itemSet>")[1].split("</itemSet>")[0]
    alone = item.replace("<newsItem", '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/"', 1)
    assert only(tmp_path, alone.strip())["text"] == TEXT
    package = '<packageItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="p"/>'
    rows, ledger = read(tmp_path / "package", package)
    assert rows == []
    assert ledger.rejects[0].reason == "a package: it lists other items"


def test_wrapped_text_of_one_paragraph_has_its_paragraphs_again(tmp_path):
    typed = """<inlineXML contenttype="application/xhtml+xml"><html><body><p>(Adds detail)
    * Rain over the square

    RIVERTON (VW) - Rain flooded the
square on Tuesday.
    Ducks were pleased.</p></body></html></inlineXML>"""
    assert only(tmp_path, g2(content=typed))["text"].split("\n") == [
        "(Adds detail)",
        "* Rain over the square",
        "RIVERTON (VW) - Rain flooded the square on Tuesday.",
        "Ducks were pleased.",
    ]


def test_indents_of_the_document_are_no_paragraphs(tmp_path):
    laid_out = """<inlineXML contenttype="application/xhtml+xml"><html><body>
        <p>Rain flooded the
            square on
            Tuesday.</p></body></html></inlineXML>"""
    assert only(tmp_path, g2(content=laid_out))["text"] == "Rain flooded the square on Tuesday."


def test_html_as_character_data(tmp_path):
    data = "<inlineData><![CDATA[<p>Rain &amp; hail.</p><p>Sun.</p>]]></inlineData>"
    assert only(tmp_path, g2(content=data))["text"] == "Rain & hail.\nSun."


NITF = """<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE nitf SYSTEM "nitf-3-2.dtd">
<nitf><head><title>Rain</title>
<docdata management-status="usable"><doc-id id-string="vw-1"/>
<date.issue norm="20250304T100000+0100"/><date.release norm="YYYYMMDD000000"/>
<doc.copyright holder="Valley Wire" year="2025"/>
<del-list><from-src src-name="VW"/></del-list></docdata></head>
<body><body.head><hedline><hl1>Rain floods <em>square</em></hl1><hl2>Ducks</hl2></hedline>
<byline>By <person>Ann Reed</person><byttl>Valley Wire</byttl></byline>
<distributor>Valley Wire</distributor></body.head>
<body.content><block><p>Rain fell&nbsp;hard in Zürich.</p>
<media media-type="image"><media-reference source="a.jpg"/>
<media-caption>The square.</media-caption><media-producer>Otter</media-producer></media>
<table><tr><th>City</th><th>mm</th></tr><tr><td>Riverton</td><td>40</td></tr></table>
</block></body.content>
<body.end><tagline>With help from Bo.</tagline></body.end></body></nitf>"""


def test_nitf(tmp_path):
    row = only(tmp_path, NITF)
    assert row["text"].split("\n") == [
        "Rain fell hard in Zürich.",
        "The square.",
        "City\tmm",
        "Riverton\t40",
        "With help from Bo.",
    ]
    assert (row["id"], row["title"]) == ("vw-1", "Rain floods square")
    assert row["byline"] == "By Ann Reed, Valley Wire"
    assert row["published"] == datetime(2025, 3, 4, 9, tzinfo=UTC)
    assert row["outlet"] == "Valley Wire"
    assert row["issues"] == ["charset-assumed"]  # declared as Latin-1, but UTF-8
    assert json.loads(row["metadata"]) == {
        "copyrightHolder": "Valley Wire",
        "distributor": "Valley Wire",
        "source": "VW",
    }


def test_columns_asked_for_have_no_effect_and_that_is_said(tmp_path):
    rows, ledger = read(tmp_path / "a.xml", NITF, fields=(("title", "head"),))
    assert rows[0]["title"] == "Rain floods square"
    assert ledger.files[0].notes == ["is nitf, whose fields are known: --field has no effect"]


@pytest.mark.parametrize(
    ("gone", "outlet"),
    [
        (["<distributor>Valley Wire</distributor>"], "VW"),
        (["<distributor>Valley Wire</distributor>", '<from-src src-name="VW"/>'], "Valley Wire"),
    ],
)
def test_nitf_without_a_distributor(tmp_path, gone, outlet):
    content = NITF
    for part in gone:
        assert part in content
        content = content.replace(part, "")
    assert only(tmp_path, content)["outlet"] == outlet


def test_nitf_known_by_its_versions(tmp_path):
    keyed = NITF.replace(
        '<doc-id id-string="vw-1"/>', '<doc-id id-string="vw-1b"/><du-key key="rain" version="2"/>'
    )
    row = only(tmp_path, keyed)
    assert (row["id"], row["version"]) == ("rain", 2)


def test_lines_broken_at_the_width_of_a_wire_are_joined(tmp_path):
    lines = [
        "Rain flooded the market square of Riverton on Tuesday, said the",
        "mayor, who had been told of it by a duck that was passing by the",
        "town hall. She did not mind.",
    ]
    broken = NITF.replace("Rain fell&nbsp;hard in Zürich.", "   " + " <br />".join(lines))
    assert only(tmp_path, broken)["text"].split("\n")[0] == " ".join(lines)


NEWSML_1 = """<?xml version="1.0"?><NewsML><NewsItem>
<Identification><NewsIdentifier><ProviderId>valley.example</ProviderId><DateId>20250304</DateId>
<NewsItemId>rain</NewsItemId><RevisionId PreviousRevision="1" Update="N">2</RevisionId>
<PublicIdentifier>urn:newsml:valley.example:20250304:rain:2N</PublicIdentifier>
</NewsIdentifier></Identification>
<NewsManagement><FirstCreated>20250304T090000Z</FirstCreated>
<ThisRevisionCreated>20250304T100000Z</ThisRevisionCreated>
<Status FormalName="{status}"/>{change}</NewsManagement>
<NewsComponent><NewsLines><HeadLine>Rain floods square</HeadLine><ByLine>Ann Reed</ByLine>
<CopyrightLine>(c) Valley Wire</CopyrightLine></NewsLines>
<AdministrativeMetadata><Provider><Party FormalName="VW"/></Provider></AdministrativeMetadata>
<DescriptiveMetadata><Language FormalName="en"/></DescriptiveMetadata>
<NewsComponent EquivalentsList="yes">
<NewsComponent><ContentItem><MediaType FormalName="{media}"/><DataContent><p>Rain fell.</p>
<p>More came.</p></DataContent></ContentItem></NewsComponent>
<NewsComponent><ContentItem><MediaType FormalName="{media}"/>
<DataContent>Rain fell. More came.</DataContent></ContentItem></NewsComponent>
</NewsComponent></NewsComponent></NewsItem></NewsML>"""


def newsml_1(**parts: str) -> str:
    return NEWSML_1.format(**({"status": "Usable", "change": "", "media": "Text"} | parts))


def test_newsml_1(tmp_path):
    row = only(tmp_path, newsml_1())
    assert row["text"] == "Rain fell.\nMore came."  # one of two renditions
    assert (row["id"], row["version"]) == ("urn:newsml:valley.example:20250304:rain", 2)
    assert (row["title"], row["byline"], row["language"]) == (
        "Rain floods square",
        "Ann Reed",
        "en",
    )
    assert row["outlet"] == "VW"
    assert row["published"] == datetime(2025, 3, 4, 10, tzinfo=UTC)
    assert json.loads(row["metadata"])["copyright"] == "(c) Valley Wire"


def test_newsml_1_without_text(tmp_path):
    rows, ledger = read(tmp_path / "a", newsml_1(media="Photo"))
    assert rows == []
    assert "not a text but Photo" in ledger.rejects[0].reason


RSS = """<?xml version="1.0"?><rss version="2.0"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:wp="http://wordpress.org/export/1.2/"><channel>
<title>Valley News</title><link>https://valley.example/</link><language>en</language>
<item><title>Rain &amp; hail</title><media:title>no</media:title>
<link>https://valley.example/rain</link><guid isPermaLink="false">7</guid>
<pubDate>Tue, 04 Mar 2025 10:00:00 +0100</pubDate><dc:creator>Ann Reed</dc:creator>
<source url="https://wire.example/">Valley Wire</source>
<description>Short.</description>
<content:encoded><![CDATA[Rain <i>fell</i>.

[caption]It &eacute;tait wet.
<ul><li>One</li><li>Two</li></ul>]]></content:encoded>{wordpress}</item>
<item><link>https://valley.example/two</link>
<description>&lt;p&gt;Only this.&lt;/p&gt;</description></item>
<item><title>Nothing</title></item></channel></rss>"""


def test_rss(tmp_path):
    rows, ledger = read(tmp_path / "feed.xml", RSS.format(wordpress=""))
    first, second = rows
    assert first["text"].split("\n") == ["Rain fell.", "[caption]It était wet.", "One", "Two"]
    assert (first["id"], first["title"], first["byline"]) == ("7", "Rain & hail", "Ann Reed")
    assert first["url"] == "https://valley.example/rain"
    assert (first["outlet"], first["language"]) == ("Valley News", "en")
    assert first["published"] == datetime(2025, 3, 4, 9, tzinfo=UTC)
    assert json.loads(first["metadata"]) == {"source": "Valley Wire"}
    assert (second["id"], second["text"]) == ("https://valley.example/two", "Only this.")
    assert second["issues"] == ["summary-only"]
    assert [r.reason for r in ledger.rejects] == ["the item holds no text"]
    assert ledger.files[0].format == "rss"


@pytest.mark.parametrize(
    ("wordpress", "reason"),
    [
        ("<wp:status>draft</wp:status>", "not published: its status is 'draft'"),
        ("<wp:post_type>attachment</wp:post_type>", "of the type 'attachment'"),
    ],
)
def test_what_wordpress_has_not_published(tmp_path, wordpress, reason):
    rows, ledger = read(tmp_path / "feed.xml", RSS.format(wordpress=wordpress))
    assert [row["id"] for row in rows] == ["https://valley.example/two"]
    assert reason in ledger.rejects[0].reason


def test_rss_1_0(tmp_path):
    row = only(
        tmp_path,
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<channel><title>Valley News</title></channel><item rdf:about="https://valley.example/a">'
        "<title>Rain</title><link>https://valley.example/a</link><description>Rain fell."
        "</description><dc:date>2025-03-04T10:00Z</dc:date></item></rdf:RDF>",
    )
    assert (row["id"], row["outlet"]) == ("https://valley.example/a", "Valley News")
    assert row["published"] == datetime(2025, 3, 4, 10, tzinfo=UTC)


def test_atom(tmp_path):
    rows, ledger = read(
        tmp_path / "a",
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Valley News</title>'
        "<author><name>The desk</name></author>"
        '<entry><id>tag:a</id><title type="html">Rain &amp;amp; hail</title>'
        '<link href="https://valley.example/a"/><link rel="self" href="https://no.example/"/>'
        "<published>2025-03-04T10:00:00Z</published><updated>2025-03-05T10:00:00Z</updated>"
        '<content type="html">&lt;p&gt;Rain.&lt;/p&gt;&lt;p&gt;Hail.&lt;/p&gt;</content>'
        "<source><title>Valley Wire</title></source></entry>"
        '<entry><id>tag:b</id><author><name>Ann</name></author><content type="xhtml">'
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>Sun.</p><p>Wind.</p></div></content></entry>'
        '<entry><id>tag:c</id><summary>Fog.</summary><content src="https://valley.example/c"/>'
        "</entry></feed>",
    )
    assert [row["text"] for row in rows] == ["Rain.\nHail.", "Sun.\nWind.", "Fog."]
    assert [row["byline"] for row in rows] == ["The desk", "Ann", "The desk"]
    assert rows[0]["title"] == "Rain & hail"
    assert rows[0]["url"] == "https://valley.example/a"
    assert rows[0]["published"] == datetime(2025, 3, 4, 10, tzinfo=UTC)
    assert json.loads(rows[0]["metadata"]) == {"source": "Valley Wire"}
    assert rows[2]["issues"] == ["summary-only"]
    assert {row["language"] for row in rows} == {"en"}
    assert ledger.files[0].format == "atom"


def test_a_sitemap_holds_no_texts(tmp_path):
    rows, ledger = read(
        tmp_path / "sitemap.xml",
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
        "<url><loc>https://valley.example/a</loc><news:news><news:title>Rain</news:title>"
        "</news:news></url><url><loc>https://valley.example/b</loc></url></urlset>",
    )
    assert rows == []
    assert [r.sample for r in ledger.rejects] == [
        "https://valley.example/a",
        "https://valley.example/b",
    ]
    assert "collect the pages" in ledger.rejects[0].reason


def test_records_with_names_of_columns(tmp_path):
    row = only(
        tmp_path,
        '<?xml version="1.0"?><Story><NewsID>9</NewsID><headline>Rain</headline>'
        "<version>2</version><byLine>Ann</byLine>"
        "<content>&lt;p&gt;Rain.&lt;/p&gt;&lt;p&gt;Hail.&lt;/p&gt;</content></Story>",
    )
    assert (row["id"], row["title"], row["version"]) == ("9", "Rain", 2)
    assert row["text"] == "Rain.\nHail."
    rows, _ = read(
        tmp_path / "b.xml",
        "<?xml version='1.0'?><all><a><id>1</id><text>Rain</text></a>"
        "<a><id>2</id><text>Sun</text></a></all>",
    )
    assert [(row["id"], row["text"]) for row in rows] == [("1", "Rain"), ("2", "Sun")]


def test_xml_of_no_known_vocabulary_names_what_is_expected(tmp_path):
    rows, ledger = read(tmp_path / "a.xml", "<?xml version='1.0'?><order><sum>7</sum></order>")
    assert rows == []
    assert "its root is 'order' with sum" in ledger.rejects[0].reason
    assert "NewsML-G2, NewsML 1, NITF, RSS, Atom" in ledger.rejects[0].reason


def one(number: int, name: str = "article") -> str:
    return f"<{name}><id>{number}</id><title>T</title><text>Text {number}.</text></{name}>\n"


def test_records_before_damage_are_kept_and_the_file_is_marked(tmp_path):
    whole = "<?xml version='1.0'?><export>" + "".join(one(n) for n in range(20)) + "</export>"
    for name, data in (
        ("cut.xml", whole[: whole.index("<id>15")]),
        ("damaged.xml", whole.replace("<id>15</id>", "<id>15</idd>")),
    ):
        rows, ledger = read(tmp_path / name, data)
        assert [row["id"] for row in rows] == [str(n) for n in range(15)]
        assert ledger.files[0].incomplete
        assert [reject.position for reject in ledger.rejects] == ["line 16"]


def test_the_only_record_before_damage_is_kept(tmp_path):
    data = "<?xml version='1.0'?><all>" + one(1) + one(2)[:-20]
    rows, ledger = read(tmp_path / "a.xml", data)
    assert [row["id"] for row in rows] == ["1"]
    assert ledger.files[0].incomplete


def test_a_document_larger_than_a_record_may_be_is_read_in_bounded_memory(tmp_path):
    between = "<log>" + "x" * 5000 + "</log>"
    parts = [one(n) + between for n in range(1000)]
    sizes = []
    with pytest.MonkeyPatch.context() as patch:
        usual = xmlrecords.forget

        def counted(element: Any) -> None:
            sizes.append(len(element.getparent()))
            usual(element)

        patch.setattr(xmlrecords, "forget", counted)
        rows, ledger = read(
            tmp_path / "a.xml",
            "<?xml version='1.0'?><all><made>today</made>" + "".join(parts) + "</all>",
            max_record_bytes=50_000,
        )
    assert [row["id"] for row in rows] == [str(n) for n in range(1000)]
    assert (ledger.rejects, ledger.files[0].incomplete) == ([], None)
    assert ledger.files[0].notes == ["elements that are no records: 1001 (made, log)"]
    assert max(sizes) < 1000, "two elements for each 5 kB, of what is parsed at once: 1 MiB"


def test_what_stands_between_the_items_of_a_feed_is_forgotten(tmp_path):
    item = "<item><guid>{0}</guid><title>T</title><description>Text {0}.</description></item>"
    junk = "<note><a/><b>" + "x" * 50_000 + "</b></note>"
    body = "".join(item.format(n) + junk for n in range(200))
    left = []
    with pytest.MonkeyPatch.context() as patch:
        usual = xmlitems.forget

        def counted(element: Any) -> None:
            left.append(len(element.getroottree().getroot()[0]))
            usual(element)

        patch.setattr(xmlitems, "forget", counted)
        rows, _ = read(
            tmp_path / "a.rss", f"<rss><channel><title>Feed</title>{body}</channel></rss>"
        )
    assert len(rows) == 200
    assert {row["outlet"] for row in rows} == {"Feed"}
    assert max(left) < 100, "two elements for each 50 kB, of what is parsed at once: 1 MiB"


def test_a_root_that_is_the_record_may_hold_others(tmp_path):
    text = "<text>The main text.</text>"
    rows, _ = read(
        tmp_path / "a.xml",
        f"<?xml version='1.0'?><story><id>1</id>{text}{one(2, 'box')}{one(3, 'box')}</story>",
    )
    assert [(row["id"], row["text"]) for row in rows] == [("1", "The main text.")]


def test_a_record_without_a_text_is_a_reject_and_what_is_no_record_a_note(tmp_path):
    rows, ledger = read(
        tmp_path / "a.xml",
        "<?xml version='1.0'?><all><about><by>us</by></about><article><id>0</id></article>"
        f"{one(1)}{one(2)}<article><id>3</id></article></all>",
    )
    assert [row["id"] for row in rows] == ["1", "2"]
    assert ["no text field" in reject.reason for reject in ledger.rejects] == [True, True]
    assert ledger.files[0].notes == ["elements that are no records: 1 (about)"]


def test_a_long_document_without_any_text_is_given_up(tmp_path):
    data = "<?xml version='1.0'?><all>" + "<a><b>1</b></a>" * 200_000
    rows, ledger = read(tmp_path / "a.xml", data)
    assert rows == []
    [reject] = ledger.rejects
    assert "none of the first 10000 elements has a text" in reject.reason
    assert ledger.files[0].incomplete


def test_a_text_of_very_many_elements_is_put_together_in_linear_time():
    count = 300_000
    record = etree.fromstring("<doc><text/>" + "<text>harbour</text>" * count + "</doc>")
    began = time.process_time()
    values = xmlfields.values_of(record, ())
    assert values == {"text": "\n".join(["harbour"] * count)}
    assert time.process_time() - began < 3
