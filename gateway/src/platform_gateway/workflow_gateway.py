"""What the routes ask of Temporal: start, execute, status, review, cancel; each comes to an end within its bound."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import CancelledError, TerminatedError
from temporalio.service import RPCError, RPCStatusCode

from platform_contracts.listing.publication import SUBMISSION_CANCELLED
from platform_contracts.listing.purchase import PURCHASE_CANCELLED
from platform_contracts.message import ContractModel
from platform_contracts.user.notification import NOTIFICATION_CANCELLED
from platform_gateway.commands import Command
from platform_gateway.following.following import Following, OperationEvent, Position, follow, following
from platform_gateway.market.payout_deciding import DecidedPayout, PayoutDeciding, decide_payout
from platform_gateway.market.reviewing import Review, Reviewed, review_submission
from platform_gateway.operations.describing import Description
from platform_gateway.operations.finding import find
from platform_gateway.operations.operating import Order, cancel
from platform_gateway.operations.operation_filter import OperationFilter
from platform_gateway.operations.operation_list import operations_page
from platform_gateway.operations.operation_models import OperationsPage
from platform_gateway.operations.operation_summary import operation_summary
from platform_gateway.operations.resources import ResourcePath
from platform_gateway.operations.starting import Started, start
from platform_gateway.operations.status import LinkTargets, PathOf, failure_type, operation_status
from platform_gateway.operations.temporal_calls import ATTEMPT, calling_temporal
from platform_gateway.operations.waiting import Wait, outcome_within, result_within
from platform_gateway.problems import Kind, OperationFailure, Problem
from platform_gateway.rest_models import OperationStatus

RequestT = TypeVar("RequestT", bound=ContractModel)
ResultT = TypeVar("ResultT", bound=ContractModel)

_READY_SECONDS: Final = 1.5

_CANCELLATIONS: Final = frozenset({NOTIFICATION_CANCELLED, PURCHASE_CANCELLED, SUBMISSION_CANCELLED})
"""The failure types that tell of a cancel which no native one tells of."""


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
            Problem: as `start`; `OperationFailure` when it failed, `OPERATION_CANCELED` when it was cancelled,
                `OPERATION_TERMINATED` when it was ended.
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
            if isinstance(error.cause, TerminatedError):
                raise Problem(Kind.OPERATION_TERMINATED, workflowId=started.workflow_id, runId=started.run_id) from None
            if isinstance(error.cause, CancelledError) or kind in _CANCELLATIONS:
                raise Problem(Kind.OPERATION_CANCELED, workflowId=started.workflow_id, runId=started.run_id) from None
            raise OperationFailure(kind, workflow_id=started.workflow_id, run_id=started.run_id) from None
        return Executed(started, result, status="COMPLETED")

    async def status(
        self,
        tenant: str,
        workflow_id: str,
        *,
        self_path: PathOf,
        cancel_path: PathOf,
        resource_path: ResourcePath,
        raw_texts: bool = False,
    ) -> OperationStatus:
        """Return where a workflow stands; needs no worker. What failures say themselves only with `raw_texts`.

        Raises:
            Problem: `UNKNOWN_OPERATION` for an id that does not exist or is another tenant's; `TEMPORAL_AWAY`.
        """
        async with calling_temporal():
            found = await find(self.client, tenant, workflow_id)
            return await operation_status(
                self.client,
                found,
                links=self.links,
                self_path=self_path,
                cancel_path=cancel_path,
                resource_path=resource_path,
                raw_texts=raw_texts,
            )

    async def following(self, tenant: str, workflow_id: str, last_event_id: str | None) -> Following:
        """Return from where on to follow an operation; see `following.following`.

        Raises:
            Problem: `UNKNOWN_OPERATION`; `INVALID_REQUEST` for an id of no event of the operation; `TEMPORAL_AWAY`.
        """
        async with calling_temporal():
            found = await find(self.client, tenant, workflow_id)
            last = None if last_event_id is None else Position.of(last_event_id)
            return await following(self.client, found, last)

    def follow(self, start: Following, *, longest_seconds: float) -> AsyncGenerator[OperationEvent]:
        """Yield what happens from there on; see `following.follow`. It ends when the gateway closes."""
        return follow(self.client, start, longest_seconds=longest_seconds, closing=self._closing.wait)

    async def cancel(self, tenant: str, workflow_id: str, *, unknown: Kind = Kind.UNKNOWN_OPERATION) -> Description:
        """Ask a workflow to stop; asking twice is asking once. Return what it was when it was asked.

        Raises:
            Problem: `OPERATION_CLOSED`, `PAST_THE_PIVOT`, `TEMPORAL_AWAY`, or `unknown` where there is none.
        """
        async with calling_temporal():
            found = await find(self.client, tenant, workflow_id, unknown=unknown)
            await cancel(self.client, found, Order(identity=self.client.identity))
            return found

    @asynccontextmanager
    async def found(self, tenant: str, workflow_id: str) -> AsyncGenerator[Description]:
        """Yield the tenant's operation, for a block of calls that are bounded together.

        Raises:
            Problem: `UNKNOWN_OPERATION` for an id that does not exist or is another tenant's; `TEMPORAL_AWAY`.
        """
        async with calling_temporal():
            yield await find(self.client, tenant, workflow_id)

    async def operations(
        self,
        tenant: str,
        wanted: OperationFilter,
        *,
        limit: int,
        cursor: str | None,
        self_path: PathOf,
        cancel_path: PathOf,
        resource_path: ResourcePath,
        raw_texts: bool = False,
    ) -> OperationsPage:
        """Return a page of the tenant's operations; see `operation_list.operations_page`.

        Raises:
            Problem: `INVALID_REQUEST` for a cursor of another list; `TEMPORAL_AWAY`.
        """
        token = wanted.token(tenant, cursor)
        async with calling_temporal():
            page = await operations_page(self.client, tenant, wanted, limit=limit, token=token, raw_texts=raw_texts)
            return OperationsPage(
                operations=tuple(
                    [
                        await operation_summary(
                            self.client,
                            each,
                            links=self.links,
                            self_path=self_path,
                            cancel_path=cancel_path,
                            resource_path=resource_path,
                        )
                        for each in page.operations
                    ]
                ),
                next_cursor=wanted.cursor(tenant, page.next_token),
            )

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

    async def decide_payout(self, deciding: PayoutDeciding) -> DecidedPayout:
        """Decide on a payout; see `payout_deciding.decide_payout`."""
        return await decide_payout(self.client, deciding)

    def _reasons(self, gone: Wait | None) -> list[Wait]:
        return [self._closing.wait] if gone is None else [self._closing.wait, gone]
