"""datasketch on passages: a loop over MinHash objects, with dedup's passages and bands.

Takes the passages that dedup indexes, cut by dedup, of the first so many articles. Signs their
words and finds what collides, in as many bands as dedup has; checks nothing.

    python datasketch_passages.py FILE ARTICLES
"""

import sys
import time
from itertools import islice

import numpy as np
import orjson
from datasketch import MinHash, MinHashLSH

from dedup import Settings
from dedup.candidates import indexed_passages
from dedup.collection import as_texts, collect
from dedup.sketch import PERMUTATIONS, scheme


def main() -> None:
    begun = time.perf_counter()
    settings = Settings()
    plan = scheme(settings)
    with open(sys.argv[1], "rb") as handle:  # noqa: PTH123
        texts = [orjson.loads(line)["text"] for line in islice(handle, int(sys.argv[2]))]
    signatures = []
    for first in range(0, len(texts), 1_000):
        cut = collect(as_texts(texts[first : first + 1_000]))
        chosen = indexed_passages(cut, settings)
        spans = np.stack([cut.p_article, cut.p_start, cut.p_end], axis=1)[chosen]
        for article, start, end in spans.tolist():
            words = set(texts[first + article][start:end].lower().split())
            signature = MinHash(num_perm=PERMUTATIONS)
            signature.update_batch([word.encode() for word in words])
            signatures.append(signature)
    signed = time.perf_counter() - begun
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(plan.bands, plan.rows))
    pairs = 0
    for number, signature in enumerate(signatures):
        pairs += len(index.query(signature))
        index.insert(number, signature)
    report = {
        "found": pairs,
        "passages": len(signatures),
        "articles": len(texts),
        "signing_seconds": round(signed, 3),
        "work_seconds": round(time.perf_counter() - begun, 3),
    }
    print(orjson.dumps(report).decode())


if __name__ == "__main__":
    main()
