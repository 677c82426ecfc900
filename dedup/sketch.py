"""Passages to MinHash signatures and band keys.

Signatures follow datasketch's ``affine32`` scheme over :func:`hash32` bit for bit, so that its
LSH, its storages and its estimates apply. Function words (frequent in general, by a frozen
background table) carry no evidence and are left out of a passage's token set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.config import Settings
from dedup.kernels import minhash as kernels
from dedup.segment import fnv64, pack_texts, segment

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERMUTATIONS = 128
CONTENT_BITS = 11.0
"""A token rarer than 2^-11 in general counts as content."""
UNKNOWN_BITS = 17.0
"""Information of a token that the background table does not list."""


def hash32(data: bytes) -> int:
    """32-bit hash of a token's bytes: FNV-1a of 64 bits, folded by XOR.

    Give it to ``datasketch.MinHash(scheme="affine32", hashfunc=dedup.hash32)`` to obtain the
    signatures of :func:`signature`.
    """
    h = fnv64(data)
    return (h ^ (h >> 32)) & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Background:
    """The frozen table of general token frequencies, as an open-addressing hash table."""

    slots: NDArray[np.uint64]
    values: NDArray[np.uint8]
    languages: tuple[str, ...]
    vote_keys: NDArray[np.uint64]
    vote_language: NDArray[np.uint8]
    vote_weight: NDArray[np.float32]


@cache
def background() -> Background:
    """Load the background table shipped with the package (once a process)."""
    with (
        resources.files("dedup.data").joinpath("background.npz").open("rb") as handle,
        np.load(handle, allow_pickle=False) as archive,
    ):
        keys, bits = archive["keys"], archive["bits"]
        size = 1 << int(np.ceil(np.log2(len(keys) * 2)))
        slots, values = kernels.hash_table(keys, bits, size)
        return Background(
            slots,
            values,
            tuple(str(x) for x in archive["languages"]),
            archive["vote_keys"],
            archive["vote_language"],
            archive["vote_weight"],
        )


@dataclass(frozen=True, slots=True)
class Scheme:
    """Permutations and banding that follow from the settings."""

    a: NDArray[np.uint32]
    b: NDArray[np.uint32]
    bands: int
    rows: int


@lru_cache(maxsize=8)
def scheme(settings: Settings) -> Scheme:
    """Permutations from datasketch, bands and rows from its optimiser.

    Those of the default settings are shipped, since importing datasketch takes a second.
    """
    with (
        resources.files("dedup.data").joinpath("scheme.npz").open("rb") as handle,
        np.load(handle, allow_pickle=False) as kept,
    ):
        known = kept["seed"].item(), kept["sensitivity"].item()
        if known == (settings.seed, settings.sensitivity):
            return Scheme(kept["a"], kept["b"], *kept["banding"].tolist())
    return from_datasketch(settings)


def from_datasketch(settings: Settings) -> Scheme:
    """The scheme, asked of datasketch.

    The optimiser minimises false positives and negatives (weights .3 and .7: a collision is
    checked at once, a miss is final) around ``settings.sensitivity``.
    """
    from datasketch import MinHash, MinHashLSH

    a, b = MinHash(PERMUTATIONS, seed=settings.seed, scheme="affine32").permutations
    lsh = MinHashLSH(settings.sensitivity, PERMUTATIONS, weights=(0.3, 0.7))
    return Scheme(
        np.ascontiguousarray(a, np.uint32),
        np.ascontiguousarray(b, np.uint32),
        int(lsh.b),
        int(lsh.r),
    )


def tokens(text: str) -> list[str]:
    """The tokens of a text as folded strings, in order; what :func:`signature` hashes."""
    from dedup.segment import folded

    s = segment(*pack_texts([text]))
    return [folded(text, int(a), int(b)) for a, b in zip(s.t_start, s.t_end, strict=True)]


def signature(text: str, *, seed: int = 1) -> NDArray[Any]:
    """MinHash signature (uint32, 128) of the set of all tokens of a text.

    Equal to ``datasketch.MinHash(128, seed=seed, scheme="affine32", hashfunc=hash32)`` updated
    with ``token.encode()`` for each of :func:`tokens`.
    """
    plan = scheme(Settings(seed=seed))
    s = segment(*pack_texts([text]))
    whole = np.array([0, len(s.t_hash)], np.int64)
    return np.asarray(kernels.signatures(s.t_hash, whole, plan.a, plan.b)[0])
