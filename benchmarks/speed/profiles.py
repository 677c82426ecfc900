"""What is read: a small, a regular and a large dump."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inputs import DUMP, generate, head, lines_of
from processes import ROOT

from speed.contenders import CORES, Input

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"


@dataclass(frozen=True)
class Profile:
    """``articles`` of the real dump, all of them when ``None``; 0 means the sample."""

    articles: int | None
    runs: int


PROFILES = {"small": Profile(0, 5), "regular": Profile(5_000, 3), "large": Profile(None, 3)}


def prepare(
    profile: Profile, corpora: Path, folder: Path, environments: Path, passages: int
) -> tuple[Input, str]:
    """Write the profile's lines into ``folder`` and say where they come from.

    Where the corpora are not, a generated dump of as many articles takes the place of the real
    one (37,554 for all of it).
    """
    path, parts = folder / "input.jsonl", folder / "parts"
    if profile.articles == 0:
        origin, source = SAMPLE, "the sample articles"
    elif (corpora / DUMP).exists():
        origin, source = corpora / DUMP, "allsides (real news)"
    else:
        origin, source = folder / "generated.jsonl", "generated news"
        generate("news", profile.articles or 37_554, origin)
    head(origin, profile.articles or None, path)
    articles = split(path, parts, CORES)
    return Input(path, parts, articles, min(articles, passages), environments), source


def split(path: Path, folder: Path, parts: int) -> int:
    """Deal the lines of a file out to ``parts`` files; returns how many there are."""
    folder.mkdir()
    count = 0
    with ExitStack() as stack:
        files = [stack.enter_context((folder / f"{k:03}.jsonl").open("wb")) for k in range(parts)]
        for count, line in enumerate(lines_of(path), 1):
            files[count % parts].write(line)
    return count
