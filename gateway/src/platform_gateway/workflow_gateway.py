"""What the routes ask of Temporal: start, execute, status, review, cancel; each comes to an end within its bound."""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError, RPCStatusCode

from platform_contracts.identifiers import tenant_of
from platform_contracts.listing.purchase import PURCHASE_CANCELLED
from platform_contracts.message import ContractModel
from platform_gateway.commands import Command
from platform_gateway.describing import Description, describe
from platform_gateway.following import Following, OperationEvent, Position, follow, following
from platform_gateway.problems import Kind, OperationFailure, Problem
from platform_gateway.resources import ResourcePath
from platform_gateway.rest_models import OperationStatus
from platform_gateway.reviewing import Review, Reviewed, review_submission
from platform_gateway.starting import Started, start
from platform_gateway.status import LinkTargets, PathOf, failure_type, operation_status
from platform_gateway.temporal_calls import ATTEMPT, calling_temporal, is_missing_workflow
from platform_gateway.waiting import Wait, outcome_within, result_within

RequestT = TypeVar("RequestT", bound=ContractModel)
ResultT = TypeVar("ResultT", bound=ContractModel)

_ID: Final = re.compile(r"[a-z0-9-]{1,40}:[!-~]{1,400}")
"""Every id that this platform makes; what does not look like one is not sent to Temporal."""

_READY_SECONDS: Final = 1.5


@dataclass(frozen=True)
class Executed(Generic[ResultT]):
    """An operation that was waited for."""

    started: Started[ResultT]
    result: ResultT | None
    """None: it is not there yet."""
    status: str
    """RUNNING for a workflow that has told its result, and goes on."""


class WorkflowGateway:
    """Temporal on behalf of callers, each of whom sees the workflows of one tenant.

    Args:
        client: the connection; one that connects lazily lets the gateway start before Temporal.
        links: what a status links to.
    """

    def __init__(self, client: Client, *, links: LinkTargets) -> None:
        self.client = client
        self.links = links
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every wait for a result: whoever waits is told where to ask."""
        self._closing.set()

    async def start(self, command: Command[RequestT, ResultT]) -> Started[ResultT]:
        """Start a workflow; see `starting.start`."""
        return await start(self.client, command)

    async def execute(
        self, command: Command[RequestT, ResultT], *, wait_seconds: float, gone: Wait | None = None
    ) -> Executed[ResultT]:
        """Start a workflow and wait for its result, or for its outcome where the command has one.

        Args:
            command: what to start.
            wait_seconds: how long to wait once it has started.
            gone: waits until nobody is interested any more.

        Raises:
            Problem: as `start`; `OperationFailure` when it failed, `OPERATION_CANCELED` when it was cancelled.
        """
        started = await start(self.client, command)
        reasons = self._reasons(gone)
        try:
            if command.outcome is not None and started.status == "RUNNING":
                result = await outcome_within(started.handle, command.outcome, wait_seconds, unless=reasons)
                return Executed(started, result, status="RUNNING")
            result = await result_within(started.handle, wait_seconds, unless=reasons)
        except (WorkflowFailureError, WorkflowUpdateFailedError) as error:
            kind = failure_type(error.cause)
            if isinstance(error.cause, CancelledError) or kind == PURCHASE_CANCELLED:
                raise Problem(Kind.OPERATION_CANCELED, workflowId=started.workflow_id, runId=started.run_id) from None
            raise OperationFailure(kind, workflow_id=started.workflow_id, run_id=started.run_id) from None
        return Executed(started, result, status="COMPLETED")

    async def status(
        self, tenant: str, workflow_id: str, *, self_path: PathOf, cancel_path: PathOf, resource_path: ResourcePath
    ) -> OperationStatus:
        """Return where a workflow stands; needs no worker.

        Raises:
            Problem: `UNKNOWN_OPERATION` for an id that does not exist or is another tenant's; `TEMPORAL_AWAY`.
        """
        async with calling_temporal():
            found = await self._found(tenant, workflow_id)
            return await operation_status(
                self.client,
                found,
                links=self.links,
                self_path=self_path,
                cancel_path=cancel_path,
                resource_path=resource_path,
            )

    async def following(self, tenant: str, workflow_id: str, last_event_id: str | None) -> Following:
        """Return from where on to follow an operation; see `following.following`.

        Raises:
            Problem: `UNKNOWN_OPERATION`; `INVALID_REQUEST` for an id of no event of the operation; `TEMPORAL_AWAY`.
        """
        async with calling_temporal():
            found = await self._found(tenant, workflow_id)
            last = None if last_event_id is None else Position.of(last_event_id)
            return await following(self.client, found, last)

    def follow(self, start: Following) -> AsyncGenerator[OperationEvent]:
        """Yield what happens from there on; see `following.follow`. It ends when the gateway closes."""
        return follow(self.client, start, closing=self._closing.wait)

    async def cancel(self, tenant: str, workflow_id: str, *, unknown: Kind = Kind.UNKNOWN_OPERATION) -> Description:
        """Ask a workflow to stop; asking twice is asking once. Return what it was when it was asked.

        Raises:
            Problem: `OPERATION_CLOSED`, `PAST_THE_PIVOT`, `TEMPORAL_AWAY`, or `unknown` where there is none.
        """
        async with calling_temporal():
            found = await self._found(tenant, workflow_id, unknown=unknown)
            ids: dict[str, Any] = {"workflowId": found.workflow_id, "runId": found.run_id}
            if not found.is_open:
                raise Problem(Kind.OPERATION_CLOSED, f"Its status is {found.status}.", **ids)
            progress = await found.progress()
            if progress is not None and not progress.cancellable:
                raise Problem(Kind.PAST_THE_PIVOT, f"It has come to the step {progress.step}.", **ids)
            handle = self.client.get_workflow_handle(found.workflow_id, run_id=found.run_id)
            try:
                await handle.cancel(rpc_timeout=ATTEMPT)
            except RPCError as error:
                if not is_missing_workflow(error):
                    raise
                # It was there a moment ago, so it has closed meanwhile.
                raise Problem(Kind.OPERATION_CLOSED, "It ended before it could be cancelled.", **ids) from None
            return found

    async def problem(self) -> str | None:
        """Return why workflows cannot be reached now, or None when they can."""
        request = DescribeNamespaceRequest(namespace=self.client.namespace)
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await self.client.workflow_service.describe_namespace(request, timeout=ATTEMPT)
        except TimeoutError:
            return "Temporal does not answer"
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return f"Temporal has no namespace {self.client.namespace!r}"
            return f"Temporal does not answer: {error.status.name}"
        except RuntimeError:
            return "Temporal does not answer: no connection"
        return None

    async def review(self, review: Review, *, wait_seconds: float | None = None, gone: Wait | None = None) -> Reviewed:
        """Decide on a submission; see `reviewing.review_submission`."""
        return await review_submission(self.client, review, wait_seconds=wait_seconds, unless=self._reasons(gone))

    def _reasons(self, gone: Wait | None) -> list[Wait]:
        return [self._closing.wait] if gone is None else [self._closing.wait, gone]

    async def _found(self, tenant: str, workflow_id: str, *, unknown: Kind = Kind.UNKNOWN_OPERATION) -> Description:
        if _ID.fullmatch(workflow_id) is None or tenant_of(workflow_id) != tenant:
            raise Problem(unknown)
        try:
            return await describe(self.client, workflow_id)
        except RPCError as error:
            if is_missing_workflow(error):
                raise Problem(unknown) from None
            raise
