"""The real acquirer tells the real gateway; its events come twice and in any order, and all ends right."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

import payment_service.worker
from payment_service.domain.charges import ChargeStatus
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.ledger import SqlLedger
from payment_service.settings import PaymentSettings
from platform_contracts.task_queues import TaskQueue
from platform_runtime.database import Database
from platform_runtime.internal_app import bind, serving
from platform_runtime.sandbox import workflow_runner
from platform_runtime.service_process import Resources
from tests.fakes.payment import euros
from tests.gateway.api import database_url as gateway_database_url
from tests.gateway.api import gateway_app, stores_of
from tests.gateway.provider_signatures import ACQUIRER_SECRET
from tests.integration.payment.samples import details
from tests.integration.sandbox.acquirer_process import AcquirerProcess, running_acquirer, write
from tests.support.namespaces import new_namespace
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(120)

CHARGES = 12


@pytest.fixture
async def own_client(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of a namespace in which nobody else works on the queue of payment."""
    return await new_namespace(temporal_server)


@pytest.fixture
async def telling(own_client: Client, tmp_path: Path) -> AsyncGenerator[AcquirerProcess]:
    """Run an acquirer that tells a gateway of its own."""
    listener = bind("127.0.0.1", 0, variable="")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/provider-events/acquirer"
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        Database.opened(gateway_database_url()) as stored,
        serving(
            gateway_app(own_client, http=http, stores=stores_of(stored), acquirer_webhook_secrets=ACQUIRER_SECRET),
            listener,
        ),
        running_acquirer(tmp_path, webhook_url=url, webhook_secret=ACQUIRER_SECRET) as process,
    ):
        yield process


async def _worker(client: Client, database: Database, acquirer_url: str, stack: AsyncExitStack) -> Worker:
    settings = PaymentSettings.model_validate({"acquirer_url": acquirer_url})
    resources = Resources(settings=settings, database=database, service_token=None, stack=stack)
    registered = await payment_service.worker.build(resources)
    return Worker(
        client,
        task_queue=TaskQueue.PAYMENT,
        workflows=registered.workflows,
        activities=registered.activities,
        workflow_runner=workflow_runner(),
    )


async def _begun(database: Database, operation_id: str) -> None:
    """Leave our book as a worker leaves it that died before any answer came."""
    await SqlCharges(database).begin(
        tenant="buyers",
        operation_id=operation_id,
        details=details(1_500, 500),
        provider="acquirer",
        now=datetime.now(UTC),
    )


async def _statuses(database: Database) -> dict[str, int]:
    async with database.read() as connection:
        rows = await connection.execute(text("SELECT status, count(*) FROM provider_events GROUP BY status"))
        return {row[0]: row[1] for row in rows}


async def _charged(book: httpx.AsyncClient, operation_id: str, *, is_captured: bool) -> None:
    operation = f"buyers.{operation_id}"
    await write(book, operation, "authorise", token="tok_ok", amountMinor=2_000, currency="EUR")
    await write(book, operation, "capture" if is_captured else "void")


def _all_settled(database: Database, count: int) -> Callable[[], Awaitable[bool]]:
    async def settled() -> bool:
        return await _statuses(database) == {"applied": count}

    return settled


@pytest.mark.parametrize("seed", [7, 11])
async def test_events_that_come_twice_and_in_any_order_leave_each_charge_as_the_acquirer_has_it(
    telling: AcquirerProcess, own_client: Client, database: Database, seed: int
) -> None:
    captured = {f"p-{number}": number % 3 != 0 for number in range(CHARGES)}
    for operation_id in captured:
        await _begun(database, operation_id)
    async with (
        AsyncExitStack() as stack,
        await _worker(own_client, database, telling.url, stack),
        httpx.AsyncClient(base_url=telling.url, trust_env=False) as book,
    ):
        faults = {"seed": seed, "duplicateRate": 0.5, "lateRate": 0.5, "longestDelaySeconds": 1}
        (await book.put("/v1/webhook-faults", json=faults)).raise_for_status()

        await asyncio.gather(*(_charged(book, each, is_captured=is_captured) for each, is_captured in captured.items()))
        await eventually(_all_settled(database, 2 * CHARGES), within_seconds=60)

    charges = SqlCharges(database)
    for operation_id, is_captured in captured.items():
        charge = await charges.find(tenant="buyers", operation_id=operation_id)
        assert charge is not None
        assert charge.status is (ChargeStatus.CAPTURED if is_captured else ChargeStatus.VOIDED)
    taken = 2_000 * sum(captured.values())
    assert list(await SqlLedger(database).credit_balances("cash_clearing:acquirer")) == [euros(-taken)]


async def test_events_that_come_while_no_worker_runs_are_accepted_and_applied_once_one_does(
    telling: AcquirerProcess, own_client: Client, database: Database
) -> None:
    await _begun(database, "p-1")
    async with httpx.AsyncClient(base_url=telling.url, trust_env=False) as book:
        await _charged(book, "p-1", is_captured=True)

        async def both_wait() -> bool:
            return (await own_client.count_workflows("WorkflowType = 'payment.ProviderEvent'")).count == 2

        await eventually(both_wait, within_seconds=30)
    before = await _statuses(database)
    async with AsyncExitStack() as stack, await _worker(own_client, database, telling.url, stack):
        await eventually(_all_settled(database, 2), within_seconds=30)

    charge = await SqlCharges(database).find(tenant="buyers", operation_id="p-1")
    assert before == {}
    assert charge is not None
    assert charge.status is ChargeStatus.CAPTURED


async def test_money_that_was_taken_without_a_record_waits_for_a_person(
    telling: AcquirerProcess, own_client: Client, database: Database
) -> None:
    async with (
        AsyncExitStack() as stack,
        await _worker(own_client, database, telling.url, stack),
        httpx.AsyncClient(base_url=telling.url, trust_env=False) as book,
    ):
        await _charged(book, "p-9", is_captured=True)

        async def is_told() -> bool:
            return await _statuses(database) == {"ignored": 2}

        await eventually(is_told, within_seconds=30)

    async with database.read() as connection:
        told = (await connection.execute(text("SELECT reason, subject FROM escalations"))).all()
    assert [tuple(row) for row in told] == [("extra_at_provider", "charge:buyers:p-9")]
