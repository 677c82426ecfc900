"""``filter``: what goes, what stays in its place, and that records are written as they were."""

from __future__ import annotations

import csv
import gzip
import io
import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dumps import ROOT, write_jsonl
from hypothesis import given
from hypothesis import strategies as st
from oracles import Writer, by_pair, newsroom
from test_scan_cli import run

import dedup
from dedup import filtering
from dedup.errors import InputError, OutputNotEmptyError, UsageError
from dedup.survivors import Dropped, Holder, choose

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"
KEEP = ("original", "earliest", "longest", "agency")


def lines(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines(keepends=True)


# --- which records go ---------------------------------------------------------------------------

N = 9
EDGES = st.dictionaries(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)).filter(lambda e: e[0] != e[1]),
    st.sampled_from([0.8, 0.9, 1.0]),
)


@given(st.permutations(range(N)), st.lists(st.integers(0, 5), min_size=N, max_size=N), EDGES)
def test_what_goes_is_held_by_what_stays(order, text, edges):
    holders: dict[int, list[Holder]] = {}
    for (one, other), share in edges.items():
        holders.setdefault(one, []).append(Holder(other, share, "copy"))
    gone = choose(order, text, [True] * N, holders)
    out = {d.record for d in gone}
    stays = [i for i in range(N) if i not in out]
    for d in gone:
        assert d.kept in stays
        assert text[d.record] == text[d.kept] or edges[text[d.record], text[d.kept]] == d.share
        assert order.index(d.kept) < order.index(d.record), "the more wanted one stays"
    for i in stays:
        before = {text[j] for j in stays if order.index(j) < order.index(i)}
        assert text[i] not in before
        assert not any((text[i], other) in edges for other in before), "it had to go"


def test_texts_that_say_too_little_stay_though_they_are_equal():
    assert choose([0, 1], [7, 7], [False] * 8, {}) == []
    assert choose([0, 1], [7, 7], [True] * 8, {}) == [Dropped(1, 0, 1.0, "copy")]


@pytest.mark.parametrize("keep", KEEP)
def test_the_sample_loses_nothing_that_its_survivor_does_not_hold(sample, keep):
    found = dedup.filter(SAMPLE, keep=keep, threads=1)
    relations = by_pair(sample.relations.to_pylist())
    kept = set(found.kept["id"].to_pylist())
    dropped = found.dropped.to_pylist()
    assert kept | {d["id"] for d in dropped} == set(sample.articles["id"].to_pylist())
    assert len(kept) + len(dropped) == 84
    assert len(dropped) >= 20
    for d in dropped:
        assert d["kept"] in kept
        (relation,) = relations[tuple(sorted((d["id"], d["kept"])))]
        assert relation["relation"] in ("copy", "partial")
        held = relation["coverage_a" if relation["a"] == d["id"] else "coverage_b"]
        assert held == d["share"] >= 0.8
        assert d["reason"] == ("revision" if relation["revision"] else "copy")


