"""What the workflows of the listing service did, on every branch; the code of today has to be able to go on there."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from listing_service.domain.listings import ListingDetails as StoredDetails
from listing_service.domain.listings import ListingStatus as StoredStatus
from listing_service.workflows.archival import ArchivalWorkflow
from listing_service.workflows.listing_draft import ListingDraftWorkflow
from listing_service.workflows.publication import PublicationWorkflow
from listing_service.workflows.purchase import PurchaseWorkflow
from platform_contracts.listing.archival import Archival, ArchivalInput
from platform_contracts.listing.listing_draft import ListingDetails, ListingDraft, ListingDraftInput
from platform_contracts.listing.purchase import Purchase
from platform_contracts.money import Money
from tests.fakes.listing import FakePartners, ListingPorts, listing_worker
from tests.fakes.listing_database import TEAPOT, FakeListings
from tests.support.histories import Scenario, record, recorded_histories, replay
from tests.support.namespaces import new_namespace
from tests.workflow.listing.publications import APPROVED, REJECTED, Submission
from tests.workflow.listing.purchases import ordered

DOMAIN = "listing"
WORKFLOWS = [ListingDraftWorkflow, PublicationWorkflow, ArchivalWorkflow, PurchaseWorkflow]
DAY = timedelta(days=1)

Handle = WorkflowHandle[Any, Any]


async def _closed(handle: Handle) -> Handle:
    try:
        await handle.result()
    except WorkflowFailureError:
        return handle
    return handle


@asynccontextmanager
async def _submitted(
    client: Client,
    task_queue: str,
    *,
    away_for: dict[str, int] | None = None,
    details: StoredDetails = TEAPOT,
    status: StoredStatus = StoredStatus.DRAFT,
    remind_after: timedelta = DAY,
    overdue_after: timedelta = 7 * DAY,
    is_analytics_away: bool = False,
    may_not_sell: bool = False,
    is_user_away: bool = False,
) -> AsyncGenerator[Submission]:
    """Yield a submission of a teapot; it is closed at the end."""
    ports = ListingPorts(
        listings=FakeListings(away_for=away_for), remind_after=remind_after, overdue_after=overdue_after
    )
    ports.listings.add("teapot", details=details, status=status)
    if is_analytics_away:
        ports.analytics = None
    if may_not_sell:
        ports.partners = FakePartners(may_not_sell=["acme"])
    if is_user_away:
        ports.partners = None
    async with listing_worker(client, ports, task_queue=task_queue):
        submission = await Submission(client, task_queue, ports).start()
        yield submission
        await _closed(submission.handle)


def _drafted(*, title: str = "Teapot") -> Scenario:
    """Return a scenario that drafts a listing."""

    async def scenario(client: Client, task_queue: str) -> Handle:
        async with listing_worker(client, ListingPorts(), task_queue=task_queue):
            details = ListingDetails(title=title, price=Money(minor_units=1250, currency="EUR"), stock=3)
            return await _closed(
                await client.start_workflow(
                    ListingDraft.run,
                    ListingDraftInput(tenant="acme", listing_id="teapot", details=details),
                    id=f"acme:listing:listing-draft:{uuid4().hex[:12]}",
                    task_queue=task_queue,
                )
            )

    return scenario


def _archived(listing_id: str) -> Scenario:
    """Return a scenario that archives a listing; there is a teapot."""

    async def scenario(client: Client, task_queue: str) -> Handle:
        ports = ListingPorts()
        ports.listings.add("teapot")
        async with listing_worker(client, ports, task_queue=task_queue):
            return await _closed(
                await client.start_workflow(
                    Archival.run,
                    ArchivalInput(tenant="acme", listing_id=listing_id),
                    id=f"acme:listing:archival:{uuid4().hex[:12]}",
                    task_queue=task_queue,
                )
            )

    return scenario


def _reviewed(decision: Any, **submitted: Any) -> Scenario:
    """Return a scenario in which somebody decides."""

    async def scenario(client: Client, task_queue: str) -> Handle:
        async with _submitted(client, task_queue, **submitted) as submission:
            await submission.reaches("in_review")
            await submission.review(decision)
        return submission.handle

    return scenario


def _undecided(**submitted: Any) -> Scenario:
    """Return a scenario that comes to its end by itself."""

    async def scenario(client: Client, task_queue: str) -> Handle:
        async with _submitted(client, task_queue, **submitted) as submission:
            pass
        return submission.handle

    return scenario


async def _reminded(client: Client, task_queue: str) -> Handle:
    async with _submitted(client, task_queue, remind_after=timedelta(milliseconds=100)) as submission:
        await submission.reaches("in_review")
        await asyncio.sleep(2)
        await submission.review(APPROVED)
    return submission.handle


async def _archived_meanwhile(client: Client, task_queue: str) -> Handle:
    async with _submitted(client, task_queue) as submission:
        await submission.reaches("in_review")
        submission.ports.listings.listings["acme", "teapot"].status = StoredStatus.ARCHIVED
        await submission.review(APPROVED)
    return submission.handle


async def _decided_twice(client: Client, task_queue: str) -> Handle:
    async with _submitted(client, task_queue, away_for={"publish": 3}) as submission:
        await submission.reaches("in_review")
        first = asyncio.create_task(submission.review(APPROVED))
        await submission.tries("publish")
        await submission.refusal(REJECTED)
        await submission.review(APPROVED)
        await first
    return submission.handle


def _cancelled(when: Callable[[Submission], Any], **submitted: Any) -> Scenario:
    """Return a scenario that is cancelled at some moment."""

    async def scenario(client: Client, task_queue: str) -> Handle:
        async with _submitted(client, task_queue, **submitted) as submission:
            await when(submission)
            await submission.handle.cancel()
        return submission.handle

    return scenario


async def _cancelled_too_late(client: Client, task_queue: str) -> Handle:
    async with _submitted(client, task_queue, away_for={"publish": 3}) as submission:
        await submission.reaches("in_review")
        answer = asyncio.create_task(submission.review(APPROVED))
        await submission.tries("publish")
        await submission.handle.cancel()
        await answer
    return submission.handle


async def _cancelled_twice(client: Client, task_queue: str) -> Handle:
    async with _submitted(client, task_queue, away_for={"return_to_draft": 3}) as submission:
        await submission.reaches("in_review")
        await submission.handle.cancel()
        await submission.tries("return_to_draft")
        await submission.handle.cancel()
    return submission.handle


async def _cancelled_before_the_checks(client: Client, task_queue: str) -> Handle:
    async with _submitted(client, task_queue, is_user_away=True) as submission:
        await submission.reaches("checking")
        await submission.handle.cancel()
    return submission.handle


async def _cancelled_before_a_worker_took_it_up(client: Client, task_queue: str) -> Handle:
    ports = ListingPorts()
    ports.listings.add("teapot", status=StoredStatus.DRAFT)
    submission = await Submission(client, task_queue, ports).start()
    await submission.handle.cancel()
    async with listing_worker(client, ports, task_queue=task_queue):
        return await _closed(submission.handle)


async def _cancelled_and_submitted_again(client: Client, task_queue: str) -> Handle:
    async with _submitted(client, task_queue) as submission:
        await submission.reaches("in_review")
        await submission.handle.cancel()
        await _closed(submission.handle)
        await submission.start()
    return submission.handle


_XL = StoredDetails(title="XL", description="", price=TEAPOT.price, stock=3)
_SOON = timedelta(milliseconds=100)


async def _submitted_again(client: Client, task_queue: str) -> Handle:
    async with _submitted(client, task_queue) as submission:
        await submission.reaches("in_review")
        await submission.review(APPROVED)
        await _closed(submission.handle)
        await submission.start()
    return submission.handle


LISTING_SCENARIOS: dict[str, Scenario] = {
    "listing_draft-drafted": _drafted(),
    "listing_draft-refused_as_invalid": _drafted(title=" "),
    "archival-archived": _archived("teapot"),
    "archival-refused_as_unknown": _archived("cup"),
    "publication-approved": _reviewed(APPROVED),
    "publication-approved_while_analytics_is_away": _reviewed(APPROVED, is_analytics_away=True),
    "publication-rejected_by_the_reviewer": _reviewed(REJECTED),
    "publication-rejected_by_the_checks": _undecided(details=_XL),
    "publication-refused_because_the_partner_may_not_sell": _undecided(may_not_sell=True),
    "publication-refused_as_no_draft": _undecided(status=StoredStatus.PUBLISHED),
    "publication-reminded": _reminded,
    "publication-overdue": _undecided(remind_after=_SOON, overdue_after=2 * _SOON),
    "publication-overdue_without_a_reminder": _undecided(overdue_after=_SOON),
    "publication-archived_meanwhile": _archived_meanwhile,
    "publication-decided_twice": _decided_twice,
    "publication-submitted_again": _submitted_again,
    "publication-cancelled": _cancelled(lambda submission: submission.reaches("in_review")),
    "publication-cancelled_during_the_checks": _cancelled(
        lambda submission: submission.tries("take_into_review"), away_for={"take_into_review": 3}
    ),
    "publication-cancelled_too_late": _cancelled_too_late,
    "publication-cancelled_twice": _cancelled_twice,
    # Since the kept end comes first.
    "publication-approved_with_the_kept_end_first": _reviewed(APPROVED),
    "publication-rejected_by_the_checks_with_the_kept_end_first": _undecided(details=_XL),
    "publication-given_back_because_the_partner_may_not_sell": _undecided(may_not_sell=True),
    "publication-submitted_again_with_the_kept_end_first": _submitted_again,
    "publication-cancelled_with_the_kept_end_first": _cancelled(lambda submission: submission.reaches("in_review")),
    "publication-cancelled_before_the_checks": _cancelled_before_the_checks,
    "publication-cancelled_before_a_worker_took_it_up": _cancelled_before_a_worker_took_it_up,
    "publication-cancelled_and_submitted_again": _cancelled_and_submitted_again,
}


def _ordered(**order: Any) -> Scenario:
    """Return a scenario of a purchase that comes to its end by itself."""

    async def scenario(client: Client, task_queue: str) -> Handle:
        async with ordered(client, task_queue, **order) as placed:
            await placed.ended()
        return placed.handle

    return scenario


def _regretted(verb: str, **order: Any) -> Scenario:
    """Return a scenario of a purchase that is cancelled while payment does something."""

    async def scenario(client: Client, task_queue: str) -> Handle:
        async with ordered(client, task_queue, payment_away_for={verb: 3}, **order) as placed:
            await placed.reaches(verb)
            await placed.handle.cancel()
            await placed.ended()
        return placed.handle

    return scenario


async def _asked_for_outcome(client: Client, task_queue: str) -> Handle:
    async with ordered(client, task_queue, payment_away_for={"authorise": 2}) as placed:
        await placed.handle.execute_update(Purchase.outcome)  # pyright: ignore[reportUnknownMemberType]
        await placed.ended()
    return placed.handle


def _asked_for_again(**order: Any) -> Scenario:
    """Return a scenario of a purchase that has come to its end before."""

    async def scenario(client: Client, task_queue: str) -> Handle:
        async with ordered(client, task_queue, **order) as placed:
            await placed.ended()
            again = await placed.again()
            await again.ended()
        return again.handle

    return scenario


PURCHASE_SCENARIOS: dict[str, Scenario] = {
    "purchase-captured": _ordered(),
    "purchase-captured_and_asked_for": _asked_for_outcome,
    "purchase-captured_while_analytics_is_away": _ordered(is_analytics_away=True),
    "purchase-captured_after_the_acquirer_was_asked": _ordered(token="tok_unknown"),
    "purchase-captured_at_last": _ordered(payment_away_for={"capture": 3}),
    "purchase-sold_out": _ordered(quantity=4),
    "purchase-asked_for_again_when_it_was_sold": _asked_for_again(),
    "purchase-asked_for_again_when_it_was_declined": _asked_for_again(token="tok_declined"),
    "purchase-declined": _ordered(token="tok_declined"),
    "purchase-never_known": _ordered(token="tok_unknown", name="lost"),
    "purchase-capture_refused": _ordered(token="tok_capture_refused"),
    "purchase-payment_unavailable": _ordered(is_payment_away=True, hold=timedelta(seconds=2)),
    "purchase-cancelled": _regretted("authorise"),
    "purchase-cancelled_too_late": _regretted("capture"),
    "purchase-cancelled_in_compensation": _regretted("void", token="tok_capture_refused"),
    "purchase-cancelled_before_a_worker_took_it_up": _ordered(is_cancelled_first=True),
    # Since that is kept.
    "purchase-cancelled_for_good_before_a_worker_took_it_up": _ordered(is_cancelled_first=True),
}

SCENARIOS = LISTING_SCENARIOS | PURCHASE_SCENARIOS


# Recording runs every scenario on a real server; the waits of some branches take seconds each.
@pytest.mark.timeout(300)
async def test_every_scenario_has_a_history(
    temporal_server: WorkflowEnvironment, *, regenerate: bool, traced: None
) -> None:
    if regenerate:
        # The stand-ins for user and analytics poll queues of one name, so they do that in a namespace of their own.
        await record(await new_namespace(temporal_server), domain=DOMAIN, scenarios=SCENARIOS)

    found = {path.stem for path in recorded_histories(DOMAIN)}

    assert found == set(SCENARIOS), "record the histories with `python3 noxfile.py regenerate`"


@pytest.mark.parametrize("name", SCENARIOS)
async def test_code_of_today_can_go_on_from_the_recorded_run(name: str, traced: None) -> None:
    outcome = await replay(DOMAIN, name, workflows=WORKFLOWS)

    assert outcome is None, outcome
