"""A listing is drafted once, with the same answer however often it is asked for."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError

from platform_contracts import memo
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.listing.listing_draft import (
    ListingDetails,
    ListingDraft,
    ListingDraftInput,
    ListingDraftResult,
    ListingStatus,
)
from platform_contracts.memo import Progress
from platform_contracts.money import Money
from tests.fakes.listing import ListingPorts, listing_worker
from tests.fakes.listing_database import FakeListings
from tests.support.waiting import eventually

WAIT_SECONDS = 30
EUR_12_50 = Money(minor_units=1250, currency="EUR")

Draft = WorkflowHandle[Any, ListingDraftResult]


async def _start(client: Client, task_queue: str, *, title: str = " Teapot ", price: Money = EUR_12_50) -> Draft:
    details = ListingDetails(title=title, price=price, stock=3)
    return await client.start_workflow(
        ListingDraft.run,
        ListingDraftInput(tenant="acme", listing_id="teapot", details=details),
        id=f"acme:test:{uuid4().hex[:12]}",
        task_queue=task_queue,
    )


async def _result(handle: Draft) -> ListingDraftResult:
    return await asyncio.wait_for(handle.result(), WAIT_SECONDS)


async def _failure_type(handle: Draft) -> str | None:
    with pytest.raises(WorkflowFailureError) as raised:
        await _result(handle)
    assert isinstance(raised.value.cause, ActivityError)
    assert isinstance(raised.value.cause.cause, ApplicationError)
    return raised.value.cause.cause.type


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_listing_is_saved_as_a_draft(own_client: Client, task_queue: str, max_cached_workflows: int) -> None:
    ports = ListingPorts()

    async with listing_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await _start(own_client, task_queue)
        result = await _result(handle)
        again = await _result(await _start(own_client, task_queue))

    listing = ports.listings.listings["acme", "teapot"]
    progress = await (await handle.describe()).memo_value(memo.PROGRESS, type_hint=Progress)
    assert result == again == ListingDraftResult(listing_id="teapot", status=ListingStatus.DRAFT)
    assert (listing.details.title, listing.available) == ("Teapot", 3)
    assert progress == Progress(step="drafted", cancellable=False)


async def test_listing_of_this_id_with_other_contents_fails_it(own_client: Client, task_queue: str) -> None:
    ports = ListingPorts()
    ports.listings.add("teapot")

    async with listing_worker(own_client, ports, task_queue=task_queue):
        failure_type = await _failure_type(await _start(own_client, task_queue, title="Another teapot"))

    assert failure_type == ListingFailure.LISTING_DIFFERS


async def test_listing_that_can_be_none_fails_it_at_once(own_client: Client, task_queue: str) -> None:
    price = Money(minor_units=100, currency="JPY", exponent=2)

    async with listing_worker(own_client, ListingPorts(), task_queue=task_queue):
        failure_type = await _failure_type(await _start(own_client, task_queue, price=price))

    assert failure_type == ListingFailure.INVALID_LISTING


async def test_cancel_ends_it_as_long_as_the_database_is_away(own_client: Client, task_queue: str) -> None:
    listings = FakeListings(away_for={"save_draft": 1_000_000})

    async def is_tried() -> bool:
        return listings.calls["save_draft"] > 1

    async with listing_worker(own_client, ListingPorts(listings=listings), task_queue=task_queue):
        handle = await _start(own_client, task_queue)
        await eventually(is_tried, within_seconds=WAIT_SECONDS)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await _result(handle)

    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
