"""Markdown files with and without a front matter."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.read import read_articles
from dedup.read.markdown import split

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> list[dict[str, Any]]:
    batches = read_articles([str(path)], ReadSettings(), Ledger())
    return [row for batch in batches for row in batch.to_pylist()]


YAML = """---
title: "The harbour: closed"
date: 2021-03-04
author: A. Writer
tags: [storm, harbour]
extra:
  - deep
draft: false
---
# The harbour

It is closed.
"""


def test_front_matter_becomes_fields(tmp_path: Path) -> None:
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "a.md").write_text(YAML)
    (tmp_path / "b.markdown").write_text("Only *text*.\n---\nMore.")
    b, a = read(tmp_path)
    assert (a["title"], a["byline"], a["precision"]) == ("The harbour: closed", "A. Writer", "day")
    assert a["text"] == "# The harbour\n\nIt is closed.\n"
    assert (a["id"], b["id"]) == ("news/a.md", "b.markdown")
    assert (b["text"], b["title"]) == ("Only *text*.\n---\nMore.", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---",
        "---\n",
        "---\ntitle: x\nno end",
        "--- title\n---\n",
        "+++\n---\n",
        "text\n---\n---\n",
    ],
)
def test_what_is_no_front_matter_stays_text(text: str) -> None:
    assert split(text) == ({}, text)


def test_the_other_kinds_of_front_matter() -> None:
    assert split("+++\r\ntitle = 'x'\r\n+++\r\nT") == ({"title": "x"}, "T")
    assert split("---\ntext: not this\nbody: b\n---\nT") == ({"body": "b"}, "T")
    assert split("---\na: &x [*x]\nb: |\n c\n---\nT") == ({}, "T")


@pytest.mark.parametrize("line", ["title: a" + " " * 60_000 + "b", "a" * 60_000, "a_" * 30_000])
def test_fields_are_found_in_linear_time(line: str) -> None:
    began = time.process_time()
    fields, _ = split(f"---\n{line}\n_id: 1 \n---\nT")
    assert fields["id"] == "1"
    assert time.process_time() - began < 2
