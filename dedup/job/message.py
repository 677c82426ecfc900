"""What recipients are told: of a run that is done, out of the index; of one that failed."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import orjson

from dedup.read.discover import readable
from dedup.store import now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dedup.job.file import Job
    from dedup.store import Store

INCOMPLETE = 3


def exit_code(about: Mapping[str, Any], *, strict: bool) -> int:
    """The exit code of a run that is done: 0, or 3 when an input was damaged (with ``strict``
    also when a record was rejected). ``about``: content of ``run.json``."""
    ledger = about["ledger"]
    damaged = any(file["incomplete"] for file in ledger["files"])
    return INCOMPLETE if damaged or (strict and ledger["rejected"]) else 0


def of_run(store: Store, job: Job, number: int) -> dict[str, Any]:
    """The message of a run that is done, all its processes together."""
    query = "SELECT id, started, finished, about FROM runs WHERE run = ?"
    identity, started, finished, about_text = store.rows(query, number)[0]
    about = orjson.loads(about_text)
    run, ledger = about["run"], about["ledger"]
    code = exit_code(about, strict=job.read.strict)
    changes: dict[str, dict[str, int]] = {}
    query = (
        'SELECT "table", change, count(*) FROM changes WHERE run = ? GROUP BY 1, 2 ORDER BY 1, 2'
    )
    for table, change, count in store.rows(query, number):
        changes.setdefault(table, {})[change] = count
    query = "SELECT event, count(*) FROM group_history WHERE run = ? GROUP BY 1 ORDER BY 1"
    return {
        **_head(job, "incomplete" if code else "done", code, key=identity),
        "changed": bool(changes),
        "run": {
            "id": identity,
            "number": number,
            "started": started,
            "finished": finished,
            "continued": run["continued"],
        },
        "out": store.value(
            "SELECT folder FROM outputs WHERE run = ? ORDER BY rowid DESC LIMIT 1", number
        ),
        "articles": {
            **{name: run[name] for name in ("new", "known", "revisions", "removed")},
            "read": ledger["read"],
            "rejected": ledger["rejected"],
        },
        "flags": about["counts"]["flags"],
        "changes": changes,
        "group_events": dict(store.rows(query, number)),
        "index": {"folder": readable(str(job.index)), **about["index"]},
        "incomplete": [
            {"file": file["file"], "reason": file["incomplete"]}
            for file in ledger["files"]
            if file["incomplete"]
        ],
        "error": None,
    }


def of_failure(
    job: Job, run: str | None, number: int | None, error: str, code: int
) -> dict[str, Any]:
    """The message of a run that failed; ``run`` and ``number``, where it came to have them, are
    those under which the next one continues it."""
    at = now()
    # The success that may follow has the run's own key: nobody must take it for a repetition.
    key = f"{run or job.name}-failed-{at}"
    return {
        **_head(job, "failed", code, key=key),
        "changed": False,
        "run": {"id": run, "number": number, "failed": at},
        "index": {"folder": readable(str(job.index))},
        "error": error,
    }


def _head(job: Job, status: str, code: int, *, key: str) -> dict[str, Any]:
    return {
        "key": key,
        "job": job.name,
        "host": socket.gethostname(),
        "status": status,
        "exit_code": code,
    }


def subject(message: Mapping[str, Any]) -> str:
    """One line of text."""
    name = f"dedup {message['job']}"
    if message["status"] == "failed":
        return f"{name}: failed"
    flags = message["flags"]
    copied = ", ".join(
        f"{flags[flag]:,} {flag}"
        for flag in ("syndicated", "partial", "duplicate")
        if flag in flags
    )
    new = f"{message['articles']['new']:,} new articles"
    told = f"{name}: {new}" + (f"; new or changed: {copied}" if copied else "")
    return told + (" (input incomplete)" if message["status"] == "incomplete" else "")


def as_text(message: Mapping[str, Any]) -> str:
    """The message for people, with the whole of it as JSON below."""
    lines = [subject(message), ""]
    if message["error"]:
        lines += [str(message["error"]), ""]
        lines.append("The index holds what was committed last; the next run goes on from there.")
    elif not message["changed"]:
        lines.append("Nothing changed in the index.")
    if message.get("out"):
        lines.append(f"Written to: {message['out']} on {message['host']}")
    lines += [f"Incomplete: {f['file']}: {f['reason']}" for f in message.get("incomplete", ())]
    whole = orjson.dumps(message, option=orjson.OPT_INDENT_2).decode()
    return "\n".join([*lines, "", whole, ""])
