"""Ask Temporal where a workflow stands; works without any worker, and after the workflow has closed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import ValidationError
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.converter import DataConverter

from platform_contracts import memo
from platform_gateway.operations.temporal_calls import ATTEMPT

ValueT = TypeVar("ValueT")

_OPEN = ("RUNNING", "PAUSED")
_SCHEDULED_BY = "TemporalScheduledById"


@dataclass(frozen=True)
class Execution:
    """What Temporal says about one run of a workflow, in a list too.

    Made from the raw answer: the SDK's own description knows no status that is newer than the SDK.
    """

    info: WorkflowExecutionInfo
    """The part that every workflow has."""
    converter: DataConverter

    @property
    def workflow_id(self) -> str:
        """The workflow's id."""
        return self.info.execution.workflow_id

    @property
    def run_id(self) -> str:
        """The id of this run."""
        return self.info.execution.run_id

    @property
    def status(self) -> str:
        """RUNNING, COMPLETED, FAILED, CANCELED, TERMINATED, CONTINUED_AS_NEW, TIMED_OUT or PAUSED."""
        return WorkflowExecutionStatus.Name(self.info.status).removeprefix("WORKFLOW_EXECUTION_STATUS_")

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.status in _OPEN

    async def fingerprint(self) -> str | None:
        """Return the fingerprint of the request that started it; None when no request of ours did."""
        return await self.from_memo(memo.FINGERPRINT, str)

    async def start_token(self) -> str | None:
        """Return the token of the request whose start it was; None when no request of ours did."""
        return await self.from_memo(memo.START, str)

    @property
    def is_scheduled(self) -> bool:
        """Whether a schedule started it."""
        return _SCHEDULED_BY in self.info.search_attributes.indexed_fields

    async def trace_id(self) -> str | None:
        """Return its trace, of its own where no request started it; None when it has none."""
        return await self.from_memo(memo.TRACE_ID, str)

    async def resource_id(self) -> str | None:
        """Return the id of what it is about; None when its own id tells, or no request of ours started it."""
        return await self.from_memo(memo.RESOURCE_ID, str)

    async def progress(self) -> memo.Progress | None:
        """Return where it says that it stands; None when it has not said so yet."""
        return await self.from_memo(memo.PROGRESS, memo.Progress)

    async def from_memo(self, key: str, value_type: type[ValueT]) -> ValueT | None:
        """Return what its memo holds under the key; None when that is nothing of this type."""
        payload = self.info.memo.fields.get(key)
        if payload is None:
            return None
        try:
            (value,) = await self.converter.decode([payload], [value_type])
        except ValidationError:
            # A workflow that is not ours may keep something else under this name.
            return None
        return value


@dataclass(frozen=True)
class Description(Execution):
    """What Temporal says about one run of a workflow when it is asked for that one."""

    raw: DescribeWorkflowExecutionResponse


async def describe(client: Client, workflow_id: str, *, run_id: str | None = None) -> Description:
    """Describe a run of the workflow; without a run id the latest.

    Raises:
        RPCError: with NOT_FOUND when there is no such workflow.
    """
    raw = await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id or ""),
        ),
        retry=True,
        timeout=ATTEMPT,
    )
    return Description(info=raw.workflow_execution_info, converter=client.data_converter, raw=raw)


def moment(timestamp: Timestamp) -> datetime:
    """Return the timestamp as a moment in UTC."""
    return timestamp.ToDatetime(tzinfo=UTC)
