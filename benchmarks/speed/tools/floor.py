"""The floor of any tool: parse the file with orjson, encode each text once."""

import sys

import orjson


def main() -> None:
    size = articles = 0
    with open(sys.argv[1], "rb") as handle:  # noqa: PTH123
        for line in handle:
            size += len(orjson.loads(line)["text"].encode())
            articles += 1
    print(orjson.dumps({"articles": articles, "bytes": size}).decode())


if __name__ == "__main__":
    main()
