"""A run as a folder: its tables, texts, page and ``run.json``, written as one and read back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

import orjson

from dedup.errors import DedupError, InputError, InternalError, UsageError
from dedup.memory import collector_paused
from dedup.report.folder import (
    PAGES,
    REPORT,
    RUN,
    TABLES,
    TEXTS,
    abandon,
    check_target,
    commit,
    not_writable,
    prepare_output,
    resolved,
    staging,
    sync_folder,
    write_bytes,
    write_pages,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from dedup.report.encode import Format

__all__ = ["abandon", "prepare_output", "read_run", "read_texts", "run_json", "write_run"]


def write_run(
    out: Path,
    tables: Mapping[str, pa.Table],
    run: Mapping[str, Any],
    *,
    format: Format = "jsonl",  # noqa: A002 - named as the option is
    all_relations: bool = False,
    texts: bool = True,
    html: str | Callable[[], str] | None = None,
    pages: Iterable[tuple[str, bytes]] | None = None,
    overwrite: bool = False,
    extra: Mapping[str, bytes] | None = None,
) -> list[Path]:
    """Write a run to the folder ``out`` and return the files written.

    Everything goes to a folder beside ``out`` first, is forced to the disk, and is renamed into
    place as one; on any error that folder is removed and ``out`` is left as it was.

    Args:
        out: the folder; must be absent or empty, or hold a former run with ``overwrite``.
        tables: the tables of :func:`dedup.model.table_schemas`, sorted as they are to stand.
        run: what goes into ``run.json``.
        format: of the tables; ``texts`` is Parquet in any case.
        all_relations: keep the relations that share boilerplate only.
        texts: write ``texts.parquet``.
        html: the page for ``report.html``, what makes it (while the texts are packed), or
            ``None`` for none.
        pages: the files of the folder ``report`` by their paths below it, or ``None`` for none.
        overwrite: replace a former run.
        extra: further files by name, of those that a run may have.

    Raises:
        OutputNotEmptyError: as in :func:`prepare_output`.
        OutputNotWritableError: the disk is full, or another error of the system.
        InternalError: the page cannot be made.
    """
    import pyarrow.compute as pc

    from dedup.report.encode import normalised, write_table, write_texts
    from dedup.texts import Tables

    out = resolved(out)
    tables = Tables.of(tables)
    try:
        check_target(out, overwrite)
        with staging(out) as beside, collector_paused(), ThreadPoolExecutor(1) as aside:
            # Packing the texts takes as long as all the rest, and needs the interpreter little.
            stop = Event()
            packed = None
            if texts and tables.texts is not None:
                packed = aside.submit(write_texts, beside / TEXTS, tables.texts, stop)
            try:
                for name in TABLES:
                    table = tables[name]
                    if name == "relations" and not all_relations:
                        table = table.filter(pc.not_equal(table.column("relation"), "boilerplate"))
                    path = beside / f"{name}.{format}"
                    write_table(path, name, normalised(name, table), format)
                page = made_page(html)
                if packed is not None:
                    packed.result()
            except BaseException:
                stop.set()
                raise
            if page is not None:
                write_bytes(beside / REPORT, page.encode("utf-8"))
            if pages is not None:
                write_pages(beside / PAGES, pages)
            for name, content in (extra or {}).items():
                write_bytes(beside / name, content)
            write_bytes(beside / RUN, run_json(run))
            names = sorted(entry.name for entry in beside.iterdir())
            sync_folder(beside)
            check_target(out, overwrite)
            commit(beside, out)
    except OSError as error:
        raise not_writable(out, error) from error
    return [out / name for name in names]


def made_page(html: str | Callable[[], str] | None) -> str | None:
    """The page, made now where ``html`` makes it.

    Raises :class:`~dedup.errors.InternalError`, so that a fault of the page is not taken for one of
    the folder to which it goes.
    """
    if not callable(html):
        return html
    try:
        return html()
    except (DedupError, MemoryError):
        raise
    except Exception as error:
        raise InternalError(
            f"internal error in stage 'page': {type(error).__name__}: {error}"
        ) from error


def read_run(path: Path) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """Read back a run's folder, in any of the three formats.

    ``texts`` is missing from the tables if the run was written without them.

    Raises :class:`~dedup.errors.InputError` when ``path`` holds no whole run.
    """
    from dedup.report.encode import FORMATS, read_table

    run = _read_run_json(path)
    form = next((f for f in FORMATS if (path / f"articles.{f}").is_file()), None)
    if form is None:
        raise InputError(f"{path}: no articles table ({', '.join(FORMATS)}) in this folder")
    tables: dict[str, pa.Table] = {}
    for name in TABLES:
        tables[name] = _read_one(path / f"{name}.{form}", partial(read_table, name=name, form=form))
    if (path / TEXTS).is_file():
        tables["texts"] = _read_one(path / TEXTS, partial(read_table, name="texts", form="parquet"))
    return tables, run


def read_texts(path: Path, names: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """The texts of the articles ``names`` (refs or ids) of a run's folder, and its ``run.json``.

    Raises :class:`~dedup.errors.InputError` when ``path`` holds no run, and
    :class:`~dedup.errors.UsageError` when it holds no texts or no such article.
    """
    import pyarrow.parquet as pq

    run = _read_run_json(path)
    file = path / TEXTS
    if not file.is_file():
        raise UsageError(f"{path}: was written with --no-texts, so it holds no texts to compare")
    wanted = list(names)
    filters = [[("ref", "in", wanted)], [("id", "in", wanted)]]
    table = _read_one(file, lambda p: pq.read_table(p, filters=filters))
    rows = table.to_pylist()
    # An id names the current revision, whose ref it is; another one is the second best.
    found = {r["id"]: r["text"] for r in rows} | {r["ref"]: r["text"] for r in rows}
    missing = [name for name in wanted if name not in found]
    if missing:
        some = pq.read_table(file, columns=["ref"]).column("ref").slice(0, 1).to_pylist()
        hint = f"; its ids look like {some[0]!r}" if some else ""
        raise UsageError(f"{path}: holds no article {missing[0]!r}{hint}")
    return [found[name] for name in wanted], run


def run_json(run: Mapping[str, Any]) -> bytes:
    """``run`` as it is written to ``run.json``: pretty-printed, keys sorted."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(run, option=options)


# --- reading --------------------------------------------------------------------------------


def _read_run_json(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        raise InputError(f"{path}: no such folder")
    try:
        run = orjson.loads((path / RUN).read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: has no {RUN}, so it is no output of `dedup scan`") from None
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(f"{path / RUN}: cannot be read: {error}") from error
    if not isinstance(run, dict):
        raise InputError(f"{path / RUN}: is no object")
    return run


def _read_one(path: Path, read: Callable[[Path], pa.Table]) -> pa.Table:
    try:
        return read(path)
    except DedupError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: is missing; the output folder is not whole") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
