"""Errors of the service as RFC 9457 problem details."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - the standard's word
    """A request that is answered by an error.

    ``detail`` says what was wrong with this request and what to do; ``errors`` lists places in
    its body as ``{pointer, detail}`` (RFC 6901 pointers).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors

    def as_dict(self) -> dict[str, Any]:
        """The body: ``type`` is ``about:blank``, so that ``title`` is the status's name."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors is not None:
            body["errors"] = self.errors
        return body

    def response(self) -> Response:
        """The answer."""
        return Response(
            orjson.dumps(self.as_dict()),
            self.status,
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )
