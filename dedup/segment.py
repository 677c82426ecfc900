"""Texts to passages and tokens: the first stage.

Sentences end at stops, paragraphs at line ends; a quotation of some length is a passage of
its own. Words are runs of letters and digits; scripts without spaces yield overlapping
character pairs (Han, kana; the habit of Lucene's CJKAnalyzer) or triples (Thai, Lao, Khmer,
Myanmar). Matching works on a folded copy (case, width, accents, invisible characters), all
offsets refer to the text as read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.kernels import text as kernels
from dedup.normal import normalise, respell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ABBREVIATIONS = (
    "mr mrs ms dr prof sen rep gov gen lt col sgt capt maj adm rev hon pres supt det jr sr st mt "
    "ft vs inc corp ltd co bros dept univ assn no nos vol fig ed al jan feb mar apr jun jul aug "
    "sep sept oct nov dec mon tue wed thu fri sat sun sra srta dra dn exmo ud uds num av pag "
    "bzw usw ca nr hr fr str mio mrd z b d h u a bd hg mme mlle mm bl jl drs ir hj tgl yth "
    "г ул им тыс млн млрд руб проф акад г-н г-жа"
)


@dataclass(frozen=True, slots=True)
class Segments:
    """Passages and tokens of a batch of texts, as flat arrays.

    ``lengths`` int32 (texts,) characters; ``p_text``, ``p_start``, ``p_end`` int32 and
    ``p_quoted`` uint8 (passages,); ``p_token`` int64 (passages + 1,) first token of each
    passage; ``t_hash`` uint64, ``t_start``, ``t_end`` int32 character span (tokens,). All
    these offsets are those of the text as read. ``data`` uint8 and ``offsets`` int64
    (texts + 1) are the texts in canonical spelling, in which ``t_byte`` and ``t_chars`` int32
    say where each token begins and how many characters it has.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    lengths: NDArray[np.int32]
    p_text: NDArray[np.int32]
    p_start: NDArray[np.int32]
    p_end: NDArray[np.int32]
    p_quoted: NDArray[np.uint8]
    p_token: NDArray[np.int64]
    t_hash: NDArray[np.uint64]
    t_start: NDArray[np.int32]
    t_end: NDArray[np.int32]
    t_byte: NDArray[np.int32]
    t_chars: NDArray[np.int32]


@cache
def character_tables() -> tuple[NDArray[Any], ...]:
    """``kind``, ``role``, ``case`` (uint8) and ``fold`` (uint32) of planes 0 and 1."""
    with (
        resources.files("dedup.data").joinpath("unicode.npz").open("rb") as handle,
        np.load(handle, allow_pickle=False) as archive,
    ):
        return tuple(archive[name] for name in ("kind", "role", "case", "fold"))


def fnv64(data: bytes) -> int:
    """64-bit FNV-1a hash (Fowler, Noll, Vo) of bytes."""
    h = int(kernels.FNV_OFFSET)
    for byte in data:
        h = ((h ^ byte) * int(kernels.FNV_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return h


@cache
def abbreviations() -> NDArray[np.uint64]:
    """Sorted hashes of words after which a full stop ends no sentence."""
    return np.array(sorted({fnv64(w.encode()) for w in _ABBREVIATIONS.split()}), np.uint64)


def pack_texts(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Texts as one UTF-8 array and its offsets (uint8; int64, texts + 1).

    Lone surrogates become ``?`` (three bytes in UTF-8 would not decode); the reader has
    replaced them before.
    """
    encoded = [t.encode("utf-8", "replace") for t in texts]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(e) for e in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def segment(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Segments:
    """Cut a batch of texts, given as UTF-8 bytes and offsets, into passages and tokens."""
    kind, role, case, fold = character_tables()
    data, offsets, respelled = normalise(data, offsets)
    # Read-only in any case, whoever owns the bytes: kernels are compiled for each type by itself.
    data = data.view()
    data.flags.writeable = False
    # Made here: arrays of numpy are in large pages of memory, those of kernels are not.
    most = len(data) + 1
    lengths = np.empty(len(offsets) - 1, np.int32)
    p_text, p_start, p_end = (np.empty(most, np.int32) for _ in range(3))
    p_quoted, p_token = np.empty(most, np.uint8), np.empty(most + 1, np.int64)
    t_hash = np.empty(most, np.uint64)
    t_start, t_end, t_byte = (np.empty(most, np.int32) for _ in range(3))
    passages, tokens = kernels.segment_batch(
        data,
        offsets,
        kind,
        role,
        case,
        fold,
        abbreviations(),
        lengths,
        p_text,
        p_start,
        p_end,
        p_quoted,
        p_token,
        t_hash,
        t_start,
        t_end,
        t_byte,
    )
    p_text, p_start, p_end = (x[:passages].copy() for x in (p_text, p_start, p_end))
    p_quoted, p_token = p_quoted[:passages].copy(), p_token[: passages + 1].copy()
    t_hash = t_hash[:tokens].copy()
    t_start, t_end, t_byte = (x[:tokens].copy() for x in (t_start, t_end, t_byte))
    t_chars = t_end - t_start
    for text, spelling in respelled.items():
        first, last = np.searchsorted(p_text, (text, text + 1))
        here, inside = slice(first, last), slice(p_token[first], p_token[last])
        for start, end, rows in ((p_start, p_end, here), (t_start, t_end, inside)):
            start[rows] = spelling.starts[start[rows]]
            end[rows] = spelling.ends[end[rows] - 1]
        lengths[text] = spelling.length
    return Segments(
        data,
        offsets,
        lengths,
        p_text,
        p_start,
        p_end,
        p_quoted,
        p_token,
        t_hash,
        t_start,
        t_end,
        t_byte,
        t_chars,
    )


def passage_spans(text: str) -> list[tuple[int, int, bool]]:
    """The passages of one text as ``(start, end, quoted)``; offsets are ``str`` indices."""
    s = segment(*pack_texts([text]))
    return [
        (int(a), int(b), bool(q)) for a, b, q in zip(s.p_start, s.p_end, s.p_quoted, strict=True)
    ]


def folded(text: str, start: int, end: int) -> str:
    """The folded form of ``text[start:end]``: what a token's hash covers."""
    kind, _, _, fold = character_tables()
    out = []
    for char in respell(text[start:end])[0]:
        code = ord(char)
        if code >= kernels.PLANES:
            if code < 0x3FFFF:
                out.append(char)
        elif kind[code] in (kernels.WORD, kernels.HAN, kernels.SEA):
            out.append(chr(fold[code]))
    return "".join(out)
