"""Charts of a result for notebooks, from the specifications that the report uses.

Each method returns an Altair chart, which a notebook shows and ``chart.save("x.html")`` writes.
Altair comes with the extra ``plot``.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import orjson

from dedup.errors import UsageError
from dedup.report import figures
from dedup.report.encode import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping

    import altair
    import pyarrow as pa


class Plots:
    """The charts of a result (``Result.plot``); ``tables`` are those of the result."""

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._tables = tables

    def timeline(self, group: str | None = None) -> altair.TopLevelMixin:
        """When articles were published: of the whole result by flag, or of one group by outlet.

        Args:
            group: the id of a group, as in ``result.groups``.

        Raises:
            UsageError: there is no such group, or Altair is not installed.
        """
        articles = normalised("articles", self._tables["articles"])
        if group is None:
            return _chart("timeline", figures.timeline(articles).rows)
        groups = self._tables["groups"]
        ids = groups["id"].to_pylist()
        if group not in ids:
            hint = f"; its ids look like {ids[0]!r}" if ids else "; it has none at all"
            raise UsageError(f"this result has no group {group!r}{hint}")
        members = groups["articles"][ids.index(group)].as_py()
        return _chart("spread", figures.spread(articles, members))

    def matrix(self, by: Literal["source", "outlet"] = "source") -> altair.TopLevelMixin:
        """Which outlet has its text from whom.

        Args:
            by: ``source`` counts the articles of each outlet by the source of their text;
                ``outlet`` those that share narrative with an earlier article of another outlet.

        Raises:
            UsageError: ``by`` is neither, or Altair is not installed.
        """
        articles = normalised("articles", self._tables["articles"])
        if by == "source":
            sources = self._tables["sources"]
            names = dict(zip(sources["id"].to_pylist(), sources["name"].to_pylist(), strict=True))
            cells, titles = figures.outlet_sources(articles, names), ("outlet", "source")
        elif by == "outlet":
            cells = figures.who_copies_whom(articles, self._tables["relations"])
            titles = ("the later", "the earlier")
        else:
            raise UsageError(f"matrix: by={by!r}; choose 'source' or 'outlet'")
        return _chart("matrix", cells.rows, **dict(zip("yx", titles, strict=True)))

    def histogram(self) -> altair.TopLevelMixin:
        """The verified matches by similarity and kind.

        Raises :class:`~dedup.errors.UsageError` when Altair is not installed.
        """
        return _chart("histogram", figures.histogram(self._tables["matches"]))


def _chart(name: str, rows: list[dict[str, Any]], **titles: str) -> altair.TopLevelMixin:
    try:
        import altair
    except ImportError:
        raise UsageError("charts need Altair: pip install 'dedup[plot]'") from None
    path = files("dedup.report") / "charts" / f"{name}.vl.json"
    spec = orjson.loads(path.read_bytes())
    spec["data"] = {"name": "rows", "values": rows}
    for channel, title in titles.items():
        spec["encoding"][channel]["title"] = title
    return altair.Chart.from_dict(spec)
