"""The audit log: who decided what, who looked at what, and who was not let in."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from sqlalchemy.exc import SQLAlchemyError

from platform_contracts.identifiers import Tenant as Account
from platform_contracts.view import PageSize
from platform_gateway.identity.auditing import READ, keep
from platform_gateway.identity.callers import STAFF_TENANT, Caller
from platform_gateway.identity.key_models import AuditLogPage, audit_entry
from platform_gateway.identity.key_store import AuditReader
from platform_gateway.problem_route import Authenticate, audit_of, guarded_route
from platform_gateway.problems import Kind, Problem, documented, invalid_field
from platform_gateway.routes.shared import Cursor, Who
from platform_runtime.page_cursor import InvalidCursorError, decode_cursor, encode_cursor

_OPERATION: Final = "listAuditLog"
_EVERYBODY: Final = "*"
_MAX_ENTRY_DIGITS: Final = 18
"""More than there will ever be, and fewer than a column can hold."""


def audit_log_router(log: AuditReader, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/audit-log`."""
    audit = audit_of(authenticate)
    router = APIRouter(prefix="/v1/audit-log", tags=["audit-log"], route_class=guarded_route(authenticate))

    @router.get(
        "",
        operation_id=_OPERATION,
        response_model=AuditLogPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="Read the audit log",
    )
    async def entries(
        request: Request,
        who: Who,
        account: Annotated[Account | None, Query(description="One account; staff see every one without it.")] = None,
        limit: Annotated[PageSize, Query()] = 50,
        cursor: Cursor = None,
    ) -> AuditLogPage:
        """Return a page of what is kept about the caller's account, newest first; staff read that of all."""
        tenant = _readable(who, account)
        before = _position(cursor, tenant)
        if tenant != who.tenant:
            # Staff look into an account, or into all of them at once, without acting for one.
            seen = who if tenant is None else replace(who, tenant=tenant, home=who.tenant)
            await keep(audit, seen, _OPERATION, request.url.path, outcome=READ)
        try:
            found = await log.page(tenant, before=before, limit=limit + 1)
        except (SQLAlchemyError, OSError, TimeoutError):
            raise Problem(Kind.AUDIT_AWAY) from None
        shown = found[:limit]
        is_last = len(found) <= limit
        next_cursor = None if is_last else encode_cursor(tenant or _EVERYBODY, str(shown[-1].entry_id))
        return AuditLogPage(entries=tuple(audit_entry(each) for each in shown), next_cursor=next_cursor)

    return router


def _readable(who: Caller, account: str | None) -> str | None:
    """Return the account whose entries the caller may read and wants to; None for all."""
    if who.tenant == STAFF_TENANT:
        return account
    if account is not None and account != who.tenant:
        raise Problem(Kind.FOREIGN_ACCOUNT, "Only staff read what is kept about another account.")
    return who.tenant


def _position(cursor: str | None, tenant: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        owner, entry_id = decode_cursor(cursor, parts=2)
    except InvalidCursorError:
        owner, entry_id = "", ""
    is_number = entry_id.isascii() and entry_id.isdecimal() and len(entry_id) <= _MAX_ENTRY_DIGITS
    if owner != (tenant or _EVERYBODY) or not is_number:
        raise invalid_field("query", "cursor", "no cursor of this list")
    return int(entry_id)
