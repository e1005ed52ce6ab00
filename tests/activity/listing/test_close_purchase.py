"""A purchase that nobody works on any more gives its stock back, and no other does."""

import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from listing_service.activities.purchases import MovePurchase, ReserveStock
from platform_contracts.listing.close_purchase import ClosePurchaseRequest, ClosePurchaseResult, PurchaseEnd
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.listing.purchase import PurchaseLine, purchase_workflow_id
from tests.fakes.listing import ListingPorts

THIS = MovePurchase(tenant="buyers", purchase_id="p-1")
WORKFLOW_ID = purchase_workflow_id(tenant="buyers", purchase_id="p-1")


@pytest.fixture
async def ports() -> ListingPorts:
    """Return a listing of three teapots, one of them reserved and confirmed."""
    ports = ListingPorts()
    ports.listings.add("teapot")
    line = PurchaseLine(seller="acme", listing_id="teapot", quantity=1)
    request = ReserveStock(tenant="buyers", purchase_id="p-1", buyer_id="b-1", lines=(line,))
    await ActivityEnvironment().run(ports.purchase_activities().reserve, request)
    await ActivityEnvironment().run(ports.purchase_activities().confirm, THIS)
    return ports


def _stock(ports: ListingPorts) -> tuple[int, int, int]:
    listing = ports.listings.listings["acme", "teapot"]
    return listing.available, listing.held, listing.sold


async def _close(ports: ListingPorts, client: Client, purchase_id: str = "p-1") -> PurchaseEnd:
    environment = ActivityEnvironment(client=client)
    request = ClosePurchaseRequest(tenant="buyers", purchase_id=purchase_id)
    result = await environment.run(ports.purchase_activities().close_purchase, request)
    assert isinstance(result, ClosePurchaseResult)
    return result.end


async def test_purchase_whose_workflow_runs_is_left_alone(ports: ListingPorts, client: Client, task_queue: str) -> None:
    await client.start_workflow("listing.Purchase", id=WORKFLOW_ID, task_queue=task_queue)

    end = await _close(ports, client)

    assert end is PurchaseEnd.OPEN
    assert _stock(ports) == (2, 1, 0)
    await client.get_workflow_handle(WORKFLOW_ID).terminate()


async def test_terminated_purchase_gives_its_stock_back_once(
    ports: ListingPorts, client: Client, task_queue: str
) -> None:
    handle = await client.start_workflow("listing.Purchase", id=WORKFLOW_ID, task_queue=task_queue)
    await handle.terminate()

    ends = [await _close(ports, client), await _close(ports, client)]

    assert ends == [PurchaseEnd.RELEASED] * 2
    assert _stock(ports) == (3, 0, 0)
    assert ports.purchases.purchases["buyers", "p-1"].failure == ListingFailure.PURCHASE_ABANDONED


async def test_purchase_that_temporal_has_forgotten_is_closed(ports: ListingPorts, client: Client) -> None:
    end = await _close(ports, client, purchase_id="p-forgotten")

    assert end is PurchaseEnd.RELEASED
    assert _stock(ports) == (2, 1, 0)


async def test_sold_purchase_stays_sold(ports: ListingPorts, client: Client) -> None:
    await ActivityEnvironment().run(ports.purchase_activities().sell, THIS)

    end = await _close(ports, client)

    assert end is PurchaseEnd.SOLD
    assert _stock(ports) == (2, 0, 1)
