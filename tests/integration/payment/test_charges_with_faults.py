"""A quarter of all calls goes wrong: each charge is captured once or not at all, and none is forgotten."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from payment_service.activities.charges import ChargeActivities
from payment_service.domain.charges import UNRESOLVED
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.ledger_check import SqlLedgerCheck
from payment_service.persistence.tables import CHARGES, LEDGER_POSTINGS
from payment_service.providers.card_acquirer import HttpCardAcquirer
from payment_service.workflows.charge_resolution import ChargeResolutionWorkflow
from payment_service.workflows.charge_void import ChargeVoidWorkflow
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.task_queues import TaskQueue
from platform_runtime.database import Database
from platform_runtime.sandbox import workflow_runner
from tests.fakes.payment import authorise_request
from tests.integration.sandbox.acquirer_process import running_acquirer
from tests.support.charging import Charging, End, Wanted
from tests.support.namespaces import new_namespace

CHARGES_IN_ALL = 500
AT_ONCE = 60
FAULTS = {"seed": 11, "rate": 0.25, "doneButLostShare": 0.6, "delaySeconds": 0.01, "kinds": ["error", "hang"]}
CARDS = ("tok_ok",) * 16 + ("tok_declined", "tok_slow", "tok_500_after", "tok_hang_after")
"""Slow is slower than the service's patience, so it is a time-out after success too."""


def _wanted(number: int) -> Wanted:
    charge = authorise_request(f"p-{number}", token=CARDS[number % len(CARDS)])
    return Wanted(charge=charge, end=End.VOID if number % 7 == 0 else End.CAPTURE)


@pytest.mark.timeout(300)
async def test_each_charge_is_captured_once_or_not_at_all(
    temporal_server: WorkflowEnvironment, database_url: str, tmp_path: Path
) -> None:
    client = await new_namespace(temporal_server)
    room = asyncio.Semaphore(AT_ONCE)
    async with (
        running_acquirer(tmp_path, slow_seconds=1.5) as acquirer,
        httpx.AsyncClient(base_url=acquirer.url, timeout=10, trust_env=False) as book,
        httpx.AsyncClient(trust_env=False) as http,
        Database.opened(database_url) as database,
    ):
        provider = HttpCardAcquirer(http, url=acquirer.url, timeout_seconds=0.8)
        activities = ChargeActivities(SqlCharges(database), provider, fee_basis_points=1_000)
        (await book.put("/v1/faults", json=FAULTS)).raise_for_status()

        async def ended(number: int, attempt: str) -> str:
            async with room:
                handle = await client.start_workflow(
                    Charging.run, _wanted(number), id=f"charging-{number}-{attempt}", task_queue=TaskQueue.PAYMENT
                )
                try:
                    return str(await handle.result())
                except WorkflowFailureError:
                    return "failed"

        async with Worker(
            client,
            task_queue=TaskQueue.PAYMENT,
            workflows=[Charging, ChargeResolutionWorkflow, ChargeVoidWorkflow],
            activities=[activities.authorise, activities.capture, activities.void, activities.resolve_charge],
            workflow_runner=workflow_runner(),
        ):
            # Every tenth is asked for twice at the same time.
            duplicates = [ended(number, "twice") for number in range(0, CHARGES_IN_ALL, 10)]
            ends = await asyncio.gather(*(ended(number, "once") for number in range(CHARGES_IN_ALL)), *duplicates)

        async with database.read() as connection:
            rows = (await connection.execute(select(CHARGES.c.operation_id, CHARGES.c.status))).all()
            posted = (
                await connection.execute(
                    select(LEDGER_POSTINGS.c.operation_id, LEDGER_POSTINGS.c.minor_units).where(
                        LEDGER_POSTINGS.c.account == "cash_clearing:acquirer"
                    )
                )
            ).all()
        differences = await SqlLedgerCheck(database).differences()
        operations = (await book.get("/v1/book")).json()["operations"]

    statuses = {row.operation_id: row.status for row in rows}
    captured = Counter(
        each["operation"].removeprefix("buyers.")
        for each in operations
        for entry in each["journal"]
        if entry["verb"] == "capture"
    )
    reserved = [each["operation"] for each in operations if each["status"] == "authorised"]
    assert len(statuses) == CHARGES_IN_ALL
    assert set(statuses.values()).isdisjoint(UNRESOLVED | {ChargeStatus.AUTHORISED})
    assert set(captured.values()) == {1}
    assert set(captured) == {name for name, status in statuses.items() if status == ChargeStatus.CAPTURED}
    assert sorted((row.operation_id, row.minor_units) for row in posted) == sorted((name, 2_000) for name in captured)
    assert reserved == []
    assert list(differences) == []
    assert Counter(ends)["captured"] >= CHARGES_IN_ALL * 0.7
