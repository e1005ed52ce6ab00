"""A user joins: the account, the welcome, the count, and one trace over three processes."""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus

import httpx
import pytest

from platform_cli.jaeger_traces import Trace, read_trace
from tests.support.platform import Platform, new_id, onboarding_body, result_of
from tests.support.trace_rules import broken_rules
from tests.support.waiting import eventually

SERVICES = {"gateway", "user", "analytics"}


async def test_onboarding_answers_with_the_active_account(platform: Platform) -> None:
    user_id = new_id("u")

    answer = await platform.gateway.onboard(**_details(user_id))

    body = answer.json()
    assert answer.status_code == HTTPStatus.OK
    assert body["workflowId"] == f"demo:user:user-onboarding:{user_id}"
    assert result_of(body)["accountStatus"] == "active"


async def test_welcome_arrives_in_the_inbox_and_by_mail(platform: Platform) -> None:
    user_id = new_id("u")

    await platform.gateway.onboard(**_details(user_id))

    (mail,) = await platform.mail.mails_to(f"{user_id}@example.com", at_least=1, within_seconds=20)
    (message,) = await platform.gateway.inbox(user_id)
    assert message["type"] == "welcome"
    assert message["subject"] == mail["Subject"]


async def test_onboarding_is_one_trace_over_gateway_user_and_analytics(platform: Platform) -> None:
    answer = await platform.gateway.onboard(**_details(new_id("u")))
    status = await platform.gateway.status(answer.json()["workflowId"])

    trace = await _complete_trace(platform, status["traceId"])

    assert trace.services == SERVICES
    assert broken_rules(trace) == []


async def test_trace_id_of_the_answer_is_that_of_the_caller(platform: Platform) -> None:
    caller = f"{new_id('')[1:]:0>32}".replace("-", "0")
    headers = {"traceparent": f"00-{caller}-00f067aa0ba902b7-01"}

    answer = await platform.http.post(
        "/api/temporal/onboarding/execute", json=onboarding_body(new_id("u")), headers=headers
    )

    status = await platform.gateway.status(answer.json()["workflowId"])
    assert status["traceId"] == caller


async def test_same_request_again_gets_the_first_result(platform: Platform) -> None:
    user_id = new_id("u")
    first = await platform.gateway.onboard(**_details(user_id))

    again = await platform.gateway.onboard(**_details(user_id))

    assert again.status_code == HTTPStatus.OK
    assert again.json()["runId"] == first.json()["runId"]
    assert again.json()["result"] == first.json()["result"]


async def test_other_details_for_an_onboarded_user_are_refused(platform: Platform) -> None:
    user_id = new_id("u")
    await platform.gateway.onboard(**_details(user_id))

    other = await platform.gateway.onboard(user_id=user_id, email=f"new-{user_id}@example.com", name="Ada")

    assert other.status_code == HTTPStatus.CONFLICT
    assert other.headers["content-type"] == "application/problem+json"


async def test_twenty_requests_for_one_user_onboard_once(platform: Platform) -> None:
    user_id = new_id("u")

    answers = await asyncio.gather(*(platform.gateway.onboard(**_details(user_id)) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {HTTPStatus.OK}
    assert len({answer.json()["runId"] for answer in answers}) == 1
    mails = await platform.mail.mails_to(f"{user_id}@example.com", at_least=1, within_seconds=20)
    assert len(mails) == 1


async def test_onboarded_users_are_counted_after_a_rollup(platform: Platform) -> None:
    since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0).isoformat()
    await platform.gateway.onboard(**_details(new_id("u")))
    schedule = platform.temporal.get_schedule_handle("platform:analytics:rollup:hour")

    async def counted() -> bool:
        await schedule.trigger()
        await asyncio.sleep(0.5)
        return await platform.gateway.counts("user.onboarded", since=since) > 0

    assert await eventually(counted, within_seconds=30)


async def test_notification_reaches_an_unknown_user_in_the_app_only(platform: Platform) -> None:
    user_id = new_id("nobody")

    answer = await platform.gateway.notify({"userId": user_id, "message": "Hello", "type": "info"})

    status = await platform.gateway.status_when_closed(answer.json()["workflowId"])
    deliveries = {each["channel"]: each for each in result_of(status)["deliveries"]}
    assert answer.status_code == HTTPStatus.ACCEPTED
    assert status["status"] == "COMPLETED"
    assert deliveries["in_app"]["status"] == "sent"
    assert (deliveries["email"]["status"], deliveries["email"]["reason"]) == ("skipped", "no_address")
    assert [message["body"] for message in await platform.gateway.inbox(user_id)] != []


async def test_notification_of_an_unknown_type_fails_with_its_name(platform: Platform) -> None:
    answer = await platform.gateway.notify({"userId": new_id("u"), "message": "Hello", "type": "sms"})

    status = await platform.gateway.status_when_closed(answer.json()["workflowId"])

    assert status["status"] == "FAILED"
    assert status["failure"]["type"] == "user.UnknownNotificationType"


async def test_cancelled_onboarding_can_be_run_again(platform: Platform) -> None:
    user_id = new_id("u")
    await platform.partner("scale", "user=0")
    try:
        started = await platform.http.post(f"/v1/users/{user_id}/onboarding", json=_without_user(user_id))
        cancelled = await platform.gateway.cancel(f"demo:user:user-onboarding:{user_id}")
    finally:
        await platform.partner("scale", "user=1")
    status = await platform.gateway.status_when_closed(f"demo:user:user-onboarding:{user_id}")

    again = await platform.gateway.onboard(**_details(user_id))

    assert (started.status_code, cancelled.status_code) == (HTTPStatus.ACCEPTED, HTTPStatus.ACCEPTED)
    assert status["status"] == "CANCELED"
    assert result_of(again.json())["accountStatus"] == "active"


async def test_demo_works_twice_on_the_same_data(platform: Platform) -> None:
    first = await platform.partner("demo")

    second = await platform.partner("demo")

    for printed in (first, second):
        assert "Everything was as expected." in printed
        assert "RunWorkflow:user.UserOnboarding" in printed
    assert platform.stack.is_running


@pytest.mark.parametrize("route", ["/livez", "/readyz", "/openapi.json"])
async def test_gateway_tells_how_it_is(platform: Platform, route: str) -> None:
    answer = await platform.http.get(route)

    assert answer.status_code == HTTPStatus.OK


@pytest.mark.parametrize("process", ["user-1", "analytics-1", "gateway"])
async def test_every_process_shows_its_metrics(platform: Platform, process: str) -> None:
    variable = {"user-1": "USER_INTERNAL_PORT", "analytics-1": "ANALYTICS_INTERNAL_PORT"}.get(
        process, "GATEWAY_INTERNAL_PORT"
    )
    port = platform.environment[variable]
    await platform.gateway.onboard(**_details(new_id("u")))

    async def shown() -> bool:
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        return "temporal_request_total" in text

    assert await eventually(shown, within_seconds=10)


async def _complete_trace(platform: Platform, trace_id: str) -> Trace:
    return await read_trace(
        platform.jaeger,
        trace_id,
        until=lambda trace: trace.services >= SERVICES and not broken_rules(trace),
        within_seconds=20,
    )


def _details(user_id: str) -> dict[str, str]:
    body = onboarding_body(user_id)
    return {"user_id": user_id, "email": body["email"], "name": body["name"]}


def _without_user(user_id: str) -> dict[str, str]:
    return {name: value for name, value in onboarding_body(user_id).items() if name != "userId"}
