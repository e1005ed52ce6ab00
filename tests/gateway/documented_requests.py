"""Requests made from the OpenAPI document: for each operation one that it takes."""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

import httpx
import pytest

from platform_gateway.access import PUBLIC
from tests.gateway.api import gateway_app

UNKNOWN = "aMemberThatNobodyKnows"


@dataclass(frozen=True)
class DocumentedRequest:
    """A request that an operation takes."""

    operation_id: str
    method: str
    path: str
    body: Any
    """None: the operation has none."""

    @property
    def with_unknown_members(self) -> list[tuple[str, Any]]:
        """The body once for each object in it, with a member there that is not documented; and where that is."""
        return list(_with_unknown(self.body, ""))


def _documented() -> list[DocumentedRequest]:
    nobody = cast("Any", None)
    document = gateway_app(nobody, http=nobody, workflows=cast("Any", _NoWorkflows())).openapi()
    schemas: dict[str, Any] = document["components"]["schemas"]
    return [
        DocumentedRequest(
            operation_id=operation["operationId"],
            method=method.upper(),
            path=re.sub(r"\{(\w+)\}", lambda name: _id(name[1]), path),
            body=_body(operation, schemas),
        )
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation["operationId"] not in PUBLIC
    ]


class _NoWorkflows:
    async def problem(self) -> str | None:
        return None


def _id(parameter: str) -> str:
    return "demo:user:notification:n-1" if parameter in ("workflowId", "operationId") else "id-1"


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> Any:
    if "requestBody" not in operation:
        return None
    return example(operation["requestBody"]["content"]["application/json"]["schema"], schemas)


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:  # noqa: PLR0911 - one for each kind of schema
    """Return a value that a schema allows, with every member that objects in it can have."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            return example(next(each for each in schema[alternatives] if each.get("type") != "null"), schemas)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: example(each, schemas) for name, each in schema.get("properties", {}).items()}
        case "array":
            return [example(schema["items"], schemas)]
        case "integer" | "number":
            return int(max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1))
        case "boolean":
            return True
        case _:
            return _text(schema)


def _text(schema: dict[str, Any]) -> str:
    candidates = ["id-1", "ann@example.com", "EUR", "tok_ok", "2026-11-23T12:00:00Z", "a"]
    if schema.get("format") == "email":
        return candidates[1]
    if schema.get("format") == "date-time":
        return candidates[4]
    pattern = schema.get("pattern", "")
    return next(each for each in candidates if re.search(pattern, each) and len(each) >= schema.get("minLength", 0))


def _with_unknown(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        yield f"{where}.{UNKNOWN}".removeprefix("."), {**members, UNKNOWN: 1}
        for name, member in members.items():
            for path, changed in _with_unknown(member, f"{where}.{name}"):
                yield path, {**members, name: changed}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        for index, item in enumerate(items):
            for path, changed in _with_unknown(item, f"{where}.{index}"):
                replaced = deepcopy(items)
                replaced[index] = changed
                yield path, replaced


DOCUMENTED = _documented()

each_operation = pytest.mark.parametrize("documented", DOCUMENTED, ids=lambda each: each.operation_id)


async def send(api: httpx.AsyncClient, documented: DocumentedRequest, **changes: Any) -> httpx.Response:
    """Send the request, changed or as it is."""
    options = {"json": documented.body} if documented.body is not None and not changes else changes
    return await api.request(documented.method, documented.path, **options)
