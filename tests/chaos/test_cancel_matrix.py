"""A purchase is cancelled at every step: it ends true, and every book tells the same.

The other places where it waits have `test_cancel_matrix_of_waits`, and the check that none is missing.
"""

import asyncio
import random
from collections.abc import AsyncGenerator

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.gates import Moment
from tests.support.marketplace import Marketplace, marketplace, workflow_id_of

REACHED_WITHIN_SECONDS = 20

BEFORE_THE_PIVOT = ("listing.reserve", "payment.authorise")
PAST_THE_PIVOT = ("listing.confirm", "payment.capture", "listing.sell", "analytics.record_events")
COMPENSATIONS = (
    ("payment.void", "tok_declined"),
    ("listing.release", "tok_declined"),
    ("payment.void", "tok_capture_refused"),
    ("listing.unconfirm", "tok_capture_refused"),
    ("listing.release", "tok_capture_refused"),
)
RANDOM_MOMENTS = 20
MOMENTS = (Moment.BEFORE, Moment.DURING, Moment.AFTER)
LONGEST_PURCHASE_SECONDS = 0.5


@pytest.fixture(scope="module")
async def market(
    temporal_server: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Marketplace]:
    async with marketplace(temporal_server, tmp_path_factory.mktemp("market")) as running:
        yield running


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", [*BEFORE_THE_PIVOT, *PAST_THE_PIVOT])
async def test_cancel_at_a_step(market: Marketplace, step: str, moment: Moment) -> None:
    status = await _cancelled_at(market, step, moment, token="tok_ok")

    assert status == ("CANCELED" if step in BEFORE_THE_PIVOT else "COMPLETED")
    assert await market.differences() == []


@pytest.mark.parametrize("moment", MOMENTS)
async def test_cancel_while_the_acquirer_is_asked_what_became_of_the_charge(
    market: Marketplace, moment: Moment
) -> None:
    purchase_id = await market.buy(token="tok_500_after")
    gate = market.gates.hold(
        "payment.resolve_charge", moment, workflow_id=f"acme:payment:charge-resolution:{purchase_id}"
    )
    await asyncio.wait_for(gate.reached.wait(), REACHED_WITHIN_SECONDS)
    await market.cancel(purchase_id)
    await asyncio.sleep(0.1)
    gate.opened.set()

    assert await market.ended(purchase_id) == "CANCELED"
    assert await market.differences() == []


async def test_cancel_before_the_first_step(market: Marketplace) -> None:
    purchase_id = await market.buy()
    await market.cancel(purchase_id)

    assert await market.ended(purchase_id) in {"CANCELED", "COMPLETED"}
    assert await market.differences() == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("step", "token"), COMPENSATIONS)
async def test_cancel_during_a_compensation(market: Marketplace, step: str, token: str, moment: Moment) -> None:
    status = await _cancelled_at(market, step, moment, token=token)

    # It had failed before it was cancelled.
    assert status == "FAILED"
    assert await market.differences() == []


@pytest.mark.parametrize("seed", range(RANDOM_MOMENTS))
async def test_cancel_at_a_random_moment(market: Marketplace, seed: int) -> None:
    dice = random.Random(seed)
    tokens = ("tok_ok", "tok_500_before", "tok_500_after", "tok_capture_refused", "tok_declined")
    purchase_id = await market.buy(token=dice.choice(tokens))
    await asyncio.sleep(dice.uniform(0, LONGEST_PURCHASE_SECONDS))
    if await market.status(purchase_id) == "RUNNING":
        await market.cancel(purchase_id)

    assert await market.ended(purchase_id) in {"CANCELED", "COMPLETED", "FAILED"}
    assert await market.differences() == []


async def _cancelled_at(market: Marketplace, step: str, moment: Moment, *, token: str) -> str:
    """Cancel a purchase while it is held at a step, let it go on, and return how it ended."""
    purchase_id = f"{step.replace('.', '-')}-{moment}-{random.randbytes(4).hex()}"
    gate = market.gates.hold(step, moment, workflow_id=workflow_id_of(purchase_id))
    await market.buy(token=token, purchase_id=purchase_id)
    await asyncio.wait_for(gate.reached.wait(), REACHED_WITHIN_SECONDS)
    await market.cancel(purchase_id)
    # The worker has the cancel before the step goes on.
    await asyncio.sleep(0.1)
    gate.opened.set()
    return await market.ended(purchase_id)
