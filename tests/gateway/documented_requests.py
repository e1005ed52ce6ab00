"""Requests made from the OpenAPI document: for each operation one that it takes."""

import re
from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

import httpx
import pytest

from platform_gateway.access import PUBLIC
from platform_gateway.openapi.document import operations_of
from tests.gateway.api import document_of_the_api

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
    return [
        DocumentedRequest(
            operation_id=operation["operationId"],
            method=method.upper(),
            path=re.sub(r"\{(\w+)\}", lambda name: _ids[name[1]], path),
            body=operation["requestBody"]["content"]["application/json"]["example"]
            if "requestBody" in operation
            else None,
        )
        for path, method, operation in operations_of(document_of_the_api())
        if operation["operationId"] not in PUBLIC
    ]


_ids = defaultdict(
    lambda: "id-1",
    workflowId="demo:user:notification:n-1",
    currency="EUR",
    escalationId="charge_unresolved-5f2b8d1e9c4a7036",
    reconciliationId="acquirer-0f6e7b1c-2d3a-4b5c-8d9e-0a1b2c3d4e5f",
)


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
