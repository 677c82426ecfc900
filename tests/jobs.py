"""Help for tests of the scheduled job: its file, its process, servers that hear of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from dumps import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDS = (
    (ROOT / "data" / "sample" / "articles.jsonl").read_text(encoding="utf-8").splitlines()[:16]
)
HEAD = 'index = "news.index"\ndrop = "drop"\nsettle = 0\nthreads = 1\nlog = "log.jsonl"\n'


def write_job(folder: Path, *more: str, head: str = HEAD) -> Path:
    path = folder / "news.toml"
    path.write_text("\n".join([head, *more]), encoding="utf-8")
    (folder / "drop").mkdir(exist_ok=True)
    return path


def put(folder: Path, name: str, records: list[str], *, drop: str = "drop") -> None:
    path = folder / drop / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{record}\n" for record in records), encoding="utf-8")


def command(job: Path, *, verb: str = "run", code: str | None = None) -> list[str]:
    if code is None:
        return [sys.executable, "-m", "dedup", "job", verb, str(job)]
    main = f"import sys\nsys.argv = ['dedup', 'job', {verb!r}, {str(job)!r}]\n"
    return [sys.executable, "-c", f"{main}{code}\nfrom dedup.__main__ import main\nmain()\n"]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def run_process(job: Path, *, verb: str = "run", code: str | None = None, **more: str) -> Any:
    """The job as a process of its own, from another working directory."""
    return subprocess.run(
        command(job, verb=verb, code=code),
        cwd="/",
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def wait_for(path: Path) -> None:
    end = time.monotonic() + 240
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)


def log_of(folder: Path, event: str | None = None) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").open(encoding="utf-8")]
    return [line for line in lines if event in (None, line["event"])]


class Received(list[tuple[dict[str, str], dict[str, Any]]]):
    """Headers and JSON of every request; ``answers`` are the statuses of the next ones, then
    200."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[int] = []


@contextmanager
def web_server() -> Iterator[Received]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((dict(self.headers), json.loads(body)))
            self.send_response(received.answers.pop(0) if received.answers else 200)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    received.url = f"http://127.0.0.1:{server.server_port}/hook/secret"
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
