"""rensa on documents: ``stream`` as its README shows, ``batch`` as its README's figures were taken.

    python rensa_documents.py FILE stream|batch

``batch`` is the rho pipeline, which samples token positions: 128 slots, 8 bands, threshold .8.
"""

import sys

import orjson
from rensa import RMinHash, RMinHashDeduplicator, RMinHashLSH

PERMUTATIONS = 128
THRESHOLD = 0.8


def main() -> None:
    with open(sys.argv[1], "rb") as handle:  # noqa: PTH123
        texts = [orjson.loads(line)["text"] for line in handle]
    if sys.argv[2] == "stream":
        index = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=PERMUTATIONS, use_lsh=True)
        kept = index.add_pairs((str(i), text.split()) for i, text in enumerate(texts))
        found = len(texts) - sum(kept)
    else:
        tokens = [text.split() for text in texts]
        signatures = RMinHash.digest_matrix_from_token_sets_rho(
            tokens, num_perm=PERMUTATIONS, seed=42
        )
        lsh = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=8)
        found = sum(lsh.query_duplicate_flags_matrix_one_shot(signatures))
    print(orjson.dumps({"found": found}).decode())


if __name__ == "__main__":
    main()
