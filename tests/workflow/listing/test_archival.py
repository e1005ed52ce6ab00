"""A listing is taken off the market, whatever its status."""

import asyncio
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

from listing_service.domain.listings import ListingStatus as StoredStatus
from platform_contracts.listing.archival import Archival, ArchivalInput, ArchivalResult
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.listing.listing_draft import ListingStatus
from tests.fakes.listing import ListingPorts, listing_worker

WAIT_SECONDS = 30


async def _archived(client: Client, task_queue: str, listing_id: str) -> ArchivalResult:
    handle = await client.start_workflow(
        Archival.run,
        ArchivalInput(tenant="acme", listing_id=listing_id),
        id=f"acme:test:{uuid4().hex[:12]}",
        task_queue=task_queue,
    )
    return await asyncio.wait_for(handle.result(), WAIT_SECONDS)


@pytest.mark.parametrize("status", StoredStatus)
async def test_listing_of_any_status_is_archived(own_client: Client, task_queue: str, status: StoredStatus) -> None:
    ports = ListingPorts()
    listing = ports.listings.add("teapot", status=status)

    async with listing_worker(own_client, ports, task_queue=task_queue):
        result = await _archived(own_client, task_queue, "teapot")

    assert result == ArchivalResult(listing_id="teapot", status=ListingStatus.ARCHIVED)
    assert listing.status is StoredStatus.ARCHIVED


async def test_unknown_listing_fails_it(own_client: Client, task_queue: str) -> None:
    async with listing_worker(own_client, ListingPorts(), task_queue=task_queue):
        with pytest.raises(WorkflowFailureError) as raised:
            await _archived(own_client, task_queue, "teapot")

    assert isinstance(raised.value.cause, ActivityError)
    assert isinstance(raised.value.cause.cause, ApplicationError)
    assert raised.value.cause.cause.type == ListingFailure.UNKNOWN_LISTING
