"""Do one thing to many operations."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from platform_contracts.memo import Progress
    from platform_gateway.bulk_contract import (
        MEMO,
        OPERATE,
        WORKFLOW_TYPE,
        BulkInput,
        BulkState,
        Item,
        OperateInput,
        OperateResult,
        Task,
    )
    from platform_workflow_tools.progress import report_progress
    from platform_workflow_tools.uninterrupted import uninterrupted

_AT_ONCE = 10
"""Few enough to leave the server to clients, and to stop soon after a cancel."""


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class BulkOperationWorkflow:
    """Takes the operations some at a time; a cancel ends it between two handfuls."""

    @workflow.run
    async def run(self, bulk: BulkInput) -> BulkState:
        """Do the task to each operation; what is refused or fails for one keeps nothing from the others."""
        task = bulk.task
        state = BulkState(verb=task.verb, reason=task.reason, total=len(bulk.items))
        report_progress(Progress(step="operating"))
        for first in range(0, len(bulk.items), _AT_ONCE):
            # What was begun is counted, also when a cancel comes meanwhile.
            outcomes = await uninterrupted(_together(task, bulk.items[first : first + _AT_ONCE]))
            state = _counted(state, outcomes)
            workflow.upsert_memo({MEMO: state})
            if workflow.cancellation_reason() is not None:
                raise asyncio.CancelledError
        report_progress(Progress(step="operated", cancellable=False))
        return state


async def _together(task: Task, items: Sequence[Item]) -> list[OperateResult | None]:
    return await asyncio.gather(*(_operate(task, item) for item in items))


async def _operate(task: Task, item: Item) -> OperateResult | None:
    """Return what came of it; None when nobody knows."""
    try:
        return await workflow.execute_activity(
            OPERATE,
            OperateInput(task=task, item=item),
            result_type=OperateResult,
            start_to_close_timeout=timedelta(seconds=10),
            # Temporal being away for longer than this is seen elsewhere first.
            schedule_to_close_timeout=timedelta(minutes=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
        )
    except ActivityError:
        return None


def _counted(state: BulkState, outcomes: Sequence[OperateResult | None]) -> BulkState:
    known = [outcome for outcome in outcomes if outcome is not None]
    refused = Counter(state.refused) + Counter(outcome.refused for outcome in known if outcome.refused is not None)
    return state.model_copy(
        update={
            "done": state.done + sum(outcome.refused is None for outcome in known),
            "refused": dict(refused),
            "failed": state.failed + len(outcomes) - len(known),
        }
    )
