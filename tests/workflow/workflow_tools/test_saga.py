"""The saga's rules, one by one: what is undone, in which order, and what no cancel can stop."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, Worker

from platform_contracts.memo import PROGRESS, Compensation, Progress
from platform_contracts.message import ContractModel
from platform_runtime.sandbox import workflow_runner
from platform_workflow_tools.saga import Saga
from tests.support.waiting import eventually

SOON = timedelta(milliseconds=400)


class Journey(ContractModel):
    """Which steps fail, where the pivot is, and where the workflow waits for a person."""

    failing: str | None = None
    pivot_before: str | None = None
    wait_before: str | None = None


@workflow.defn(name="test.Journey")
class JourneyWorkflow:
    """Books a flight, a hotel and a car, or none of them."""

    def __init__(self) -> None:
        """Start with nobody having agreed."""
        self._agreed = False
        self._saga = Saga(undoing="undoing", stuck_after=SOON)

    @workflow.run
    async def run(self, journey: Journey) -> str:
        """Book all three."""
        async with self._saga as saga:
            for name in ("flight", "hotel", "car"):
                if journey.wait_before == name:
                    await workflow.wait_condition(lambda: self._agreed)
                if journey.pivot_before == name:
                    saga.pivot()
                await saga.step(name, lambda name=name: _do(f"book {name}"), undo=lambda name=name: _do(f"undo {name}"))
                if journey.failing == name:
                    raise ApplicationError("the trip is off", type="test.Off", non_retryable=True)
        return "booked"

    @workflow.update
    async def resolve(self) -> str | None:
        """Say that the stuck compensation is seen to."""
        return self._saga.resolve()


async def _do(what: str) -> None:
    await workflow.execute_activity(
        "test.do",
        what,
        start_to_close_timeout=timedelta(seconds=30),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_interval=SOON),
    )


class World:
    """What was done, and what a test holds up or lets fail."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.begun: list[str] = []
        self.failing: dict[str, int] = {}
        """How often something fails before it works; for good below zero."""
        self.refused: set[str] = set()
        """What fails and is not to be tried again."""
        self._gates: dict[str, asyncio.Event] = {}

    def hold(self, what: str) -> asyncio.Event:
        """Let something wait until the event is set."""
        return self._gates.setdefault(what, asyncio.Event())

    @activity.defn(name="test.do")
    async def do(self, what: str) -> None:
        """Do it, as the test has it."""
        self.begun.append(what)
        if what in self._gates:
            await self._gates[what].wait()
        if what in self.refused:
            raise ApplicationError("refused", type="test.Refused", non_retryable=True)
        if self.failing.get(what, 0):
            self.failing[what] -= 1
            raise RuntimeError(f"{what} does not work now")
        self.done.append(what)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("cached_workflows", [1000, 0])
