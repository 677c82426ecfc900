"""Other tools, given the same texts: scores of pairs of texts, and one that aligns spans.

- ``datasketch``: MinHash of the document (128 permutations, its default hash), estimated
  Jaccard of the sets of words and of word 5-grams.
- 8-gram containment: share of the distinct word 8-grams of the text with fewer words that
  stand in the other.
- RETSim: embeddings of the ``unisim`` package (ONNX on the processor), which cuts texts into
  pieces of 512 characters. ``documents`` is the cosine of the means of the pieces, as
  ``unisim`` compares texts; ``best pieces`` is the greatest cosine of two pieces.
- sentence cosine: sentences whose TF-IDF vectors (weights from the two texts) have a cosine
  above .33, neighbours clustered; clusters of under 150 characters on a side are dropped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from quality.part import MissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from quality.plagdet import Span

    Pair = tuple[str, str]
    Scorer = Callable[[Mapping[str, str], Sequence[Pair]], np.ndarray]
    """Texts by name, and pairs of names, to a score for each pair."""

PERMUTATIONS = 128
CONTAINMENT = 8
BATCH = 128
"""Pieces that RETSim embeds at once."""
COSINE = 0.33
GAP = 4
"""Sentences, in both texts: seeds no farther apart belong to one cluster."""
MIN_CHARACTERS = 150
_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"[^\s.!?][^.!?\n]*[.!?]*")


def words(text: str) -> list[str]:
    """Words in lower case."""
    return _WORD.findall(text.lower())


def shingles(tokens: Sequence[str], size: int) -> set[str]:
    """Runs of ``size`` tokens; a shorter text is one run."""
    last = max(1, len(tokens) - size + 1)
    return {" ".join(tokens[i : i + size]) for i in range(last)}


def minhash(size: int) -> Scorer:
    """Estimated Jaccard of the sets of word n-grams of two texts."""

    def score(texts: Mapping[str, str], pairs: Sequence[Pair]) -> np.ndarray:
        from datasketch import MinHash

        signatures = {}
        for name in _named(pairs):
            signatures[name] = MinHash(PERMUTATIONS)
            grams = shingles(words(texts[name]), size)
            signatures[name].update_batch([gram.encode() for gram in grams])
        return np.array([signatures[a].jaccard(signatures[b]) for a, b in pairs])

    return score


def containment(texts: Mapping[str, str], pairs: Sequence[Pair]) -> np.ndarray:
    """Share of the shorter text's 8-grams in the other."""
    tokens = {name: words(texts[name]) for name in _named(pairs)}
    scores = []
    for a, b in pairs:
        short, long = sorted((tokens[a], tokens[b]), key=len)
        grams = shingles(short, CONTAINMENT)
        scores.append(len(grams & shingles(long, CONTAINMENT)) / len(grams))
    return np.array(scores)


def retsim(texts: Mapping[str, str], pairs: Sequence[Pair]) -> dict[str, np.ndarray]:
    """Cosines of the documents and of their best pieces. Raises ``MissingError``."""
    try:
        from unisim.embedder import TextEmbedder
        from unisim.embedder.text.binarizer import binarizer
    except ImportError as error:
        raise MissingError(f"RETSim: {error}") from error
    embedder = TextEmbedder(BATCH)
    pieces, documents = {}, {}
    for name in _named(pairs):
        vectors = np.asarray(embedder.predict(binarizer([texts[name]])[0]))
        mean = vectors.mean(axis=0)
        documents[name] = mean / np.linalg.norm(mean)
        pieces[name] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return {
        "RETSim, documents": np.array([documents[a] @ documents[b] for a, b in pairs]),
        "RETSim, best pieces": np.array([(pieces[a] @ pieces[b].T).max() for a, b in pairs]),
    }


SCORERS: dict[str, Scorer] = {
    "datasketch MinHash, words": minhash(1),
    "datasketch MinHash, 5-grams": minhash(5),
    "8-gram containment": containment,
}
"""Tools that score pairs, apart from RETSim, which gives two scores at once and takes long."""


def sentence_cosine(texts: tuple[str, str]) -> list[Span]:
    """Spans of two texts whose sentences are alike."""
    from sklearn.cluster import DBSCAN
    from sklearn.feature_extraction.text import TfidfVectorizer

    spans = [[m.span() for m in _SENTENCE.finditer(text)] for text in texts]
    cut = [[t[i:j] for i, j in s] for t, s in zip(texts, spans, strict=True)]
    if not all(cut):
        return []
    try:
        vectors = TfidfVectorizer().fit_transform(cut[0] + cut[1])
    except ValueError:  # No sentence holds a word.
        return []
    cosine = (vectors[: len(cut[0])] @ vectors[len(cut[0]) :].T).tocoo()
    kept = cosine.data > COSINE
    seeds = np.column_stack([cosine.row[kept], cosine.col[kept]])
    if not len(seeds):
        return []
    cluster = DBSCAN(eps=GAP, min_samples=1, metric="chebyshev").fit_predict(seeds)
    found = []
    for label in range(cluster.max() + 1):
        (a0, b0), (a1, b1) = (f(seeds[cluster == label], axis=0) for f in (np.min, np.max))
        span = (spans[0][a0][0], spans[0][a1][1], spans[1][b0][0], spans[1][b1][1])
        if min(span[1] - span[0], span[3] - span[2]) >= MIN_CHARACTERS:
            found.append(span)
    return found


def _named(pairs: Iterable[Pair]) -> list[str]:
    """The names in pairs, each once."""
    return list(dict.fromkeys(name for pair in pairs for name in pair))
