"""Holds answers against openapi.json, the source of truth of what the service says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from tests.service import REPOSITORY

DOCUMENT: dict[str, Any] = json.loads((REPOSITORY / "openapi.json").read_text(encoding="utf-8"))
_BY_HOST = {"401", "404", "405", "413"}
"""What the functions host, or the app for it, answers before any operation is found."""


def assert_conforms(method: str, target: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """``headers`` have lower-case names. Preflights and the functions host's own addresses are not described; HEAD is
    GET without the body."""
    path = target.partition("?")[0]
    if method == "OPTIONS" or path.startswith("/admin/"):
        return
    described_as = "get" if method == "HEAD" else method.lower()
    response = _response(described_as, path, str(status), by_host="apim-request-id" not in headers)
    for name, header in response.get("headers", {}).items():
        described = resolved(header)
        assert name.lower() in headers or not described.get("required"), f"{method} {path} {status}: no {name}"
        if name.lower() in headers:
            _validator(json.dumps(described["schema"])).validate(headers[name.lower()])
    content = response.get("content")
    if content is None or method == "HEAD":
        assert body == b"", f"{method} {path} {status} has a body"
        return
    media_type = headers["content-type"].partition(";")[0]
    value = json.loads(body) if media_type == "application/json" else body.decode()
    _validator(json.dumps(content[media_type]["schema"])).validate(value)


def operation(method: str, path: str) -> dict[str, Any] | None:
    """The operation at a path as it came on the wire; of several templates the one that says most."""
    plain = unquote(re.sub("/{2,}", "/", path))
    plain = plain.removesuffix("/") or "/"
    found = [
        (len(re.sub(r"\{\w+\}", "", template)), item[method])
        for template, item in DOCUMENT["paths"].items()
        if method in item and _pattern(template).fullmatch(plain)
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _response(method: str, path: str, status: str, by_host: bool) -> dict[str, Any]:
    described = operation(method, path)
    if described is None or (status in _BY_HOST and (by_host or "//" in path)):
        assert status in _BY_HOST, f"{method} {path} is not described, and answered {status}"
        return {"content": {"application/json": {"schema": {"anyOf": [_error("Error"), _error("LaterError")]}}}}
    responses = described["responses"]
    assert status in responses, f"{method} {path} answered {status}, which is not described"
    return resolved(responses[status])


def _error(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def resolved(one: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in one:
        return one
    found: Any = DOCUMENT
    for step in one["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    resolved: dict[str, Any] = found
    return resolved


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", template)
    return re.compile("[^/]+".join(re.escape(part) for part in parts), re.IGNORECASE)


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": DOCUMENT["components"]})
