"""Find a tenant's operation; what is another tenant's does not exist."""

import re
from typing import Any, Final

from temporalio.client import Client
from temporalio.service import RPCError

from platform_contracts.identifiers import tenant_of
from platform_gateway.operations.describing import Description, describe
from platform_gateway.operations.temporal_calls import is_missing_workflow
from platform_gateway.problems import Kind, Problem

_ID: Final = re.compile(r"[a-z0-9-]{1,40}:[!-~]{1,400}")
"""Every id that this platform makes; what does not look like one is not sent to Temporal."""


async def find(client: Client, tenant: str, workflow_id: str, *, unknown: Kind = Kind.UNKNOWN_OPERATION) -> Description:
    """Return the latest run of the operation.

    Raises:
        Problem: `unknown` for an id that does not exist or is another tenant's.
        RPCError: when Temporal does not answer.
    """
    if _ID.fullmatch(workflow_id) is None or tenant_of(workflow_id) != tenant:
        raise Problem(unknown)
    try:
        return await describe(client, workflow_id)
    except RPCError as error:
        if is_missing_workflow(error):
            raise Problem(unknown) from None
        raise


def require_open(found: Description) -> None:
    """Let only what goes on pass.

    Raises:
        Problem: `OPERATION_CLOSED`.
    """
    if not found.is_open:
        raise closed(found, f"Its status is {found.status}.")


def closed(found: Description, detail: str) -> Problem:
    """Return the problem of an operation that has ended."""
    return Problem(Kind.OPERATION_CLOSED, detail, **ids(found))


def ids(found: Description) -> dict[str, Any]:
    """Return the members that name the operation in a problem."""
    return {"workflowId": found.workflow_id, "runId": found.run_id}
