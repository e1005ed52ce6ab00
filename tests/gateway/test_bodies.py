"""Whatever an operation takes, it takes no body that is too large and no member that it does not know."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from platform_gateway.problem_route import MAX_BODY_BYTES
from tests.gateway.documented_requests import DOCUMENTED, DocumentedRequest, send

ASKED = {"startNotification", "executeOnboarding"}
"""The asked routes stay as they are: they ignore what they do not know."""

each_writing = pytest.mark.parametrize(
    "documented", [each for each in DOCUMENTED if each.method != "GET"], ids=lambda each: each.operation_id
)
each_body = pytest.mark.parametrize(
    "documented",
    [each for each in DOCUMENTED if each.body is not None and each.operation_id not in ASKED],
    ids=lambda each: each.operation_id,
)
JSON = {"Content-Type": "application/json"}


async def _chunks(count: int) -> AsyncGenerator[bytes]:
    for _ in range(count):
        yield b" " * 1024


@each_writing
async def test_more_than_64_kib_is_413_with_a_length_and_in_chunks(
    api: httpx.AsyncClient, documented: DocumentedRequest
) -> None:
    announced = await send(api, documented, content=b" " * (MAX_BODY_BYTES + 1), headers=JSON)
    in_chunks = await send(api, documented, content=_chunks(MAX_BODY_BYTES // 1024 + 1), headers=JSON)

    assert (announced.status_code, in_chunks.status_code) == (413, 413)
    assert announced.json()["type"] == in_chunks.json()["type"] == "too_large"


@each_body
async def test_a_member_that_is_not_documented_is_refused_wherever_it_stands(
    api: httpx.AsyncClient, documented: DocumentedRequest
) -> None:
    refused = {
        where: await send(api, documented, json=changed, headers=JSON)
        for where, changed in documented.with_unknown_members
    }

    assert refused
    for where, answer in refused.items():
        assert answer.status_code == 422, where
        codes = {error["field"]: error["code"] for error in answer.json()["errors"]}
        assert codes[where] == "extra_forbidden"