@pytest.mark.parametrize("seed", range(3))
def test_a_higher_share_keeps_more(tmp_path, seed):
    path = write_jsonl(tmp_path / "dump.jsonl", newsroom(seed))
    counts = [
        len(dedup.filter(path, min_share=share, threads=1).kept) for share in (0.5, 0.8, 0.95, 1.0)
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> Path:
    """A wire story: its agency's own article, a longer and an earlier copy, and a revision."""
    w = Writer("filter")
    body = w.sentences(20)
    wire = {"outlet": "Reuters", "url": "https://www.reuters.com/a"}
    records = [
        {"id": "wire", **wire, "published": "2024-03-02T09:00:00Z", "text": " ".join(body)},
        {
            "id": "early",
            "outlet": "a.example",
            "published": "2024-03-01T09:00:00Z",
            "text": " ".join(body[:-1]) + " (Reuters)",
        },
        {
            "id": "long",
            "outlet": "b.example",
            "published": "2024-03-03T09:00:00Z",
            "text": " ".join([*body, w.sentence()]) + " (Reuters)",
        },
        {"id": "other", "outlet": "c.example", "text": " ".join(w.sentences(9))},
    ]
    return write_jsonl(tmp_path_factory.mktemp("story") / "story.jsonl", records)


@pytest.mark.parametrize(
    ("keep", "survivor"),
    [("original", "wire"), ("earliest", "early"), ("longest", "long"), ("agency", "wire")],
)
def test_each_policy_keeps_what_it_says(story, keep, survivor):
    found = dedup.filter(story, keep=keep, threads=1)
    assert set(found.kept["id"].to_pylist()) == {survivor, "other"}
    assert set(found.dropped["kept"].to_pylist()) == {survivor}


def test_of_the_revisions_of_an_article_the_current_one_stays(tmp_path):
    w = Writer("revision")
    body = w.sentences(10)
    old = {"id": "a", "outlet": "a.example", "published": "2024-03-01", "text": " ".join(body)}
    new = {**old, "published": "2024-03-02", "text": " ".join([*body, w.sentence()])}
    path = write_jsonl(tmp_path / "dump.jsonl", [old, new, old])
    for keep in ("original", "longest", "agency"):
        found = dedup.filter(path, keep=keep, threads=1)
        assert found.kept["position"].to_pylist() == ["line 2"]
        reasons = {d["position"]: d["reason"] for d in found.dropped.to_pylist()}
        assert reasons == {"line 1": "revision", "line 3": "repeat"}
        assert set(found.dropped["kept"].to_pylist()) == {"a"}
    first = dedup.filter(path, keep="earliest", threads=1)
    assert first.kept["position"].to_pylist() == ["line 1"]
    assert first.kept["id"].to_pylist()[0].startswith("a@"), "the superseded revision"


def test_a_story_of_very_many_copies_leaves_one(tmp_path, monkeypatch):
    """More variants than are aligned all with all: the survivor is compared with each."""
    w = Writer("very many")
    body = w.sentences(12)
    records = [
        {
            "id": f"{k:03}",
            "outlet": f"outlet{k}.example",
            "published": f"2024-03-{1 + (k * 7) % 28:02}T10:{k % 60:02}:00Z",
            "text": " ".join([f"{w.sentence(6)} {sentence}" for sentence in body[:1]] + body[1:]),
        }
        for k in range(90)
    ]
    path = write_jsonl(tmp_path / "dump.jsonl", records)
    found = dedup.filter(path, keep="earliest", threads=1)
    assert found.kept.num_rows == 1
    assert min(found.dropped["share"].to_pylist()) >= 0.8
    assert "filter_rounds" not in {cap["name"] for cap in found.run["caps"]}
    monkeypatch.setattr(filtering, "ROUNDS", 0)
    capped = dedup.filter(path, keep="earliest", threads=1)
    (cap,) = [cap for cap in capped.run["caps"] if cap["name"] == "filter_rounds"]
    assert cap["count"] == capped.kept.num_rows - 1 > 0, "what a cap leaves is said"


# --- records are written as they were read ------------------------------------------------------


def test_lines_are_copied_byte_for_byte(tmp_path):
    source = tmp_path / "dump.jsonl"
    records = lines(SAMPLE)
    odd = [line.replace(b'{"id":', b'{ "extra": [1.50, null],  "id" :') for line in records]
    assert odd[0] != records[0]
    source.write_bytes(b"\n".join([b"", *(line.rstrip() + b"\r" for line in odd)]))
    found = dedup.filter(source, threads=1)
    target, listed = found.write(tmp_path / "out" / "kept.jsonl")
    kept = lines(target)
    assert len(kept) == len(found.kept)
    assert all(line.endswith(b"\r\n") for line in kept)
    wanted = iter(odd)
    assert all(any(line.rstrip() == w.rstrip() for w in wanted) for line in kept), "in their order"
    rows = [json.loads(line) for line in lines(listed)]
    assert listed.name == "kept.dropped.jsonl"
    assert rows == found.dropped.to_pylist()


def test_compressed_inputs_and_outputs(tmp_path):
    plain = dedup.filter(SAMPLE, threads=1).write(tmp_path / "plain.jsonl")[0]
    packed = tmp_path / "dump.jsonl.gz"
    packed.write_bytes(gzip.compress(SAMPLE.read_bytes()))
    found = dedup.filter(packed, threads=1)
    assert b"".join(lines(found.write(tmp_path / "kept.jsonl.gz")[0])) == plain.read_bytes()
    import zstandard

    data = found.write(tmp_path / "kept2.jsonl.zst")[0].read_bytes()
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)) as stream:
        assert stream.read() == plain.read_bytes()


