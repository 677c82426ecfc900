"""The real process of the service under what the world does to it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from dumps import ROOT

import dedup

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.slow

ARTICLES = ROOT / "data" / "sample" / "articles.jsonl"
TOKEN = "a-token-of-enough-length"  # not a secret
WAIT = 120


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    path = tmp_path_factory.mktemp("serve") / "index"
    dedup.Index.open(path, create=True).update(ARTICLES, report=False)
    return path


@contextmanager
def serving(place, *arguments, **environment):
    """A process of ``dedup serve`` that is ready, and its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dedup", "serve", str(place), "--port", "0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), **environment},
    )
    try:
        line = process.stderr.readline()
        port = int(re.search(r":(\d+)\s*$", line)[1])
        until = time.monotonic() + WAIT
        while ask(port, "GET", "/healthz")[0] != 200:
            assert time.monotonic() < until, "never ready"
            time.sleep(0.1)
        yield process, port
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def ask(port, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def check(port, text):
    body = json.dumps({"text": text})
    return ask(port, "POST", "/api/check", body, content_type="application/json")


def test_the_document_is_true(index):
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import given, settings

    with serving(index, "--rate", "0") as (process, port):
        document = schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/api/openapi.json")
        operations = [found.ok() for found in document.get_all_operations()]
        assert len(operations) == 9
        for operation in operations:

            @settings(max_examples=40)
            @given(case=operation.as_strategy())
            def conforms(case):
                case.call_and_validate()

            conforms()
        assert process.poll() is None


def test_what_must_not_get_through(index, tmp_path):
    (token := tmp_path / "token").write_text(TOKEN)
    with serving(index, "--token-file", str(token)) as (process, port):
        assert ask(port, "GET", "/api/groups")[0] == 401
        assert ask(port, "GET", "/api/groups", authorization="Bearer wrong")[0] == 401
        assert ask(port, "GET", "/api/groups", authorization=f"Bearer {TOKEN}")[0] == 200
        assert ask(port, "GET", "/healthz", host="evil.example")[0] == 421
        assert process.poll() is None


def test_who_connects_and_asks_nothing_is_let_go(index):
    with serving(index) as (_, port):
        for sent in (b"", b"GET /healthz HTTP/1.1\r\nHost:"):
            with socket.create_connection(("127.0.0.1", port), timeout=30) as silent:
                silent.sendall(sent)
                assert silent.recv(1) == b""


def test_the_token_of_the_environment(index):
    with serving(index, DEDUP_TOKEN=TOKEN) as (_, port):
        assert ask(port, "GET", "/")[0] == 401


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "chunked"])
def test_a_body_of_a_gigabyte(index, stated):
    def status_of(port):
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT) as wire:
            length = f"Content-Length: {2**30}" if stated else "Transfer-Encoding: chunked"
            head = f"POST /api/check HTTP/1.1\r\nHost: localhost\r\n{length}\r\n"
            wire.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n")
            part = b"x" * 2**20
            part = part if stated else b"100000\r\n" + part + b"\r\n"
            sent = 0
            try:
                while sent < 2**30:
                    wire.sendall(part)
                    sent += len(part)
            except OSError:
                pass  # the service has closed the connection
            try:
                return sent, wire.recv(100)
            except ConnectionResetError:
                return sent, b""

    with serving(index) as (process, port):
        sent, answer = status_of(port)
        assert sent < 2**28  # it was not read
        assert answer == b"" or b" 413 " in answer
        assert memory_of(process) < 2**30
        assert check(port, "x")[0] == 200


def memory_of(process):
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def test_a_thousand_connections_at_once(index):
    text = json.loads(ARTICLES.read_text().splitlines()[0])["text"]
    body = json.dumps({"text": text}).encode()
    head = (
        "POST /api/check HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()

    async def one(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + body)
        answer = await asyncio.wait_for(reader.read(), WAIT)
        writer.close()
        return int(answer.split()[1]), answer

    async def all_of_them(port):
        return await asyncio.gather(*(one(port) for _ in range(1000)))

    with serving(index, "--rate", "0", "--queue", "50") as (process, port):
        with ThreadPoolExecutor(1) as aside:  # tests in a browser leave a loop in this thread
            answers = aside.submit(asyncio.run, all_of_them(port)).result()
        statuses = {status for status, _ in answers}
        assert statuses == {200, 503}
        for status, answer in answers:
            if status == 503:
                assert b"retry-after: " in answer.lower()
        assert process.poll() is None
        assert check(port, text)[0] == 200


def test_clients_that_say_nothing_do_not_keep_others_out(index):
    with serving(index) as (_, port):
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
        for wire in silent:
            wire.sendall(b"POST /api/check HTTP/1.1\r\nHost: localhost\r\n")
        assert check(port, "x")[0] == 200
        for wire in silent:
            wire.close()


def test_sigterm_under_load_drains(index):
    texts = [json.loads(line)["text"] for line in ARTICLES.read_text().splitlines()[:20]]
    answers: list[int] = []
    broken: list[str] = []
    stop = threading.Event()

    def client(number):
        while not stop.is_set():
            try:
                answers.append(check(port, texts[number])[0])
            except ConnectionRefusedError:
                return  # it no longer listens
            except (OSError, http.client.HTTPException) as error:
                broken.append(repr(error))
                return

    with serving(index, "--rate", "0") as (process, port):
        clients = [threading.Thread(target=client, args=(n,)) for n in range(20)]
        for one in clients:
            one.start()
        while len(answers) < 40:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT) == 0
        stop.set()
        for one in clients:
            one.join()
    assert set(answers) <= {200, 503}
    # A connection that waited to be accepted may be reset; whoever was inside got an answer.
    assert all("Reset" in error or "RemoteDisconnected" in error for error in broken), broken


def test_an_update_meanwhile_is_seen_and_breaks_nothing(tmp_path):
    lines = ARTICLES.read_text().splitlines()
    index = dedup.Index.open(tmp_path / "index", create=True)
    (first := tmp_path / "1.jsonl").write_text("\n".join(lines[:40]))
    (second := tmp_path / "2.jsonl").write_text("\n".join(lines[40:]))
    index.update(first, report=False)
    texts = [json.loads(line)["text"] for line in lines[:10]]
    new = json.loads(lines[-1])
    with serving(tmp_path / "index", "--rate", "0") as (_, port):
        before = json.loads(ask(port, "GET", "/healthz")[1])["state"]
        statuses = set()
        stop = threading.Event()

        def client(number):
            while not stop.is_set():
                statuses.add(check(port, texts[number])[0])

        clients = [threading.Thread(target=client, args=(n,)) for n in range(4)]
        for one in clients:
            one.start()
        index.update(second, report=False)
        until = time.monotonic() + WAIT
        while json.loads(ask(port, "GET", "/healthz")[1])["state"] == before:
            assert time.monotonic() < until, "never renewed"
            time.sleep(0.2)
        stop.set()
        for one in clients:
            one.join()
        found = json.loads(check(port, new["text"])[1])
    assert statuses == {200}
    assert found["known"] == [new["id"]]


def test_an_address_in_use_is_said(index):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "dedup", "serve", str(index), "--port", port],
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
    assert done.returncode == 2
    assert "cannot listen there" in done.stderr
