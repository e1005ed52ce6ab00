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
from payment_service.domain.provider import PayoutOrder
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.ledger import SqlLedger
from payment_service.providers.card_acquirer import HttpCardAcquirer
from payment_service.settings import PaymentSettings
from platform_contracts.payment.refund import Refund, RefundInput, refund_workflow_id
from platform_contracts.task_queues import TaskQueue
from platform_runtime.database import Database
from platform_runtime.internal_app import bind, serving
from platform_runtime.sandbox import workflow_runner
from platform_runtime.service_process import Resources
from tests.fakes.payment import euros
from tests.gateway.api import database_url as gateway_database_url
from tests.gateway.api import gateway_app, stores_of
from tests.gateway.provider_signatures import ACQUIRER_SECRET
from tests.integration.payment.payouts import CUT, Books
from tests.integration.payment.samples import details
from tests.integration.sandbox.acquirer_process import AcquirerProcess, post, running_acquirer, write
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


@pytest.mark.parametrize("seed", [7, 11])
async def test_refunds_payouts_and_disputes_end_as_the_acquirer_has_them_though_their_events_come_twice_and_late(
    telling: AcquirerProcess, own_client: Client, database: Database, seed: int
) -> None:
    outcomes = {"dp-open": None, "dp-won": "won", "dp-lost": "lost"}
    async with (
        AsyncExitStack() as stack,
        await _worker(own_client, database, telling.url, stack),
        httpx.AsyncClient(base_url=telling.url, trust_env=False) as book,
    ):
        faults = {"seed": seed, "duplicateRate": 0.5, "lateRate": 0.5, "longestDelaySeconds": 1}
        (await book.put("/v1/webhook-faults", json=faults)).raise_for_status()
        for operation_id in ("p-refunded", *outcomes):
            await _begun(database, operation_id)
            await _charged(book, operation_id, is_captured=True)
        await eventually(_is(database, "charges", {"captured": 4}), within_seconds=30)

        refund = await own_client.start_workflow(
            Refund.run,
            RefundInput(tenant="buyers", refund_id="r-1", charge_id="p-refunded", amount=euros(700), reason="broken"),
            id=refund_workflow_id(tenant="buyers", refund_id="r-1"),
            task_queue=TaskQueue.PAYMENT,
        )
        await _sent(database)
        sent = PayoutOrder(partner="acme", payout_id="po-1", amount=euros(900), destination=None)
        async with httpx.AsyncClient(trust_env=False) as http:
            await HttpCardAcquirer(http, url=telling.url, timeout_seconds=5).pay_out(sent)
        for dispute_id, outcome in outcomes.items():
            path = f"operations/buyers.{dispute_id}/disputes/{dispute_id}"
            (await post(book, path, amountMinor=2_000)).raise_for_status()
            if outcome is not None:
                (await post(book, f"{path}/outcome", status=outcome)).raise_for_status()
        await refund.result()

        # Each charge was authorised and captured; a refund, a payout, three disputes, and two ends of these. That a
        # payout is on its way nobody has to know.
        told = {"applied": 2 * 4 + 1 + 1 + 3 + 2, "ignored": 1}
        await eventually(_is(database, "provider_events", told), within_seconds=60)

    assert await _counted(database, "refunds") == {"succeeded": 1}
    assert await _counted(database, "payouts") == {"paid": 1}
    assert await _counted(database, "disputes") == {"opened": 1, "won": 1, "lost": 1}
    # 990 are of an earlier sale of acme's, which the acquirer was not there for.
    left_at_the_acquirer = 4 * 2_000 + 990 - 700 - 900 - 2 * 2_000
    assert list(await SqlLedger(database).credit_balances("cash_clearing:acquirer")) == [euros(-left_at_the_acquirer)]
    async with database.read() as connection:
        told = (
            await connection.execute(text("SELECT reason, subject FROM escalations WHERE resolved_at IS NULL"))
        ).all()
    assert [tuple(row) for row in told] == [("dispute_opened", "dispute:buyers:dp-open")]


async def _sent(database: Database) -> None:
    """Leave our book as a worker leaves it that died while it sent a payout: only the event tells that it is paid."""
    books = Books(database)
    await books.sell(900, at=CUT)
    await books.reserve()
    await books.payouts.begin_sending(partner="acme", payout_id="po-1", now=CUT)


async def _counted(database: Database, table: str) -> dict[str, int]:
    async with database.read() as connection:
        rows = await connection.execute(text(f"SELECT status, count(*) FROM {table} GROUP BY status"))
        return {row[0]: row[1] for row in rows}


def _is(database: Database, table: str, counts: dict[str, int]) -> Callable[[], Awaitable[bool]]:
    async def counted() -> bool:
        return await _counted(database, table) == counts

    return counted
