"""Lists of a tenant's operations, from Temporal's visibility."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.service import RPCError

from platform_gateway.operations.describing import Execution, describe
from platform_gateway.operations.operation_filter import OperationFilter
from platform_gateway.operations.status import why_blocked
from platform_gateway.operations.temporal_calls import ATTEMPT, is_missing_workflow
from platform_gateway.rest_models import BlockedBy

MOST_EXAMINED: Final = 200
"""How many operations one page asks why they do not move."""

_AT_ONCE: Final = 16
"""How many of them are asked at the same time: an answer takes the server milliseconds, and others want some too."""

_LEAST_PAGE: Final = 10
"""A page that lacks fewer than this is full enough: each look for more costs a call, for hardly anything."""

_EXAMINE_SECONDS: Final = 2.0
"""When a page is given out as it is, below the bound of all calls of a request; the cursor goes on from there."""


@dataclass(frozen=True)
class Listed:
    """An operation in a list."""

    execution: Execution
    blocked_by: BlockedBy | None = None


@dataclass(frozen=True)
class Page:
    """Some operations, and where the next page begins; empty: nowhere."""

    operations: Sequence[Listed]
    next_token: bytes


async def operations_page(
    client: Client,
    tenant: str,
    wanted: OperationFilter,
    *,
    limit: int,
    token: bytes = b"",
    raw_texts: bool = False,
    to_operate_on: bool = False,
) -> Page:
    """Return a page of the tenant's operations.

    An operation shows some time after it was started, and one that ends between two pages may show on both: decide
    nothing from a list.

    Args:
        client: the connection to Temporal.
        tenant: whose.
        wanted: which.
        limit: how many at most.
        token: where the page begins; empty: at the beginning.
        raw_texts: whether to tell what failures say themselves.
        to_operate_on: whether only what a bulk operation may take is wanted.

    Raises:
        RPCError: when Temporal does not answer.
    """
    query = wanted.query(tenant, to_operate_on=to_operate_on)
    if not wanted.blocked:
        executions, following = await _visible(client, query, size=limit, token=token)
        return Page([Listed(each) for each in executions], following)
    until = monotonic() + _EXAMINE_SECONDS
    at_once = asyncio.Semaphore(_AT_ONCE)
    blocked: list[Listed] = []
    left = MOST_EXAMINED
    while True:
        # No more than may be found, so that a page always ends where the looking ended.
        size = min(limit - len(blocked), left)
        executions, token = await _visible(client, query, size=size, token=token)
        examined = await asyncio.gather(*(_examined(client, each, at_once, raw_texts) for each in executions))
        blocked.extend(each for each in examined if each.blocked_by is not None)
        left -= len(executions)
        is_full = limit - len(blocked) < min(limit, _LEAST_PAGE)
        if not token or is_full or left <= 0 or monotonic() > until:
            return Page(blocked, token)


async def _examined(client: Client, listed: Execution, at_once: asyncio.Semaphore, raw_texts: bool) -> Listed:
    async with at_once:
        try:
            found = await describe(client, listed.workflow_id, run_id=listed.run_id)
            reason = await why_blocked(client, found, raw_texts=raw_texts)
        except RPCError as error:
            if not is_missing_workflow(error):
                raise
            # It was there when it was listed.
            return Listed(listed)
    # What it was described as is newer than the list.
    return Listed(found, reason)


async def _visible(client: Client, query: str, *, size: int, token: bytes) -> tuple[list[Execution], bytes]:
    answer = await client.workflow_service.list_workflow_executions(
        ListWorkflowExecutionsRequest(namespace=client.namespace, query=query, page_size=size, next_page_token=token),
        retry=True,
        timeout=ATTEMPT,
    )
    return [Execution(info, client.data_converter) for info in answer.executions], answer.next_page_token
