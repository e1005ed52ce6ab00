"""Staff act for another account: the header `Partner-Account`."""

import re
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute

from platform_contracts.identifiers import TENANT_PATTERN
from platform_gateway.identity.audit import AuditLog
from platform_gateway.identity.auditing import DENIED, keep_if_possible
from platform_gateway.identity.callers import STAFF_TENANT, Caller
from platform_gateway.problems import Kind, Problem

ACCOUNT_HEADER: Final = "Partner-Account"

_PARAMETER: Final[dict[str, Any]] = {
    "name": ACCOUNT_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": TENANT_PATTERN},
    "description": "The account to act for; of another one than their own only for staff.",
}


async def acting_for(request: Request, caller: Caller, audit: AuditLog) -> Caller:
    """Return the caller, acting for the account that the request names.

    Raises:
        Problem: `FOREIGN_ACCOUNT` when it is not the caller's own, and they are not staff.
    """
    account = request.headers.get(ACCOUNT_HEADER)
    if account is None or account == caller.tenant:
        return caller
    if caller.tenant != STAFF_TENANT or re.fullmatch(TENANT_PATTERN, account) is None:
        await keep_if_possible(audit, caller, "actForAccount", request.url.path, outcome=DENIED, account=account[:100])
        raise Problem(Kind.FOREIGN_ACCOUNT, "Only staff act for another account, and only for one that can exist.")
    return replace(caller, tenant=account, home=STAFF_TENANT)


def document_account(router: APIRouter) -> None:
    """Add the header to what OpenAPI says about the routes."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            extra = route.openapi_extra or {}
            route.openapi_extra = {**extra, "parameters": [*extra.get("parameters", []), _PARAMETER]}
