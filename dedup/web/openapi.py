"""The OpenAPI 3.1 document: rows by the schemas of the tables, answers by their classes."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import types
from http import HTTPStatus
from typing import Any, Union, get_args, get_origin, get_type_hints

import pyarrow as pa

from dedup.explanation import Explanation
from dedup.model import table_schemas
from dedup.web.asked import LONGEST, MOST_ROWS, ROWS
from dedup.web.problems import MEDIA_TYPE

Schema = dict[str, Any]
_TABLES = ("articles", "relations", "matches", "passages", "groups", "sources")
_COMMON = (400, 401, 408, 413, 421, 422, 429, 500, 503, 504)
"""Errors that any endpoint may answer with."""
_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
    "description": "An id, percent-encoded (a slash as %2F).",
}


def document() -> Schema:
    """The document, as ``/api/openapi.json`` gives it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dedup",
            "version": importlib.metadata.version("dedup"),
            "description": (
                "What a text shares with the articles of an index, and what was found among them. "
                "Fields are those of docs/output.md. Offsets count Unicode characters, ends are "
                "exclusive. An index keeps no scores: they are null."
            ),
        },
        "security": [{"token": []}, {}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**{name: row_schema(name) for name in _TABLES}, **_schemas()},
        },
    }


def row_schema(table: str) -> Schema:
    """The schema of a row of a table of the output contract."""
    schema = table_schemas()[table]
    properties = {field.name: _of_arrow(field.type) for field in schema}
    return _object(properties)


def _of_arrow(kind: pa.DataType) -> Schema:
    if pa.types.is_struct(kind):
        made = _object(
            {kind.field(i).name: _of_arrow(kind.field(i).type) for i in range(kind.num_fields)}
        )
        return {**made, "type": ["object", "null"]}
    if pa.types.is_list(kind):
        return {"type": ["array", "null"], "items": _of_arrow(kind.value_type)}
    if pa.types.is_boolean(kind):
        return {"type": ["boolean", "null"]}
    if pa.types.is_integer(kind):
        return {"type": ["integer", "null"]}
    if pa.types.is_floating(kind):
        return {"type": ["number", "null"]}
    return {"type": ["string", "null"]}


def of_class(kind: Any) -> Schema:
    """The schema of a dataclass, or of what one of its fields may hold."""
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return _object({f.name: of_class(hints[f.name]) for f in dataclasses.fields(kind)})
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return {"anyOf": [of_class(part) for part in inner]}
    if origin is list:
        return {"type": "array", "items": of_class(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": of_class(inner[1])}
    names: dict[Any, str] = {
        str: "string",
        int: "integer",
        float: "number",
        bool: "boolean",
        type(None): "null",
    }
    return {"type": names[kind]} if kind in names else {}


def _object(properties: Schema, required: list[str] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> Schema:
    return {"type": "array", "items": _ref(name)}


def _schemas() -> Schema:
    text = {"type": "string"}
    optional = {"type": ["string", "null"]}
    explanation = of_class(Explanation)
    explanation["properties"] |= {"a": _ref("articles"), "b": _ref("articles")}
    return {
        "Article": _object(
            {
                "text": {"type": "string"},
                **{n: {**optional, "maxLength": longest} for n, longest in LONGEST.items()},
                "published": {**optional, "format": "date-time"},
            },
            ["text"],
        ),
        "Check": _object(
            {
                "article": _ref("articles"),
                "source": row_schema("groups")["properties"]["source"],
                "known": {"type": "array", "items": text},
                "relations": _list("relations"),
                "matches": _list("matches"),
                "others": {"type": "object", "additionalProperties": _ref("articles")},
            }
        ),
        "ArticlePage": _object(
            {"article": _ref("articles"), "text": optional, "relations": _list("relations")}
        ),
        "GroupPage": _object(
            {
                "group": _ref("groups"),
                "articles": _list("articles"),
                "passages": _list("passages"),
            }
        ),
        "Groups": _object({"groups": _list("groups"), "next": optional}),
        "Sources": _object({"sources": _list("sources"), "next": optional}),
        "Found": _object({"articles": _list("articles")}),
        "Explanation": explanation,
        "Health": _object(
            {"status": {"type": "string", "enum": ["ok", "starting"]}, "state": optional}
        ),
        "Problem": _object(
            {
                "type": text,
                "title": text,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": text,
                "errors": {
                    "type": "array",
                    "items": _object({"pointer": text, "detail": text}),
                },
            },
            ["type", "title", "status", "detail"],
        ),
    }


def _paths() -> Schema:
    after = _query("after", "Rows whose id comes after this one: 'next' of the page before.")
    limit = _query("limit", "How many rows.", _whole(1, MOST_ROWS, ROWS))
    words = _query(
        "q", "Words that id, outlet and title of an article together hold.", _word(), True
    )
    pair = [_query(name, "An article.", _word(), True) for name in ("a", "b")]
    check = _operation("check", "What a text shares with the articles", "Check", [], (409, 415))
    check["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": _ref("Article")}},
    }
    health = _operation("health", "Whether checks are answered", "Health", [], ())
    health["security"] = []
    health["responses"]["503"] = _answer("Not yet: the articles are being loaded.", "Health")
    metrics = _operation("metrics", "Metrics for Prometheus", "Health", [], ())
    metrics["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "/api/check": {"post": check},
        "/api/articles/{id}": {
            "get": _operation(
                "article", "An article and its relations", "ArticlePage", [_ID], (404,)
            )
        },
        "/api/groups": {"get": _operation("groups", "Groups, by id", "Groups", [after, limit], ())},
        "/api/groups/{id}": {
            "get": _operation("group", "A group and its articles", "GroupPage", [_ID], (404,))
        },
        "/api/sources": {
            "get": _operation("sources", "Sources, by id", "Sources", [after, limit], ())
        },
        "/api/search": {
            "get": _operation("search", "Search articles", "Found", [words, limit], ())
        },
        "/api/explain": {
            "get": _operation(
                "explain", "Why two articles are related or not", "Explanation", pair, (404, 409)
            )
        },
        "/healthz": {"get": health},
        "/metrics": {"get": metrics},
    }


def _word() -> Schema:
    return {"type": "string", "minLength": 1}


def _whole(low: int, high: int, default: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "default": default}


def _query(name: str, says: str, schema: Schema | None = None, required: bool = False) -> Schema:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": says,
        "schema": schema or {"type": "string"},
    }


def _operation(
    name: str, summary: str, answer: str, parameters: list[Schema], errors: tuple[int, ...]
) -> Schema:
    statuses = sorted({*_COMMON, *errors})
    problems = {
        str(status): _answer(HTTPStatus(status).phrase, "Problem", MEDIA_TYPE)
        for status in statuses
    }
    made: Schema = {
        "operationId": name,
        "summary": summary,
        "responses": {"200": _answer(summary, answer), **problems},
    }
    if parameters:
        made["parameters"] = parameters
    return made


def _answer(says: str, name: str, media: str = "application/json") -> Schema:
    return {"description": says, "content": {media: {"schema": _ref(name)}}}
