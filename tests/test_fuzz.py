"""The fuzz targets on their saved corpus, and for a moment on inputs made from it.

The long runs are ``python fuzz TARGET SECONDS`` (docs/reliability.md).
"""

from __future__ import annotations

import random
import sys

import pytest
from dumps import ROOT

sys.path.insert(0, str(ROOT / "fuzz"))
from targets import TARGETS

CORPUS = ROOT / "fuzz" / "corpus"
MUTATIONS = 60


def saved(target: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / target).glob("*"))]


@pytest.mark.parametrize("target", TARGETS)
def test_saved_inputs(target: str) -> None:
    """First inputs of every shape, and those that once failed."""
    for data in [b"", *saved(target)]:
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_saved_inputs_damaged(target: str) -> None:
    """Bytes flipped, cut out, doubled and mixed with those of other saved inputs."""
    rng = random.Random(target)
    inputs = saved(target) or [b"\0"]
    others = [data for name in TARGETS for data in saved(name)]
    for _ in range(MUTATIONS):
        data = bytearray(rng.choice(inputs))
        for _ in range(rng.randrange(1, 5)):
            at, length = rng.randrange(len(data) + 1), rng.randrange(1, 9)
            piece = rng.choice(others)
            start = rng.randrange(len(piece) + 1)
            change = rng.randrange(4)
            if change == 0 and data:
                data[at % len(data)] = rng.randrange(256)
            elif change == 1:
                del data[at : at + length]
            elif change == 2:
                data[at:at] = data[at : at + length]
            else:
                data[at:at] = piece[start : start + length]
        TARGETS[target](bytes(data))


def test_every_saved_input_has_its_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= set(TARGETS)
