"""Choose the operations of a bulk operation, start it, and tell how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from temporalio.client import Client

from platform_contracts.identifiers import idempotency_key_id
from platform_gateway import bulk_contract
from platform_gateway.bulk_contract import (
    MOST_ITEMS,
    BulkInput,
    BulkState,
    Item,
    ResetPoint,
    Task,
    Verb,
    bulk_workflow_id,
)
from platform_gateway.commands import Command, Repeat
from platform_gateway.fingerprint import fingerprint
from platform_gateway.identity.callers import Caller
from platform_gateway.operations.describing import Description, moment
from platform_gateway.operations.operating import Order
from platform_gateway.operations.operation_filter import OperationFilter
from platform_gateway.operations.operation_list import Listed, operations_page
from platform_gateway.operations.operation_models import BulkCounts, BulkOperation, BulkRequest
from platform_gateway.problems import Kind
from platform_gateway.workflows.bulk_operation import BulkOperationWorkflow

_PAGE: Final = 200

_CHOOSE_SECONDS: Final = 2.0
"""When choosing ends, below the bound of all calls of a request; what was not looked at is not chosen."""


@dataclass(frozen=True)
class Choice:
    """The operations that a filter means now."""

    operations: Sequence[Listed]
    is_all: bool
    """False when there may be more than were looked at."""

    async def refused(self, verb: Verb) -> dict[str, int]:
        """Return how many would be refused, as far as the list tells."""
        if verb is not Verb.CANCEL:
            return {}
        progress = [await each.execution.progress() for each in self.operations]
        past = sum(each is not None and not each.cancellable for each in progress)
        return {Kind.PAST_THE_PIVOT.type: past} if past else {}


async def choose(client: Client, tenant: str, wanted: OperationFilter) -> Choice:
    """Return the tenant's open operations that the filter means, at most `MOST_ITEMS`.

    Raises:
        RPCError: when Temporal does not answer.
    """
    until = monotonic() + _CHOOSE_SECONDS
    chosen: list[Listed] = []
    token = b""
    while True:
        limit = min(_PAGE, MOST_ITEMS - len(chosen))
        page = await operations_page(client, tenant, wanted, limit=limit, token=token, to_operate_on=True)
        chosen.extend(page.operations)
        token = page.next_token
        if not token or len(chosen) >= MOST_ITEMS or monotonic() > until:
            return Choice(chosen, is_all=not token)


def bulk_command(
    caller: Caller, body: BulkRequest, choice: Choice, *, idempotency_key: str | None
) -> Command[BulkInput, BulkState]:
    """Return the command that does it to what was chosen; without an Idempotency-Key each one is new."""
    bulk_id = str(uuid4()) if idempotency_key is None else idempotency_key_id(idempotency_key)
    task = Task(
        bulk_id=bulk_id,
        tenant=caller.tenant,
        verb=body.verb,
        identity=Order.of(caller, body.reason).identity,
        reason=body.reason,
        to=body.to or ResetPoint.LAST_WORKFLOW_TASK,
    )
    items = tuple(
        Item(workflow_id=each.execution.workflow_id, run_id=each.execution.run_id) for each in choice.operations
    )
    return Command(
        workflow=BulkOperationWorkflow.run,
        request=BulkInput(task=task, items=items),
        workflow_id=bulk_workflow_id(tenant=caller.tenant, bulk_id=bulk_id),
        task_queue=bulk_contract.TASK_QUEUE,
        fingerprint=fingerprint(body),
        repeat=Repeat.ONCE,
        memo={bulk_contract.MEMO: BulkState(verb=body.verb, reason=body.reason, total=len(items))},
    )


async def bulk_operation(found: Description) -> BulkOperation:
    """Return how far a bulk operation has come."""
    state = await found.from_memo(bulk_contract.MEMO, BulkState)
    assert state is not None, "it was started with one"
    counts: dict[str, Any] = state.model_dump(exclude={"verb", "reason"})
    return BulkOperation(
        bulk_operation_id=found.workflow_id.rpartition(":")[2],
        workflow_id=found.workflow_id,
        verb=state.verb,
        reason=state.reason,
        status=found.status,
        counts=BulkCounts(**counts),
        start_time=moment(found.info.start_time),
        close_time=moment(found.info.close_time) if found.info.HasField("close_time") else None,
    )
