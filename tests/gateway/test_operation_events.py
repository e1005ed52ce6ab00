"""An operation is followed as it happens: nothing is lost or told twice, and only what is for clients is said."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from uuid import uuid4

import httpx
import pytest
from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.workflow import ParentClosePolicy

from platform_contracts.memo import Compensation, Progress
from platform_workflow_tools.progress import report_progress
from tests.gateway.api import onboarding
from tests.gateway.event_streams import Served, Told, events_of, served_gateway
from tests.gateway.stubs import FAILS, FAILS_UNEXPECTEDLY, SECRET_TEXT, WAITS, WAITS_FOR_A_PERSON

FROM_NOW_ON = "00000000-0000-0000-0000-000000000000:1"


@workflow.defn(name="test.Tells")
class Tells:
    """Does each thing that there is an event for."""

    @workflow.run
    async def run(self, runs_left: int) -> None:
        report_progress(Progress(step="working"))
        await workflow.sleep(0.01)
        report_progress(Progress(step="asking", waiting_for="review"))
        for tenant in ("demo", "stranger"):
            await workflow.execute_child_workflow(
                Child.run, id=f"{tenant}:test:child:{workflow.uuid4()}", parent_close_policy=ParentClosePolicy.ABANDON
            )
        report_progress(Progress(step="undoing", compensation=Compensation.RUNNING))
        if runs_left:
            workflow.continue_as_new(runs_left - 1)


@workflow.defn(name="test.Child")
class Child:
    @workflow.run
    async def run(self) -> None:
        pass


@pytest.fixture
async def gateway(client: Client, worker: None) -> AsyncGenerator[Served]:
    async with served_gateway(client) as gateway:
        yield gateway


@pytest.fixture
async def telling(client: Client, task_queue: str) -> AsyncGenerator[str]:
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[Tells, Child],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id="stub",
    ):
        yield task_queue


async def _onboard(gateway: Served, name: str) -> str:
    body = onboarding(name=name)
    path = f"/v1/users/{body.pop('userId')}/onboarding"
    return (await gateway.http.post(path, json=body)).json()["workflowId"]


async def _tells(client: Client, task_queue: str, *, runs: int = 1) -> str:
    workflow_id = f"demo:test:tells:{uuid4()}"
    handle = await client.start_workflow(Tells.run, runs - 1, id=workflow_id, task_queue=task_queue)
    await handle.result()
    return workflow_id


async def test_an_operation_is_told_from_its_start_to_its_end(gateway: Served) -> None:
    told = await gateway.told(await _onboard(gateway, "Ann"))

    assert [event.name for event in told] == ["started", "progress", "closed"]
    assert told[0].data["type"] == "user.UserOnboarding"
    assert told[1].data["step"] == "onboarded"
    assert told[1].data["cancellable"] is False
    assert told[2].data["status"] == "COMPLETED"
    assert told[2].data["failure"] is None


async def test_events_arrive_as_they_happen(gateway: Served) -> None:
    workflow_id = await _onboard(gateway, WAITS_FOR_A_PERSON)
    told: list[Told] = []

    async with asyncio.timeout(20), gateway.stream(workflow_id) as response:
        async for event in events_of(response):
            told.append(event)
            if event.name == "waiting":
                await gateway.http.post(f"/v1/operations/{workflow_id}/cancel")

    assert [event.name for event in told] == ["started", "waiting", "cancelRequested", "closed"]
    assert told[-1].data == {"time": told[-1].data["time"], "status": "CANCELED", "failure": None}


async def test_an_operation_without_a_worker_is_told_as_well(client: Client) -> None:
    async with served_gateway(client) as gateway:
        workflow_id = await _onboard(gateway, "Ann")

        async with asyncio.timeout(20), gateway.stream(workflow_id) as response:
            first = await anext(events_of(response))

    assert first.name == "started"


@pytest.mark.parametrize("name", [FAILS, FAILS_UNEXPECTEDLY])
async def test_failures_are_told_by_their_type_without_their_text(gateway: Served, name: str) -> None:
    workflow_id = await _onboard(gateway, name)

    told = await gateway.told(workflow_id)
    status = (await gateway.http.get(f"/v1/operations/{workflow_id}")).json()

    assert SECRET_TEXT not in str(told)
    assert "ann@example.com" not in str(told)
    assert told[-1].data["status"] == "FAILED"
    # Who may operate reads the failure's own text in the status; a stream tells it nobody.
    del status["failure"]["detail"]
    assert told[-1].data["failure"] == status["failure"]


async def test_the_steps_of_an_operation_are_told(gateway: Served) -> None:
    told = await gateway.told(await _onboard(gateway, FAILS_UNEXPECTEDLY))

    steps = [(event.name, event.data["step"]) for event in told if event.name.startswith("step")]
    assert steps == [(name, "user.always_fails") for name in ("stepScheduled", "stepStarted", "stepFailed")]
    assert told[-2].data["failure"]["type"] == "user.MailServerAway"


async def test_waits_children_and_compensation_are_told(gateway: Served, client: Client, telling: str) -> None:
    told = await gateway.told(await _tells(client, telling))

    assert [event.name for event in told] == [
        *("started", "progress", "timerStarted", "timerFired", "waiting"),
        *("childStarted", "childCompleted", "childStarted", "childCompleted"),
        *("compensation", "closed"),
    ]
    own, foreign = (event.data for event in told if event.name == "childStarted")
    assert own["workflowId"].startswith("demo:test:child:")
    assert foreign["workflowId"] is None
    assert own["type"] == foreign["type"] == "test.Child"


async def test_whoever_comes_again_gets_what_came_after_on_any_gateway(
    gateway: Served, client: Client, telling: str
) -> None:
    workflow_id = await _tells(client, telling, runs=1)
    whole = await gateway.told(workflow_id)

    async with served_gateway(client) as another:
        rests = [await another.told(workflow_id, event.id) for event in whole[:-1]]

    assert rests == [whole[position:] for position in range(1, len(whole))]
    assert len({event.id for event in whole}) == len(whole)


async def test_runs_that_carry_it_on_are_told_one_after_the_other(
    gateway: Served, client: Client, telling: str
) -> None:
    workflow_id = f"demo:test:tells:{uuid4()}"
    handle = await client.start_workflow(Tells.run, 2, id=workflow_id, task_queue=telling)
    first_run = handle.first_execution_run_id
    await handle.result()

    told = await gateway.told(workflow_id, f"{first_run}:1")

    runs = [run for run, _ in itertools.groupby(event.id.partition(":")[0] for event in told)]
    assert len(runs) == 3
    assert runs[0] == first_run
    assert [event.name for event in told].count("continued") == 2
    assert [event.name for event in told].count("closed") == 1
    assert told[-1].data["status"] == "COMPLETED"


async def test_a_reset_run_is_gone_on_with_where_it_goes_other_ways(gateway: Served, client: Client) -> None:
    workflow_id = await _onboard(gateway, WAITS)
    async with asyncio.timeout(30), gateway.stream(workflow_id) as response:
        events = events_of(response)
        told = [await anext(events) for _ in range(2)]
        run_id = told[0].id.partition(":")[0]
        await client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
                workflow_task_finish_event_id=4,
                request_id=str(uuid4()),
            )
        )
        told += [await anext(events) for _ in range(3)]
        await client.get_workflow_handle(workflow_id).terminate("seen to")
        told += [event async for event in events]

    assert [event.name for event in told] == ["started", "progress", "continued", "reset", "progress", "closed"]
    assert len({event.id for event in told}) == len(told)


async def test_after_the_last_event_a_client_is_told_to_come_no_more(gateway: Served) -> None:
    workflow_id = await _onboard(gateway, "Ann")
    told = await gateway.told(workflow_id)

    async with gateway.stream(workflow_id, told[-1].id) as response:
        text = await response.aread()

    assert response.status_code == 204
    assert text == b""


async def test_proxies_are_told_to_keep_nothing_back(gateway: Served) -> None:
    async with gateway.stream(await _onboard(gateway, "Ann")) as response:
        await response.aread()

    assert response.headers["content-type"].startswith("text/event-stream")
    assert "no-store" in response.headers["cache-control"]
    assert response.headers["x-accel-buffering"] == "no"


@pytest.mark.parametrize(
    "last_event_id",
    [
        "",
        "1",
        "soon:1",
        FROM_NOW_ON,
        "00000000-0000-0000-0000-000000000000:0",
        "019a3e5c-6f0e-7b1a-9c55-1f2d3c4b5a69:" + "9" * 50,
    ],
)
async def test_an_id_of_no_event_is_422(gateway: Served, last_event_id: str) -> None:
    async with gateway.stream(await _onboard(gateway, "Ann"), last_event_id) as response:
        await response.aread()

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "Last-Event-ID"


async def test_an_event_that_has_not_happened_is_422(gateway: Served) -> None:
    workflow_id = await _onboard(gateway, "Ann")
    told = await gateway.told(workflow_id)

    async with gateway.stream(workflow_id, f"{told[0].id.partition(':')[0]}:99999") as response:
        await response.aread()

    assert response.status_code == 422


async def test_what_is_unknown_or_anothers_is_404_before_anything_is_told(client: Client, worker: None) -> None:
    async with served_gateway(client) as demo, served_gateway(client, api_key="key", tenant="acme") as acme:
        existing = await _onboard(demo, "Ann")
        answers: list[httpx.Response] = []
        for workflow_id in (existing, existing.replace(":u-", ":v-"), "nonsense"):
            async with acme.stream(workflow_id) as response:
                await response.aread()
                answers.append(response)

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert len({str({**answer.json(), "traceId": ""}) for answer in answers}) == 1


async def test_one_account_cannot_take_all_streams(client: Client, worker: None) -> None:
    async with served_gateway(client, event_streams_per_tenant=1) as gateway:
        workflow_id = await _onboard(gateway, WAITS)
        async with asyncio.timeout(20), gateway.stream(workflow_id) as first:
            await anext(events_of(first))
            async with gateway.stream(workflow_id) as second:
                await second.aread()
        again = await _status_of_stream_until(gateway, workflow_id, 200)

    assert second.status_code == 429
    assert second.json()["type"] == "too_many_streams"
    assert int(second.headers["retry-after"]) > 0
    assert again == 200


async def _status_of_stream_until(gateway: Served, workflow_id: str, status: int) -> int:
    async with asyncio.timeout(20):
        while True:
            async with gateway.stream(workflow_id) as response:
                if response.status_code == status:
                    return status
            await asyncio.sleep(0.1)


async def test_a_stream_ends_when_the_gateway_closes(client: Client, worker: None) -> None:
    async with served_gateway(client) as gateway:
        workflow_id = await _onboard(gateway, WAITS)
        async with asyncio.timeout(20), gateway.stream(workflow_id) as response:
            events = events_of(response)
            told = [await anext(events), await anext(events)]

            gateway.workflows.close()
            told += [event async for event in events]

    assert [event.name for event in told] == ["started", "progress"]


async def test_a_client_that_goes_away_leaves_nothing_behind(client: Client, worker: None) -> None:
    async with served_gateway(client) as gateway:
        workflow_id = await _onboard(gateway, WAITS)
        await asyncio.sleep(0.3)
        before = asyncio.all_tasks()
        async with asyncio.timeout(20), gateway.stream(workflow_id) as response:
            events = events_of(response)
            await anext(events)
            await anext(events)
            await asyncio.sleep(0.3)
            following_it = asyncio.all_tasks() - before

        done, left = await asyncio.wait(following_it, timeout=10)

    assert len(following_it) >= 2
    assert done == following_it
    assert not left


async def test_a_silent_stream_says_that_it_is_alive(
    client: Client, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.2)
    async with served_gateway(client) as gateway:
        workflow_id = await _onboard(gateway, WAITS)

        async with asyncio.timeout(20), gateway.stream(workflow_id) as response:
            comments = [line async for line in _first_comments(response, count=2)]

    assert len(comments) == 2


async def _first_comments(response: httpx.Response, *, count: int) -> AsyncGenerator[str]:
    async for line in response.aiter_lines():
        if line.startswith(":"):
            yield line
            count -= 1
            if not count:
                return


async def test_a_stream_ends_after_its_time_and_whoever_comes_again_misses_nothing(
    client: Client, worker: None
) -> None:
    async with served_gateway(client, event_stream_seconds=1) as gateway:
        workflow_id = await _onboard(gateway, WAITS)

        first = await gateway.told(workflow_id)
        second = await gateway.told(workflow_id, first[-1].id)
        await gateway.http.post(f"/v1/operations/{workflow_id}/cancel")
        rest = await _told_to_its_end(gateway, workflow_id, first[-1].id)
        whole = await gateway.told(workflow_id)

    assert [event.name for event in first] == ["started", "progress"]
    assert second == []
    assert [event.name for event in rest] == ["cancelRequested", "closed"]
    assert first + rest == whole


async def _told_to_its_end(gateway: Served, workflow_id: str, last_event_id: str) -> list[Told]:
    """Come again with the last event until the operation has closed, as a client does."""
    told: list[Told] = []
    async with asyncio.timeout(60):
        while not told or told[-1].name != "closed":
            told += await gateway.told(workflow_id, told[-1].id if told else last_event_id)
    return told


async def test_a_stream_that_ends_after_its_time_says_when_to_come_again(client: Client, worker: None) -> None:
    async with served_gateway(client, event_stream_seconds=1) as gateway:
        workflow_id = await _onboard(gateway, WAITS)

        async with asyncio.timeout(20), gateway.stream(workflow_id) as response:
            lines = [line async for line in response.aiter_lines()]

    assert lines[0] == "retry: 2000"
    assert lines[-1] == ""
