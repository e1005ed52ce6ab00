"""Runs of schedules on a real server: triggered, made up for, and missed."""

import asyncio
import os
import signal
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.testing import WorkflowEnvironment

from analytics_service.schedules import ensure_schedules
from platform_contracts.analytics.rollup import Granularity, rollup_schedule_id
from tests.gateway.api import asked_until
from tests.gateway.scheduling import (
    LAST_RUN,
    RecordedAudit,
    new_schedule,
    new_tenant,
    partner,
    past,
    schedule_when,
    scheduling_api,
    staff,
)
from tests.gateway.stubs import stub_worker
from tests.gateway.temporal_process import TemporalProcess

DAY = timedelta(days=1)


# Run them now.


async def test_a_triggered_run_is_the_last_run_and_leads_to_its_operation(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str, audit: RecordedAudit
) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)
    await operator_api.post(f"/v1/schedules/{schedule_id}/pause", json={"reason": "It runs by hand alone."})

    triggered = await operator_api.post(f"/v1/schedules/{schedule_id}/trigger")
    async with stub_worker(scheduling_client):
        schedule = await schedule_when(operator_api, triggered.headers["location"].rpartition("/")[2], "runCount", 1)
        (run,) = schedule["recentRuns"]
        operation = await asked_until(
            lambda: operator_api.get(run["links"]["operation"]), lambda answer: answer.json()["status"] == "COMPLETED"
        )

    assert triggered.status_code == 202
    assert int(triggered.headers["retry-after"]) > 0
    assert run["workflowId"].startswith(f"{schedule_id}-")
    assert operation.json()["runId"] == run["runId"]
    # No request started it.
    assert operation.json()["traceId"] is None
    assert schedule["paused"]
    assert audit.outcomes == [("pauseSchedule", "done"), ("triggerSchedule", "done")]


async def test_a_key_triggers_once(operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)
    path, headers = f"/v1/schedules/{schedule_id}/trigger", {"Idempotency-Key": "monday"}

    async with stub_worker(scheduling_client):
        first = await operator_api.post(path, headers=headers)
        await schedule_when(operator_api, schedule_id, "runCount", 1)
        await schedule_when(operator_api, schedule_id, "running", [])
        second = await operator_api.post(path, headers=headers)
        await _marked(operator_api, schedule_id, runs=2)

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()


async def _marked(api: httpx.AsyncClient, schedule_id: str, *, runs: int) -> None:
    """Have one more run, and see that there are so many then: what was asked for earlier is done earlier."""
    one = past(LAST_RUN - DAY, LAST_RUN - timedelta(hours=1), overlapPolicy="allow_all")
    await api.post(f"/v1/schedules/{schedule_id}/backfill", json=one)
    await schedule_when(api, schedule_id, "runCount", runs)


async def test_a_run_that_is_skipped_is_counted_as_missed(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str
) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)
    await operator_api.post(f"/v1/schedules/{schedule_id}/trigger")
    (running,) = (await schedule_when(operator_api, schedule_id, "runCount", 1))["running"]

    await operator_api.post(f"/v1/schedules/{schedule_id}/trigger")
    schedule = await schedule_when(operator_api, schedule_id, "missed", {"catchUp": 0, "overlap": 1, "buffer": 0})

    assert schedule["runCount"] == 1
    assert [run["runId"] for run in schedule["running"]] == [running["runId"]]


async def test_staff_may_follow_the_runs_of_the_platform(scheduling_client: Client) -> None:
    await ensure_schedules(scheduling_client)
    schedule_id = rollup_schedule_id(Granularity.DAY)
    account = new_tenant()

    async with (
        scheduling_api(scheduling_client, staff(account)) as seen_by_staff,
        scheduling_api(scheduling_client, partner(account)) as seen_by_partner,
    ):
        await seen_by_staff.post(f"/v1/schedules/{schedule_id}/trigger")
        (run,) = (await schedule_when(seen_by_staff, schedule_id, "runCount", 1))["recentRuns"]
        followed = await seen_by_staff.get(run["links"]["operation"])
        refused = await seen_by_partner.get(run["links"]["operation"])

    assert (followed.status_code, followed.json()["type"]) == (200, "analytics.Rollup")
    assert refused.status_code == 404


# Make up for missed runs.


async def test_a_backfill_runs_what_was_due_with_both_ends_of_the_time(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str, audit: RecordedAudit
) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)

    accepted = await operator_api.post(f"/v1/schedules/{schedule_id}/backfill", json=past(LAST_RUN - 2 * DAY, LAST_RUN))
    async with stub_worker(scheduling_client):
        schedule = await schedule_when(operator_api, schedule_id, "runCount", 3)

    days = [LAST_RUN, LAST_RUN - DAY, LAST_RUN - 2 * DAY]
    assert accepted.status_code == 202
    assert accepted.json()["runs"] == 3
    assert accepted.json()["overlapPolicy"] == "buffer_all"
    assert [datetime.fromisoformat(run["scheduledAt"]) for run in schedule["recentRuns"]] == days
    assert audit.outcomes == [("backfillSchedule", "done")]
    assert audit.entries[-1]["details"]["overlapPolicy"] == "buffer_all"


