"""One page -> one record, or the reason why it is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from dedup.pages.body import article_text
from dedup.pages.charset import decode
from dedup.pages.metadata import Metadata


@dataclass(frozen=True, slots=True)
class Page:
    """The bytes of a page, and what is known of it from elsewhere.

    ``url`` is the address that it was fetched from, ``charset`` the encoding that the server
    named; both ``None`` where unknown. With ``limit`` the bytes are a whole HTTP response, whose
    body may have so many bytes.
    """

    data: bytes
    url: str | None = None
    charset: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """Column names and values of the article, or in ``reason`` why there is none.

    ``invalid`` says whether bytes had to be replaced that are no characters.
    """

    values: dict[str, Any] = field(default_factory=dict)
    invalid: bool = False
    reason: str | None = None


def extract(page: Page) -> Extracted:
    """The article of a page: ``text`` and whatever is known of title, outlet, date, author,
    addresses and credits."""
    data, charset = page.data, page.charset
    if page.limit is not None:
        from dedup.pages import http  # FastWARC, which files of HTML do not need

        try:
            data, charset = http.payload(data, page.limit)
        except http.UnreadableResponseError as error:
            return Extracted(reason=str(error))
    text, invalid = decode(data, charset)
    text = text.replace("\0", "\ufffd")  # it would end strings in the parsers' C code
    tree = LexborHTMLParser(text)
    metadata = Metadata(tree, page.url)
    values = metadata.fields()  # before elements are removed
    values["text"] = article_text(tree, metadata)
    if not values["text"]:
        return Extracted(invalid=invalid, reason="no text of an article was found on the page")
    return Extracted(values, invalid)
