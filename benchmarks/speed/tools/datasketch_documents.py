"""datasketch on documents, as its guide shows: MinHash objects of words, queried and inserted."""

import sys

import orjson
from datasketch import MinHash, MinHashLSH

THRESHOLD = 0.5
PERMUTATIONS = 128


def main() -> None:
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    pairs = 0
    with open(sys.argv[1], "rb") as handle:  # noqa: PTH123
        for number, line in enumerate(handle):
            words = set(orjson.loads(line)["text"].lower().split())
            signature = MinHash(num_perm=PERMUTATIONS)
            signature.update_batch([word.encode() for word in words])
            pairs += len(index.query(signature))
            index.insert(number, signature)
    print(orjson.dumps({"found": pairs}).decode())


if __name__ == "__main__":
    main()
