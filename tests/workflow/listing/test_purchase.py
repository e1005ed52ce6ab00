"""A purchase sells, or leaves nothing behind; whoever waits for the outcome has it at once."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from listing_service.domain.listings import ListingStatus
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.listing.purchase import PURCHASE_CANCELLED, Purchase, PurchaseStatus, PurchaseStep
from platform_contracts.memo import Compensation
from platform_contracts.money import Money
from platform_contracts.payment.failures import PaymentFailure
from tests.support.namespaces import new_namespace
from tests.workflow.listing.purchases import WAIT_SECONDS, Order, ordered, type_of

UNTOUCHED = (3, 0, 0)


@pytest.fixture
async def own_client(temporal_server: WorkflowEnvironment) -> Client:
    return await new_namespace(temporal_server)


@pytest.mark.parametrize("cached_workflows", [1000, 0])
async def test_purchase_is_reserved_authorised_confirmed_captured_and_sold(
    own_client: Client, task_queue: str, cached_workflows: int
) -> None:
    async with ordered(own_client, task_queue, quantity=2, cached_workflows=cached_workflows) as order:
        result = await asyncio.wait_for(order.handle.result(), WAIT_SECONDS)

    assert result.status is PurchaseStatus.CAPTURED
    assert result.total == Money(minor_units=2500, currency="EUR")
    assert order.stock == (1, 0, 2)
    assert order.payment.done == ["authorise", "capture"]


async def test_price_comes_from_the_listing(own_client: Client, task_queue: str) -> None:
    async with ordered(own_client, task_queue) as order:
        await order.ended()

    (request,) = order.payment.authorised
    assert request.amount == Money(minor_units=1250, currency="EUR")
    assert [(share.seller, share.amount.minor_units) for share in request.shares] == [("acme", 1250)]


async def test_declined_card_gives_the_stock_back(own_client: Client, task_queue: str) -> None:
    async with ordered(own_client, task_queue, token="tok_declined") as order:
        assert await order.failure_type() == PaymentFailure.DECLINED

    assert order.stock == UNTOUCHED
    assert (await order.progress()).compensation is Compensation.DONE


async def test_refused_capture_is_undone_though_it_is_past_the_pivot(own_client: Client, task_queue: str) -> None:
    async with ordered(own_client, task_queue, token="tok_capture_refused") as order:
        assert await order.failure_type() == PaymentFailure.CAPTURE_REFUSED

    assert order.stock == UNTOUCHED
    assert order.payment.done == ["authorise", "capture", "void"]


@pytest.mark.parametrize(
    ("quantity", "status", "failure"),
    [
        (4, ListingStatus.PUBLISHED, ListingFailure.SOLD_OUT),
        (1, ListingStatus.DRAFT, ListingFailure.NOT_FOR_SALE),
    ],
)
async def test_what_cannot_be_reserved_is_never_paid(
    own_client: Client, task_queue: str, quantity: int, status: ListingStatus, failure: ListingFailure
) -> None:
    async with ordered(own_client, task_queue, quantity=quantity, status=status) as order:
        assert await order.failure_type() == failure

    assert order.stock == UNTOUCHED
    assert order.payment.done == []


async def test_unknown_outcome_is_asked_about(own_client: Client, task_queue: str) -> None:
    async with ordered(own_client, task_queue, token="tok_unknown") as order:
        assert await order.ended() == "COMPLETED"


async def test_outcome_that_stays_unknown_fails_and_is_voided(own_client: Client, task_queue: str) -> None:
    async with ordered(own_client, task_queue, token="tok_unknown", name="lost") as order:
        assert await order.failure_type() == ListingFailure.PAYMENT_UNAVAILABLE

    assert order.payment.done[-1] == "void"
    assert order.stock == UNTOUCHED


async def test_payment_that_is_away_past_the_hold_fails_and_leaves_the_void_to_payment(
    own_client: Client, task_queue: str
) -> None:
    async with ordered(own_client, task_queue, is_payment_away=True, hold=timedelta(seconds=2)) as order:
        assert await order.failure_type() == ListingFailure.PAYMENT_UNAVAILABLE

    assert order.stock == UNTOUCHED
    promised = order.handle.id.replace("listing:purchase", "payment:charge-void")
    assert (await own_client.get_workflow_handle(promised).describe()).status is not None


async def test_capture_is_tried_until_it_is_known(own_client: Client, task_queue: str) -> None:
    async with ordered(own_client, task_queue, payment_away_for={"capture": 3}) as order:
        assert await order.ended() == "COMPLETED"

    assert order.payment.done.count("capture") == 4


class TestOutcome:
    async def test_is_told_at_captured_though_analytics_is_away(self, own_client: Client, task_queue: str) -> None:
        async with ordered(own_client, task_queue, is_analytics_away=True) as order:
            result = await _outcome(order)
            assert (await order.progress()).step == PurchaseStep.CAPTURED
            assert await order.ended() == "COMPLETED"

        assert result == "captured"

    async def test_is_the_failure_once_everything_is_undone(self, own_client: Client, task_queue: str) -> None:
        async with ordered(own_client, task_queue, token="tok_declined", payment_away_for={"void": 2}) as order:
            assert await _outcome(order) == PaymentFailure.DECLINED
            assert order.stock == UNTOUCHED

    async def test_is_the_cancel(self, own_client: Client, task_queue: str) -> None:
        async with ordered(own_client, task_queue, payment_away_for={"authorise": 4}) as order:
            asked = asyncio.create_task(_outcome(order))
            await order.reaches("authorise")
            await asyncio.sleep(0.3)
            await order.handle.cancel()

            assert await asked == PURCHASE_CANCELLED
            assert await order.ended() == "CANCELED"

        assert order.stock == UNTOUCHED


async def _outcome(order: Order) -> str | None:
    try:
        result = await asyncio.wait_for(order.handle.execute_update(Purchase.outcome), WAIT_SECONDS)  # pyright: ignore[reportUnknownMemberType]
    except WorkflowUpdateFailedError as error:
        return type_of(error.cause)
    return str(result.status)
