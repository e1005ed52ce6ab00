"""Payout runs at once, a worker that is killed, Temporal away for three periods: all of it is paid exactly once."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select
from temporalio.client import Client, ScheduleOverlapPolicy

from payment_service.domain.ledger import partner_payable
from payment_service.domain.payouts import OPEN, PayoutPlan
from payment_service.domain.provider import MovementStatus, RecordKind
from payment_service.persistence.payout_tables import PAYOUTS
from payment_service.providers.card_acquirer import HttpCardAcquirer
from platform_contracts.payment.payout_run import PayoutRun, PayoutRunInput, payout_run_schedule_id
from platform_contracts.task_queues import TaskQueue
from platform_runtime.database import Database
from tests.integration.payment.payouts import Books
from tests.support.network import free_row
from tests.support.own_temporal import own_temporal
from tests.support.platform import running_platform
from tests.support.waiting import eventually

PERIOD_SECONDS = 6
PARTNERS = ("acme", "bolt", "cord")
PAID_WITHIN_SECONDS = 120
SLOW = "payment.reserve_payout=1,payment.begin_payout=0.5,payment.send_payout=1.5"
"""A kill in a run meets payouts in the middle of each step."""


@pytest.mark.timeout(400)
async def test_each_periods_amount_is_paid_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, local_stack_tools: None
) -> None:
    home = tmp_path_factory.mktemp("payouts")
    port, ui_port = free_row(1), free_row(1)
    sold: defaultdict[str, int] = defaultdict(int)
    temporal = own_temporal(home, port, ui_port)
    await temporal.__aenter__()
    platform_context = running_platform(
        home,
        TEMPORAL_ADDRESS=f"127.0.0.1:{port}",
        DRILL_ACTIVITY_DELAY_SECONDS=SLOW,
        PAYMENT_PAYOUT_PERIOD_SECONDS=str(PERIOD_SECONDS),
        PAYMENT_PAYOUT_DELAY_DAYS="0",
        PAYMENT_PAYOUT_LOOK_SECONDS="1",
    )
    platform = await platform_context.__aenter__()
    try:
        async with Database.opened(f"sqlite:///{home}/data/payment.sqlite3") as database:
            books = Books(database, PayoutPlan())
            await platform.acquirer.put("/v1/faults", json={"seed": 11, "rate": 0.25})

            await _sell(books, sold)
            await _two_runs_at_once(platform.temporal)
            await _until_one_is_open(database)
            await platform.kill("payment-1")
            await _sell(books, sold)
            await _paid_out(books)
            first = dict(sold)

            await temporal.__aexit__(None, None, None)
            for _ in range(3):
                await _sell(books, sold)
                await asyncio.sleep(PERIOD_SECONDS)
            temporal = own_temporal(home, port, ui_port)
            await temporal.__aenter__()
            await _paid_out(books)
            await platform.acquirer.delete("/v1/faults")

            paid = await _paid_by_the_acquirer(platform.urls["acquirer"])
            problems = await books.problems()
            rows = await _rows(database)
    finally:
        await platform_context.__aexit__(None, None, None)
        await temporal.__aexit__(None, None, None)

    assert first.keys() == sold.keys()
    assert all(first[partner] < sold[partner] for partner in PARTNERS)
    assert paid == sold
    assert problems == []
    assert {row.status for row in rows} <= {"paid", "carried"}


async def _sell(books: Books, sold: "defaultdict[str, int]") -> None:
    """Post a sale of each partner; no two amounts are alike, so that none can stand for another."""
    for partner in PARTNERS:
        amount = 1_000 + sum(sold.values()) % 997
        await books.sell(amount, at=datetime.now(UTC), partner=partner)
        sold[partner] += amount


async def _two_runs_at_once(client: Client) -> None:
    """Start two runs of one cut, and have the schedule start two more."""
    cut = datetime.now(UTC)
    schedule = client.get_schedule_handle(payout_run_schedule_id())
    await asyncio.gather(
        *(
            client.start_workflow(
                PayoutRun.run,
                PayoutRunInput(cut=cut),
                id=f"platform:payment:payout-run:{uuid4().hex}",
                task_queue=TaskQueue.PAYMENT,
            )
            for _ in range(2)
        ),
        *(schedule.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL) for _ in range(2)),
    )


async def _until_one_is_open(database: Database) -> None:
    async def is_open() -> bool:
        return any(row.status in OPEN for row in await _rows(database))

    await eventually(is_open, within_seconds=60, every_seconds=0.1)


async def _paid_out(books: Books) -> None:
    """Wait until nothing is owed and nothing is on its way."""

    async def is_paid() -> bool:
        owed = [await books.balance(partner_payable(partner)) for partner in PARTNERS]
        return not any(owed) and all(row.status not in OPEN for row in await _rows(books.database))

    await eventually(is_paid, within_seconds=PAID_WITHIN_SECONDS, every_seconds=0.5)


async def _rows(database: Database) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(select(PAYOUTS))).all())


async def _paid_by_the_acquirer(url: str) -> dict[str, int]:
    """Return what the acquirer's own book says that each partner was paid."""
    paid: defaultdict[str, int] = defaultdict(int)
    now = datetime.now(UTC)
    async with httpx.AsyncClient(trust_env=False) as http:
        acquirer = HttpCardAcquirer(http, url=url, timeout_seconds=3)
        async for record in acquirer.records(since=now - timedelta(hours=1), until=now + timedelta(hours=1)):
            if record.kind is RecordKind.PAYOUT:
                assert record.status is MovementStatus.SUCCEEDED
                paid[record.tenant] += record.amount.minor_units
    return paid
