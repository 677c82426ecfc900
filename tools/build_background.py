"""Build ``dedup/data/background.npz``: how frequent tokens are in general, by language.

Run from the repository's root, with ``wordfreq`` installed: ``python tools/build_background.py``.
The table is frozen in the package, so that no weight ever depends on the dump at hand
(results must not change when other articles are added).

Word frequencies come from wordfreq (Robyn Speer; data CC BY-SA 4.0, see NOTICE), which knows
some forty languages. Words are cut into the tokens of ``dedup.segment``; a token's frequency is
its greatest over the languages, since a text may be in any of them.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import wordfreq
from build_unicode_table import write_npz

from dedup.segment import pack_texts, segment

LEAST = 8e-6
FUNCTION_WORDS = 250
UNSPACED = {"zh", "ja"}


def token_frequencies(language: str) -> dict[int, float]:
    words = wordfreq.get_frequency_dict(language)
    kept = [(w, f) for w, f in words.items() if f >= (LEAST / 8 if language in UNSPACED else LEAST)]
    # wordfreq counts longer numbers by their shape ("0000"): spread that over their values.
    kept = [(w, f) for w, f in kept if not (w.isdigit() and len(w) > 1)]
    kept += [(str(n), words.get("00", 1e-3) / 90) for n in range(10, 100)]
    kept += [(str(n), words.get("0000", 1e-3) / 200) for n in range(1900, 2100)]
    segments = segment(*pack_texts([w for w, _ in kept]))
    totals: dict[int, float] = defaultdict(float)
    for passage, text in enumerate(segments.p_text):
        for token in range(segments.p_token[passage], segments.p_token[passage + 1]):
            totals[int(segments.t_hash[token])] += kept[text][1]
    return totals


def main() -> None:
    highest: dict[int, float] = defaultdict(float)
    languages = sorted(wordfreq.available_languages())
    members: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for index, language in enumerate(languages):
        totals = token_frequencies(language)
        for token, frequency in totals.items():
            highest[token] = max(highest[token], frequency)
        frequent = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:FUNCTION_WORDS]
        for token, frequency in frequent:
            members[token].append((index, frequency))
    kept = sorted((t, f) for t, f in highest.items() if f >= LEAST)
    keys = np.array([t for t, _ in kept], np.uint64)
    bits = np.clip(np.round(-np.log2([f for _, f in kept]) * 4), 1, 127).astype(np.uint8)
    # Language votes: one row a (token, language), weighted by how frequent the word is there.
    rows = sorted((t, i, f) for t, lists in members.items() for i, f in lists)
    write_npz(
        Path("dedup/data/background.npz"),
        {
            "keys": keys,
            "bits": bits,
            "languages": np.array(languages),
            "vote_keys": np.array([t for t, _, _ in rows], np.uint64),
            "vote_language": np.array([i for _, i, _ in rows], np.uint8),
            "vote_weight": np.array([f for _, _, f in rows], np.float32),
        },
    )
    print(len(keys), "tokens,", len(rows), "votes,", len(languages), "languages")


if __name__ == "__main__":
    main()
