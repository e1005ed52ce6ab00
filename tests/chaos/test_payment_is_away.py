"""Payment is down: everything else works, a purchase says what it waits for, and ends true either way."""

from collections.abc import AsyncGenerator
from http import HTTPStatus

import pytest

from tests.support.marketplace_by_rest import published
from tests.support.platform import Platform, new_id, running_platform

# Three times the promised 15 s.
SAID_WITHIN_SECONDS = 45


@pytest.fixture
async def without_payment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, local_stack_tools: None
) -> AsyncGenerator[tuple[Platform, str]]:
    """A platform with a listing for sale, whose payment workers are stopped."""
    home = tmp_path_factory.mktemp("away")
    async with running_platform(home, LISTING_HOLD_SECONDS=str(getattr(request, "param", 900))) as platform:
        listing_id = await published(platform.http, stock=5)
        await platform.partner("scale", "payment=0")
        yield platform, listing_id


@pytest.mark.timeout(240)
async def test_purchase_waits_for_payment_and_finishes_when_it_is_back(
    without_payment: tuple[Platform, str],
) -> None:
    platform, listing_id = without_payment
    user = new_id("u")

    accepted, workflow_id = await _buy(platform, listing_id)
    onboarded = await platform.gateway.onboard(user_id=user, email=f"{user}@example.com", name="Ada")
    notified = await platform.gateway.notify({"userId": user, "message": "Hello", "type": "info"})
    told = await platform.gateway.status_when_closed(notified.json()["workflowId"])
    waiting = await platform.gateway.status_when(
        workflow_id, lambda status: bool(status["blockedBy"]), within_seconds=SAID_WITHIN_SECONDS
    )
    await platform.partner("scale", "payment=1")
    status = await platform.gateway.status_when_closed(workflow_id, within_seconds=60)

    assert accepted == HTTPStatus.ACCEPTED
    assert onboarded.status_code == HTTPStatus.OK
    assert told["status"] == "COMPLETED"
    assert (waiting["blockedBy"]["reason"], waiting["blockedBy"]["queue"]) == ("waiting_for_worker", "payment")
    assert status["status"] == "COMPLETED"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("without_payment", [5], indirect=True)
async def test_purchase_past_its_hold_fails_and_gives_the_stock_back(without_payment: tuple[Platform, str]) -> None:
    platform, listing_id = without_payment

    _, workflow_id = await _buy(platform, listing_id)
    status = await platform.gateway.status_when_closed(workflow_id, within_seconds=90)

    listing = (await platform.http.get(f"/v1/listings/{listing_id}")).json()
    assert status["status"] == "FAILED"
    assert status["failure"]["type"] == "listing.PaymentUnavailable"
    assert listing["stock"] == {"available": 5, "held": 0, "sold": 0}


async def _buy(platform: Platform, listing_id: str) -> tuple[int, str]:
    purchase_id = new_id("p")
    answer = await platform.http.post(
        "/v1/purchases",
        json={
            "purchaseId": purchase_id,
            "buyerId": "ada",
            "lines": [{"listingId": listing_id, "quantity": 1}],
            "paymentToken": "tok_ok",
        },
    )
    return answer.status_code, f"demo:listing:purchase:{purchase_id}"
