"""The text of the article on a page, without what stands around it.

Three sources are combined, because each fails on other pages:

- Resiliparse's main content (Bevendorff et al. 2018, https://resiliparse.chatnoir.eu): nearly all
  of the article, and too much of its surroundings;
- the smallest element that holds most of the paragraphs found so, less what is marked as a caption,
  teaser, form and the like: it decides which of Resiliparse's lines stay. The idea that paragraphs
  vote for the elements above them is that of Readability (Arc90, 2009);
- ``articleBody`` of the page's JSON-LD, where it is not a mere excerpt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resiliparse.extract.html2text import extract_plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from dedup.pages.metadata import Metadata

_NO_TEXT = (
    "script,style,noscript,template,figure,figcaption,aside,form,button,footer,nav,dialog,iframe,"
    "select,svg,[role=dialog],[role=navigation],[role=complementary],[hidden],[aria-hidden=true]"
)
_FURNITURE = ",".join(
    f'[class*="{part}" i]'
    for part in (
        *("caption", "credit", "related", "newsletter", "teaser", "advert", "promo", "embed"),
        *("consent", "infobox", "share", "social", "recommend", "readmore", "read-more", "signup"),
        *("subscribe", "paywall", "gallery", "video", "most-read", "toolbar", "author", "byline"),
        *("tags", "comment", "opt-in", "optin", "more-"),
    )
)
"""Elements inside an article that sites name after what is no part of its text."""

_FURNITURE_SHARE = 0.2
"""An element that holds more of the article than this is kept, whatever its name."""
_HOLDS = 0.6
"""Share of the text in paragraphs that the element of the article must hold."""
_KEPT = 0.4
"""Share of Resiliparse's text below which that element was a wrong guess."""
_BODY_SHARE = 0.7
"""``articleBody`` is used when it is at least so long as the text found: paywalls cut it short."""
_SHORTEST_PARAGRAPH = 25
_BLOCKS = "p,h2,h3,h4,h5,li,blockquote,pre"


def article_text(tree: LexborHTMLParser, metadata: Metadata) -> str:
    """The text of the article, one paragraph or heading a line; empty where none was found.

    Args:
        tree: the page. Elements that hold no text of the article are **removed** from it.
        metadata: what the page states; its titles are left out of the text, its summary is kept.
    """
    for node in tree.css(_NO_TEXT):
        node.decompose()
    # What is left is much less to parse: most of a page is scripts.
    whole = extract_plain_text(
        tree.html or "",
        main_content=True,
        list_bullets=False,
        alt_texts=False,
        links=False,
        form_fields=False,
        noscript=False,
        comments=False,
    )
    lines = [line for line in map(_single_spaced, whole.split("\n")) if line]
    chosen = _inside_article(lines, tree, metadata.descriptions)
    titles = {_packed(title) for title in metadata.titles}
    text = "\n".join(line for line in chosen if _packed(line) not in titles)
    stated = metadata.data.body()
    if stated and len(_packed(stated)) >= _BODY_SHARE * len(_packed(text)):
        return stated
    return text


def _inside_article(
    lines: list[str], tree: LexborHTMLParser, summaries: Iterable[str]
) -> list[str]:
    """Those of ``lines`` that stand in the element of the article, or are its summary.

    All of them where no such element was found or it holds too little of them. Without any
    ``lines`` the blocks of the element itself.
    """
    top = _element_of_article(tree, _packed("".join(lines)))
    if top is None:
        return lines
    size = len(_packed(top.text()))
    for node in top.css(_FURNITURE):
        # The element itself is among what its own query finds.
        if node.mem_id != top.mem_id and len(_packed(node.text())) < _FURNITURE_SHARE * size:
            node.decompose()
    if not lines:
        return [text for node in top.css(_BLOCKS) if (text := _single_spaced(node.text()))]
    inside = _packed(top.text())
    known = {_packed(summary) for summary in summaries}
    kept = [line for line in lines if (packed := _packed(line)) in known or packed in inside]
    return kept if _length(kept) >= _KEPT * _length(lines) else lines


def _element_of_article(tree: LexborHTMLParser, found: str) -> LexborNode | None:
    """The smallest element that holds most of the text in paragraphs, links counted against it.

    ``found`` is the text that may count, without spaces (``""``: all).
    """
    weights: dict[int, int] = {}
    elements: dict[int, LexborNode] = {}
    total = 0
    for paragraph in tree.css("p"):
        text = _packed(paragraph.text())
        if len(text) < _SHORTEST_PARAGRAPH or (found and text not in found):
            continue
        linked = sum(len(_packed(link.text())) for link in paragraph.css("a"))
        weight = len(text) - 2 * linked
        if weight <= 0:
            continue
        total += weight
        above = paragraph.parent
        while above is not None:
            key = above.mem_id
            if key not in weights:
                weights[key], elements[key] = 0, above
            weights[key] += weight
            above = above.parent
    enough = [key for key, weight in weights.items() if weight >= _HOLDS * total]
    # Of elements around the same paragraphs the innermost, which was met first.
    return elements[min(enough, key=weights.__getitem__)] if enough else None


def _packed(text: str) -> str:
    """A text as it is compared: without any space."""
    return "".join(text.split())


def _single_spaced(text: str) -> str:
    return " ".join(text.split())


def _length(lines: list[str]) -> int:
    return sum(map(len, lines))
