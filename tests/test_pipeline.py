"""Results are a pure function of the records and the settings (invariants 3, 4 and 7)."""

from __future__ import annotations

import random

import pytest
from dumps import write_jsonl
from oracles import Writer, newsroom

import dedup
from dedup import collection

PLACES = ("file", "position")


def comparable(result) -> dict[str, list]:
    """All tables as plain rows, without where in the input a record stood."""
    tables = {
        name: table.drop_columns([c for c in PLACES if c in table.column_names]).to_pylist()
        for name, table in result.tables.items()
        if name != "rejected"
    }
    assert all(tables[n] for n in ("articles", "passages", "matches", "relations", "groups"))
    return tables


def shuffled(records: list[dict], seed: int) -> list[dict]:
    return random.Random(seed).sample(records, len(records))


def written(result, folder) -> dict[str, bytes]:
    """The bytes of every table, file and position set to nothing; texts and report, too."""
    import pyarrow as pa

    tables = dict(result.tables)
    articles = tables["articles"]
    for name in PLACES:
        at = articles.schema.get_field_index(name)
        articles = articles.set_column(at, name, pa.nulls(len(articles), pa.string()))
    tables["articles"] = articles
    dedup.Result(tables, result.run).write(folder, report=False)
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "run.json"}


@pytest.mark.parametrize("seed", range(6))
def test_order_files_threads_and_batches_play_no_part(scan_records, seed, monkeypatch, tmp_path):
    records = newsroom(seed)
    plain = scan_records(records, threads=1)
    wanted, files = comparable(plain), written(plain, tmp_path / "plain")
    original = collection.batches
    for k, (parts, threads, batch) in enumerate([(1, 1, 10**7), (3, 2, 5000), (5, 4, 1)]):
        with monkeypatch.context() as m:
            m.setattr(collection, "batches", lambda lengths, limit=batch: original(lengths, limit))
            other = scan_records(shuffled(records, seed + k), files=parts, threads=threads)
        assert comparable(other) == wanted
        assert written(other, tmp_path / f"other-{k}") == files
        assert other.run["counts"] == plain.run["counts"]


def test_small_chunks_of_pairs_play_no_part(scan_records, monkeypatch):
    from dedup import align

    records = newsroom(11, stories=6)
    wanted = comparable(scan_records(records, threads=1))
    monkeypatch.setattr(align, "CHUNK", 3)
    assert comparable(scan_records(records, threads=3)) == wanted


def test_records_beyond_the_caps_in_any_order(scan_records):
    """A story of 60 copies, above ``max_partners``: representatives are the smallest digests."""
    w = Writer("caps")
    wire = w.sentences(6)
    records = [
        {
            "id": f"{k:03}",
            "outlet": f"o{k % 20}.example",
            "published": f"2024-05-{1 + k % 28:02}",
            "text": " ".join([w.sentence(), *wire[: 3 + k % 4]]),
        }
        for k in range(60)
    ]
    plain = scan_records(records, threads=1)
    assert plain.run["caps"], "the cap was hit, and run.json says so"
    (group,) = plain.groups.to_pylist()
    assert len(group["core"]) == 60
    assert plain.relations.num_rows < 60 * 59 / 4, "not every pair has a line"
    for seed in range(2):
        other = scan_records(shuffled(records, seed), files=4, threads=2)
        assert comparable(other) == comparable(plain)


def test_repeats_of_a_record_that_differ_in_other_fields(scan_records):
    """The same id and text, but another title, time and outlet: which one is kept?"""
    w = Writer("repeats")
    text = " ".join(w.sentences(6))
    records = [
        {
            "id": "a",
            "outlet": "one.example",
            "title": "One",
            "published": "2024-01-02",
            "text": text,
        },
        {
            "id": "a",
            "outlet": "two.example",
            "title": "Two",
            "published": "2024-01-01",
            "text": text,
        },
        {
            "id": "b",
            "outlet": "two.example",
            "title": "B",
            "published": "2024-01-01T12:00:00Z",
            "text": text,
        },
    ]
    wanted = comparable(scan_records(records))
    for seed in range(6):
        assert comparable(scan_records(shuffled(records, seed))) == wanted


def test_more_articles_change_no_verified_match(scan_records):
    """Verification is a matter of two texts; only kinds and ranks look at the corpus."""
    records = newsroom(21)
    more = records + newsroom(22)

    def spans(result) -> dict[tuple[str, str], set]:
        out: dict[tuple[str, str], set] = {}
        for m in result.matches.to_pylist():
            if m["kind"] == "prose":
                place = (m["a_start"], m["a_end"], m["b_start"], m["b_end"], m["similarity"])
                out.setdefault((m["a"], m["b"]), set()).add(place)
        return out

    few, many = spans(scan_records(records)), spans(scan_records(more))
    assert few
    assert {pair: many.get(pair) for pair in few} == few


def test_the_same_scan_writes_the_same_bytes(tmp_path):
    path = write_jsonl(tmp_path / "dump.jsonl", newsroom(31))
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, threads in zip(folders, (1, 2), strict=True):
        dedup.scan(path, threads=threads).write(folder)
    one, two = ({p.name: p.read_bytes() for p in folder.iterdir()} for folder in folders)
    assert one.keys() == two.keys()
    assert len(one) == 11
    assert [name for name in one if one[name] != two[name]] == ["run.json"], "timings alone differ"


def test_settings_change_results_and_the_fingerprint(scan_records):
    records = newsroom(41)
    default = scan_records(records)
    strict = scan_records(records, settings=dedup.Settings(copy_share=0.95))
    assert default.run["fingerprint"] != strict.run["fingerprint"]
    assert default.run["counts"]["relations"]["copy"] > strict.run["counts"]["relations"].get(
        "copy", 0
    )


# --- the ledger (invariant 4) -----------------------------------------------------------------


def test_the_ledger_balances(scan_records):
    records = newsroom(51)
    spoilt = [
        *records,
        records[0],  # a repeat
        {"id": "no-text"},
        {"id": "null", "text": None},
        {"id": "number", "text": 5},
        {"id": "blank", "text": " \n"},
        {"id": records[1]["id"], "text": "A revision."},
    ]
    result = scan_records(spoilt, files=3)
    ledger = result.run["ledger"]
    assert ledger["read"] == len(spoilt)
    assert ledger["read"] == ledger["articles"] + ledger["repeats"] + ledger["rejected"]
    assert (ledger["repeats"], ledger["rejected"]) == (1, 3)
    assert ledger["articles"] == result.articles.num_rows == result.texts.num_rows
    assert ledger["rejected"] == result.rejected.num_rows
    for file in ledger["files"]:
        assert file["read"] == file["articles"] + file["repeats"] + file["rejected"]
    flags = dict(
        zip(result.articles["ref"].to_pylist(), result.articles["flag"].to_pylist(), strict=True)
    )
    assert flags["blank"] == "unique"
    assert sum(ref.startswith(f"{records[1]['id']}@") for ref in flags) == 1


@pytest.mark.parametrize(
    "texts", [[], [""], [" ", "."], ["a"], ["...", "...", "..."], ["12", "12"]]
)
def test_nothing_much_to_read(scan_records, texts):
    result = scan_records([{"id": str(k), "text": t} for k, t in enumerate(texts)])
    assert result.articles["flag"].to_pylist() == ["unique"] * len(texts)
    for name in ("passages", "matches", "relations", "groups", "near_misses"):
        assert result.tables[name].num_rows == 0
