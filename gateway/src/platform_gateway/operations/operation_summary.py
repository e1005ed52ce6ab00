"""One line of a list of operations, as a client reads it."""

from temporalio.client import Client

from platform_gateway.operations.describing import moment
from platform_gateway.operations.operation_list import Listed
from platform_gateway.operations.operation_models import OperationSummary
from platform_gateway.operations.resources import ResourcePath
from platform_gateway.operations.status import LinkTargets, PathOf, operation_links, progress_of


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
    found = listed.execution
    progress = await found.progress()
    trace_id = await found.trace_id()
    request_trace_id = None if found.is_scheduled else trace_id
    return OperationSummary(
        workflow_id=found.workflow_id,
        run_id=found.run_id,
        type=found.info.type.name,
        task_queue=found.info.task_queue,
        status=found.status,
        start_time=moment(found.info.start_time),
        close_time=moment(found.info.close_time) if found.info.HasField("close_time") else None,
        progress=progress_of(progress, request_trace_id),
        blocked_by=listed.blocked_by,
        trace_id=request_trace_id,
        links=await operation_links(
            client,
            found,
            progress,
            trace_id,
            links=links,
            self_path=self_path,
            cancel_path=cancel_path,
            resource_path=resource_path,
        ),
    )
