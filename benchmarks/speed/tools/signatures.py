"""Signatures alone, texts in memory, one thread: prints megabytes of text a processor second.

    python signatures.py FILE dedup|dedup-sketch|datasketch|rensa

``dedup`` cuts passages, numbers their words and signs those worth it; ``dedup-sketch`` is given the
passages with their words.
``datasketch`` and ``rensa`` sign documents, from the text on, with their words split in Python.
The best of three rounds counts; a round takes no more than the first 2,000 articles.
"""

import sys
import time
from itertools import islice

import orjson

ARTICLES = 2_000
ROUNDS = 3


def prepare(kind: str, texts: list[str]):
    """What one round does."""
    if kind.startswith("dedup"):
        import numpy as np

        from dedup import Settings
        from dedup.candidates import indexed_passages
        from dedup.collection import as_texts, collect
        from dedup.kernels.bands import band_keys, mixed_hashes
        from dedup.sketch import scheme

        plan, arrow = scheme(Settings()), as_texts(texts)
        used = plan.bands * plan.rows

        def signed(c) -> None:
            chosen = indexed_passages(c, Settings())
            keys = np.empty((len(chosen), plan.bands), np.uint32)
            permutations = plan.a[:used], plan.b[:used], plan.rows
            band_keys(chosen, c.p_content, c.c_word, mixed_hashes(c.v_hash), *permutations, keys)

        if kind == "dedup":
            return lambda: signed(collect(arrow))
        collection = collect(arrow)
        return lambda: signed(collection)
    if kind == "datasketch":
        from datasketch import MinHash

        def sign() -> None:
            for text in texts:
                MinHash(128).update_batch([w.encode() for w in set(text.lower().split())])

        return sign
    from rensa import RMinHash

    return lambda: RMinHash.from_token_sets((text.split() for text in texts), 128, 42)


def main() -> None:
    path, kind = sys.argv[1:]
    with open(path, "rb") as handle:  # noqa: PTH123
        texts = [orjson.loads(line)["text"] for line in islice(handle, ARTICLES)]
    size = sum(len(text.encode()) for text in texts)
    work = prepare(kind, texts)
    work()
    seconds = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    rate = size / 1e6 / min(seconds)
    print(orjson.dumps({"megabytes_per_second": rate, "articles": len(texts)}).decode())


if __name__ == "__main__":
    main()
