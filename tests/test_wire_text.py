"""ninjs, teleprinter wires and mails, read as a user meets them: invented items of each."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from test_wire_xml import only, read

PARAGRAPHS = ["<p>Rain &amp; hail fell.</p>", "<p>Ducks were pleased.</p>"]
NINJS = {
    "uri": "urn:valley:1",
    "version": "2",
    "type": "text",
    "versioncreated": "2025-03-04T10:00:00Z",
    "firstcreated": "2025-03-04T09:00:00Z",
    "pubstatus": "usable",
    "headline": "Rain &amp; hail",
    "byline": "Ann Reed",
    "language": "en",
    "copyrightholder": "Valley Wire",
    "provider": "VW",
    "body_text": "Rain & hail fell. Ducks were pleased.",
    "body_html": "".join(PARAGRAPHS),
    "associations": {"picture": {"uri": "urn:valley:2", "type": "picture", "headline": "Rain"}},
}
NINJS_3 = {
    "uri": "urn:valley:1",
    "versionCreated": "2025-03-04T10:00:00Z",
    "pubStatus": "usable",
    "headlines": [{"role": "short", "value": "Rain"}, {"role": "main", "value": "Rain & hail"}],
    "by": "Ann Reed",
    "infosources": [{"name": "Valley Wire"}],
    "bodies": [
        {"role": "main", "contentType": "text/plain", "value": "Rain & hail fell. Ducks were."},
        {"role": "rich", "contentType": "text/html", "value": "".join(PARAGRAPHS)},
    ],
}


def test_ninjs_1(tmp_path):
    row = only(tmp_path, json.dumps(NINJS, indent=1))
    assert row["text"] == "Rain & hail fell.\nDucks were pleased."
    assert (row["id"], row["version"], row["title"]) == ("urn:valley:1", 2, "Rain & hail")
    assert (row["byline"], row["outlet"], row["language"]) == ("Ann Reed", "VW", "en")
    assert row["published"] == datetime(2025, 3, 4, 10, tzinfo=UTC)
    assert json.loads(row["metadata"]) == {"copyrightHolder": "Valley Wire", "provider": "VW"}


def test_ninjs_3(tmp_path):
    row = only(tmp_path, json.dumps(NINJS_3, indent=1))
    assert row["text"] == "Rain & hail fell.\nDucks were pleased."
    assert (row["title"], row["byline"]) == ("Rain & hail", "Ann Reed")
    assert json.loads(row["metadata"]) == {"infosource": "Valley Wire"}


def test_ninjs_in_lines_and_in_envelopes(tmp_path):
    lines = "".join(json.dumps(NINJS | {"uri": f"u{i}"}) + "\n" for i in range(3))
    rows, _ = read(tmp_path / "a.jsonl", lines)
    assert [(row["id"], row["position"]) for row in rows] == [
        ("u0", "line 1"),
        ("u1", "line 2"),
        ("u2", "line 3"),
    ]
    envelope = {"total": 2, "data": {"items": [{"item": NINJS}, {"item": NINJS | {"uri": "u2"}}]}}
    for content in (json.dumps(envelope, indent=1), json.dumps(envelope)):
        rows, _ = read(tmp_path / "b.json", content)
        assert [row["id"] for row in rows] == ["urn:valley:1", "u2"]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("dress", ["[{},{}]", "{}{}", "{}\n\n{}\n"])
def test_ninjs_in_arrays_and_one_after_another(tmp_path, dress, indent):
    items = [json.dumps(NINJS | {"uri": f"u{i}"}, indent=indent) for i in range(2)]
    rows, _ = read(tmp_path / "a.json", dress.replace("{}", "%s") % tuple(items))
    assert [row["id"] for row in rows] == ["u0", "u1"]
    assert {row["text"] for row in rows} == {"Rain & hail fell.\nDucks were pleased."}


def test_a_broken_ninjs_item_in_an_array_costs_itself_alone(tmp_path):
    broken = json.dumps(NINJS | {"uri": "u0"}).replace("[", "{").replace('"type":', '"type" ')
    items = [broken, json.dumps(NINJS | {"uri": "u1"}), json.dumps(NINJS | {"type": "picture"})]
    rows, ledger = read(tmp_path / "a.ninjs", f"[{','.join(items)}]")
    assert [(row["id"], row["position"]) for row in rows] == [("u1", "record 2")]
    assert [r.position.partition(",")[0] for r in ledger.rejects] == ["record 1", "record 3"]


def test_lines_that_begin_with_a_long_one_are_lines(tmp_path):
    long = NINJS | {"body_html": "<p>Rain.</p>" * 10_000}
    rows, ledger = read(tmp_path / "a.jsonl", f"{json.dumps(long)}\n{json.dumps(NINJS)}\n")
    assert ledger.files[0].format == "jsonl"
    assert len(rows) == 2


def test_a_dump_that_borrows_names_of_ninjs_is_read_by_its_columns(tmp_path):
    record = {"uri": "u", "versioncreated": "2025", "headline": "A", "text": "<p>as it is</p>"}
    row = only(tmp_path, json.dumps(record))
    assert (row["text"], row["title"]) == ("<p>as it is</p>", "A")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "picture"}, "not a text but of type 'picture'"),
        ({"body_text": None, "body_html": None}, "the item holds no text"),
        (
            {"body_text": None, "body_html": None, "renditions": {"nitf": {"href": "a"}}},
            "its content is in other files",
        ),
    ],
)
def test_ninjs_items_that_are_no_text(tmp_path, changes, reason):
    rows, ledger = read(tmp_path / "a.json", json.dumps(NINJS | changes))
    assert rows == []
    assert reason in ledger.rejects[0].reason


IPTC_7901 = (
    "\x16\x16\x01eca0123 3 pl 57 cccc dpa 0456\r\n\nRiverton/weather/\r\n\x021ST LEAD\r\n"
    "Rain floods the market square of\r\nRiverton\r\nBy Ann Reed, dpa =\r\n\n"
    "Riverton (dpa) - Rain flooded the market square of Riverton on\r\n"
    "Tuesday, said the mayor in Z\xfcrich, who had been told of it by a\r\nduck.\r\n\n"
    "- one\r\n- two\r\n\r\n\x03041001 MEZ M\xe4r 25\r\n\x7f\n\x04"
)


def test_iptc_7901(tmp_path):
    row = only(tmp_path, IPTC_7901.encode("cp1252"))
    wrapped, *listed = row["text"].split("\n")
    assert wrapped == (
        "Riverton (dpa) - Rain flooded the market square of Riverton on Tuesday, said the mayor in "
        "Zürich, who had been told of it by a duck."
    )
    assert listed == ["- one", "- two"]
    assert row["title"] == "Rain floods the market square of Riverton"
    assert row["byline"] == "By Ann Reed, dpa"
    assert row["published"] == datetime(2025, 3, 4, 9, 1, tzinfo=UTC)
    assert row["id"] == "eca0123-2025-03-04T10:01+01:00"
    assert row["outlet"] == "dpa"
    assert json.loads(row["metadata"]) == {"provider": "dpa"}
    assert row["issues"] == ["charset-assumed"]


ANPA = (
    "\x16\x16\x01W2870\x1f_bylog\nf l\x13\x11 BC-Rain     03-04 0049\n"
    "\x02\x02BC-Rain,49<\n^AP Photo X1<\n^Rain floods square<\n^Eds: With photos.<\n^By ANN REED=\n"
    "^Associated Press=\n\t   RIVERTON (AP) _ ``Rain,'' she said, flooded the square \n"
    "on Tuesday.\n \n\t   Ducks were pleased _ very.\n\n\t   "
    "\x03AP-WF-03-04-25 1509GMT<\n\x0c\n\x04"
)


def test_anpa_1312(tmp_path):
    row = only(tmp_path, ANPA)
    assert row["text"].split("\n") == [
        "RIVERTON (AP) \u2014 \u201cRain,\u201d she said, flooded the square on Tuesday.",
        "Ducks were pleased \u2014 very.",
    ]
    assert (row["title"], row["byline"]) == ("Rain floods square", "By ANN REED, Associated Press")
    assert row["published"] == datetime(2025, 3, 4, 15, 9, tzinfo=UTC)
    assert row["id"] == "AP-W2870-2025-03-04T15:09+00:00"
    assert json.loads(row["metadata"]) == {"provider": "AP"}


def test_a_file_of_several_messages(tmp_path):
    second = ANPA.replace("W2870", "W2871").replace("Ducks", "Geese")
    rows, _ = read(tmp_path / "log.txt", ANPA + second)
    assert [row["id"][3:8] for row in rows] == ["W2870", "W2871"]
    assert [row["position"] for row in rows] == ["byte 2", f"byte {len(ANPA) + 2}"]
    rows, ledger = read(tmp_path / "log.txt", ANPA + "\x01garbage\x02text\x03")
    assert len(rows) == 1
    assert "the header is not one of ANPA-1312" in ledger.rejects[0].reason


MAIL = (
    "Received: by a.example\r\nFrom: =?utf-8?Q?Ann_R=C3=A9ed?= <ann@valley.example>\r\n"
    "To: desk@valley.example\r\nSubject: =?utf-8?Q?Rain=20floods?=\r\n\tsquare\r\n"
    "Date: Tue, 04 Mar 2025 10:00:00 +0100\r\nMessage-ID: <7@valley.example>\r\n"
    "Organization: Valley Wire\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/alternative; boundary="x"\r\n\r\n'
    "--x\r\nContent-Type: text/plain; charset=windows-1252\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    "Rain =96 much of it =96 flooded the square.\r\n\r\nDucks=\r\n were pleased.\r\n-- \r\nAnn\r\n"
    "--x\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n--x--\r\n"
)


def test_mail(tmp_path):
    row = only(tmp_path, MAIL)
    assert row["text"] == "Rain \u2013 much of it \u2013 flooded the square.\nDucks were pleased."
    assert (row["id"], row["title"]) == ("7@valley.example", "Rain floods square")
    assert (row["byline"], row["outlet"]) == ("Ann Réed", "Valley Wire")
    assert row["published"] == datetime(2025, 3, 4, 9, tzinfo=UTC)


def test_flowed_text_and_html_alone(tmp_path):
    head = MAIL.split("MIME-Version")[0]
    flowed = "MIME-Version: 1.0\r\nContent-Type: text/plain; format=flowed; delsp=yes\r\n\r\n"
    text = "Rain flooded the squ \r\nare.\r\nDucks were pleased.\r\n"
    assert only(tmp_path, head + flowed + text)["text"] == (
        "Rain flooded the square.\nDucks were pleased."
    )
    html = "MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>Rain<br>fell</p><p>Sun</p>"
    assert only(tmp_path, head + html)["text"] == "Rain\nfell\nSun"


def test_a_mailbox(tmp_path):
    mail = MAIL.replace("\r\n", "\n")
    second = mail.replace("<7@", "<8@").replace("Ducks", ">From here ducks")
    box = f"From a@b.example Tue Mar  4 10:00:00 2025\n{mail}\n"
    rows, _ = read(tmp_path / "news.mbox", box + box.replace(mail, second))
    assert [row["id"] for row in rows] == ["7@valley.example", "8@valley.example"]
    assert "From here ducks" in rows[1]["text"].split("\n")[1]


def test_a_form_sent_by_mail(tmp_path):
    head = MAIL.split("MIME-Version")[0] + "Content-Type: text/plain\r\n\r\n"
    form = {"Headline": ["Rain"], "Body": ["Rain fell.\n\nSun came."], "Sign off": ["AR"]}
    row = only(tmp_path, head + json.dumps(form))
    assert (row["title"], row["text"]) == ("Rain", "Rain fell.\n\nSun came.")


def test_an_attachment_is_no_text(tmp_path):
    rows, ledger = read(
        tmp_path / "a.eml",
        MAIL.split("MIME-Version")[0]
        + "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nRain",
    )
    assert rows == []
    assert "the mail holds no text" in ledger.rejects[0].reason


def test_an_article_that_begins_with_colons_is_no_mail(tmp_path):
    rows, ledger = read(tmp_path / "b.txt", "From: the desk\nTo: whom it concerns\n\nRain fell.")
    assert rows[0]["text"].startswith("From: the desk")
    assert ledger.files[0].format == "text"
