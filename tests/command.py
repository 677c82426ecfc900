"""``dedup`` as a process of its own, forked from one that has loaded everything.

It is a process like any other (its own arguments, folder, environment, streams and exit code), but
for the seconds that starting Python and loading kernels takes. Tests that concern just these start
Python anew, such as ``test_cli_commands.py`` and ``test_imports.py``.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent


def dedup(
    *arguments: object,
    stdin: bytes = b"",
    cwd: Path | None = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run ``dedup`` to its end; what it wrote is decoded as UTF-8."""
    words = [str(word) for word in arguments]
    with tempfile.TemporaryDirectory() as name:
        streams = [Path(name) / stream for stream in ("in", "out", "err")]
        streams[0].write_bytes(stdin)
        code = _server().ask(
            {
                "arguments": words,
                "cwd": str(cwd or Path.cwd()),
                "environment": {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
                "streams": [str(stream) for stream in streams],
            },
            timeout,
        )
        out, err = (stream.read_text(encoding="utf-8") for stream in streams[1:])
    return subprocess.CompletedProcess(["dedup", *words], code, out, err)


class _Server:
    """The process that forks others, one at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TESTS
        )
        atexit.register(self._process.kill)

    def ask(self, request: dict[str, Any], timeout: float) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            self._process.kill()
            _server.cache_clear()
            raise subprocess.TimeoutExpired(request["arguments"], timeout)
        return int(self._process.stdout.readline())


@cache
def _server() -> _Server:
    return _Server()


def serve() -> None:
    """Load everything, then fork a process for each request on standard input."""
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path[:0] = [str(TESTS.parent), str(TESTS.parent / "benchmarks")]
    from faults.forked import end_with

    import dedup as package

    sample = TESTS.parent / "data" / "sample" / "articles.jsonl"
    with tempfile.TemporaryDirectory() as name:
        package.scan(sample, threads=1).write(Path(name) / "out")
        package.Index.open(Path(name) / "ix", create=True).update(sample, threads=1)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            end_with(partial(_become, request))
        _, status = os.waitpid(child, 0)
        said.write(f"{os.waitstatus_to_exitcode(status)}\n")
        said.flush()


def _become(request: dict[str, Any]) -> None:
    """Be the process that was asked for."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    read, out, err = request["streams"]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, handle in enumerate(
        (os.open(read, os.O_RDONLY), os.open(out, flags), os.open(err, flags))
    ):
        os.dup2(handle, number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.argv = ["dedup", *request["arguments"]]
    from dedup.__main__ import main

    main()


if __name__ == "__main__":
    serve()
