"""One line of a list of operations, as a client reads it."""

from temporalio.client import Client

from platform_gateway.operations.operation_list import Listed
from platform_gateway.operations.operation_models import OperationSummary
from platform_gateway.operations.resources import ResourcePath
from platform_gateway.operations.status import LinkTargets, PathOf, shared_members


async def operation_summary(
    client: Client,
    listed: Listed,
    *,
    links: LinkTargets,
    self_path: PathOf,
    cancel_path: PathOf,
    resource_path: ResourcePath,
) -> OperationSummary:
    """Return the line of a listed operation."""
    shared = await shared_members(
        client,
        listed.execution,
        links=links,
        self_path=self_path,
        cancel_path=cancel_path,
        resource_path=resource_path,
    )
    return OperationSummary(**shared, blocked_by=listed.blocked_by)