def test_csv_rows_with_newlines_and_quotes(tmp_path):
    records = [json.loads(line) for line in lines(SAMPLE)]
    names = ["id", "outlet", "published", "odd, column", "text"]
    source = tmp_path / "dump.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        for record in records:
            writer.writerow({**record, "odd, column": 'a "b"\nc'})
    found = dedup.filter(source, threads=1)
    target, _ = found.write(tmp_path / "kept.csv")
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["id"] for r in rows] == found.kept["id"].to_pylist()
    by_id = {r["id"]: r for r in records}
    assert all(r["text"] == by_id[r["id"]]["text"] for r in rows)
    assert {r["odd, column"] for r in rows} == {'a "b"\nc'}
    assert target.read_bytes().split(b"\r\n")[0] == source.read_bytes().split(b"\r\n")[0]


def test_parquet_rows_with_all_their_columns(tmp_path):
    table = pa.Table.from_pylist([json.loads(line) for line in lines(SAMPLE)])
    table = table.append_column("tags", pa.array([["a", str(n)] for n in range(len(table))]))
    pq.write_table(table, tmp_path / "dump.parquet", row_group_size=10)
    found = dedup.filter(tmp_path / "dump.parquet", threads=1)
    target, _ = found.write(tmp_path / "kept.parquet")
    kept = pq.read_table(target)
    assert kept["id"].to_pylist() == found.kept["id"].to_pylist()
    rows = {row["id"]: row for row in table.to_pylist()}
    assert kept.to_pylist() == [rows[i] for i in kept["id"].to_pylist()]


def test_a_dump_of_which_nothing_stays_is_written_with_its_columns(tmp_path):
    columns = {"id": ["a"], "text": pa.array([None], pa.string())}
    pq.write_table(pa.table(columns), tmp_path / "dump.parquet")
    pq.write_table(pa.table(columns).slice(0, 0), tmp_path / "none.parquet")
    (tmp_path / "none.csv").write_bytes(b"id,text\r\n")
    (tmp_path / "none.jsonl").touch()
    for name in ("dump.parquet", "none.parquet", "none.csv", "none.jsonl"):
        found = dedup.filter(tmp_path / name, threads=1)
        target, listed = found.write(tmp_path / f"kept-{name}", overwrite=True)
        assert len(found.kept) == 0
        assert len(lines(listed)) == len(found.dropped) == (name == "dump.parquet")
        if name.endswith(".parquet"):
            kept = pq.read_table(target)
            assert (len(kept), kept.schema.names) == (0, ["id", "text"])
        else:
            assert target.read_bytes() == (tmp_path / name).read_bytes()


def test_every_record_read_stands_in_one_of_the_two_lists(tmp_path):
    source = tmp_path / "dump.jsonl"
    good = lines(SAMPLE)
    source.write_bytes(b"".join([*good[:40], b'{"id": "x"}\n', b"{broken\n", *good]))
    found = dedup.filter([source, source], threads=1)
    ledger = found.run["ledger"]
    assert len(found.kept) + len(found.dropped) == ledger["read"] == 2 * (40 + 2 + 84)
    reasons = [reason.partition(":")[0] for reason in found.dropped["reason"].to_pylist()]
    assert reasons.count("rejected") == ledger["rejected"] == 4
    assert reasons.count("repeat") == ledger["repeats"] == 2 * 40 + 84
    assert len(lines(found.write(tmp_path / "kept.jsonl")[0])) == len(found.kept)
    again = dedup.filter(tmp_path / "kept.jsonl", threads=1)
    assert len(again.dropped) == 0, "what is left holds no redundant copies"


