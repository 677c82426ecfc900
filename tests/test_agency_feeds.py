"""Files of agencies as they send them: what a reader sees in each must come out.

The table was made by reading the files. Letters are letters and digits, counted in the files
themselves by taking the markup out; a credit is the source that the item names as its own.
"""

from __future__ import annotations

import csv
import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
import zstandard

from dedup.agencies import load
from dedup.attribute import Attributor
from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.read import read_articles

pytestmark = pytest.mark.corpus


class Item(NamedTuple):
    """``id`` and ``title`` are empty where the item states none; ``credits`` are ids of sources."""

    file: str
    format: str
    id: str
    version: str
    title: str
    published: str
    letters: str
    lines: str
    credits: str


with (Path(__file__).parent / "golden" / "agency_feeds.tsv").open(encoding="utf-8") as table:
    ITEMS = [Item(*row) for row in list(csv.reader(table, delimiter="\t"))[1:]]

REJECTED = {
    "ap_media_item.json": ["of type 'picture'"],
    "ap_media_text_feed.json": ["its content is in other files"],
    "ninjs3.json": ["of type 'picture'"],
    "ninjs6.json": ["of type 'picture'"],
    "nitf-fishing.xml": ["canceled by its sender"],
    "picture.xml": ["of class 'picture'"],
    "scoop.xml": ["a package"],
    "snep.xml": ["a package"],
    "tag_reuters.com_2014_newsml_LYNXMPEA6F0MS_version_2": ["of class 'picture'"],
    "tag_reuters.com_2014_newsml_LYNXMPEA6F13M_version_1": ["of class 'picture'"],
    # JSON of other programs: one object each
    "ninjs4_mock.json": ["no text field; the record has: requests"],
    "upload_from_url_mock.json": ["no text field; the record has: requests"],
    # a licence without an ending, a sound, two pictures
    "LICENSE": ["the format was not recognised"],
    "tag_reuters.com_0000_binary_LOVEA6M0L7U2E-STREAM_22.050_MP3": ["was not recognised"],
    "tag_reuters.com_2014_binary_LYNXMPEA6F0MS-FILEDIMAGE": ["was not recognised"],
    "tag_reuters.com_2014_binary_LYNXMPEA6F13M-FILEDIMAGE": ["was not recognised"],
}


@pytest.fixture(scope="module")
def folder(corpora, tmp_path_factory):
    packed = (corpora / "formats.tar.zst").read_bytes()
    archive = zstandard.ZstdDecompressor().stream_reader(packed).read()
    target = tmp_path_factory.mktemp("formats")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        wanted = [m for m in tar.getmembers() if "agency-feeds/" in m.name and m.isfile()]
        tar.extractall(target, wanted, filter="data")
    return target / "agency-feeds"


@pytest.fixture(scope="module")
def reading(folder):
    ledger = Ledger()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    batches = read_articles([str(folder)], ReadSettings(), ledger, now=now)
    return [row for batch in batches for row in batch.to_pylist()], ledger


def test_every_news_item_is_read(reading):
    rows, ledger = reading
    formats = {entry.file: entry.format for entry in ledger.files}
    found = [
        Item(
            Path(row["file"]).name,
            formats[row["file"]],
            "" if "id-derived" in row["issues"] else row["id"],
            str(row["version"] or ""),
            row["title"] or "",
            row["published"].replace(tzinfo=None).isoformat(timespec="seconds"),
            str(sum(c.isalnum() for c in row["text"])),
            str(row["text"].count("\n") + 1),
            "",
        )
        for row in rows
    ]
    assert found == [item._replace(credits="") for item in ITEMS]


def test_credits_are_found_where_an_item_names_one(reading):
    attributor = Attributor(load())
    found = {}
    for row in reading[0]:
        evidence, _ = attributor.evidence(
            ref=row["id"],
            text=row["text"],
            title=row["title"],
            byline=row["byline"],
            metadata=row["metadata"],
        )
        found[Path(row["file"]).name] = " ".join(sorted({e.source for e in evidence}))
    assert found == {item.file: item.credits for item in ITEMS}


def test_every_other_file_is_rejected_with_a_reason(folder, reading):
    _, ledger = reading
    reasons: dict[str, list[str]] = {}
    for reject in ledger.rejects:
        reasons.setdefault(Path(reject.file).name, []).append(reject.reason)
    assert set(reasons) == set(REJECTED)
    for name, expected in REJECTED.items():
        assert len(reasons[name]) == len(expected)
        for reason, part in zip(reasons[name], expected, strict=True):
            assert part in reason
    assert not ledger.skipped
    seen = {item.file for item in ITEMS} | set(reasons)
    assert seen == {path.name for path in folder.iterdir()}
    assert ledger.read == ledger.articles + ledger.repeats + ledger.rejected
    assert not any(entry.incomplete for entry in ledger.files)


def test_what_is_canceled_is_recorded(reading):
    withdrawn = {(w.id, w.version, w.status) for w in reading[1].withdrawals}
    assert withdrawn == {
        ("ongoing-winter-tide-updates", 1, "canceled"),
        ("iptc.321656141.a", None, "canceled"),
        ("iptc.321656141.b", None, "canceled"),
    }


def test_tables_of_nitf_are_rows(reading):
    (text,) = (r["text"] for r in reading[0] if r["file"].endswith("ap_media_text_nitf.xml"))
    assert "G\tAB\tR\tH\tPct." in text.split("\n")


def test_wrapped_lines_are_whole_paragraphs_again(reading):
    for row in reading[0]:
        if Path(row["file"]).name in ("dpa_two_line.txt", "aap.xml"):
            assert max(len(line) for line in row["text"].split("\n")) > 130
