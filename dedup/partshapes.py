"""What the arrays in a part of an index are, so that one of other arrays is named, not computed
with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_COLUMNS: dict[str, tuple[dict[str, str], ...]] = {
    "vocabulary": (
        {"v_hash": "uint64", "v_bits": "uint8", "v_chars": "int32", "v_bytes": "int32"},
        {"text": "uint8"},
    ),
    "similar": (dict.fromkeys(("text_a", "place_a", "text_b", "place_b", "shared"), "int32"),),
    "crowd": ({"text": "int32", "place": "int32", "member": "uint8", "represents": "uint8"},),
    "alignment": (
        {"text_a": "int32", "text_b": "int32"},
        {
            **dict.fromkeys(("pair", "a0", "a1", "b0", "b1"), "int32"),
            **dict.fromkeys(("similarity", "bits"), "float64"),
        },
        {"match": "int32", "link_a": "int32", "link_b": "int32", "cosine": "float32"},
        {"cut": "int64"},
    ),
    "judged": (
        {"pair_a": "int32", "pair_b": "int32"},
        {
            "told": "int32",
            "relation": "int8",
            **dict.fromkeys(("narrative_a", "narrative_b", "coverage_a", "coverage_b"), "float64"),
            **dict.fromkeys(("p_copied", "p_shared"), "float64"),
        },
        {
            **dict.fromkeys(("match_pair", "a0", "a1", "b0", "b1", "match_passage"), "int32"),
            **dict.fromkeys(("similarity", "bits", "plain"), "float64"),
            "kind": "int8",
        },
        {"of_passage": "int32"},
        {"template": "uint8"},
        {"key": "uint64", "code": "uint8"},
        {"outlet": "uint64"},
    ),
    "views": (
        {"records": "uint64"},
        {"groups": "uint64"},
        {"clusters": "uint64", "key": "uint64", "again": "int32"},
        {"pairs": "uint64", "text_a": "int32", "text_b": "int32"},
    ),
}
"""Of each kind its columns with their types; those that stand together have as many rows."""
_WIDE = {"member", "represents", "records", "groups", "clusters", "pairs"}
"""Columns of two dimensions."""


def problem_of(kind: str, arrays: Mapping[str, NDArray[Any]]) -> str | None:
    """What is wrong with the arrays of a part, in words that follow its name, or ``None``.

    Types, sizes and what names a row of the same part are looked at; kinds that are not listed
    here have columns of their own.
    """
    for columns in _COLUMNS.get(kind, ()):
        rows = -1
        for name, wanted in columns.items():
            array = arrays.get(name)
            if array is None or array.dtype != np.dtype(wanted):
                return f"has columns at odds: '{name}' is not of {wanted}"
            if array.ndim != 1 + (name in _WIDE) or rows not in (-1, len(array)):
                return f"has columns at odds: '{name}' is of another size"
            rows = len(array)
    if kind == "vocabulary":
        sizes = arrays["v_bytes"]
        if (sizes < 0).any() or int(sizes.sum(dtype=np.int64)) != len(arrays["text"]):
            return "has columns at odds: 'v_bytes' are not the sizes of its words"
    elif kind == "alignment":
        if _beyond(arrays["pair"], arrays["text_a"]):
            return "has matches of no pair"
        if _beyond(arrays["match"], arrays["pair"]):
            return "has links of no match"
    elif kind in ("digests", "views") and any(
        array.shape[1:] != (2,) or array.dtype != np.uint64
        for name, array in arrays.items()
        if kind == "digests" or name in _WIDE
    ):
        return "has columns at odds: they are not digests"
    return None


def _beyond(number: NDArray[np.int32], rows: NDArray[Any]) -> bool:
    """Whether one of the numbers is that of no row."""
    return bool(len(number)) and not 0 <= int(number.min()) <= int(number.max()) < len(rows)
