"""The process in which pages are taken apart: reads pages from a socket, answers with records.

Parsers in C meet whatever a crawler has stored. Here they can hang, exhaust memory or crash
without harm to the run: the kernel ends the process, and :mod:`dedup.pages.pool` starts another.
"""

from __future__ import annotations

import gc
import json
import resource
import signal
import socket
import sys
from typing import Any

HEADER_BYTES = 8
"""Before each message stand the lengths of its two parts, 4 bytes each, big-endian: a JSON object
and raw bytes."""


def send(channel: socket.socket, head: dict[str, Any], body: bytes = b"") -> None:
    """Send one message; raises ``OSError`` when nobody receives it (in time)."""
    encoded = json.dumps(head).encode()
    lengths = len(encoded).to_bytes(4, "big") + len(body).to_bytes(4, "big")
    channel.sendall(lengths + encoded)
    channel.sendall(body)


def receive(channel: socket.socket) -> tuple[dict[str, Any], bytes] | None:
    """Receive one message; ``None`` when the other side has ended."""
    lengths = _exactly(channel, HEADER_BYTES)
    if lengths is None:
        return None
    head = _exactly(channel, int.from_bytes(lengths[:4], "big"))
    body = _exactly(channel, int.from_bytes(lengths[4:], "big"))
    if head is None or body is None:
        return None
    return json.loads(head), body


def _exactly(channel: socket.socket, count: int) -> bytes | None:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        got = channel.recv_into(view)
        if not got:
            return None
        view = view[got:]
    return bytes(data)


def serve(channel: socket.socket, seconds: float, memory: int) -> None:
    """Answer pages until the other side closes.

    Args:
        channel: where pages come from and answers go to.
        seconds: processor time for one page; beyond it the process ends by ``SIGPROF``.
        memory: bytes of address space for the process (not enforced on macOS).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which closes the socket
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    from dedup.pages.extraction import Page, extract

    # Pages make many objects and hardly any cycles: the collector would look at them in vain.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while (message := receive(channel)) is not None:
        head, body = message
        # Processor time, not time: a busy machine must not change what is read.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            found = extract(Page(body, head["url"], head["charset"], head["limit"]))
            answer = {"values": found.values, "invalid": found.invalid, "reason": found.reason}
        # Whatever a library raises for a page is a reason to reject this page, not the run. Those
        # in C say in words of their own that memory has run out.
        except Exception as error:
            answer = {
                "reason": f"the page cannot be parsed ({type(error).__name__}: {error}); it may "
                f"need more than page_memory ({memory}) bytes"
            }
        signal.setitimer(signal.ITIMER_PROF, 0)
        send(channel, answer)


def main() -> None:
    """``worker.main()`` with the arguments: file descriptor, seconds, bytes."""
    descriptor, seconds, memory = sys.argv[1:4]
    with socket.socket(fileno=int(descriptor)) as channel:
        serve(channel, float(seconds), int(memory))