def test_order_and_files_play_no_part(tmp_path):
    records = newsroom(7)
    one = write_jsonl(tmp_path / "one.jsonl", records)
    parts = [write_jsonl(tmp_path / f"{k}.jsonl", records[::-1][k::2]) for k in range(2)]
    kept = [set(dedup.filter(inputs, threads=1).kept["id"].to_pylist()) for inputs in (one, parts)]
    assert kept[0] == kept[1]


# --- errors -------------------------------------------------------------------------------------


def test_nothing_is_overwritten_and_nothing_is_left_behind(tmp_path):
    found = dedup.filter(SAMPLE, threads=1)
    target = tmp_path / "kept.jsonl"
    target.write_text("mine")
    with pytest.raises(OutputNotEmptyError, match="--overwrite"):
        found.write(target)
    assert [p.name for p in tmp_path.iterdir()] == ["kept.jsonl"]
    assert target.read_text() == "mine"
    found.write(target, overwrite=True)
    assert len(lines(target)) == len(found.kept)


def test_an_input_that_changed_meanwhile_is_noticed(tmp_path):
    source = tmp_path / "dump.jsonl"
    source.write_bytes(SAMPLE.read_bytes())
    found = dedup.filter(source, threads=1)
    source.write_bytes(b"".join(lines(SAMPLE)[:50]))
    with pytest.raises(InputError, match="has changed since it was read"):
        found.write(tmp_path / "kept.jsonl")
    assert not (tmp_path / "kept.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": "best"}, "expected one of original, earliest, longest, agency, got 'best'"),
        ({"min_share": 0.0}, "above 0 and up to 1"),
        ({"min_share": 1.5}, "above 0 and up to 1"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(UsageError, match=message):
        dedup.filter(SAMPLE, **options)


def test_formats_that_cannot_be_written(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("A text file, " * 9)
    with pytest.raises(UsageError, match="format 'text' are not written again"):
        dedup.filter(tmp_path / "texts")
    (tmp_path / "b.csv").write_text("id,text\n1,one text\n")
    with pytest.raises(UsageError, match=r"several formats .*b\.csv is csv"):
        dedup.filter([SAMPLE, tmp_path / "b.csv"])
    (tmp_path / "c.csv").write_text("id,text,more\n2,another text,x\n")
    two = dedup.filter([tmp_path / "b.csv", tmp_path / "c.csv"], threads=1)
    with pytest.raises(UsageError, match=r"c\.csv: its columns are not those of .*b\.csv"):
        two.write(tmp_path / "kept.csv")
    assert not (tmp_path / "kept.csv").exists()
    with pytest.raises(UsageError, match=r"is named as parquet, .* format of the inputs, csv"):
        two.write(tmp_path / "kept.parquet")
    with pytest.raises(UsageError, match="name files, not standard input"):
        dedup.filter("-")


# --- the command --------------------------------------------------------------------------------


def test_the_command_on_files_and_on_standard_input(tmp_path):
    done = run("filter", SAMPLE, "--out", tmp_path / "a.jsonl", "--keep", "longest")
    assert done.returncode == 0
    first, written, listed = done.stdout.splitlines()
    assert first.startswith("57 of 84 records kept; dropped: ")
    assert written == f"Written to: {tmp_path / 'a.jsonl'}"
    assert listed == f"Dropped records: {tmp_path / 'a.dropped.jsonl'}"
    piped = run(
        *("filter", "-", "--out", tmp_path / "b.jsonl", "--keep", "longest", "-q"),
        *("--dropped", tmp_path / "gone.jsonl"),
        stdin=SAMPLE.read_bytes(),
    )
    assert (piped.returncode, piped.stdout, piped.stderr) == (0, "", "")
    assert (tmp_path / "b.jsonl").read_bytes() == (tmp_path / "a.jsonl").read_bytes()
    assert {json.loads(line)["file"] for line in lines(tmp_path / "gone.jsonl")} == {"-"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((SAMPLE, "--out", SAMPLE, "--overwrite"), 2, "is one of the inputs"),
        ((SAMPLE.parent, "--out", SAMPLE.parent / "new.jsonl"), 2, "lies in the input"),
        ((f"{SAMPLE.parent}/art*.jsonl", "--out", SAMPLE, "--overwrite"), 2, "lies in the input"),
        ((f"{SAMPLE.parent}/*.jsonl", "--out", SAMPLE.parent / "n.jsonl"), 2, "lies in the input"),
        ((SAMPLE, "--out", "{folder}"), 5, "is a folder; name a file"),
        ((SAMPLE, "--out", "{folder}/x.jsonl", "--dropped", "{folder}/x.jsonl"), 2, "two files"),
        ((SAMPLE, "-o", "{folder}/x", "--dropped", "{folder}/../{name}/x"), 2, "two files"),
        ((SAMPLE, "--out", "{folder}/x.csv"), 2, "is named as csv"),
        (("{folder}/none.jsonl", "--out", "{folder}/x.jsonl"), 3, "no such file"),
        ((SAMPLE, "--out", "{folder}/x.jsonl", "--keep", "best"), 2, "'best' is not one of"),
    ],
)
def test_what_the_command_refuses(tmp_path, arguments, code, message):
    done = run("filter", *(str(a).format(folder=tmp_path, name=tmp_path.name) for a in arguments))
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_input_is_filtered_as_far_as_it_can_be_read(tmp_path):
    source = tmp_path / "dump.jsonl.gz"
    source.write_bytes(gzip.compress(SAMPLE.read_bytes())[:-3000])
    done = run("filter", source, "--out", tmp_path / "kept.jsonl")
    assert done.returncode == 3
    assert "incomplete input" in done.stderr
    sizes = [len(lines(tmp_path / name)) for name in ("kept.jsonl", "kept.dropped.jsonl")]
    assert all(sizes)
    strict = run("filter", source, "--out", tmp_path / "strict.jsonl", "--strict")
    assert strict.returncode == 3
    assert not (tmp_path / "strict.jsonl").exists()


def test_positions_are_in_the_order_of_the_input():
    found = dedup.filter(SAMPLE, threads=1)
    numbers = [int(p.removeprefix("line ")) for p in found.kept["position"].to_pylist()]
    assert all(a < b for a, b in pairwise(numbers))


def test_records_inside_of_others_are_not_said_to_have_changed(tmp_path):
    w = Writer("inside")
    articles = [{"id": str(n), "title": "a", "text": " ".join(w.sentences(5))} for n in range(3)]
    path = write_jsonl(tmp_path / "answer.jsonl", [{"status": "ok", "articles": articles}])
    with pytest.raises(UsageError, match=r"line 1, articles\[0\]: the record stands inside"):
        dedup.filter(path, threads=1).write(tmp_path / "kept.jsonl")


def test_records_inside_of_others_are_refused_before_anything_is_compared(tmp_path, monkeypatch):
    post = {"id": "1", "attributes": {"title": "a", "text": "Rain fell on the city."}}
    inside = write_jsonl(tmp_path / "answer.jsonl", [{"data": {"items": [post, post]}}])
    own = write_jsonl(tmp_path / "own.jsonl", [post])
    target = tmp_path / "kept.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(filtering.Run, "analyse", lambda *_: pytest.fail("compared all the same"))
        with (
            pytest.raises(UsageError, match=r"line 1, data\.items\[0\]: the record stands inside"),
            filtering.filtering([str(inside)], keep="original", min_share=0.8, target=target),
        ):
            pass
    done = run("filter", inside, "--out", target)
    assert (done.returncode, target.exists()) == (2, False)
    assert "the record stands inside of another one" in done.stderr
    assert run("filter", own, "--out", target).returncode == 0
    assert [json.loads(line) for line in lines(target)] == [post]


def test_an_article_that_is_cut_off_behind_its_comments_costs_itself_alone(tmp_path):
    own = write_jsonl(tmp_path / "own.jsonl", [{"id": "1", "text": "Rain fell on the city."}])
    with own.open("a") as file:
        file.write('{"title":"Q","comments":[{"text":"x"},{"text":"y"}],"te')
    target = tmp_path / "kept.jsonl"
    done = run("filter", own, "--keep", "original", "--out", target)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["id"] for line in lines(target)] == ["1"]
