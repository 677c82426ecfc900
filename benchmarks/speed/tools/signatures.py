"""Signatures alone, texts in memory, one thread: prints megabytes of text a processor second.

    python signatures.py FILE dedup|dedup-sketch|datasketch|rensa

``dedup`` cuts passages and signs those worth it; ``dedup-sketch`` is given the passages.
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
        from dedup import Settings
        from dedup.segment import pack_texts, segment
        from dedup.sketch import sketch

        settings = Settings()
        data, offsets = pack_texts(texts)
        if kind == "dedup":
            return lambda: sketch(segment(data, offsets), settings)
        cut = segment(data, offsets)
        return lambda: sketch(cut, settings)
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
