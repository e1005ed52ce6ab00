"""What each role may do: every role on every operation of the API."""

import re
from collections.abc import AsyncGenerator, Mapping

import httpx
import pytest
from temporalio.client import Client

from platform_gateway.access import AUDITED, PUBLIC, REQUIRED
from platform_gateway.identity.callers import SCOPES_OF, Role
from platform_gateway.openapi.document import operations_of
from tests.gateway.api import document_of_the_api
from tests.gateway.identities import guarded_api, key_of, opened_stores

FOUND = list(operations_of(document_of_the_api()))
OPERATIONS = {operation["operationId"]: operation for _path, _method, operation in FOUND}
ROUTES = {
    operation["operationId"]: (method.upper(), re.sub(r"\{\w+\}", "0123456789abcdef", path))
    for path, method, operation in FOUND
}
FACTS = {
    ("buy", Role.PARTNER): True,
    ("buy", Role.REVIEWER): False,
    ("buy", Role.OPERATOR): False,
    ("reviewSubmission", Role.PARTNER): False,
    ("reviewSubmission", Role.REVIEWER): True,
    ("reviewSubmission", Role.OPERATOR): False,
    ("cancelOperation", Role.REVIEWER): False,
    ("cancelOperation", Role.OPERATOR): True,
    ("createApiKey", Role.PARTNER): False,
    ("createApiKey", Role.OPERATOR): False,
    ("createApiKey", Role.ADMIN): True,
    ("listAuditLog", Role.PARTNER): False,
    ("listAuditLog", Role.OPERATOR): True,
}


@pytest.fixture(scope="module")
async def api(client: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[httpx.AsyncClient]:
    async with opened_stores(tmp_path_factory.mktemp("roles")) as stores:
        KEYS.update({role: await key_of(stores, "acme", role) for role in Role})
        async with guarded_api(client, stores) as api:
            yield api


KEYS: dict[Role, Mapping[str, str]] = {}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("operation", sorted(REQUIRED))
async def test_role_may_do_what_its_scopes_say_and_nothing_else(
    api: httpx.AsyncClient, operation: str, role: Role
) -> None:
    method, path = ROUTES[operation]
    is_allowed = REQUIRED[operation] in SCOPES_OF[role]

    answer = await api.request(method, path, headers=KEYS[role], json=None if method == "GET" else {})

    is_refused = answer.status_code == 403 and answer.json()["type"] == "insufficient_scope"
    assert answer.status_code != 401
    assert is_refused is not is_allowed
    assert FACTS.get((operation, role), is_allowed) is is_allowed


def test_every_operation_is_guarded_or_public() -> None:
    assert ROUTES.keys() == REQUIRED.keys() | PUBLIC
    assert REQUIRED.keys() >= AUDITED
