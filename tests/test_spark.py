"""The Spark engine: the same result as on one machine, whatever dies on the way."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Event

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import spark_fixture as fixture
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.collection import as_texts, collect
from dedup.config import ReadSettings, Settings
from dedup.engines.spark.dealing import names_for, spark_hash
from dedup.engines.spark.session import java_options, make_session, options_of
from dedup.engines.spark.tuning import settings_for, tune
from dedup.errors import InternalError, UsageError
from dedup.model import Ledger
from dedup.read import read_articles, read_stream
from dedup.read.discover import Found
from dedup.template import LEAST_ARTICLES, OWN_SHARE

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"
CORPORA = Path(os.environ.get("DEDUP_CORPORA", ROOT.parent / "shared" / "data"))

slow = pytest.mark.slow


# --- without Spark -----------------------------------------------------------------------------


def test_conf_is_name_and_value():
    assert options_of(["spark.executor.memory=8g", "spark.a=b=c"]) == {
        "spark.executor.memory": "8g",
        "spark.a": "b=c",
    }
    with pytest.raises(UsageError, match=r"expected spark.NAME=VALUE"):
        options_of(["executor.memory=8g"])


@pytest.mark.parametrize(
    ("size", "cores", "partitions"),
    [(0, 4, "1"), (9 * 2**20, 4, "2"), (2**29, 4, "4"), (2**30, 4, None)],
)
def test_small_inputs_have_a_partition_a_core_at_most(size, cores, partitions):
    assert settings_for(size, cores).get("spark.sql.shuffle.partitions") == partitions


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--engine", "spark", "--threads", "2"], "--threads: is not for --engine spark"),
        (["--engine", "spark", "--format", "csv"], "--format: is not for --engine spark"),
        (["--master", "yarn"], "belong to --engine spark"),
    ],
)
def test_options_of_the_other_engine_are_refused(tmp_path, options, says):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "dedup",
            "scan",
            str(SAMPLE),
            "--out",
            str(tmp_path / "x"),
            *options,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env=fixture.environment(),
    )
    assert done.returncode == 2
    assert says in done.stderr


def test_without_pyspark_the_command_names_the_extra(tmp_path):
    code = (
        "import sys\n"
        "sys.modules['pyspark'] = None\n"
        f"sys.argv = ['dedup', 'scan', {str(SAMPLE)!r}, '--out', {str(tmp_path / 'x')!r}, "
        "'--engine', 'spark']\n"
        "from dedup.__main__ import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "pip install 'dedup[spark]'" in done.stderr


def test_a_stream_is_read_as_its_file_is():
    whole, ledger = Ledger(), Ledger()
    of_file = pa.Table.from_batches(read_articles([str(SAMPLE)], ReadSettings(), whole))
    data = SAMPLE.read_bytes()
    found = Found(None, str(SAMPLE), SAMPLE.name, "", len(data))
    stream = read_stream(found, io.BytesIO(data), ReadSettings(), ledger)
    assert pa.Table.from_batches(stream).equals(of_file)
    assert ledger.files == whole.files


def lines_of(parts):
    return [line for _, data in parts for line in data.decode().split("\n")[:-1]]


@given(st.lists(st.text("ab", max_size=5), max_size=30), st.integers(1, 7), st.integers(1, 40))
def test_parts_of_a_file_say_where_they_begin(lines, rows, size):
    from dedup.engines.spark import reading

    batches = [
        pa.RecordBatch.from_pydict(
            {
                "line": pa.array([line.encode() for line in lines[i : i + rows]], pa.binary()),
                "name": ["f"] * len(lines[i : i + rows]),
                "text_id": ["f"] * len(lines[i : i + rows]),
                "folder": [""] * len(lines[i : i + rows]),
                "lines_before": [10] * len(lines[i : i + rows]),
                "bytes_before": [100] * len(lines[i : i + rows]),
            }
        )
        for i in range(0, len(lines), rows)
    ]
    before = reading._PART_BYTES
    reading._PART_BYTES = size
    try:
        parts = list(reading._parts(batches))
    finally:
        reading._PART_BYTES = before
    assert lines_of(parts) == lines
    done = 0
    for where, data in parts:
        own = lines[:done]
        assert where[3:] == (10 + done, 100 + sum(len(line) + 1 for line in own))
        done += data.count(b"\n")


@given(st.integers(0, 300), st.integers(1, 70))
def test_groups_are_dealt_evenly(groups, partitions):
    names = names_for(groups, partitions)
    assert len(set(names.tolist())) == groups
    counts = np.bincount(spark_hash(names) % partitions, minlength=partitions)
    assert counts.max() - counts.min() <= 1


def test_keys_of_one_outlet_are_those_of_a_plain_count():
    from dedup.engines.spark import sketching

    rng = np.random.default_rng(0)
    count = 1000
    owners = [f"o{i}" for i in rng.integers(0, 5, count)]
    ends = {
        name: [rng.integers(0, 40, size).tolist() for size in rng.integers(0, 5, count)]
        for name in ("opening", "closing")
    }
    for i, owner in enumerate(owners):
        ends["opening"][i] += [-7] * (owner == "o1")
        ends["closing"][i] += [-5] * (owner == "o2" or i % 150 == 0)
    lists = {name: pa.array(keys, pa.list_(pa.int64())) for name, keys in ends.items()}
    batch = pa.RecordBatch.from_pydict({"owner_id": pa.array(owners), **lists})
    names = np.arange(3, dtype=np.int32)
    parts = [sketching._counted(batch[lo:hi], names) for lo, hi in ((0, 400), (400, count))]
    table = pa.Table.from_batches(parts)
    for closing, name in ((False, "opening"), (True, "closing")):
        own = Counter()
        for owner, keys in zip(owners, ends[name], strict=True):
            own.update((key, owner) for key in set(keys) - {0})
        total = Counter()
        for (key, _), articles in own.items():
            total[key] += articles
        expected = {
            (closing, key, owner)
            for (key, owner), articles in own.items()
            if articles >= LEAST_ARTICLES and articles >= OWN_SHARE * total[key]
        }
        found = set()
        for part in range(3):
            some = table.filter((pc.field("part") == part) & (pc.field("closing") == closing))
            found |= {tuple(row.values()) for row in sketching._owned(some, closing).to_pylist()}
        assert found == expected
        assert expected


@given(st.integers(0, 10_000), st.integers(9, 60), st.integers(1, 9))
def test_blocks_of_pairs_are_of_a_size(seed, count, blocks):
    from dedup.engines.spark.blocks import ordered_blocks

    ends = np.sort(np.random.default_rng(seed).integers(0, 30, (count, 2)), axis=1)
    a, b = np.unique(ends[ends[:, 0] < ends[:, 1]], axis=0).T
    sizes = np.bincount(ordered_blocks(a, b, blocks), minlength=blocks)
    assert len(sizes) == blocks
    assert sizes.max() - sizes.min() <= 1


def test_pairs_are_handed_on_some_at_once(monkeypatch):
    from dedup.engines.spark import meeting, packed

    rng = np.random.default_rng(4)
    passages = np.zeros(30, meeting._WEIGHED)
    passages["passage"], passages["information"] = np.arange(30), 90
    holders = np.zeros(120, packed.HOLDER)
    holders["passage"], holders["node"] = np.repeat(np.arange(30), 4), rng.permutation(120) % 20
    texts = np.zeros(20, packed.TEXT)
    texts["node"], texts["information"] = np.arange(20), 300
    links = np.empty(0, meeting._LINKED)

    def met():
        return [*meeting._met([passages, holders, links, texts], Settings())]

    pairs, last = met()
    monkeypatch.setattr(meeting, "ROWS_AT_ONCE", 2)
    *parts, end = met()
    assert len(parts) == -(-len(pairs) // 2) > 5
    assert pa.Table.from_batches(parts).to_pylist() == pairs.to_pylist()
    assert end.to_pylist() == last.to_pylist()


def blocks_of_a_text(a, b, blocks):
    """In how many blocks a text is, on average."""
    from dedup.engines.spark.blocks import ordered_blocks

    block = ordered_blocks(a, b, blocks)
    held = {*zip(a.tolist(), block.tolist(), strict=True), *zip(b.tolist(), block, strict=True)}
    return len(held) / len(np.union1d(a, b))


def test_texts_of_a_large_story_are_in_few_blocks():
    # Any text is compared with any other: pieces of whatever order have nearly all texts each.
    ends = np.sort(np.random.default_rng(1).integers(0, 1_000, (40_000, 2)), axis=1)
    a, b = np.unique(ends[ends[:, 0] < ends[:, 1]], axis=0).T
    assert blocks_of_a_text(a, b, 16) < 6


def test_neighbours_are_in_one_block():
    a = np.repeat(np.arange(1_000), 4)
    b = a + np.tile(np.arange(1, 5), 1_000)
    assert blocks_of_a_text(a, b, 16) < 1.1


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_keys_keep_their_order(keys):
    from dedup.engines.spark.batches import sortable, unsorted

    array = np.array(keys, np.uint64)
    found = sortable(array)
    assert np.array_equal(np.argsort(found, kind="stable"), np.argsort(array, kind="stable"))
    assert np.array_equal(unsorted(found), array)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 90), st.integers(4, 100))
def test_blocks_of_band_keys_find_the_pairs_of_the_local_engine(seed, count, words):
    """With few words buckets overflow, so that representatives decide."""
    from dedup.candidates import find_candidates
    from dedup.engines.spark import bandblocks, packed, similar, sketching
    from dedup.engines.spark.batches import sortable
    from dedup.reuse import nothing_known

    plain = Settings(min_information=10)
    texts = pa.array(fixture.sentences(seed, count, words), pa.string())
    c = collect(as_texts(texts.to_pylist()))
    local = find_candidates(c, plain, earlier=nothing_known(c, []).passages)
    key = sortable(c.p_key)
    one, two = key[local.similar.u], key[local.similar.v]
    expected = set(zip(np.minimum(one, two).tolist(), np.maximum(one, two).tolist(), strict=True))

    nodes = pa.RecordBatch.from_pydict(
        {
            "node": pa.array(range(count), pa.int64()),
            "copies": pa.array([1] * count, pa.int64()),
            "owner_id": pa.nulls(count, pa.string()),
            "text": texts,
        }
    )
    rows = sketching._occurrences(sketching._sketched(nodes, plain, c))
    table = pa.Table.from_batches([rows])
    first = {p: i for i, p in reversed(list(enumerate(table["passage"].to_pylist())))}
    distinct = table.take(pa.array(sorted(first.values()), pa.int64()))
    if not len(distinct):
        assert not expected
        return
    names = ["passage", "information", "quoted", "words"]
    batch = distinct.select(names).combine_chunks().to_batches()[0]
    half = len(batch) // 2
    rows = [similar._entries(part, plain, 3) for part in (batch[:half], batch[half:]) if len(part)]
    blocks = pa.Table.from_batches(rows)
    found, full, crowded = set(), 0, 0
    for block in range(3):
        own = blocks.filter(pc.field("block") == block)
        columns = (own[name].to_pylist() for name in ("entries", "passages", "words"))
        met = similar._pairs(*columns, plain)
        full += met["full"].to_pylist()[-1]
        found |= set(
            zip(*(met[n].to_pylist() for n in ("u", "v", "shared", "common")), strict=True)
        )
    found.discard((None,) * 4)
    assert {row[:2] for row in found} == expected
    # Blocks of bands find the same, and as many full buckets.
    indexed = sketching._indexed(c, plain)
    parts = packed.packs(c, indexed, np.arange(count), np.ones(count, np.int64), 2)
    held, held_words = (parts[name].to_pylist()[0] for name in ("held", "held_words"))
    # As Spark hands on several rows: in chunks.
    part = pa.table({"held": held[:1], "words": held_words[:1]})
    passages = pa.concat_tables([part, pa.table({"held": held[1:], "words": held_words[1:]})])
    by_bands = set()
    for block in range(3):
        own = bandblocks.bands_of(block, 3, plain)
        met = bandblocks.pairs_of_bands(passages, own, plain)
        by_bands |= set(
            zip(*(met[n].to_pylist() for n in ("u", "v", "shared", "common")), strict=True)
        )
        crowded += met["full"].to_pylist()[-1]
    by_bands.discard((None,) * 4)
    assert by_bands == found
    assert crowded == full
    # Pairs that met elsewhere are compared alone, with the same result.
    place = {p: i for i, p in enumerate(distinct["passage"].to_pylist())}
    ends = [[pair[k] for pair in sorted(expected)] for k in (0, 1)]
    sides = {
        f"{name}_{end}": distinct[name].take(pa.array([place[p] for p in of], pa.int64()))
        for end, of in zip("uv", ends, strict=True)
        for name in ("words", "information")
    }
    pairs = {end: pa.array(of, pa.int64()) for end, of in zip("uv", ends, strict=True)}
    joined = pa.table({**pairs, **sides}).combine_chunks()
    columns = {name: joined[name].combine_chunks() for name in joined.column_names}
    alike = similar._compared(pa.RecordBatch.from_pydict(columns), plain)
    proved = set(zip(*(alike[n].to_pylist() for n in ("u", "v", "shared")), strict=True))
    assert proved == {row[:3] for row in found}


# --- on Spark ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session():
    fixture.need_spark()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from dedup.engines.spark.session import make_session

    spark = make_session("local[2]", options_of(fixture.CONF))
    yield spark
    spark.stop()


@pytest.fixture
def local(tmp_path):
    """The sample, scanned by the local engine."""
    dedup.scan(str(SAMPLE)).write(tmp_path / "local", format="parquet", report=False)
    return tmp_path / "local"


@slow
def test_stages_side_by_side(session, tmp_path):
    from dedup.engines.spark.session import few_rows
    from dedup.engines.spark.stages import Stages

    rows = few_rows(session, {"name": ["b", "a"], "size": [2, 1]})
    assert rows.collect() == [("b", 2), ("a", 1)]

    def table(name):
        return lambda: stages.table(name, lambda: rows.where(f"name = '{name}'"))

    with Stages(session, tmp_path.as_uri()) as stages:
        found = stages.together({name: table(name) for name in "ab"})
        assert {name: rows.collect() for name, rows in found.items()} == {
            "a": [("a", 1)],
            "b": [("b", 2)],
        }
        assert {entry["stage"] for entry in stages.log} == {"a", "b"}


def random_edges(seed, nodes, count):
    rng = np.random.default_rng(seed)
    return [(int(a), int(b)) for a, b in rng.integers(0, nodes, (count, 2))]


@slow
@pytest.mark.parametrize("one_task", [0, 1_000])
@pytest.mark.parametrize(
    "edges", [random_edges(1, 60, 50), [(i, i + 1) for i in range(40)], [(0, i) for i in range(30)]]
)
def test_components_are_those_of_scipy(session, tmp_path, edges, one_task):
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    from dedup.engines.spark.components import components
    from dedup.engines.spark.stages import Stages

    frame = session.createDataFrame(edges, "u long, v long")
    found = components(Stages(session, str(tmp_path)), "c", frame, one_task=one_task)
    mine = {row["node"]: row["component"] for row in found.collect()}
    u, v = np.array([e for e in edges if e[0] != e[1]]).T
    size = int(max(u.max(), v.max())) + 1
    _, label = connected_components(coo_matrix((np.ones(len(u)), (u, v)), (size, size)), False)
    nodes = sorted({*u.tolist(), *v.tolist()})
    least = {}
    for node in nodes:
        least.setdefault(label[node], node)
    assert mine == {node: least[label[node]] for node in nodes}


@slow
@pytest.mark.parametrize("one_task", [0, 1_000])
@pytest.mark.parametrize("seed", range(3))
def test_bounded_edges_are_those_of_the_kernel(session, seed, one_task):
    from dedup.engines.spark.bounded import bounded_edges
    from dedup.kernels.pairs import bounded_edges as kernel

    edges = sorted({(min(e), max(e)) for e in random_edges(seed, 30, 200) if e[0] != e[1]})
    weight = np.random.default_rng(seed).integers(0, 5, len(edges))
    pairs = np.array([u << 32 | v for u, v in edges], np.uint64)
    keep = kernel(pairs, weight.astype(np.int64), 30, 8, 2, 3)
    rows = [(*e, int(w)) for e, w in zip(edges, weight, strict=True)]
    frame = session.createDataFrame(rows, "u long, v long, w long")
    bounds = {"cap": 8, "few": 2, "strongest": 3, "one_task": one_task}
    found = bounded_edges(frame.repartition(3), ("u", "v"), "w", **bounds).collect()
    assert {(r["u"], r["v"]) for r in found} == {e for e, k in zip(edges, keep, strict=True) if k}


@slow
def test_texts_that_meet_by_joins_are_those_that_one_task_finds(session):
    from dedup.engines.spark import bounded, meeting, packed

    rng = np.random.default_rng(3)
    plain = Settings(max_partners=8, representatives=3, min_information=10)
    held = [np.unique(rng.integers(0, 40, size)) for size in rng.integers(1, 30, 50)]
    rows = [(p, float(rng.integers(9, 90)), p % 2, len(nodes)) for p, nodes in enumerate(held)]
    kinds = "passage long, information float, quoted byte, holders long"
    passages = session.createDataFrame(rows, kinds)
    rows = [(p, int(node)) for p, nodes in enumerate(held) for node in nodes]
    holders = session.createDataFrame(rows, "passage long, node long")
    rows = [(u, v, int(rng.integers(9, 900))) for u in range(50) for v in range(u + 1, 50, 7)]
    links = session.createDataFrame(rows, "u long, v long, common int")
    rows = [(node, float(rng.integers(100, 3000))) for node in range(40)]
    sketches = session.createDataFrame(rows, "node long, information double")

    crowds = bounded.crowds(passages, holders, links, plain)
    pairs = bounded.pairs_of_holders(crowds, holders, plain).unionByName(
        bounded.pairs_of_similar(links, crowds, holders, plain)
    )
    joined = {tuple(row) for row in bounded.article_pairs(pairs, sketches, plain).collect()}
    found = meeting.met(passages, holders, links, sketches, plain).collect()
    assert {(r["a"], r["b"], r["weight"]) for r in found if r["a"] is not None} == joined
    assert len(joined) > 100
    (capped,) = [row["capped"] for row in found if row["a"] is None]
    assert capped == bounded.capped_passages(links, crowds, plain)
    # Packed, all in one step: links are bounded, then pairs.
    strong = links.selectExpr("*", "9 AS shared")
    few = plain.representatives
    kept = bounded.bounded_edges(
        strong, ("u", "v"), "shared", cap=plain.max_partners, few=few, strongest=few
    )
    found = meeting.met(passages, holders, kept, sketches, plain).where("a IS NOT NULL")
    most = bounded.partners(plain)
    pairs = bounded.bounded_edges(
        found, ("a", "b"), "weight", cap=most, few=few, strongest=most
    ).collect()
    columns = {name: [] for name in ("held", "holding", "says", "pairs")}
    for name, frame, kind in (
        ("held", passages.selectExpr("*", "1L AS held", "1 AS words"), packed.HELD),
        ("holding", holders, packed.HOLDER),
        ("says", sketches, packed.TEXT),
        ("pairs", strong, packed.ALIKE),
    ):
        rows = [tuple(row[field] for field in kind.names) for row in frame.collect()]
        columns[name] = [np.array(rows[i::2], kind).tobytes() for i in range(2)]
    packs = session.createDataFrame(
        list(zip(*columns.values(), strict=True)),
        ", ".join(f"{name} binary" for name in columns),
    )
    rows = meeting.blocked_pairs(packs, packs, packs, plain, 3).collect()
    expected = {(row["a"], row["b"], row["weight"]) for row in pairs}
    assert {(r["a"], r["b"], r["weight"]) for r in rows if r["a"] is not None} == expected
    assert len({row["block"] for row in rows if row["a"] is not None}) == 3
    (last,) = [row for row in rows if row["a"] is None]
    assert last["links"] == links.count() - kept.count()
    assert last["pairs"] == found.count() - len(pairs)


@slow
def test_passages_are_clustered_alike_by_one_task_and_by_many(session, tmp_path):
    from dedup.engines.spark.shared import cluster_passages
    from dedup.engines.spark.stages import Stages

    rng = np.random.default_rng(5)
    links = [
        (
            rng.integers(-60, 60, size).tolist(),
            rng.integers(-60, 60, size).tolist(),
            rng.uniform(0.3, 1.0, size).tolist(),
        )
        for size in rng.integers(0, 4, 60)
    ]
    kinds = "key_a array<long>, key_b array<long>, cosine array<float>"
    aligned = session.createDataFrame(links, kinds)
    rows = [(int(p), int(rng.integers(2, 9))) for p in range(-80, 80, 3)]
    repeated = session.createDataFrame(rows, "passage long, held long")
    one, many = (
        sorted(
            tuple(row)
            for row in cluster_passages(
                Stages(session, (tmp_path / str(bound)).as_uri()),
                aligned.repartition(3),
                repeated.repartition(2),
                one_task=bound,
            ).collect()
        )
        for bound in (1_000, 0)
    )
    assert one == many
    assert len({cluster for _, cluster in one}) < len(one)


@slow
def test_the_hash_is_sparks(session):
    found = session.range(-500, 500).selectExpr("hash(cast(id AS int)) AS h").collect()
    assert [row["h"] for row in found] == spark_hash(np.arange(-500, 500, dtype=np.int32)).tolist()


@slow
def test_groups_have_the_same_members_by_one_task_and_by_many(session, tmp_path):
    from dedup.engines.spark.groups import group_members
    from dedup.engines.spark.stages import Stages
    from dedup.relate import R_COPY, R_PARTIAL, R_QUOTE

    edges = sorted({(min(e), max(e)) for e in random_edges(7, 60, 60) if e[0] != e[1]})
    kinds = np.random.default_rng(7).choice([R_COPY, R_PARTIAL, R_QUOTE], len(edges)).tolist()
    rows = [(*edge, kind) for edge, kind in zip(edges, kinds, strict=True)]
    related = session.createDataFrame(rows, "a long, b long, relation byte").repartition(3)
    rows = [(node, 1 + node % 3, node % 2 == 0) for node in range(70)]
    nodes = session.createDataFrame(rows, "node long, copies int, groupable boolean")
    one, many = (
        sorted(
            tuple(row)
            for row in group_members(
                Stages(session, (tmp_path / str(bound)).as_uri()), related, nodes, one_task=bound
            ).collect()
        )
        for bound in (1_000, 0)
    )
    assert one == many
    assert {core for _, _, core in one} == {True, False}


@pytest.mark.parametrize(
    ("master", "serial"),
    [("local", True), ("local[2]", True), ("local[64]", False), ("yarn", True)],
)
def test_few_cores_collect_garbage_one_after_the_other(master, serial):
    assert ("SerialGC" in java_options(master)) == serial


@slow
def test_a_small_run_has_settings_of_its_own(session):
    before = session.conf.getAll
    own = make_session(None, {})
    tune(own, 20 * 2**20)
    assert own.conf.get("spark.sql.adaptive.enabled") == "false"
    # What the context was made with stands: see CONF.
    assert own.conf.get("spark.sql.shuffle.partitions") == "4"
    assert session.conf.getAll == before


@slow
def test_a_run_in_a_session_of_the_user_leaves_it_as_it_was(session, tmp_path, local):
    from dedup.agencies import load
    from dedup.engines.spark import Request, scan
    from dedup.families import NO_FAMILIES

    context = session.sparkContext
    session.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    context.setJobDescription("mine")
    context.addJobTag("mine")
    before = session.conf.getAll
    try:
        out = tmp_path / "out"
        given = ([str(SAMPLE)], str(out), Settings(), ReadSettings(), load(), NO_FAMILIES)
        scan(Request(*given, keep_work=True))
        fixture.assert_same(out, local)
        # Its tables are not in the folder of stages any longer: they are made again.
        scan(Request(*given, keep_work=True, overwrite=True))
        fixture.assert_same(out, local)
        assert session.conf.getAll == before
        assert context.getLocalProperty("spark.job.description") == "mine"
        assert set(context.getJobTags()) == {"mine"}
    finally:
        context.clearJobTags()
        session.conf.unset("spark.sql.session.timeZone")


@slow
@pytest.mark.parametrize("beside", [True, False])
def test_what_fails_ends_all_work_beside_it(session, tmp_path, beside):
    from dedup.engines.spark.stages import Stages, stage_named

    def forever(batches):
        time.sleep(600)
        yield from batches

    begun = Event()

    def slow_rows():
        begun.set()
        return session.range(1).mapInArrow(forever, "id long")

    def broken_rows():
        begun.wait()
        return session.range(1).select("nothing")

    def both():
        with (
            stage_named(None) as progress,
            Stages(session, tmp_path.as_uri(), progress) as stages,
        ):
            first, last = ("broken", broken_rows), ("slow", slow_rows)
            if not beside:
                first, last = last, first
            stages.beside(lambda: stages.table(*first))
            stages.table(*last)

    with pytest.raises(InternalError, match="gave up in stage 'broken'"):
        both()
    assert not session.sparkContext.statusTracker().getActiveJobsIds()


@slow
def test_the_sample_gives_the_same_tables(tmp_path, local):
    fixture.need_spark()
    done = fixture.scan([SAMPLE], tmp_path / "spark")
    fixture.assert_same(tmp_path / "spark", local)
    assert (tmp_path / "spark" / "_SUCCESS").exists()
    assert "<html" in (tmp_path / "spark" / "report.html").read_text()
    run = json.loads((tmp_path / "spark" / "run.json").read_text())
    ledger = run["ledger"]
    assert ledger["read"] == ledger["articles"] + ledger["repeats"] + ledger["rejected"] == 84
    assert not list((tmp_path / "spark.work").glob("*/"))
    assert "84 articles" in done.stderr


@slow
def test_repeats_rejects_and_revisions_in_several_files(tmp_path):
    fixture.need_spark()
    rows = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    folder = tmp_path / "in"
    folder.mkdir()
    parts = [rows[:40], rows[30:], [{**row, "text": row["text"] + " Ende."} for row in rows[:3]]]
    for n, part in enumerate(parts):
        lines = [json.dumps(row) for row in part]
        (folder / f"{n}.jsonl").write_text("\n".join([*lines, "{broken", '{"text": null}']))
    # The same text under other ids: identical articles.
    again = [{**row, "id": f"again-{i}"} for i, row in enumerate(rows[:20])]
    (folder / "z.jsonl").write_text("\n".join(map(json.dumps, again)))
    dedup.scan(str(folder)).write(tmp_path / "local", format="parquet", report=False)
    fixture.scan([folder], tmp_path / "spark")
    for name in fixture.TABLES:
        mine, theirs = (fixture.table(tmp_path / side, name) for side in ("spark", "local"))
        if name == "rejected":  # in the order of reading there
            mine, theirs = (sorted(map(repr, side)) for side in (mine, theirs))
        assert mine == theirs, name


@slow
@pytest.mark.corpus
def test_the_five_korea_china_articles(tmp_path):
    fixture.need_spark()
    if not (CORPORA / "korea-china").is_dir():
        pytest.skip(f"no corpus at {CORPORA / 'korea-china'}")
    dedup.scan(str(CORPORA / "korea-china")).write(
        tmp_path / "local", format="parquet", report=False
    )
    fixture.scan([CORPORA / "korea-china"], tmp_path / "spark")
    fixture.assert_same(tmp_path / "spark", tmp_path / "local")


def started(tmp_path, stage, master="local[2]", *options):
    """A scan that has finished ``stage`` and goes on."""
    process = subprocess.Popen(
        fixture.command([SAMPLE], tmp_path / "spark", *options, master=master),
        env=fixture.environment(),
        stdout=subprocess.DEVNULL,
        stderr=(tmp_path / "stderr").open("wb"),
        start_new_session=True,
    )
    deadline = time.monotonic() + 900
    while not list((tmp_path / "spark.work").glob(f"*/{stage}.done.json")):
        assert process.poll() is None, (tmp_path / "stderr").read_text()[-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return process


@slow
def test_a_driver_that_was_killed_goes_on_at_the_last_finished_stage(tmp_path, local):
    fixture.need_spark()
    process = started(tmp_path, "blocks")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "spark").exists()
    fixture.scan([SAMPLE], tmp_path / "spark")
    fixture.assert_same(tmp_path / "spark", local)
    stages = json.loads((tmp_path / "spark" / "run.json").read_text())["timing"]["stages"]
    resumed = [stage["stage"] for stage in stages if stage["resumed"]]
    assert resumed[0] == "read"
    assert "blocks" in resumed
    assert "verdicts" not in resumed


@slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_no_more(tmp_path, sign):
    fixture.need_spark()
    process = started(tmp_path, "passages")
    os.killpg(process.pid, sign)
    assert process.wait(60) == 130
    said = (tmp_path / "stderr").read_text()
    assert "interrupted" in said
    assert "Traceback" not in said
    assert not (tmp_path / "spark").exists()


@slow
def test_a_worker_killed_in_the_middle_changes_nothing(tmp_path, local):
    fixture.need_spark()
    with fixture.cluster(tmp_path) as (url, workers):
        process = started(tmp_path, "sketches", url, "--conf", "spark.executor.memory=1g")
        os.killpg(workers[0].pid, signal.SIGKILL)
        assert process.wait(1800) == 0, (tmp_path / "stderr").read_text()[-3000:]
    fixture.assert_same(tmp_path / "spark", local)


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("which", ["executor", "python"])
def test_an_executor_killed_for_memory_changes_nothing(tmp_path, local, which):
    """SIGKILL while a task aligns pairs: nothing can say goodbye, as when memory is short."""
    fixture.need_spark()
    work = tmp_path / "spark.work"
    with fixture.cluster(tmp_path) as (url, workers):
        process = started(tmp_path, "blocks", url, "--conf", "spark.executor.memory=1g")
        deadline = time.monotonic() + 300
        killed = []
        while not killed:
            assert time.monotonic() < deadline
            assert not list(work.glob("*/aligned.done.json")), "the stage was over too soon"
            # The task is writing: its worker has work in hand.
            if list(work.glob("*/aligned/_temporary/0/_temporary/*")):
                for worker in workers:
                    killed += fixture.kill_as_for_memory(worker.pid, which)
            time.sleep(0.01)
        assert not list(work.glob("*/aligned.done.json"))
        assert process.wait(1800) == 0, (tmp_path / "stderr").read_text()[-3000:]
        executors = list((tmp_path / "workers").glob("app-*/*"))
    assert (len(executors) > len(workers)) == (which == "executor")
    fixture.assert_same(tmp_path / "spark", local)
