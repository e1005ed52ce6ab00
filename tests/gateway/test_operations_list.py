"""Lists of operations: filters, pages, cursors, and what does not move."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest
from temporalio.client import Client

from tests.gateway.api import asked_until, blocked_with, new_user_id, notification, status_when
from tests.gateway.stubs import (
    CALLS_NOBODY,
    HAS_A_BUG,
    RETRIES,
    SECRET_TEXT,
    WAITS,
    WAITS_FOR_A_PERSON,
)
from tests.gateway.tenants import ids_of, listed_when, onboarding_of, own_tenant


async def test_a_list_has_the_operations_of_the_account_newest_first(client: Client) -> None:
    async with own_tenant(client) as api, own_tenant(client) as other:
        mine = [await onboarding_of(api, WAITS) for _ in range(3)]
        theirs = await onboarding_of(other, WAITS)
        page = await listed_when(api, "", count=3)

    assert [operation["workflowId"] for operation in page["operations"]] == mine[::-1]
    assert theirs not in ids_of(page)
    assert page["nextCursor"] is None


async def test_a_line_of_a_list_says_what_the_operation_is_and_links_to_it(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, WAITS)
        await status_when(api, workflow_id, lambda status: status["progress"] is not None)
        answer = await asked_until(
            lambda: api.get("/v1/operations"),
            lambda answer: any(each["progress"] for each in answer.json()["operations"]),
        )
        status = (await api.get(f"/v1/operations/{workflow_id}")).json()

    (line,) = answer.json()["operations"]
    assert line == {name: status[name] for name in line}
    assert line["links"]["self"] == f"/v1/operations/{workflow_id}"
    assert line["links"]["cancel"] == f"/v1/operations/{workflow_id}/cancel"
    assert "blockedBy" not in line


async def test_a_list_is_filtered_by_domain_type_and_status(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        waits = await onboarding_of(api, WAITS)
        onboarded = await onboarding_of(api, "Ann")
        notified = (await api.post("/api/temporal/notification/start", json=notification())).json()["workflowId"]
        bought = await api.post(
            "/v1/purchases",
            json={
                "purchaseId": new_user_id(),
                "buyerId": "ada",
                "lines": [{"listingId": "lamp", "quantity": 1}],
                "paymentToken": "tok_ok",
            },
        )
        completed = await listed_when(api, "status=COMPLETED", count=2)
        users = await listed_when(api, "domain=user", count=3)
        onboardings = await listed_when(api, "type=user.UserOnboarding", count=2)
        running = await listed_when(api, "domain=user&type=user.UserOnboarding&status=RUNNING", count=1)
        listing = await listed_when(api, "domain=listing", count=1)
        payments = await listed_when(api, "domain=payment", count=0)

    assert ids_of(completed) == {onboarded, notified}
    assert ids_of(users) == {waits, onboarded, notified}
    assert ids_of(onboardings) == {waits, onboarded}
    assert ids_of(running) == {waits}
    assert ids_of(listing) == {bought.json()["workflowId"]}
    assert payments["operations"] == []


async def test_a_list_is_filtered_by_when_operations_were_started(client: Client) -> None:
    async with own_tenant(client) as api:
        first = await onboarding_of(api, WAITS)
        between = (await api.get(f"/v1/operations/{first}")).json()["startTime"]
        second = await onboarding_of(api, WAITS)
        both = await listed_when(api, "", count=2)
        after = await api.get("/v1/operations", params={"startedAfter": between})
        other_zone = datetime.fromisoformat(between).astimezone(UTC) + timedelta(microseconds=1)
        shifted = (other_zone + timedelta(hours=2)).replace(tzinfo=None).isoformat() + "+02:00"
        before = await api.get("/v1/operations", params={"startedBefore": shifted})

    assert ids_of(both) == {first, second}
    assert ids_of(after.json()) == {second}
    assert ids_of(before.json()) == {first}


async def test_pages_follow_each_other_and_hold_everything_once(client: Client) -> None:
    async with own_tenant(client) as api:
        started = {await onboarding_of(api, WAITS) for _ in range(5)}
        await listed_when(api, "", count=5)

        pages = [(await api.get("/v1/operations?limit=2")).json()]
        while (cursor := pages[-1]["nextCursor"]) is not None:
            pages.append((await api.get(f"/v1/operations?limit=2&cursor={cursor}")).json())

    listed = [operation["workflowId"] for page in pages for operation in page["operations"]]
    assert len(listed) == len(started)
    assert set(listed) == started
    assert all(len(page["operations"]) <= 2 for page in pages)


async def test_a_cursor_belongs_to_its_account_and_filter(client: Client) -> None:
    async with own_tenant(client) as api, own_tenant(client) as other:
        for _ in range(3):
            await onboarding_of(api, WAITS)
        await listed_when(api, "", count=3)
        cursor = (await api.get("/v1/operations?limit=1")).json()["nextCursor"]

        again = await api.get(f"/v1/operations?limit=2&cursor={cursor}")
        refused = [
            await api.get(f"/v1/operations?cursor={cursor}&status=RUNNING"),
            await api.get(f"/v1/operations?cursor={cursor}&blocked=true"),
            await other.get(f"/v1/operations?cursor={cursor}"),
            await api.get(f"/v1/operations?cursor={cursor[:-3]}"),
            await api.get("/v1/operations?cursor=none"),
            await api.get(f"/v1/operations?cursor={quote('[' * 1_900)}"),
            await api.get("/v1/operations?cursor=" + "W1tb" * 500),
        ]

    assert again.status_code == 200
    assert len(again.json()["operations"]) == 2
    assert {answer.status_code for answer in refused} == {422}
    assert {answer.json()["errors"][0]["field"] for answer in refused} == {"cursor"}


@pytest.mark.parametrize(
    "query",
    [
        "domain=elsewhere",
        "status=PAUSED",
        "type=a'%20OR%20WorkflowId%20STARTS_WITH%20'acme",
        "startedAfter=2026-11-23T12:00:00",
        "startedBefore=yesterday",
        "limit=0",
        "limit=201",
        "blocked=perhaps",
    ],
)
async def test_a_filter_that_is_none_is_refused(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.get(f"/v1/operations?{query}")

    assert answer.status_code == 422
    assert answer.json()["type"] == "invalid_request"
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_blocked_lists_exactly_what_does_not_move_and_why(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        expected = {
            await onboarding_of(api, HAS_A_BUG): "workflow_task_failing",
            await onboarding_of(api, RETRIES): "activity_retrying",
            await onboarding_of(api, CALLS_NOBODY): "waiting_for_worker",
            await onboarding_of(api, WAITS_FOR_A_PERSON): "waiting_for",
        }
        moves = await onboarding_of(api, WAITS)
        await onboarding_of(api, "Ann")
        for workflow_id in expected:
            await status_when(api, workflow_id, blocked_with("reason"), within_seconds=20)
        page = await listed_when(api, "blocked=true", count=4)
        bug = await listed_when(api, "blocked=true&type=user.UserOnboarding&domain=user&status=RUNNING", count=4)

    assert {each["workflowId"]: each["blockedBy"]["reason"] for each in page["operations"]} == expected
    assert ids_of(bug) == expected.keys()
    assert moves not in ids_of(page)


async def test_a_page_without_anything_blocked_has_a_cursor_that_goes_on(
    client: Client, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_gateway.operations.operation_list.MOST_EXAMINED", 2)
    async with own_tenant(client) as api:
        blocked = await onboarding_of(api, WAITS_FOR_A_PERSON)
        await status_when(api, blocked, blocked_with("reason"))
        for _ in range(3):
            await onboarding_of(api, WAITS)
        await listed_when(api, "", count=4)

        first = (await api.get("/v1/operations?blocked=true")).json()
        second = (await api.get(f"/v1/operations?blocked=true&cursor={first['nextCursor']}")).json()

    assert first["operations"] == []
    assert first["nextCursor"] is not None
    assert ids_of(second) == {blocked}


async def test_a_page_of_blocked_operations_has_no_more_than_asked_for(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        blocked = {await onboarding_of(api, WAITS_FOR_A_PERSON) for _ in range(3)}
        for workflow_id in blocked:
            await status_when(api, workflow_id, blocked_with("reason"))
        await listed_when(api, "blocked=true", count=3)

        pages = [(await api.get("/v1/operations?blocked=true&limit=2")).json()]
        while (cursor := pages[-1]["nextCursor"]) is not None:
            pages.append((await api.get(f"/v1/operations?blocked=true&limit=2&cursor={cursor}")).json())

    assert all(len(page["operations"]) <= 2 for page in pages)
    assert set[str]().union(*(ids_of(page) for page in pages)) == blocked


async def test_who_may_operate_reads_what_a_failure_said(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        retries = await onboarding_of(api, RETRIES)
        status = await status_when(api, retries, blocked_with("nextAttemptTime"))
        fails = await onboarding_of(api, "Fails")
        failed = await status_when(api, fails, lambda status: status["failure"] is not None)
        seen = (await api.get(f"/v1/operations/{retries}")).json()["blockedBy"]["lastError"]
        seen_failed = (await api.get(f"/v1/operations/{fails}")).json()["failure"]
        listed = await listed_when(api, "blocked=true", count=1)

    # The asked route is for clients, whoever calls it.
    assert "detail" not in status["blockedBy"]["lastError"]
    assert "detail" not in failed["failure"]
    assert seen["detail"] == SECRET_TEXT
    assert seen["message"] != SECRET_TEXT
    assert seen_failed["detail"] == SECRET_TEXT
    assert listed["operations"][0]["blockedBy"]["lastError"]["detail"] == SECRET_TEXT
