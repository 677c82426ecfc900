"""One run at a time changes an index: a lease, since Hadoop's file systems have no locks.

A file that only one can make names the owner, who writes another one anew every few seconds. Who
finds a lease watches whether that goes on: if not, the owner is dead, and the lease is taken over.
No clocks are compared. Where a file system cannot refuse to make a file that is there (some object
stores), two runs may begin; the commit (:mod:`~dedup.engines.spark.archive`) lets one through.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dedup.errors import LockedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.engines.spark.files import Files

OWNER, LIFE = "_lease.owner", "_lease.life"
BEAT = 4.0
"""Seconds between two signs of life."""
PATIENCE = 4
"""Signs of life that may be missing."""


@contextmanager
def lease(files: Files, root: str, *, beat: float = BEAT) -> Iterator[None]:
    """Hold the lease of the index ``root``; ``beat``: seconds between signs of life.

    Raises :class:`~dedup.errors.LockedError` while another run has it. A dead run's is taken over
    after :data:`PATIENCE` times ``beat`` seconds.
    """
    mine = f"process {os.getpid()} on {socket.gethostname()}, {secrets.token_hex(4)}".encode()
    _take(files, root, mine, beat)
    ended = threading.Event()
    beating = threading.Thread(target=_live, args=(files, root, mine, ended, beat), daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()
        if files.content(f"{root}/{OWNER}") == mine:
            files.delete(f"{root}/{LIFE}")
            files.delete(f"{root}/{OWNER}")


def _take(files: Files, root: str, mine: bytes, beat: float) -> None:
    end = time.monotonic() + PATIENCE * beat
    before: tuple[bytes, int | None] | None = None
    while not files.create(f"{root}/{OWNER}", mine):
        owner = files.content(f"{root}/{OWNER}")
        if owner is None:
            # Given back since.
            continue
        now = (owner, files.modified(f"{root}/{LIFE}"))
        before = before or now
        if now != before:
            raise LockedError(
                f"{root}: another run is changing this index ({owner.decode()}); wait until it ends"
            )
        if time.monotonic() > end:
            files.delete(f"{root}/{OWNER}")
        else:
            time.sleep(min(1.0, beat / 2))


def _live(files: Files, root: str, mine: bytes, ended: threading.Event, beat: float) -> None:
    count = 0
    while not ended.wait(beat) and files.content(f"{root}/{OWNER}") == mine:
        # One that stood still for so long that it was taken over ends here; its commit fails.
        count += 1
        files.write(f"{root}/{LIFE}", mine + f" {count}".encode())
