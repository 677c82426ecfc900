"""Names of fields that can say who supplied a text: what reading keeps and attribution looks at.

The names are those of schema.org, ninjs, NewsML, NITF, Dublin Core and the usual dumps.
"""

from __future__ import annotations

CREDIT_FIELDS: dict[str, str] = {
    name.lower(): name
    for name in (
        *("agency", "agencies", "newsagency", "wire", "newswire", "pressAgency"),
        *("provider", "contentProvider", "supplier", "distributor", "serviceProvider"),
        *("credit", "credits", "creditLine", "creditText", "syndication", "syndicatedFrom"),
        *("source", "sources", "sourceName", "originalSource", "isBasedOn", "origin"),
        *("infosource", "infosources", "sourceOrganization", "organization", "organisation"),
        *("publisher", "copyright", "copyrightHolder", "copyrightNotice", "copyrightOwner"),
        *("rights", "rightsHolder", "dateline"),
    )
}
"""Fields that can name a source: their name by the folded one (:func:`folded`)."""


def folded(name: str) -> str:
    """A field name as it is compared: letters and digits alone, lower case.

    >>> folded("Credit_Line")
    'creditline'
    """
    return "".join(c for c in name if c.isalnum()).lower()
