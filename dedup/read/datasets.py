"""Folders as Hugging Face ``datasets`` saves them: which files hold the rows.

``save_to_disk`` writes Arrow streams, a ``state.json`` that lists them, and descriptions. Files
that ``map`` and ``filter`` cached beside them hold the same rows again and are not listed.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_STATE, _INFO, _SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
_MAX_BYTES = 2**20
_DESCRIPTION = "describes a dataset and holds no articles"


def left_out(folder: str, names: Iterable[str]) -> dict[str, str]:
    """The files of a folder that hold no rows of a saved dataset, each with the reason.

    Empty for every folder that is none. ``names`` are the entries of the folder.
    """
    present = set(names)
    found: dict[str, str] = {}
    if _SPLITS in present and isinstance(_value(folder, _SPLITS).get("splits"), list):
        found[_SPLITS] = _DESCRIPTION
    if _STATE in present and isinstance(files := _value(folder, _STATE).get("_data_files"), list):
        listed = {file.get("filename") for file in files if isinstance(file, dict)}
        found[_STATE] = _DESCRIPTION
        if _INFO in present:
            found[_INFO] = _DESCRIPTION
        for name in present:
            if name.endswith(".arrow") and name not in listed:
                found[name] = f"is not among the data files that {_STATE} lists"
    return found


def _value(folder: str, name: str) -> dict[str, object]:
    """The object in a small JSON file; empty where there is none."""
    try:
        with open(PurePath(folder, name), "rb") as handle:  # noqa: PTH123 - may be no valid Unicode
            value = json.loads(handle.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}  # whatever it is, it describes no dataset
    return value if isinstance(value, dict) else {}
