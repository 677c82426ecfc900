"""Which passages are somebody's words: quotation marks, tweets, dialogues, block quotations.

Quotation marks are read with the sentences. Other signs are of form alone, so that they hold in
any language: a tweet is signed with name, handle and date; a dialogue names its speakers before
a colon, again and again; a block quotation follows a line that ends in a colon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dedup.kernels import speech as kernels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dedup.collection import Collection


@dataclass(frozen=True, slots=True)
class Speech:
    """``said`` bool (passages): somebody's words by the article's own signs. ``introduced`` bool
    (passages): first of a paragraph that a line ending in a colon introduces, which may be a
    block quotation. ``signature`` bool (passages): name, handle and date below a tweet."""

    said: NDArray[np.bool_]
    introduced: NDArray[np.bool_]
    signature: NDArray[np.bool_]


def find_speech(c: Collection) -> Speech:
    """Read the signs of speech in every text; what one text says is a matter of that text."""
    said, introduced, signature = kernels.mark_speech(
        c.data,
        c.d_byte,
        c.d_length,
        c.d_passage,
        c.p_start,
        c.p_end,
        c.p_token,
        c.p_quoted,
    )
    return Speech(said, introduced, signature)
