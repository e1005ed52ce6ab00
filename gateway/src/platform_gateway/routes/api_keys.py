"""API keys: make one, look at them, rotate one, revoke one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, Response

from platform_contracts.view import PageSize
from platform_gateway.identity.key_management import create_key, revoke_key, rotate_key
from platform_gateway.identity.key_models import (
    ApiKeyRequest,
    ApiKeysPage,
    ApiKeyState,
    IssuedApiKey,
    RotationRequest,
    issued_key,
    key_state,
)
from platform_gateway.identity.key_store import KeyStore
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import Kind, Problem, documented, invalid_field
from platform_gateway.routes.shared import AuditDetails, Cursor, Tenant, Who
from platform_runtime.logs import get_logger
from platform_runtime.page_cursor import InvalidCursorError, decode_cursor, encode_cursor

KeyId = Annotated[str, Path(alias="keyId", pattern=r"^[0-9a-f]{16}$")]

_ANSWER_WITHIN_SECONDS: Final = 1.5

_USUAL_ROTATION: Final = RotationRequest()

_log = get_logger(__name__)


def api_keys_router(store: KeyStore, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/api-keys`."""
    router = APIRouter(prefix="/v1/api-keys", tags=["api-keys"], route_class=guarded_route(authenticate))

    @router.post(
        "",
        operation_id="createApiKey",
        status_code=201,
        response_model=IssuedApiKey,
        responses={201: {"description": "Made; the key is shown this one time."}}
        | documented(400, 401, 403, 413, 415, 422, 500, 503),
        summary="Make an API key",
    )
    async def create(who: Who, body: ApiKeyRequest, audit_details: AuditDetails) -> Response:
        """Make a key of the caller's account, which may do no more than the caller. Each request makes another one."""
        async with _reaching_keys():
            key, given = await create_key(
                store, who, role=body.role, scopes=body.scopes, name=body.name, expires_at=body.expires_at
            )
        audit_details |= {"keyId": key.key_id, "role": key.role, "scopes": sorted(key.effective_scopes)}
        return _issued(issued_key(key, given))

    @router.get(
        "",
        operation_id="listApiKeys",
        response_model=ApiKeysPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="List API keys",
    )
    async def list_keys(tenant: Tenant, limit: Annotated[PageSize, Query()] = 50, cursor: Cursor = None) -> ApiKeysPage:
        """Return a page of the account's keys, newest first, also of those that do not work any more."""
        async with _reaching_keys():
            keys = await store.page(tenant, after=_position(cursor, tenant), limit=limit + 1)
        shown = keys[:limit]
        is_last = len(keys) <= limit
        next_cursor = None if is_last else encode_cursor(tenant, shown[-1].created_at.isoformat(), shown[-1].key_id)
        return ApiKeysPage(api_keys=tuple(key_state(key) for key in shown), next_cursor=next_cursor)

    @router.post(
        "/{keyId}/rotate",
        operation_id="rotateApiKey",
        status_code=201,
        response_model=IssuedApiKey,
        responses={201: {"description": "The successor; the key is shown this one time."}}
        | documented(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        summary="Rotate an API key",
    )
    async def rotate(
        who: Who, key_id: KeyId, audit_details: AuditDetails, body: RotationRequest = _USUAL_ROTATION
    ) -> Response:
        """Make the key's successor, which may do the same; the old one still works for the overlap, a day by default.

        At most two keys of a rotation work: the successor cannot be rotated before the old one has ended.
        """
        overlap = timedelta(seconds=body.overlap_seconds)
        async with _reaching_keys():
            key, given = await rotate_key(store, who, key_id, overlap=overlap)
        audit_details |= {"successor": key.key_id}
        return _issued(issued_key(key, given))

    @router.post(
        "/{keyId}/revoke",
        operation_id="revokeApiKey",
        response_model=ApiKeyState,
        responses=documented(401, 403, 404, 413, 422, 500, 503),
        summary="Revoke an API key",
    )
    async def revoke(who: Who, key_id: KeyId) -> ApiKeyState:
        """End the key for good, within five seconds in every gateway; asking twice is asking once."""
        async with _reaching_keys():
            return key_state(await revoke_key(store, who, key_id))

    return router


@asynccontextmanager
async def _reaching_keys() -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_SECONDS):
            yield
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        _log.warning("api_keys.unavailable", error=type(error).__name__)
        raise Problem(Kind.KEYS_AWAY) from None


def _issued(key: IssuedApiKey) -> JSONResponse:
    # A secret in a cache is a secret no longer.
    return JSONResponse(key.model_dump(mode="json"), status_code=201, headers={"Cache-Control": "no-store"})


def _position(cursor: str | None, tenant: str) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    try:
        owner, moment, key_id = decode_cursor(cursor, parts=3)
        position = datetime.fromisoformat(moment)
    except (InvalidCursorError, ValueError):
        raise invalid_field("query", "cursor", "no cursor of this list") from None
    if owner != tenant or position.tzinfo is None:
        raise invalid_field("query", "cursor", "no cursor of this list")
    return position, key_id