class TestSaga:
    async def test_that_comes_about_undoes_nothing(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        async with _journey(client, task_queue, world, Journey(), cached_workflows) as handle:
            assert await _result(handle) == "booked"

        assert world.done == ["book flight", "book hotel", "book car"]
        assert (await _progress(handle)).compensation is Compensation.NONE

    async def test_that_fails_undoes_what_was_begun_newest_first_and_ends_failed(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        async with _journey(client, task_queue, world, Journey(failing="hotel"), cached_workflows) as handle:
            status = await _end(handle)

        assert status is WorkflowExecutionStatus.FAILED
        assert world.done == ["book flight", "book hotel", "undo hotel", "undo flight"]
        assert (await _progress(handle)).compensation is Compensation.DONE

    async def test_undoes_the_step_that_failed_itself_because_it_may_have_happened(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        world.refused.add("book hotel")

        async with _journey(client, task_queue, world, Journey(), cached_workflows) as handle:
            status = await _end(handle)

        assert status is WorkflowExecutionStatus.FAILED
        assert world.done == ["book flight", "undo hotel", "undo flight"]

    async def test_that_is_cancelled_while_it_waits_undoes_and_ends_cancelled(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        async with _journey(client, task_queue, world, Journey(wait_before="hotel"), cached_workflows) as handle:
            await _until(lambda: world.done == ["book flight"])
            await asyncio.sleep(0.2)
            await handle.cancel()
            status = await _end(handle)

        assert status is WorkflowExecutionStatus.CANCELED
        assert world.done == ["book flight", "undo flight"]

    async def test_that_is_cancelled_during_a_step_lets_it_end_and_begins_no_other(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        held = world.hold("book hotel")

        async with _journey(client, task_queue, world, Journey(), cached_workflows) as handle:
            await _until(lambda: "book hotel" in world.begun)
            await handle.cancel()
            await asyncio.sleep(0.3)
            assert world.done == ["book flight"]
            held.set()
            status = await _end(handle)

        assert status is WorkflowExecutionStatus.CANCELED
        assert world.done == ["book flight", "book hotel", "undo hotel", "undo flight"]

    async def test_that_is_cancelled_during_a_step_does_not_wait_for_a_person_after_it(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        held = world.hold("book hotel")

        async with _journey(client, task_queue, world, Journey(wait_before="car"), cached_workflows) as handle:
            await _until(lambda: "book hotel" in world.begun)
            await handle.cancel()
            held.set()
            status = await _end(handle)

        assert status is WorkflowExecutionStatus.CANCELED
        assert world.done == ["book flight", "book hotel", "undo hotel", "undo flight"]

    async def test_that_is_cancelled_past_the_pivot_goes_on_to_its_end(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        held = world.hold("book hotel")

        async with _journey(client, task_queue, world, Journey(pivot_before="hotel"), cached_workflows) as handle:
            await _until(lambda: "book hotel" in world.begun)
            assert (await _progress(handle)).cancellable is False
            await handle.cancel()
            held.set()
            assert await _result(handle) == "booked"

        assert world.done == ["book flight", "book hotel", "book car"]

    async def test_that_is_cancelled_just_before_the_pivot_is_cancelled(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        held = world.hold("book flight")

        async with _journey(client, task_queue, world, Journey(pivot_before="hotel"), cached_workflows) as handle:
            await _until(lambda: "book flight" in world.begun)
            await handle.cancel()
            held.set()
            status = await _end(handle)

        assert status is WorkflowExecutionStatus.CANCELED
        assert world.done == ["book flight", "undo flight"]

    async def test_that_fails_past_the_pivot_is_undone_all_the_same(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        world.refused.add("book car")

        async with _journey(client, task_queue, world, Journey(pivot_before="hotel"), cached_workflows) as handle:
            status = await _end(handle)

        assert status is WorkflowExecutionStatus.FAILED
        assert world.done == ["book flight", "book hotel", "undo car", "undo hotel", "undo flight"]

    async def test_finishes_its_compensation_when_it_is_cancelled_meanwhile_even_twice(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        held = world.hold("undo hotel")

        async with _journey(client, task_queue, world, Journey(failing="hotel"), cached_workflows) as handle:
            await _until(lambda: "undo hotel" in world.begun)
            await handle.cancel()
            await asyncio.sleep(0.1)
            await handle.cancel()
            held.set()
            status = await _end(handle)

        # What ended it was its own failure, and the cancel came after.
        assert status is WorkflowExecutionStatus.FAILED
        assert world.done == ["book flight", "book hotel", "undo hotel", "undo flight"]

    async def test_that_is_cancelled_twice_during_a_step_undoes_once(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        held = world.hold("book hotel")

        async with _journey(client, task_queue, world, Journey(), cached_workflows) as handle:
            await _until(lambda: "book hotel" in world.begun)
            await handle.cancel()
            await handle.cancel()
            held.set()
            status = await _end(handle)

        assert status is WorkflowExecutionStatus.CANCELED
        assert world.done == ["book flight", "book hotel", "undo hotel", "undo flight"]

    async def test_tries_a_compensation_until_it_works(
        self, client: Client, task_queue: str, world: World, cached_workflows: int
    ) -> None:
        world.failing["undo hotel"] = 3

        async with _journey(client, task_queue, world, Journey(failing="hotel"), cached_workflows) as handle:
            await _end(handle)

        assert world.done == ["book flight", "book hotel", "undo hotel", "undo flight"]
        assert (await _progress(handle)).compensation is Compensation.DONE


class TestCompensationThatIsStuck:
    async def test_is_shown_and_goes_on_by_itself_when_it_works_again(
        self, client: Client, task_queue: str, world: World
    ) -> None:
        world.failing["undo hotel"] = -1

        async with _journey(client, task_queue, world, Journey(failing="hotel")) as handle:
            await _until_stuck(handle)
            world.failing["undo hotel"] = 0
            await _end(handle)

        assert world.done[-2:] == ["undo hotel", "undo flight"]
        assert (await _progress(handle)).compensation is Compensation.DONE

    @pytest.mark.parametrize("for_good", [False, True])
    async def test_can_be_resolved_by_an_operator_and_the_others_are_undone(
        self, client: Client, task_queue: str, world: World, *, for_good: bool
    ) -> None:
        if for_good:
            world.refused.add("undo hotel")
        else:
            world.failing["undo hotel"] = -1

        async with _journey(client, task_queue, world, Journey(failing="hotel")) as handle:
            await _until_stuck(handle)
            resolved = await handle.execute_update(JourneyWorkflow.resolve)  # pyright: ignore[reportUnknownMemberType]
            status = await _end(handle)

        assert resolved == "hotel"
        assert status is WorkflowExecutionStatus.FAILED
        assert world.done == ["book flight", "book hotel", "undo flight"]
        assert (await _progress(handle)).compensation is Compensation.RESOLVED_BY_OPERATOR

    async def test_is_not_there_to_be_resolved_while_all_is_well(
        self, client: Client, task_queue: str, world: World
    ) -> None:
        async with _journey(client, task_queue, world, Journey(wait_before="car")) as handle:
            resolved = await handle.execute_update(JourneyWorkflow.resolve)  # pyright: ignore[reportUnknownMemberType]
            assert resolved is None
            await handle.cancel()
            await _end(handle)

        assert (await _progress(handle)).compensation is Compensation.DONE


async def test_evicted_workflow_undoes_nothing(client: Client, task_queue: str, world: World) -> None:
    held = world.hold("book hotel")
    async with _worker(client, task_queue, world, cached_workflows=1):
        handle = await client.start_workflow(JourneyWorkflow.run, Journey(), id=_new_id(), task_queue=task_queue)
        await _until(lambda: "book hotel" in world.begun)
        # Others take its place in the cache.
        waiting = Journey(wait_before="flight")
        others = [
            await client.start_workflow(JourneyWorkflow.run, waiting, id=_new_id(), task_queue=task_queue)
            for _ in range(3)
        ]
        await asyncio.sleep(0.5)
        assert not [what for what in world.begun if what.startswith("undo")]
        held.set()

        assert await _result(handle) == "booked"
        for other in others:
            await other.terminate()

    assert not [what for what in world.begun if what.startswith("undo")]


@pytest.mark.parametrize("journey", [Journey(), Journey(failing="car"), Journey(pivot_before="hotel")])
async def test_history_replays(client: Client, task_queue: str, world: World, journey: Journey) -> None:
    async with _journey(client, task_queue, world, journey) as handle:
        await _end(handle)
    history = await handle.fetch_history()
    replayer = Replayer(
        workflows=[JourneyWorkflow], data_converter=pydantic_data_converter, workflow_runner=workflow_runner()
    )

    replayed = await replayer.replay_workflow(history, raise_on_replay_failure=False)

    assert replayed.replay_failure is None


def _new_id() -> str:
    return f"journey-{uuid4().hex[:12]}"


@asynccontextmanager
async def _journey(
    client: Client, task_queue: str, world: World, journey: Journey, cached_workflows: int = 1000
) -> AsyncGenerator[WorkflowHandle[JourneyWorkflow, str]]:
    async with _worker(client, task_queue, world, cached_workflows=cached_workflows):
        yield await client.start_workflow(JourneyWorkflow.run, journey, id=_new_id(), task_queue=task_queue)


def _worker(client: Client, task_queue: str, world: World, *, cached_workflows: int) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[JourneyWorkflow],
        activities=[world.do],
        workflow_runner=workflow_runner(),
        max_cached_workflows=cached_workflows,
    )


async def _result(handle: WorkflowHandle[JourneyWorkflow, str]) -> str:
    return await asyncio.wait_for(handle.result(), 30)


async def _end(handle: WorkflowHandle[JourneyWorkflow, str]) -> WorkflowExecutionStatus | None:
    """Wait for the end, whatever it is, and return the status."""
    with suppress(WorkflowFailureError):
        await _result(handle)
    return (await handle.describe()).status


async def _progress(handle: WorkflowHandle[JourneyWorkflow, str]) -> Progress:
    return await (await handle.describe()).memo_value(PROGRESS, type_hint=Progress)


async def _until_stuck(handle: WorkflowHandle[JourneyWorkflow, str]) -> None:
    async def stuck() -> bool:
        return (await _progress(handle)).compensation is Compensation.STUCK

    await eventually(stuck, within_seconds=20)


async def _until(holds: Callable[[], bool]) -> None:
    async def asked() -> bool:
        return holds()

    await eventually(asked, within_seconds=20, every_seconds=0.02)
