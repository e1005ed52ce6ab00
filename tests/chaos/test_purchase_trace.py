"""A purchase is one trace over five processes, also when one of them is killed in the middle."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from platform_cli.jaeger_traces import Trace, read_trace
from tests.support.marketplace_by_rest import published
from tests.support.platform import Platform, new_id, running_platform
from tests.support.trace_rules import broken_rules
from tests.support.waiting import eventually

SERVICES = {"gateway", "listing", "payment", "user", "analytics"}


@pytest.fixture(scope="module")
async def market(
    tmp_path_factory: pytest.TempPathFactory, local_stack_tools: None
) -> AsyncGenerator[tuple[Platform, str]]:
    """A platform whose authorisations are slowed, with a listing for sale."""
    home = tmp_path_factory.mktemp("traced")
    async with running_platform(home, DRILL_ACTIVITY_DELAY_SECONDS="payment.authorise=3") as platform:
        yield platform, await published(platform.http, stock=5)


@pytest.mark.timeout(120)
async def test_purchase_is_one_trace_over_five_processes(market: tuple[Platform, str]) -> None:
    platform, listing_id = market
    workflow_id = await _bought(platform, listing_id)

    status = await platform.gateway.status_when_closed(workflow_id, within_seconds=60)

    trace = await _trace(platform, status["traceId"], spans_may_be_lost=False)
    assert status["status"] == "COMPLETED"
    assert trace.services == SERVICES
    assert broken_rules(trace) == []


@pytest.mark.timeout(180)
async def test_trace_stays_one_when_the_payment_worker_is_killed_in_an_authorisation(
    market: tuple[Platform, str],
) -> None:
    platform, listing_id = market
    workflow_id = await _bought(platform, listing_id)
    await eventually(lambda: _is_authorising(platform, workflow_id), within_seconds=20)

    await platform.kill("payment-1")

    status = await platform.gateway.status_when_closed(workflow_id, within_seconds=90)
    trace = await _trace(platform, status["traceId"], spans_may_be_lost=True)
    assert status["status"] == "COMPLETED"
    assert await _attempts(platform, workflow_id) > 1
    assert trace.services == SERVICES
    assert broken_rules(trace, spans_may_be_lost=True) == []


async def _bought(platform: Platform, listing_id: str) -> str:
    order: dict[str, Any] = {
        "purchaseId": new_id("p"),
        "buyerId": "ada",
        "lines": [{"listingId": listing_id, "quantity": 1}],
        "paymentToken": "tok_ok",
    }
    answer = await platform.http.post("/v1/purchases", json=order)
    return answer.json()["workflowId"]


async def _is_authorising(platform: Platform, workflow_id: str) -> bool:
    description = await platform.temporal.get_workflow_handle(workflow_id).describe()
    return any(
        pending.activity_type.name == "payment.authorise" and pending.last_started_time.seconds > 0
        for pending in description.raw_description.pending_activities
    )


async def _attempts(platform: Platform, workflow_id: str) -> int:
    history = await platform.temporal.get_workflow_handle(workflow_id).fetch_history()
    return max(event.activity_task_started_event_attributes.attempt for event in history.events)


async def _trace(platform: Platform, trace_id: str, *, spans_may_be_lost: bool) -> Trace:
    return await read_trace(
        platform.jaeger,
        trace_id,
        until=lambda trace: trace.services >= SERVICES and not broken_rules(trace, spans_may_be_lost=spans_may_be_lost),
        within_seconds=30,
    )
