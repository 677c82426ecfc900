"""Which passages are somebody's words: quotation marks, tweets, dialogues, block quotations.

Quotation marks are read with the sentences. Other signs are of form alone, so that they hold in
any language: a tweet is signed with name, handle and date; a dialogue names its speakers before
a colon, again and again; a block quotation follows a line that ends in a colon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.kernels import speech as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.segment import Segments

SAID, INTRODUCED, SIGNATURE = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Speech:
    """``said`` bool (passages): somebody's words by the article's own signs. ``introduced`` bool
    (passages): first of a paragraph that a line ending in a colon introduces, which may be a
    block quotation. ``signature`` bool (passages): name, handle and date below a tweet."""

    said: NDArray[np.bool_]
    introduced: NDArray[np.bool_]
    signature: NDArray[np.bool_]

    @classmethod
    def of(cls, signs: NDArray[np.uint8]) -> Speech:
        """What :func:`signs_of_speech` has found."""
        return cls((signs & SAID) > 0, (signs & INTRODUCED) > 0, (signs & SIGNATURE) > 0)


def signs_of_speech(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    segments: Segments,
    d_passage: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """The signs of speech in the texts of a batch (uint8, passages): SAID, INTRODUCED, SIGNATURE.

    ``data``, ``offsets``: the texts as read. What one text says is a matter of that text.
    """
    said, introduced, signature = kernels.mark_speech(
        data,
        offsets,
        d_passage,
        segments.p_start,
        segments.p_end,
        segments.p_token,
        segments.p_quoted,
    )
    out: NDArray[np.uint8] = said * np.uint8(SAID)
    out |= introduced * np.uint8(INTRODUCED)
    out |= signature * np.uint8(SIGNATURE)
    return out
