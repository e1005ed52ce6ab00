"""What has ended once ends alike in a run that knows nothing of the first: Temporal does not keep runs for ever."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from listing_service.domain.listings import ListingStatus as StoredStatus
from listing_service.domain.purchases import PurchaseState
from platform_contracts.failures import TIMED_OUT
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.listing.publication import SUBMISSION_CANCELLED, PublicationOutcome, ReviewDecision
from platform_contracts.listing.purchase import PURCHASE_CANCELLED
from platform_contracts.memo import Progress
from platform_contracts.payment.charge_resolution import charge_resolution_workflow_id
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.user.partner_capabilities import PARTNER_CAPABILITIES
from platform_workflow_tools import activity_options
from tests.fakes.listing import FakePartners, ListingPorts, listing_worker
from tests.fakes.payment_contract import payment_worker
from tests.support.waiting import eventually
from tests.workflow.listing.publications import APPROVED, REJECTED, Submission
from tests.workflow.listing.purchases import WAIT_SECONDS, ordered

_SOON = timedelta(seconds=1)


async def test_purchase_that_was_sold_is_neither_charged_nor_sold_again(own_client: Client, task_queue: str) -> None:
    async with ordered(own_client, task_queue, hold=timedelta(seconds=3)) as order:
        first = await order.handle.result()
        # The hold is long over when somebody asks again.
        await asyncio.sleep(3)
        again = await order.again()

        assert await again.handle.result() == first

    assert order.stock == (2, 0, 1)
    assert order.payment.done == ["authorise", "capture"]


async def test_purchase_that_was_captured_and_not_yet_marked_is_finished(own_client: Client, task_queue: str) -> None:
    async with ordered(own_client, task_queue, token="tok_captured") as order:
        assert await order.ended() == "COMPLETED"

    (stored,) = order.ports.purchases.purchases.values()
    assert stored.state is PurchaseState.SOLD
    assert "void" not in order.payment.done


@pytest.mark.parametrize(
    ("token", "quantity", "failure"),
    [
        ("tok_declined", 1, PaymentFailure.DECLINED),
        ("tok_capture_refused", 1, PaymentFailure.CAPTURE_REFUSED),
        ("tok_ok", 4, ListingFailure.SOLD_OUT),
    ],
)
async def test_purchase_that_failed_fails_alike(
    own_client: Client, task_queue: str, token: str, quantity: int, failure: str
) -> None:
    async with ordered(own_client, task_queue, token=token, quantity=quantity) as order:
        first = await order.failure_type()
        asked = order.payment.done.count("authorise")
        again = await order.again()

        assert await again.failure_type() == first == failure

    assert order.stock == (3, 0, 0)
    assert order.payment.done.count("authorise") == asked


async def test_purchase_that_was_cancelled_stays_cancelled(own_client: Client, task_queue: str) -> None:
    async with ordered(own_client, task_queue, payment_away_for={"authorise": 3}) as order:
        await order.reaches("authorise")
        await order.handle.cancel()
        await order.ended()
        again = await order.again()

        assert await again.failure_type() == PURCHASE_CANCELLED

    assert order.stock == (3, 0, 0)


@pytest.mark.parametrize("verb", ["terminate", "cancel"])
async def test_purchase_whose_resolution_an_operator_ended_fails_alike(
    own_client: Client, task_queue: str, verb: str
) -> None:
    async with ordered(own_client, task_queue, token="tok_unknown", name="asked") as order:
        resolution = own_client.get_workflow_handle(
            charge_resolution_workflow_id(tenant="acme", operation_id=order.handle.id.rsplit(":", 1)[-1])
        )
        await eventually(lambda: _is_there(resolution), within_seconds=WAIT_SECONDS, every_seconds=0.02)
        await getattr(resolution, verb)()
        first = await order.failure_type()
        again = await order.again()

        assert await again.failure_type() == first == ListingFailure.PAYMENT_UNAVAILABLE

    assert order.stock == (3, 0, 0)
    assert order.payment.done == ["authorise", "void"]


async def _is_there(workflow: WorkflowHandle[Any, Any]) -> bool:
    try:
        await workflow.describe()
    except RPCError:
        return False
    return True


async def test_purchase_that_was_cancelled_before_a_worker_took_it_up_stays_cancelled(
    own_client: Client, task_queue: str
) -> None:
    async with ordered(own_client, task_queue, is_cancelled_first=True) as order:
        first, progress = await order.ended(), await order.progress()
        again = await order.again()

        assert await again.failure_type() == PURCHASE_CANCELLED

    assert (first, progress) == ("CANCELED", Progress(step="undoing", cancellable=False))
    assert order.stock == (3, 0, 0)
    assert order.payment.done == []


async def test_purchase_that_was_sold_stays_so_when_a_second_run_is_cancelled_before_a_worker_took_it_up(
    own_client: Client, task_queue: str
) -> None:
    async with ordered(own_client, task_queue) as order:
        first = await order.handle.result()
    second = await order.again()
    await second.handle.cancel()
    async with (
        payment_worker(own_client, order.payment),
        listing_worker(own_client, order.ports, task_queue=task_queue),
    ):
        await second.ended()
        third = await order.again()

        assert await third.handle.result() == first

    assert order.stock == (2, 0, 1)
    assert order.payment.done == ["authorise", "capture"]


async def test_purchase_whose_database_was_away_for_too_long_fails_alike_once_it_is_back(
    own_client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as impatience:
        impatience.setitem(activity_options.DATABASE_WRITE, "schedule_to_close_timeout", timedelta(seconds=2))
        async with ordered(own_client, task_queue, reserve_away_for=4) as order:
            first = await order.failure_type()
    async with listing_worker(own_client, order.ports, task_queue=task_queue):
        again = await order.again()

        assert await again.failure_type() == first

    # The server tells of the deadline or of the last attempt, whichever comes first.
    assert first in (TIMED_OUT, ConnectionError.__name__)
    assert order.stock == (3, 0, 0)
    assert "authorise" not in order.payment.done


@pytest.mark.parametrize("decision", [APPROVED, REJECTED], ids=["approved", "rejected"])
async def test_submission_that_was_decided_is_not_reviewed_again(
    own_client: Client, task_queue: str, decision: ReviewDecision
) -> None:
    ports = ListingPorts()
    ports.listings.add("teapot", status=StoredStatus.DRAFT)
    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        await submission.review(decision)
        first = await submission.result()

        await submission.start()
        again = await submission.result()

    assert again == first


async def test_submission_that_nobody_decided_stays_overdue(own_client: Client, task_queue: str) -> None:
    ports = ListingPorts(overdue_after=_SOON)
    ports.listings.add("teapot", status=StoredStatus.DRAFT)
    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        first = await submission.failure_type()

        await submission.start()
        again = await submission.failure_type()

    assert first == again == ListingFailure.REVIEW_OVERDUE


@pytest.mark.parametrize("is_checked", [True, False], ids=["in review", "before the checks"])
async def test_submission_that_was_cancelled_stays_cancelled_and_leaves_its_listing_alone(
    own_client: Client, task_queue: str, *, is_checked: bool
) -> None:
    ports = ListingPorts()
    if not is_checked:
        ports.partners = None
    teapot = ports.listings.add("teapot", status=StoredStatus.DRAFT)
    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review" if is_checked else "checking")
        await submission.handle.cancel()
        first = await submission.end()
        teapot.submission_id = "another"

        await submission.start()
        again = await submission.failure_type()

    assert first is WorkflowExecutionStatus.CANCELED
    assert again == SUBMISSION_CANCELLED
    assert (teapot.status, teapot.submission_id) == (StoredStatus.DRAFT, "another")
    assert ports.listings.calls["take_into_review"] == int(is_checked)


async def test_submission_that_was_cancelled_before_a_worker_took_it_up_stays_cancelled(
    own_client: Client, task_queue: str
) -> None:
    ports = ListingPorts()
    ports.listings.add("teapot", status=StoredStatus.DRAFT)
    submission = await Submission(own_client, task_queue, ports).start()
    await submission.handle.cancel()
    async with listing_worker(own_client, ports, task_queue=task_queue):
        first = await submission.end()

        await submission.start()
        again = await submission.failure_type()

    assert first is WorkflowExecutionStatus.CANCELED
    assert again == SUBMISSION_CANCELLED
    assert ports.listings.calls["take_into_review"] == 0


async def test_submission_that_was_cancelled_changes_nothing_of_the_next_one(
    own_client: Client, task_queue: str
) -> None:
    ports = ListingPorts()
    ports.listings.add("teapot", status=StoredStatus.DRAFT)
    async with listing_worker(own_client, ports, task_queue=task_queue):
        cancelled = await Submission(own_client, task_queue, ports).start()
        await cancelled.reaches("in_review")
        await cancelled.handle.cancel()
        await cancelled.end()
        following = await Submission(own_client, task_queue, ports).start()
        await following.reaches("in_review")

        await cancelled.start()
        again = await cancelled.failure_type()
        await following.review(APPROVED)
        result = await following.result()

    assert again == SUBMISSION_CANCELLED
    assert result.outcome is PublicationOutcome.PUBLISHED


@pytest.mark.parametrize("may_sell_first", [True, False])
async def test_what_a_partner_may_do_by_now_changes_nothing_of_what_has_ended(
    own_client: Client, task_queue: str, *, may_sell_first: bool
) -> None:
    ports, allowed, forbidden = ListingPorts(), FakePartners(), FakePartners(may_not_sell=["acme"])
    ports.listings.add("teapot", status=StoredStatus.DRAFT)
    ports.partners = allowed if may_sell_first else forbidden
    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        if may_sell_first:
            await submission.reaches("in_review")
            await submission.review(APPROVED)
        first = await submission.end()
    ports.partners = forbidden if may_sell_first else allowed
    async with listing_worker(own_client, ports, task_queue=task_queue):
        await submission.start()
        again = await submission.end()

    assert first is again
    assert first is (WorkflowExecutionStatus.COMPLETED if may_sell_first else WorkflowExecutionStatus.FAILED)


async def test_submission_of_a_listing_that_is_no_draft_fails_alike_once_it_is_one(
    own_client: Client, task_queue: str
) -> None:
    ports = ListingPorts()
    teapot = ports.listings.add("teapot", status=StoredStatus.PUBLISHED)
    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        first = await submission.failure_type()
        teapot.status = StoredStatus.DRAFT

        await submission.start()
        again = await submission.failure_type()

    assert first == again == ListingFailure.NOT_A_DRAFT


async def test_submission_that_the_user_service_did_not_answer_in_time_fails_alike_once_it_does(
    own_client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = replace(PARTNER_CAPABILITIES, schedule_to_close=_SOON)
    monkeypatch.setattr("platform_contracts.user.partner_capabilities.PARTNER_CAPABILITIES", impatient)
    ports = ListingPorts()
    ports.partners = None
    ports.listings.add("teapot", status=StoredStatus.DRAFT)
    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        first = await submission.end()
    ports.partners = FakePartners()
    async with listing_worker(own_client, ports, task_queue=task_queue):
        await submission.start()
        again = await submission.failure_type()

    assert first is WorkflowExecutionStatus.FAILED
    assert again == TIMED_OUT
    assert ports.listings.calls["take_into_review"] == 0
