"""Looking texts up: what a run would compare is brought up, by a kernel that equals its oracle."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from dumps import ROOT
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.candidates import find_candidates
from dedup.checking import Checker
from dedup.collection import as_texts, collect
from dedup.holdings import FolderHoldings, StoredHoldings
from dedup.kernels import bands
from dedup.kernels.lookup import look_up
from dedup.kinds import KnownKinds
from dedup.lookup import Lookup
from dedup.run import Run
from dedup.store import Store

SETTINGS = dedup.Settings()
NO_KINDS = KnownKinds.of([])
NAMES = ("Lindqvist", "Orlund", "Bergby", "Wexmouth", "Halden", "Solheim")
SENTENCES = [
    f"The {a} council bought {n} barges from the {b} shipyard after the {c} bridge collapsed."
    for n, (a, b, c) in enumerate(itertools.permutations(NAMES, 3))
][::7]

texts = st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=5).map(" ".join)


def lookup_over(some, kinds=NO_KINDS):
    c = collect(as_texts(some))
    return Lookup.of(c, SETTINGS, np.arange(len(some), dtype=np.int32), kinds)


@given(st.lists(texts, min_size=1, max_size=6, unique=True), texts)
def test_what_a_run_would_compare_is_brought_up(held, own):
    found = set(lookup_over(held).nearest(collect(as_texts([own])), 100).tolist())
    for number, text in enumerate(held):
        if text != own:
            pair = collect(as_texts([own, text]))
            assert (number in found) == (len(find_candidates(pair, SETTINGS).a) > 0)
    assert {n for n, text in enumerate(held) if text == own} <= found


def test_the_closest_comes_first_and_the_number_is_bounded():
    own = " ".join(SENTENCES[:4])
    held = [" ".join(SENTENCES[k : k + 4]) for k in range(5)]
    lookup = lookup_over(held)
    best = lookup.nearest(collect(as_texts([own])), 3).tolist()
    assert best[0] == 0
    assert len(best) == 3
    assert lookup.nearest(collect(as_texts([own])), 2).tolist() == best[:2]


def test_furniture_alone_brings_nothing_up():
    furniture = " ".join(SENTENCES[:2])
    held = [f"{furniture} {SENTENCES[-1]}"]
    c = collect(as_texts(held))
    kinds = KnownKinds.of((int(key), 2) for key in c.p_key[:2])
    own = collect(as_texts([furniture]))
    assert lookup_over(held).nearest(own, 9).tolist() == [0]
    assert lookup_over(held, kinds).nearest(own, 9).tolist() == []
    more = collect(as_texts([held[0]]))
    assert lookup_over(held, kinds).nearest(more, 9).tolist() == [0]


def test_nothing_to_look_up():
    own = collect(as_texts(["Too short."]))
    assert lookup_over(SENTENCES).nearest(own, 9).tolist() == []
    assert lookup_over([""]).nearest(collect(as_texts(SENTENCES[:1])), 9).tolist() == []


def plainly(keys, ours, entries, theirs, bits, limits):
    """The oracle: every pair that shares a key in a band, by the definitions."""
    jaccard, least, dice, inside = limits
    out = []
    for i, u in itertools.product(range(len(ours)), range(len(theirs))):
        low = {
            (band, int(e) >> 32) for band, row in enumerate(entries) for e in row if e & 255 == u
        }
        if not any((band, int(key)) in low for band, key in enumerate(keys[i])):
            continue
        common = ours[i] & theirs[u]
        shared = sum(bits[w] for w in common)
        a, b = sum(bits[w] for w in ours[i]), sum(bits[w] for w in theirs[u])
        if shared < least or len(common) < jaccard * len(ours[i] | theirs[u]):
            continue
        if 2 * shared >= dice * (a + b) or shared >= inside * min(a, b):
            out.append((i, u, shared))
    return out


words = st.frozensets(st.integers(0, 11), min_size=1, max_size=6)
passages = st.tuples(words, st.lists(st.integers(0, 3), min_size=2, max_size=2))


@given(
    st.lists(passages, max_size=4),
    st.lists(passages, min_size=1, max_size=6),
    st.tuples(*[st.sampled_from([0.2, 0.5, 0.8])] * 2),
)
def test_the_kernel_equals_its_oracle(ours, theirs, shares):
    bits = np.arange(1, 13, dtype=np.uint8) * 4
    limits = (shares[0], 8.0, shares[1], 0.8)

    def flat(sets):
        sizes = [len(s) for s in sets]
        start = np.append(0, np.cumsum(sizes)).astype(np.int64)
        return start, np.array([w for s in sets for w in sorted(s)], np.int32)

    mixed = bands.mixed_hashes(np.arange(12, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))

    def cards(sets):
        start, word = flat(sets)
        information = np.array([sum(int(bits[w]) for w in s) / 4 for s in sets], np.float32)
        out = np.zeros((len(sets), 4), np.uint64)
        bands.cards(np.arange(len(sets)), start, word, information, mixed, out)
        return out

    own, held = [s for s, _ in ours], [s for s, _ in theirs]
    keys = np.array([k for _, k in ours], np.uint32).reshape(len(ours), 2)
    entries = np.array(
        [sorted((k[band] << 32) | u for u, (_, k) in enumerate(theirs)) for band in (0, 1)],
        np.uint64,
    )
    o_content, o_word = flat(own)
    _, c_word = flat(held)
    found = look_up(
        keys,
        o_content,
        o_word,
        cards(own),
        entries,
        cards(held),
        c_word,
        bits,
        256,
        *limits,
    )
    rows = list(zip(*(a.tolist() for a in found), strict=True))
    assert rows == plainly(keys, own, entries, held, bits.astype(int).tolist(), limits)


def test_all_of_a_large_bucket_are_looked_at():
    # More than are asked for ahead; each third is ours, word for word.
    ours = np.arange(4, dtype=np.int32)
    words = np.concatenate([ours if u % 3 == 0 else ours + 4 for u in range(200)])
    start = np.arange(0, 4 * 201, 4)
    mixed = bands.mixed_hashes(np.arange(8, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))

    def cards(start, words):
        out = np.zeros((len(start) - 1, 4), np.uint64)
        every, information = np.arange(len(out)), np.full(len(out), 40, np.float32)
        bands.cards(every, start, words, information, mixed, out)
        return out

    found = look_up(
        np.array([[7]], np.uint32),
        start[:2],
        ours,
        cards(start[:2], ours),
        ((np.uint64(7) << np.uint64(32)) | np.arange(200, dtype=np.uint64))[None, :],
        cards(start, words),
        words,
        np.full(8, 40, np.uint8),
        256,
        *(0.5, 8.0, 0.5, 0.8),
    )
    assert found[1].tolist() == list(range(0, 200, 3))
    assert set(found[2].tolist()) == {160}


@pytest.fixture(scope="module")
def both(sample, tmp_path_factory):
    """A checker over an index of the sample with its store, and one over a folder."""
    base = tmp_path_factory.mktemp("both")
    index = dedup.Index.open(base / "index", create=True)
    index.update(ROOT / "data" / "sample" / "articles.jsonl", report=False)
    agencies = Run().agencies
    folder = FolderHoldings("folder", dict(sample.tables))
    with Store.open(base / "index") as store:
        yield (
            (Checker.of_index(store, SETTINGS, agencies, 1), StoredHoldings(store)),
            (Checker.of_folder(folder, SETTINGS, agencies, 1), folder),
            index,
        )


def test_a_folder_answers_as_an_index_does(both, sample):
    (one, stored), (two, folder), _ = both
    for text in sample.tables["texts"]["text"].to_pylist()[:12]:
        article = {
            **dict.fromkeys(("outlet", "published", "published_raw", "url", "title", "byline")),
            "id": "asked",
            "digest": dedup.model.text_digest(text),
            "file": "",
            "position": "",
            "precision": "unknown",
            "issues": [],
            "text": text,
        }
        found = [
            one.check(stored, article).as_dict(),
            two.check(folder, article).as_dict(),
        ]
        for answer in found:
            answer["article"].pop("group")  # an index gives its own ids
            for other in answer["others"].values():
                other.pop("group")
                other.pop("file")
        assert found[0] == found[1]
        assert found[0]["known"]


def test_what_the_checker_does_not_know_yet_is_left_out_not_wrong(both, tmp_path):
    (checker, _), _, _ = both
    with Store.open(tmp_path_empty(tmp_path)) as store:
        found = checker.check(
            StoredHoldings(store),
            {
                **dict.fromkeys(("outlet", "published", "published_raw", "url", "title", "byline")),
                "id": "x",
                "digest": "0" * 32,
                "file": "",
                "position": "",
                "precision": "unknown",
                "issues": [],
                "text": (ROOT / "data" / "sample" / "articles.jsonl").read_text()[:3000],
            },
        )
    assert found.relations == []
    assert found.flag == "unique"


def tmp_path_empty(folder):
    """An index without articles."""
    dedup.Index.open(folder / "empty", create=True)
    return folder / "empty"
