"""Schedules of a real server: looked at, paused, resumed, triggered and backfilled, by those who may."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Generator
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
from platform_gateway.callers import Role
from tests.gateway.api import asked_until
from tests.gateway.scheduling import (
    LAST_RUN,
    RecordedAudit,
    new_schedule,
    new_tenant,
    partner,
    scheduling_api,
    staff,
)
from tests.gateway.stubs import stub_worker
from tests.gateway.temporal_process import TemporalProcess
from tests.support.namespaces import new_namespace
from tests.support.waiting import eventually

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
async def own_client(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of a namespace without the schedules of others: the platform's have fixed ids."""
    client = await new_namespace(temporal_server)
    handle = client.get_schedule_handle(await new_schedule(client, tenant=new_tenant()))
    # The server's own worker, which answers for schedules, comes up some time after the namespace.
    await eventually(handle.describe, within_seconds=60)
    return client


@pytest.fixture
def tenant() -> str:
    """Return an account of the test's own."""
    return new_tenant()


@pytest.fixture
def audit() -> RecordedAudit:
    """Return what is kept of the decisions that `api` takes."""
    return RecordedAudit()


@pytest.fixture
async def api(own_client: Client, tenant: str, audit: RecordedAudit) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the API for somebody of the account who may operate its schedules."""
    async with scheduling_api(own_client, partner(tenant), audit=audit) as api:
        yield api


async def _schedule_when(api: httpx.AsyncClient, schedule_id: str, member: str, value: Any) -> dict[str, Any]:
    answer = await asked_until(
        lambda: api.get(f"/v1/schedules/{schedule_id}"), lambda answer: answer.json()[member] == value
    )
    return answer.json()


async def _listed(api: httpx.AsyncClient, *, times: int) -> list[str]:
    """Return the ids of every schedule that the caller sees, once there are so many: a list is some moments old."""
    answer = await asked_until(
        lambda: api.get("/v1/schedules", params={"limit": 200}),
        lambda answer: len(answer.json()["schedules"]) >= times,
    )
    return [schedule["scheduleId"] for schedule in answer.json()["schedules"]]


def _range(first: datetime, last: datetime, **members: Any) -> dict[str, Any]:
    return {"startAt": first.isoformat(), "endAt": last.isoformat(), **members}


# Look at them.


async def test_a_schedule_tells_what_it_runs_and_when(api: httpx.AsyncClient, own_client: Client, tenant: str) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)

    answer = await api.get(f"/v1/schedules/{schedule_id}")

    schedule = answer.json()
    next_run = datetime.fromisoformat(schedule["nextRuns"][0])
    assert schedule["scheduleId"] == schedule_id
    assert (schedule["workflowType"], schedule["taskQueue"]) == ("user.Notification", "user")
    assert (schedule["paused"], schedule["note"]) == (False, None)
    assert next_run == LAST_RUN + DAY
    assert schedule["overlapPolicy"] == "skip"
    assert schedule["recentRuns"] == schedule["running"] == []
    assert schedule["missed"] == {"catchUp": 0, "overlap": 0, "buffer": 0}
    assert (schedule["runCount"], schedule["waitingRuns"], schedule["updatedAt"]) == (0, 0, None)
    assert schedule["links"]["backfill"] == f"/v1/schedules/{schedule_id}/backfill"


async def test_a_list_is_read_page_by_page(api: httpx.AsyncClient, own_client: Client, tenant: str) -> None:
    made = [await new_schedule(own_client, tenant=tenant) for _ in range(3)]
    await _listed(api, times=3)

    first = (await api.get("/v1/schedules", params={"limit": 2})).json()
    second = (await api.get("/v1/schedules", params={"limit": 2, "cursor": first["nextCursor"]})).json()

    read = [schedule["scheduleId"] for page in (first, second) for schedule in page["schedules"]]
    assert sorted(read) == sorted(made)
    assert second["nextCursor"] is None
    assert first["schedules"][0]["workflowType"] == "user.Notification"
    assert first["schedules"][0]["nextRuns"]


async def test_a_cursor_is_that_of_one_account_and_one_list(
    api: httpx.AsyncClient, own_client: Client, tenant: str
) -> None:
    for _ in range(2):
        await new_schedule(own_client, tenant=tenant)
    await _listed(api, times=2)
    cursor: str = (await api.get("/v1/schedules", params={"limit": 1})).json()["nextCursor"]

    async with (
        scheduling_api(own_client, partner(new_tenant())) as other,
        scheduling_api(own_client, staff(tenant)) as seen_by_staff,
    ):
        answers = [
            await other.get("/v1/schedules", params={"cursor": cursor}),
            await seen_by_staff.get("/v1/schedules", params={"cursor": cursor}),
            await api.get("/v1/schedules", params={"cursor": "made-up"}),
            await api.get("/v1/schedules", params={"cursor": f"{cursor[:-4]}AAAA"}),
        ]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422]
    assert {answer.json()["errors"][0]["field"] for answer in answers} == {"cursor"}


async def test_an_account_sees_its_own_schedules_and_staff_the_platforms_as_well(own_client: Client) -> None:
    account = new_tenant()
    own = await new_schedule(own_client, tenant=account)
    # The beginning of its name is that of the account.
    neighbours = await new_schedule(own_client, tenant=f"{account}-2")
    await ensure_schedules(own_client)
    platforms = {rollup_schedule_id(granularity) for granularity in Granularity}

    async with (
        scheduling_api(own_client, partner(account)) as seen_by_partner,
        scheduling_api(own_client, staff(account)) as seen_by_staff,
    ):
        listed = await _listed(seen_by_partner, times=1)
        listed_for_staff = await _listed(seen_by_staff, times=3)

    assert listed == [own]
    assert {own, *platforms} <= set(listed_for_staff)
    assert neighbours not in listed_for_staff


@pytest.mark.parametrize("verb", ["", "/pause", "/resume", "/trigger", "/backfill"])
async def test_what_is_not_the_callers_does_not_exist(
    api: httpx.AsyncClient, own_client: Client, tenant: str, verb: str
) -> None:
    await ensure_schedules(own_client)
    others = await new_schedule(own_client, tenant=new_tenant())
    ids = [others, f"{tenant}:user:reminder:none", rollup_schedule_id(Granularity.HOUR), "none", "a b:c", "ä:b"]
    body = {"/backfill": _range(LAST_RUN - DAY, LAST_RUN), "/trigger": None}.get(verb, {"reason": "because"})

    answers = [
        await (api.post(f"/v1/schedules/{its_id}{verb}", json=body) if verb else api.get(f"/v1/schedules/{its_id}"))
        for its_id in ids
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({str({**answer.json(), "traceId": ""}) for answer in answers}) == 1
    assert answers[0].json()["type"] == "unknown_schedule"
    state = (await own_client.get_schedule_handle(others).describe()).schedule.state
    assert (state.paused, state.note) == (False, None)


@pytest.mark.parametrize("role", [Role.PARTNER, Role.REVIEWER])
async def test_who_may_not_operate_schedules_is_told_which_scope_it_takes(
    own_client: Client, tenant: str, role: Role
) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)

    async with scheduling_api(own_client, partner(tenant, role=role)) as api:
        reading = await api.get(f"/v1/schedules/{schedule_id}")
        pausing = await api.post(f"/v1/schedules/{schedule_id}/pause", json={"reason": "because"})

    assert (reading.status_code, reading.json()["scope"]) == (403, "schedules:read")
    assert (pausing.status_code, pausing.json()["scope"]) == (403, "schedules:operate")


# Pause and resume.


async def test_a_paused_schedule_says_why_and_runs_no_more_until_it_is_resumed(
    api: httpx.AsyncClient, own_client: Client, tenant: str, audit: RecordedAudit
) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)

    paused = await api.post(f"/v1/schedules/{schedule_id}/pause", json={"reason": "The disk is full."})
    seen = await api.get(f"/v1/schedules/{schedule_id}")
    resumed = await api.post(f"/v1/schedules/{schedule_id}/resume", json={"reason": "There is a new disk."})

    assert paused.status_code == 200
    assert paused.json() == seen.json()
    assert (seen.json()["paused"], seen.json()["note"], seen.json()["nextRuns"]) == (True, "The disk is full.", [])
    assert (resumed.json()["paused"], resumed.json()["note"]) == (False, "There is a new disk.")
    assert resumed.json()["nextRuns"]
    assert [(each["action"], each["target"], each["outcome"]) for each in audit.entries] == [
        ("pauseSchedule", schedule_id, "done"),
        ("resumeSchedule", schedule_id, "done"),
    ]
    assert audit.entries[0]["details"] == {"reason": "The disk is full."}
    assert (audit.entries[0]["tenant"], audit.entries[0]["subject"]) == (tenant, "key:1")


async def test_pausing_or_resuming_twice_is_doing_it_once(
    api: httpx.AsyncClient, own_client: Client, tenant: str
) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)

    paused = [await api.post(f"/v1/schedules/{schedule_id}/pause", json={"reason": "because"}) for _ in range(2)]
    resumed = [await api.post(f"/v1/schedules/{schedule_id}/resume", json={"reason": "done"}) for _ in range(2)]

    assert paused[0].json() == paused[1].json()
    assert resumed[0].json() == resumed[1].json()


async def test_a_deployment_leaves_a_schedule_as_the_operator_has_put_it(own_client: Client) -> None:
    await ensure_schedules(own_client)
    schedule_id = rollup_schedule_id(Granularity.HOUR)

    async with scheduling_api(own_client, staff(new_tenant())) as api:
        await api.post(f"/v1/schedules/{schedule_id}/pause", json={"reason": "The disk is full."})
        await ensure_schedules(own_client)
        after_a_pause = (await api.get(f"/v1/schedules/{schedule_id}")).json()
        await api.post(f"/v1/schedules/{schedule_id}/resume", json={"reason": "There is a new disk."})
        await ensure_schedules(own_client)
        after_its_end = (await api.get(f"/v1/schedules/{schedule_id}")).json()

    assert (after_a_pause["paused"], after_a_pause["note"]) == (True, "The disk is full.")
    assert (after_its_end["paused"], after_its_end["note"]) == (False, "There is a new disk.")


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": None}, {"reason": "two\nlines"}, {"reason": "r", "until": "tomorrow"}]
)
async def test_a_pause_needs_a_reason_of_one_line(
    api: httpx.AsyncClient, own_client: Client, tenant: str, body: dict[str, Any]
) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)

    answer = await api.post(f"/v1/schedules/{schedule_id}/pause", json=body)

    assert (answer.status_code, answer.json()["type"]) == (422, "invalid_request")
    assert not (await own_client.get_schedule_handle(schedule_id).describe()).schedule.state.paused


# Run them now.


async def test_a_triggered_run_is_the_last_run_and_leads_to_its_operation(
    api: httpx.AsyncClient, own_client: Client, tenant: str, audit: RecordedAudit
) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)
    await api.post(f"/v1/schedules/{schedule_id}/pause", json={"reason": "It runs by hand alone."})

    triggered = await api.post(f"/v1/schedules/{schedule_id}/trigger")
    async with stub_worker(own_client):
        schedule = await _schedule_when(api, triggered.headers["location"].rpartition("/")[2], "runCount", 1)
        (run,) = schedule["recentRuns"]
        operation = await asked_until(
            lambda: api.get(run["links"]["operation"]), lambda answer: answer.json()["status"] == "COMPLETED"
        )

    assert triggered.status_code == 202
    assert int(triggered.headers["retry-after"]) > 0
    assert run["workflowId"].startswith(f"{schedule_id}-")
    assert operation.json()["runId"] == run["runId"]
    # No request started it.
    assert operation.json()["traceId"] is None
    assert schedule["paused"]
    assert [each["action"] for each in audit.entries] == ["pauseSchedule", "triggerSchedule"]


async def test_a_key_triggers_once(api: httpx.AsyncClient, own_client: Client, tenant: str) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)

    async with stub_worker(own_client):
        for key in ("monday", "monday", "tuesday", "monday"):
            answer = await api.post(f"/v1/schedules/{schedule_id}/trigger", headers={"Idempotency-Key": key})
            assert answer.status_code == 202
            expected = 1 if key == "monday" and answer.json()["runCount"] < 2 else 2
            # A run ends before the next one is due, and none has the same second in its id.
            await _schedule_when(api, schedule_id, "runCount", expected)
            await _schedule_when(api, schedule_id, "running", [])

    schedule = (await api.get(f"/v1/schedules/{schedule_id}")).json()
    assert schedule["runCount"] == 2


async def test_a_run_that_is_skipped_is_counted_as_missed(
    api: httpx.AsyncClient, own_client: Client, tenant: str
) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)
    await api.post(f"/v1/schedules/{schedule_id}/trigger")
    (running,) = (await _schedule_when(api, schedule_id, "runCount", 1))["running"]

    await api.post(f"/v1/schedules/{schedule_id}/trigger")
    schedule = await _schedule_when(api, schedule_id, "missed", {"catchUp": 0, "overlap": 1, "buffer": 0})

    assert schedule["runCount"] == 1
    assert [run["runId"] for run in schedule["running"]] == [running["runId"]]


async def test_staff_may_follow_the_runs_of_the_platform(own_client: Client) -> None:
    await ensure_schedules(own_client)
    schedule_id = rollup_schedule_id(Granularity.DAY)
    account = new_tenant()

    async with (
        scheduling_api(own_client, staff(account)) as seen_by_staff,
        scheduling_api(own_client, partner(account)) as seen_by_partner,
    ):
        await seen_by_staff.post(f"/v1/schedules/{schedule_id}/trigger")
        (run,) = (await _schedule_when(seen_by_staff, schedule_id, "runCount", 1))["recentRuns"]
        followed = await seen_by_staff.get(run["links"]["operation"])
        refused = await seen_by_partner.get(run["links"]["operation"])

    assert (followed.status_code, followed.json()["type"]) == (200, "analytics.Rollup")
    assert refused.status_code == 404


# Make up for missed runs.


async def test_a_backfill_runs_what_was_due_with_both_ends_of_the_time(
    api: httpx.AsyncClient, own_client: Client, tenant: str, audit: RecordedAudit
) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)

    accepted = await api.post(f"/v1/schedules/{schedule_id}/backfill", json=_range(LAST_RUN - 2 * DAY, LAST_RUN))
    async with stub_worker(own_client):
        schedule = await _schedule_when(api, schedule_id, "runCount", 3)

    days = [LAST_RUN, LAST_RUN - DAY, LAST_RUN - 2 * DAY]
    assert accepted.status_code == 202
    assert accepted.json()["runs"] == 3
    assert accepted.json()["overlapPolicy"] == "buffer_all"
    assert [datetime.fromisoformat(run["scheduledAt"]) for run in schedule["recentRuns"]] == days
    (kept,) = audit.entries
    assert (kept["action"], kept["details"]["overlapPolicy"]) == ("backfillSchedule", "buffer_all")


async def test_a_key_backfills_once(api: httpx.AsyncClient, own_client: Client, tenant: str) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)
    body = _range(LAST_RUN - DAY, LAST_RUN - timedelta(minutes=1), overlapPolicy="allow_all")
    headers = {"Idempotency-Key": "monday"}

    async with stub_worker(own_client):
        first = await api.post(f"/v1/schedules/{schedule_id}/backfill", json=body, headers=headers)
        await _schedule_when(api, schedule_id, "runCount", 1)
        second = await api.post(f"/v1/schedules/{schedule_id}/backfill", json=body, headers=headers)
        # What comes later is done later, so once this one is, the repeated one would have been as well.
        await api.post(f"/v1/schedules/{schedule_id}/trigger")
        schedule = await _schedule_when(api, schedule_id, "runCount", 2)

    assert first.json() == second.json()
    assert [run["scheduledAt"] for run in schedule["recentRuns"]].count(
        (LAST_RUN - DAY).isoformat().replace("+00:00", "Z")
    ) == 1


async def test_a_backfill_that_skips_runs_the_first_and_counts_the_others_as_missed(
    api: httpx.AsyncClient, own_client: Client, tenant: str
) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)

    body = _range(LAST_RUN - 2 * DAY, LAST_RUN, overlapPolicy="skip")
    await api.post(f"/v1/schedules/{schedule_id}/backfill", json=body)
    schedule = await _schedule_when(api, schedule_id, "missed", {"catchUp": 0, "overlap": 2, "buffer": 0})

    assert schedule["runCount"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (_range(LAST_RUN, LAST_RUN), "endAt"),
        (_range(LAST_RUN, LAST_RUN - DAY), "endAt"),
        (_range(LAST_RUN, datetime.now(UTC) + DAY), "endAt"),
        (_range(LAST_RUN - timedelta(days=32), LAST_RUN), "endAt"),
        (_range(LAST_RUN + timedelta(hours=1), LAST_RUN + timedelta(hours=2)), "endAt"),
        (_range(LAST_RUN, LAST_RUN, overlapPolicy="terminate_other"), "overlapPolicy"),
        ({"startAt": "2026-11-23T12:00:00", "endAt": "2026-11-23T13:00:00Z"}, "startAt"),
        ({"startAt": 1795464000, "endAt": "2026-11-23T13:00:00Z"}, "startAt"),
        ({"startAt": "0001-01-01T00:00:00+14:00", "endAt": "9999-12-31T23:59:59-12:00"}, "endAt"),
        ({"endAt": "2026-11-23T13:00:00Z"}, "startAt"),
    ],
)
async def test_a_backfill_of_another_time_than_a_short_past_one_is_refused(
    api: httpx.AsyncClient, own_client: Client, tenant: str, body: dict[str, Any], field: str
) -> None:
    schedule_id = await new_schedule(own_client, tenant=tenant)

    answer = await api.post(f"/v1/schedules/{schedule_id}/backfill", json=body)

    assert answer.status_code == 422, answer.text
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert (await api.get(f"/v1/schedules/{schedule_id}")).json()["runCount"] == 0


async def test_a_backfill_of_too_many_runs_is_refused_and_kept(
    own_client: Client, tenant: str, api: httpx.AsyncClient, audit: RecordedAudit
) -> None:
    schedule_id = f"{tenant}:user:reminder:often"
    await own_client.create_schedule(
        schedule_id,
        Schedule(
            action=ScheduleActionStartWorkflow("user.Notification", id=schedule_id, task_queue="user"),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=6))]),
        ),
    )
    end = datetime.now(UTC) - timedelta(hours=1)

    refused = await api.post(f"/v1/schedules/{schedule_id}/backfill", json=_range(end - timedelta(days=30), end))

    assert refused.status_code == 422
    assert "at most 100" in refused.json()["errors"][0]["detail"]
    assert [(each["action"], each["outcome"]) for each in audit.entries] == [("backfillSchedule", "invalid_request")]


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
        await _schedule_when(api, schedule_id, "runCount", 1)
        os.kill(temporal.pid, signal.SIGSTOP)
        await asyncio.sleep(14)
        os.kill(temporal.pid, signal.SIGCONT)
        answer = await asked_until(
            lambda: api.get(f"/v1/schedules/{schedule_id}"),
            lambda answer: answer.status_code == 200 and answer.json()["missed"]["catchUp"] > 0,
            within_seconds=30,
        )

    assert answer.json()["catchUpWindowSeconds"] == 10
