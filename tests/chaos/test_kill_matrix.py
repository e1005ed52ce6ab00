"""kill -9 of everything, one after the other, while purchases go on and the acquirer misbehaves: the money is right."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from tests.support.ledger_export import problems_of_export
from tests.support.marketplace_by_rest import published
from tests.support.money_check import Books, differences
from tests.support.platform import Platform, new_id, running_platform
from tests.support.postgres import PostgresServer
from tests.support.waiting import eventually

VICTIMS = ("user-1", "payment-1", "listing-1", "analytics-1", "gateway", "acquirer", "temporal", "postgres")
PURCHASES = 200
IN_FLIGHT = 5
ENDED_WITHIN_SECONDS = 300
FAULTS: Mapping[str, object] = {"seed": 7, "rate": 0.25, "doneButLostShare": 0.5}
TENANT = "demo"


@pytest.mark.timeout(600)
async def test_money_is_right_when_everything_is_killed(
    tmp_path: Path, mortal_postgres: PostgresServer, local_stack_tools: None
) -> None:
    for database in ("payment", "listing"):
        mortal_postgres.execute(f"CREATE DATABASE {database}")
    async with running_platform(
        tmp_path,
        DRILL_ACTIVITY_DELAY_SECONDS="*=0.3",
        PAYMENT_DATABASE_URL=mortal_postgres.url("payment"),
        LISTING_DATABASE_URL=mortal_postgres.url("listing"),
    ) as platform:
        listing_id = await published(platform.http, stock=PURCHASES)
        (await platform.acquirer.put("/v1/faults", json=FAULTS)).raise_for_status()
        purchases: list[str] = []
        for victim in VICTIMS:
            batch = await _bought(platform, listing_id, count=PURCHASES // len(VICTIMS))
            purchases += batch
            assert await _running(platform, batch) >= IN_FLIGHT, victim
            if victim == "postgres":
                await asyncio.to_thread(mortal_postgres.kill)
            else:
                await platform.kill(victim)
            if victim == "acquirer":
                (await platform.acquirer.put("/v1/faults", json=FAULTS)).raise_for_status()

        statuses = await _ended(platform, purchases)
        attempts = max(await asyncio.gather(*(_attempts(platform, each) for each in purchases)))
        books = Books(
            acquirer=f"sqlite:///{tmp_path / 'data' / 'acquirer.sqlite3'}",
            payment=mortal_postgres.url("payment").replace("postgresql:", "postgresql+psycopg:"),
            listing=mortal_postgres.url("listing").replace("postgresql:", "postgresql+psycopg:"),
        )
        found = await asyncio.to_thread(differences, books, tenant=TENANT, statuses=statuses)
        in_export = await problems_of_export(mortal_postgres.url("payment"), tmp_path)

    assert len(statuses) == PURCHASES
    assert in_export == ""
    assert set(statuses.values()) <= {"COMPLETED", "FAILED"}
    assert attempts > 1
    assert found == []


async def _bought(platform: Platform, listing_id: str, *, count: int) -> list[str]:
    """Start that many purchases; each is asked for until it is accepted."""
    purchases = [new_id("p") for _ in range(count)]

    async def bought(purchase_id: str) -> None:
        order = {
            "purchaseId": purchase_id,
            "buyerId": "ada",
            "lines": [{"listingId": listing_id, "quantity": 1}],
            "paymentToken": "tok_ok",
        }

        async def accepted() -> bool:
            return (await platform.http.post("/v1/purchases", json=order)).status_code in {200, 202}

        await eventually(accepted, within_seconds=60, every_seconds=0.3)

    await asyncio.gather(*(bought(purchase_id) for purchase_id in purchases))
    return purchases


async def _status(platform: Platform, purchase_id: str) -> str:
    description = await platform.temporal.get_workflow_handle(_workflow_id(purchase_id)).describe()
    return (description.status or WorkflowExecutionStatus.RUNNING).name


async def _running(platform: Platform, purchases: list[str]) -> int:
    statuses = await asyncio.gather(*(_status(platform, each) for each in purchases))
    return sum(status == "RUNNING" for status in statuses)


async def _ended(platform: Platform, purchases: list[str]) -> dict[str, str]:
    async def none_left() -> bool:
        return await _running(platform, purchases) == 0

    try:
        await eventually(none_left, within_seconds=ENDED_WITHIN_SECONDS, every_seconds=1)
    except AssertionError:
        await _say_what_holds_them(platform, purchases)
        raise
    statuses = await asyncio.gather(*(_status(platform, each) for each in purchases))
    return dict(zip(purchases, statuses, strict=True))


async def _say_what_holds_them(platform: Platform, purchases: list[str]) -> None:
    """Print what each purchase that has not ended waits for."""
    for purchase_id in purchases:
        if await _status(platform, purchase_id) == "RUNNING":
            described = (
                await platform.temporal.get_workflow_handle(_workflow_id(purchase_id)).describe()
            ).raw_description
            print(purchase_id, described.workflow_execution_info.memo, described.pending_workflow_task)
            print(*described.pending_activities, *described.pending_children)


async def _attempts(platform: Platform, purchase_id: str) -> int:
    history = await platform.temporal.get_workflow_handle(_workflow_id(purchase_id)).fetch_history()
    return max(
        event.activity_task_started_event_attributes.attempt
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    )


def _workflow_id(purchase_id: str) -> str:
    return f"{TENANT}:listing:purchase:{purchase_id}"
