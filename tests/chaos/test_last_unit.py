"""A hundred want the last one: one gets it, and only that one pays."""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment

from platform_contracts.listing.failures import ListingFailure
from tests.support.marketplace import Marketplace, marketplace

BUYERS = 100
ENDED_WITHIN_SECONDS = 100


@pytest.mark.timeout(150)
async def test_hundred_buyers_of_one_unit_make_one_sale(temporal_server: WorkflowEnvironment, tmp_path: Path) -> None:
    async with marketplace(temporal_server, tmp_path, stock=1) as market:
        purchases = await asyncio.gather(*(market.buy() for _ in range(BUYERS)))

        outcomes = await asyncio.gather(*(_outcome(market, purchase_id) for purchase_id in purchases))
        book = (await market.acquirer.get("/v1/book")).json()["operations"]
        differences = await market.differences(within_seconds=ENDED_WITHIN_SECONDS)

    assert sorted(outcomes) == sorted(["captured", *[ListingFailure.SOLD_OUT] * (BUYERS - 1)])
    # Nobody else was even asked for money.
    assert [operation["status"] for operation in book if operation["status"] != "voided"] == ["captured"]
    assert differences == []


async def _outcome(market: Marketplace, purchase_id: str) -> str:
    try:
        result = await asyncio.wait_for(market.purchases[purchase_id].result(), ENDED_WITHIN_SECONDS)
    except WorkflowFailureError as error:
        cause = error.cause
        while isinstance(cause, ActivityError):
            cause = cause.cause
        return cause.type or "" if isinstance(cause, ApplicationError) else repr(cause)
    return str(result.status)
