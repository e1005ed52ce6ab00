"""A step of a workflow runs to its end, whatever is cancelled meanwhile."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from platform_runtime.sandbox import workflow_runner
from platform_workflow_tools.uninterrupted import uninterrupted


@workflow.defn(name="test.TwoSteps")
class TwoSteps:
    """Runs one uninterrupted step, and then waits where a cancel may reach it."""

    @workflow.run
    async def run(self, wait_afterwards: bool) -> str:
        """Return what the step returned."""
        outcome = await uninterrupted(_step())
        if wait_afterwards:
            await workflow.sleep(timedelta(minutes=5))
        return outcome


@workflow.defn(name="test.FailingStep")
class FailingStep:
    """Runs an uninterrupted step that fails."""

    @workflow.run
    async def run(self) -> None:
        """Fail as the step does."""
        await uninterrupted(_failing_step())


async def _step() -> str:
    first = await workflow.execute_activity("test.slow", "first", start_to_close_timeout=timedelta(seconds=20))
    second = await workflow.execute_activity("test.slow", "second", start_to_close_timeout=timedelta(seconds=20))
    return f"{first}, {second}"


async def _failing_step() -> None:
    await workflow.sleep(timedelta(milliseconds=10))
    raise ApplicationError("no", type="test.No", non_retryable=True)


class SlowActivity:
    """An activity that a test holds open."""

    def __init__(self) -> None:
        self.started: asyncio.Queue[str] = asyncio.Queue()
        self.release = asyncio.Event()

    @activity.defn(name="test.slow")
    async def slow(self, name: str) -> str:
        """Return the name once the test says so."""
        self.started.put_nowait(name)
        await self.release.wait()
        return name


@pytest.mark.parametrize("cached_workflows", [1000, 0])
async def test_cancel_during_a_step_lets_it_finish(client: Client, task_queue: str, cached_workflows: int) -> None:
    slow = SlowActivity()
    async with _worker(client, task_queue, slow, cached_workflows):
        handle = await client.start_workflow(TwoSteps.run, False, id=f"steps-{uuid4()}", task_queue=task_queue)
        await asyncio.wait_for(slow.started.get(), 10)
        await handle.cancel()
        # The cancel is in the history now; the worker has it before the activity goes on.
        await asyncio.sleep(0.3)

        slow.release.set()
        outcome = await asyncio.wait_for(handle.result(), 10)

    assert outcome == "first, second"


async def test_step_is_not_started_twice_by_a_cancel(client: Client, task_queue: str) -> None:
    slow = SlowActivity()
    async with _worker(client, task_queue, slow):
        handle = await client.start_workflow(TwoSteps.run, False, id=f"steps-{uuid4()}", task_queue=task_queue)
        await asyncio.wait_for(slow.started.get(), 10)
        await handle.cancel()
        await handle.cancel()
        slow.release.set()

        await asyncio.wait_for(handle.result(), 10)

    assert slow.started.get_nowait() == "second"
    assert slow.started.empty()


async def test_wait_after_a_step_can_be_cancelled(client: Client, task_queue: str) -> None:
    slow = SlowActivity()
    slow.release.set()
    async with _worker(client, task_queue, slow):
        handle = await client.start_workflow(TwoSteps.run, True, id=f"steps-{uuid4()}", task_queue=task_queue)
        for _ in range(2):
            await asyncio.wait_for(slow.started.get(), 10)
        await asyncio.sleep(0.2)
        await handle.cancel()

        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(handle.result(), 10)

    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_failure_of_a_step_reaches_the_workflow(client: Client, task_queue: str) -> None:
    async with _worker(client, task_queue, SlowActivity()):
        handle = await client.start_workflow(FailingStep.run, id=f"steps-{uuid4()}", task_queue=task_queue)

        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), 10)

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "test.No"


def _worker(client: Client, task_queue: str, slow: SlowActivity, cached_workflows: int = 1000) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[TwoSteps, FailingStep],
        activities=[slow.slow],
        workflow_runner=workflow_runner(),
        max_cached_workflows=cached_workflows,
    )
