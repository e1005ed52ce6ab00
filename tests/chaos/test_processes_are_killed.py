"""kill -9 in the middle of work: what was accepted completes, and nobody is told twice."""

import asyncio
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from platform_cli.jaeger_traces import read_trace
from tests.support.platform import Platform, new_id, onboarding_body, running_platform
from tests.support.trace_rules import broken_rules
from tests.support.waiting import eventually

IN_FLIGHT = 12
# A killed worker's activity is tried again after its start-to-close time-out of 10 s.
COMPLETE_WITHIN_SECONDS = 90


@pytest.fixture(scope="module")
async def slowed(tmp_path_factory: pytest.TempPathFactory, local_stack_tools: None) -> AsyncGenerator[Platform]:
    """A platform whose every activity waits a second first, so that a kill meets work in progress."""
    home = tmp_path_factory.mktemp("slowed")
    async with running_platform(
        home, DRILL_ACTIVITY_DELAY_SECONDS="*=1,user.create_account=3", GATEWAY_EXECUTE_WAIT_SECONDS="1"
    ) as running:
        yield running


@pytest.mark.timeout(240)
@pytest.mark.parametrize("victim", ["user-1", "gateway", "temporal"])
async def test_every_accepted_onboarding_completes_with_one_mail(slowed: Platform, victim: str) -> None:
    users = [new_id(victim) for _ in range(IN_FLIGHT)]
    accepted = await asyncio.gather(*(slowed.http.post(_onboarding, json=onboarding_body(user)) for user in users))
    assert {answer.status_code for answer in accepted} == {HTTPStatus.ACCEPTED}
    running = [await slowed.gateway.status(answer.json()["workflowId"]) for answer in accepted]
    in_flight = sum(status["status"] == "RUNNING" for status in running)
    assert in_flight >= 10

    await slowed.kill(victim)

    for answer in accepted:
        workflow_id = answer.json()["workflowId"]
        status = await _closed(slowed, workflow_id)
        assert status["status"] == "COMPLETED"
    for user in users:
        mails = await slowed.mail.mails_to(f"{user}@example.com", at_least=1, within_seconds=COMPLETE_WITHIN_SECONDS)
        assert len(mails) == len({mail["MessageID"] for mail in mails}) == 1


@pytest.mark.timeout(240)
async def test_trace_stays_one_when_the_user_worker_is_killed_in_the_middle(slowed: Platform) -> None:
    user = new_id("traced")
    answer = await slowed.http.post(_onboarding, json=onboarding_body(user))
    workflow_id = answer.json()["workflowId"]
    await _started(slowed, workflow_id, "user.create_account")

    await slowed.kill("user-1")

    status = await _closed(slowed, workflow_id)
    assert status["status"] == "COMPLETED"
    assert await _highest_attempt(slowed, workflow_id) > 1
    trace = await read_trace(
        slowed.jaeger,
        status["traceId"],
        until=lambda trace: trace.services >= {"gateway", "user", "analytics"},
        within_seconds=30,
    )
    assert trace.services == {"gateway", "user", "analytics"}
    assert broken_rules(trace, spans_may_be_lost=True) == []


_onboarding = "/api/temporal/onboarding/execute"


async def _closed(platform: Platform, workflow_id: str) -> dict[str, Any]:
    async def closed() -> dict[str, Any] | None:
        status = await platform.gateway.status(workflow_id)
        return None if status["status"] == "RUNNING" else status

    return await eventually(closed, within_seconds=COMPLETE_WITHIN_SECONDS, every_seconds=0.3) or {}


async def _started(platform: Platform, workflow_id: str, activity_type: str) -> None:
    """Return once an activity runs on a worker."""

    async def started() -> bool:
        description = await platform.temporal.get_workflow_handle(workflow_id).describe()
        return any(
            pending.activity_type.name == activity_type and pending.last_started_time.seconds > 0
            for pending in description.raw_description.pending_activities
        )

    await eventually(started, within_seconds=20)


async def _highest_attempt(platform: Platform, workflow_id: str) -> int:
    history = await platform.temporal.get_workflow_handle(workflow_id).fetch_history()
    return max(
        event.activity_task_started_event_attributes.attempt
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    )
