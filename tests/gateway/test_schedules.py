"""Schedules of a real server: looked at, paused and resumed, by those who may."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from analytics_service.schedules import ensure_schedules
from platform_contracts.analytics.rollup import Granularity, rollup_schedule_id
from platform_gateway.identity.callers import Role
from tests.gateway.api import asked_until
from tests.gateway.scheduling import (
    LAST_RUN,
    RecordedAudit,
    new_schedule,
    new_tenant,
    partner,
    past,
    scheduling_api,
    staff,
)

DAY = timedelta(days=1)


async def _listed(api: httpx.AsyncClient, *, times: int) -> list[str]:
    """Return the ids of every schedule that the caller sees, once there are so many: a list is some moments old."""
    answer = await asked_until(
        lambda: api.get("/v1/schedules", params={"limit": 200}),
        lambda answer: len(answer.json()["schedules"]) >= times,
    )
    return [schedule["scheduleId"] for schedule in answer.json()["schedules"]]


# Look at them.


async def test_a_schedule_tells_what_it_runs_and_when(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str
) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)

    answer = await operator_api.get(f"/v1/schedules/{schedule_id}")

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


async def test_a_list_is_read_page_by_page(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str
) -> None:
    made = [await new_schedule(scheduling_client, tenant=tenant) for _ in range(3)]
    await _listed(operator_api, times=3)

    first = (await operator_api.get("/v1/schedules", params={"limit": 2})).json()
    second = (await operator_api.get("/v1/schedules", params={"limit": 2, "cursor": first["nextCursor"]})).json()

    read = [schedule["scheduleId"] for page in (first, second) for schedule in page["schedules"]]
    assert sorted(read) == sorted(made)
    assert second["nextCursor"] is None
    assert first["schedules"][0]["workflowType"] == "user.Notification"
    assert first["schedules"][0]["nextRuns"]


async def test_a_cursor_is_that_of_one_account_and_one_list(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str
) -> None:
    for _ in range(2):
        await new_schedule(scheduling_client, tenant=tenant)
    await _listed(operator_api, times=2)
    cursor: str = (await operator_api.get("/v1/schedules", params={"limit": 1})).json()["nextCursor"]

    async with (
        scheduling_api(scheduling_client, partner(new_tenant())) as other,
        scheduling_api(scheduling_client, staff(tenant)) as seen_by_staff,
    ):
        answers = [
            await other.get("/v1/schedules", params={"cursor": cursor}),
            await seen_by_staff.get("/v1/schedules", params={"cursor": cursor}),
            await operator_api.get("/v1/schedules", params={"cursor": "made-up"}),
            await operator_api.get("/v1/schedules", params={"cursor": f"{cursor[:-4]}AAAA"}),
        ]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422]
    assert {answer.json()["errors"][0]["field"] for answer in answers} == {"cursor"}


async def test_an_account_sees_its_own_schedules_and_staff_the_platforms_as_well(scheduling_client: Client) -> None:
    account = new_tenant()
    own = await new_schedule(scheduling_client, tenant=account)
    # The beginning of its name is that of the account.
    neighbours = await new_schedule(scheduling_client, tenant=f"{account}-2")
    await ensure_schedules(scheduling_client)
    platforms = {rollup_schedule_id(granularity) for granularity in Granularity}

    async with (
        scheduling_api(scheduling_client, partner(account)) as seen_by_partner,
        scheduling_api(scheduling_client, staff(account)) as seen_by_staff,
    ):
        listed = await _listed(seen_by_partner, times=1)
        listed_for_staff = await _listed(seen_by_staff, times=3)

    assert listed == [own]
    assert {own, *platforms} <= set(listed_for_staff)
    assert neighbours not in listed_for_staff


@pytest.mark.parametrize("verb", ["", "/pause", "/resume", "/trigger", "/backfill"])
async def test_what_is_not_the_callers_does_not_exist(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str, verb: str
) -> None:
    await ensure_schedules(scheduling_client)
    others = await new_schedule(scheduling_client, tenant=new_tenant())
    ids = [others, f"{tenant}:user:reminder:none", rollup_schedule_id(Granularity.HOUR), "none", "a b:c", "ä:b"]
    body = {"/backfill": past(LAST_RUN - DAY, LAST_RUN), "/trigger": None}.get(verb, {"reason": "because"})

    answers = [
        await (
            operator_api.post(f"/v1/schedules/{its_id}{verb}", json=body)
            if verb
            else operator_api.get(f"/v1/schedules/{its_id}")
        )
        for its_id in ids
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({str({**answer.json(), "traceId": ""}) for answer in answers}) == 1
    assert answers[0].json()["type"] == "unknown_schedule"
    state = (await scheduling_client.get_schedule_handle(others).describe()).schedule.state
    assert (state.paused, state.note) == (False, None)


@pytest.mark.parametrize("role", [Role.PARTNER, Role.REVIEWER])
async def test_who_may_not_operate_schedules_is_told_which_scope_it_takes(
    scheduling_client: Client, tenant: str, role: Role
) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)

    async with scheduling_api(scheduling_client, partner(tenant, role=role)) as api:
        reading = await api.get(f"/v1/schedules/{schedule_id}")
        pausing = await api.post(f"/v1/schedules/{schedule_id}/pause", json={"reason": "because"})

    assert (reading.status_code, reading.json()["scope"]) == (403, "schedules:read")
    assert (pausing.status_code, pausing.json()["scope"]) == (403, "schedules:operate")


# Pause and resume.


async def test_a_paused_schedule_says_why_and_runs_no_more_until_it_is_resumed(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str, audit: RecordedAudit
) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)

    paused = await operator_api.post(f"/v1/schedules/{schedule_id}/pause", json={"reason": "The disk is full."})
    seen = await operator_api.get(f"/v1/schedules/{schedule_id}")
    resumed = await operator_api.post(f"/v1/schedules/{schedule_id}/resume", json={"reason": "There is a new disk."})

    assert paused.status_code == 200
    assert paused.json() == seen.json()
    assert (seen.json()["paused"], seen.json()["note"], seen.json()["nextRuns"]) == (True, "The disk is full.", [])
    assert (resumed.json()["paused"], resumed.json()["note"]) == (False, "There is a new disk.")
    assert resumed.json()["nextRuns"]
    assert [(each["action"], each["outcome"]) for each in audit.entries] == [
        ("pauseSchedule", "asked"),
        ("pauseSchedule", "done"),
        ("resumeSchedule", "asked"),
        ("resumeSchedule", "done"),
    ]
    kept = audit.entries[1]
    assert (kept["tenant"], kept["subject"], kept["target"]) == (tenant, "key:1", f"/v1/schedules/{schedule_id}/pause")
    assert kept["details"] == {"reason": "The disk is full."}


async def test_pausing_or_resuming_twice_is_doing_it_once(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str
) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)

    paused = [
        await operator_api.post(f"/v1/schedules/{schedule_id}/pause", json={"reason": "because"}) for _ in range(2)
    ]
    resumed = [
        await operator_api.post(f"/v1/schedules/{schedule_id}/resume", json={"reason": "done"}) for _ in range(2)
    ]

    assert paused[0].json() == paused[1].json()
    assert resumed[0].json() == resumed[1].json()


async def test_a_deployment_leaves_a_schedule_as_the_operator_has_put_it(scheduling_client: Client) -> None:
    await ensure_schedules(scheduling_client)
    schedule_id = rollup_schedule_id(Granularity.HOUR)

    async with scheduling_api(scheduling_client, staff(new_tenant())) as api:
        await api.post(f"/v1/schedules/{schedule_id}/pause", json={"reason": "The disk is full."})
        await ensure_schedules(scheduling_client)
        after_a_pause = (await api.get(f"/v1/schedules/{schedule_id}")).json()
        await api.post(f"/v1/schedules/{schedule_id}/resume", json={"reason": "There is a new disk."})
        await ensure_schedules(scheduling_client)
        after_its_end = (await api.get(f"/v1/schedules/{schedule_id}")).json()

    assert (after_a_pause["paused"], after_a_pause["note"]) == (True, "The disk is full.")
    assert (after_its_end["paused"], after_its_end["note"]) == (False, "There is a new disk.")


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": None}, {"reason": "two\nlines"}, {"reason": "r", "until": "tomorrow"}]
)
async def test_a_pause_needs_a_reason_of_one_line(
    operator_api: httpx.AsyncClient, scheduling_client: Client, tenant: str, body: dict[str, Any]
) -> None:
    schedule_id = await new_schedule(scheduling_client, tenant=tenant)

    answer = await operator_api.post(f"/v1/schedules/{schedule_id}/pause", json=body)

    assert (answer.status_code, answer.json()["type"]) == (422, "invalid_request")
    assert not (await scheduling_client.get_schedule_handle(schedule_id).describe()).schedule.state.paused
