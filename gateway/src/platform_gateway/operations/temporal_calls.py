"""Calls to Temporal that come to an end, whatever state Temporal is in."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.service import RPCError, RPCStatusCode

from platform_gateway.problems import Kind, Problem
from platform_runtime.logs import get_logger

CALLS_SECONDS: Final = 3.5
"""How long all calls of one request may take together: below the 5 s in which every route answers."""

ATTEMPT: Final = timedelta(seconds=1.5)
"""How long one attempt may take, so that a connection that went dead leaves time for a second one."""

NO_ANSWER: Final = frozenset(
    {
        RPCStatusCode.ABORTED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.UNKNOWN,
    }
)
"""After these nobody knows whether the call took place."""

ENDED_BEFORE_ANSWERING: Final = "AcceptedUpdateCompletedWorkflow"
"""The server's failure type of an update that was accepted by a workflow which ended without an answer to it."""

_log = get_logger(__name__)


def is_away(error: RuntimeError) -> bool:
    """Return whether this is how a client that connects with its first call says that nobody answered."""
    return "client connect" in str(error)


def is_missing_workflow(error: RPCError) -> bool:
    """Return whether there is no such workflow; a missing namespace is the installation's mistake, not the caller's."""
    if error.status is not RPCStatusCode.NOT_FOUND:
        return False
    return not any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)


@asynccontextmanager
async def calling_temporal(workflow_id: str | None = None, *, is_started: bool = False) -> AsyncGenerator[None]:
    """Bound the calls in the block, and answer 503 when Temporal does not.

    Args:
        workflow_id: the operation that the block tries to start, which the client may ask for later.
        is_started: whether it has been started before the block.

    Raises:
        Problem: `TEMPORAL_AWAY`.
    """
    try:
        async with asyncio.timeout(CALLS_SECONDS):
            yield
    except TimeoutError:
        raise _away("timeout", workflow_id, is_started=is_started) from None
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            raise
        raise _away(error.status.name, workflow_id, is_started=is_started) from error
    except RuntimeError as error:
        if not is_away(error):
            raise
        raise _away("no connection", workflow_id, is_started=is_started) from error


def _away(reason: str, workflow_id: str | None, *, is_started: bool) -> Problem:
    if workflow_id is None:
        _log.warning("temporal.unavailable", reason=reason)
        return Problem(Kind.TEMPORAL_AWAY, "Try again later.")
    _log.warning("temporal.unavailable", reason=reason, workflow_id=workflow_id)
    detail = (
        "The operation was started, and cannot be looked at now. Ask for its status."
        if is_started
        else "It is not known whether the operation was started. Ask for its status, or send the same request again."
    )
    return Problem(Kind.TEMPORAL_AWAY, detail, workflowId=workflow_id)
