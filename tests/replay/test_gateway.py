"""Recorded runs of the gateway's own workflow are runs that the code of today can go on from."""

import asyncio
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from platform_gateway.bulk_contract import OPERATE, BulkInput, Item, OperateInput, OperateResult, Task, Verb
from platform_gateway.workflows.bulk_operation import BulkOperationWorkflow
from platform_runtime.sandbox import workflow_runner
from platform_runtime.workflow_calls import start_workflow
from tests.support.histories import Scenario, record, recorded_histories, replay

DOMAIN = "gateway"
REFUSED, FAILS = "acme:user:user-onboarding:u-3", "acme:user:user-onboarding:u-5"


class _Operating:
    """Does nothing to operations, and refuses one; holds all of them until it may go on."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    @activity.defn(name=OPERATE)
    async def operate(self, wanted: OperateInput) -> OperateResult:
        self.begun.set()
        await self.may_go_on.wait()
        if wanted.item.workflow_id == FAILS:
            raise ApplicationError("no answer", non_retryable=True)
        return OperateResult(refused="operation_closed" if wanted.item.workflow_id == REFUSED else None)


def _bulk() -> BulkInput:
    task = Task(bulk_id="b-1", tenant="acme", verb=Verb.RETRY, identity="gateway user:grace", reason="a test")
    ids = [f"acme:user:user-onboarding:u-{number}" for number in range(13)]
    return BulkInput(task=task, items=tuple(Item(workflow_id=each, run_id="r-1") for each in ids))


def _worker(client: Client, task_queue: str, operating: _Operating) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[BulkOperationWorkflow],
        activities=[operating.operate],
        workflow_runner=workflow_runner(),
        build_id="recorder",
    )


async def _carried_out(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    async with _worker(client, task_queue, _Operating()):
        handle = await start_workflow(client, BulkOperationWorkflow.run, _bulk(), task_queue=task_queue)
        state = await handle.result()
    assert (state.total, state.done, state.refused, state.failed) == (13, 11, {"operation_closed": 1}, 1)
    return handle


async def _stopped(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    operating = _Operating()
    operating.may_go_on.clear()
    async with _worker(client, task_queue, operating):
        handle = await start_workflow(client, BulkOperationWorkflow.run, _bulk(), task_queue=task_queue)
        async with asyncio.timeout(10):
            await operating.begun.wait()
        await handle.cancel()
        operating.may_go_on.set()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    return handle


SCENARIOS: dict[str, Scenario] = {"bulk_operation-carried_out": _carried_out, "bulk_operation-stopped": _stopped}


async def test_every_scenario_has_a_history(client: Client, *, regenerate: bool, traced: None) -> None:
    if regenerate:
        await record(client, domain=DOMAIN, scenarios=SCENARIOS)

    found = {path.stem for path in recorded_histories(DOMAIN)}

    assert found == set(SCENARIOS), "record the histories with `python3 noxfile.py regenerate`"


@pytest.mark.parametrize("name", SCENARIOS)
async def test_code_of_today_can_go_on_from_the_recorded_run(name: str, traced: None) -> None:
    outcome = await replay(DOMAIN, name, workflows=[BulkOperationWorkflow])

    assert outcome is None, outcome


async def test_what_fails_for_one_operation_keeps_nothing_from_the_others(client: Client, task_queue: str) -> None:
    handle = await _carried_out(client, task_queue)

    description = await handle.describe()

    assert description.status is not None
    assert description.status.name == "COMPLETED"