async def test_a_key_backfills_once(operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)
    path, headers = f"/v1/schedules/{schedule_id}/backfill", {"Idempotency-Key": "monday"}
    body = past(LAST_RUN - 2 * DAY, LAST_RUN, overlapPolicy="allow_all")

    async with stub_worker(scheduling_client):
        first = await operator_api.post(path, json=body, headers=headers)
        await schedule_when(operator_api, schedule_id, "runCount", 3)
        second = await operator_api.post(path, json=body, headers=headers)
        await _marked(operator_api, schedule_id, runs=4)

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()


async def test_a_backfill_that_skips_runs_the_first_and_counts_the_others_as_missed(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str
) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)

    body = past(LAST_RUN - 2 * DAY, LAST_RUN, overlapPolicy="skip")
    await operator_api.post(f"/v1/schedules/{schedule_id}/backfill", json=body)
    schedule = await schedule_when(operator_api, schedule_id, "missed", {"catchUp": 0, "overlap": 2, "buffer": 0})

    assert schedule["runCount"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (past(LAST_RUN, LAST_RUN), "endAt"),
        (past(LAST_RUN, LAST_RUN - DAY), "endAt"),
        (past(LAST_RUN, datetime.now(UTC) + DAY), "endAt"),
        (past(LAST_RUN - timedelta(days=32), LAST_RUN), "endAt"),
        (past(LAST_RUN + timedelta(hours=1), LAST_RUN + timedelta(hours=2)), "endAt"),
        (past(LAST_RUN, LAST_RUN, overlapPolicy="terminate_other"), "overlapPolicy"),
        ({"startAt": "2026-11-23T12:00:00", "endAt": "2026-11-23T13:00:00Z"}, "startAt"),
        ({"startAt": 1795464000, "endAt": "2026-11-23T13:00:00Z"}, "startAt"),
        ({"startAt": "0001-01-01T00:00:00+14:00", "endAt": "9999-12-31T23:59:59-12:00"}, "endAt"),
        ({"endAt": "2026-11-23T13:00:00Z"}, "startAt"),
    ],
)
async def test_a_backfill_of_another_time_than_a_short_past_one_is_refused(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str, body: dict[str, Any], field: str
) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)

    answer = await operator_api.post(f"/v1/schedules/{schedule_id}/backfill", json=body)

    assert answer.status_code == 422, answer.text
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert (await operator_api.get(f"/v1/schedules/{schedule_id}")).json()["runCount"] == 0


async def test_a_backfill_of_too_many_runs_is_refused_and_kept(
    scheduling_client: Client, tenant: str, operator_api: httpx.AsyncClient, audit: RecordedAudit
) -> None:
    schedule_id = f"{tenant}:user:reminder:often"
    await scheduling_client.create_schedule(
        schedule_id,
        Schedule(
            action=ScheduleActionStartWorkflow("user.Notification", id=schedule_id, task_queue="user"),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=6))]),
        ),
    )
    end = datetime.now(UTC) - timedelta(hours=1)

    refused = await operator_api.post(f"/v1/schedules/{schedule_id}/backfill", json=past(end - timedelta(days=30), end))

    assert refused.status_code == 422
    assert "at most 100" in refused.json()["errors"][0]["detail"]
    assert audit.outcomes == [("backfillSchedule", "invalid_request")]


# What Temporal itself missed.


@pytest.fixture
def temporal(
    temporal_server: WorkflowEnvironment, temporal_executable: Path, tmp_path: Path
) -> Generator[TemporalProcess]:
    """Return a server of the test's own; stopped at the end."""
    server = TemporalProcess(temporal_executable, tmp_path)
    yield server
    server.stop()


async def test_runs_that_temporal_was_away_for_too_long_for_are_counted_as_missed(temporal: TemporalProcess) -> None:
    client = await temporal.start()
    schedule_id = "acme:user:reminder:each-second"
    schedule = Schedule(
        action=ScheduleActionStartWorkflow("user.Notification", id=schedule_id, task_queue="user"),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))]),
        # No shorter window is possible.
        policy=SchedulePolicy(catchup_window=timedelta(seconds=10)),
    )
    await client.create_schedule(schedule_id, schedule)

    async with scheduling_api(client, partner("acme")) as api:
        await schedule_when(api, schedule_id, "runCount", 1)
        os.kill(temporal.pid, signal.SIGSTOP)
        await asyncio.sleep(14)
        os.kill(temporal.pid, signal.SIGCONT)
        answer = await asked_until(
            lambda: api.get(f"/v1/schedules/{schedule_id}"),
            lambda answer: answer.status_code == 200 and answer.json()["missed"]["catchUp"] > 0,
            within_seconds=30,
        )

    assert answer.json()["catchUpWindowSeconds"] == 10
