"""A run compares, checks, and settles what belongs to no purchase; what does not work out is left to the next one."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from platform_cli.tools import temporal_server as dev_server
from platform_contracts.listing.close_purchase import PurchaseEnd
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.reconciliation import Reconciliation, ReconciliationInput, ReconciliationResult
from tests.fakes.payment_reconciliation_worker import REFUSED, Answers, reconciliation_worker
from tests.support.namespaces import new_namespace

QUEUE = "payment-reconciliation"


@pytest.fixture
async def own_client(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of a namespace in which nobody else polls the queue of listing."""
    return await new_namespace(temporal_server)


@pytest.fixture
async def impatient_client(temporal_executable: Path) -> AsyncGenerator[Client]:
    """Return a client of a server that finds a history of 60 events long."""
    impatience = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=60")
    async with await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType]
        data_converter=pydantic_data_converter,
        dev_server_existing_path=str(temporal_executable),
        dev_server_extra_args=[*dev_server.tuning_arguments(database_file=False), *impatience],
        dev_server_log_level="error",
    ) as environment:
        yield environment.client


async def _run(client: Client, answers: Answers) -> ReconciliationResult:
    async with reconciliation_worker(client, answers, task_queue=QUEUE):
        return await client.execute_workflow(
            Reconciliation.run, ReconciliationInput(), id="platform:payment:reconciliation:all", task_queue=QUEUE
        )


async def test_only_released_purchases_are_settled_and_sold_ones_concluded(own_client: Client) -> None:
    answers = Answers(purchases={"open": PurchaseEnd.OPEN, "sold": PurchaseEnd.SOLD, "released": PurchaseEnd.RELEASED})

    found = await _run(own_client, answers)

    assert [each.operation_id for each in answers.settled] == ["released"]
    assert answers.concluded == ["sold"]
    assert found == ReconciliationResult(matched=3, orphans_asked=3, orphans_settled=1)


async def test_captured_orphan_is_refunded_under_an_id_of_its_own(own_client: Client) -> None:
    answers = Answers(purchases={"p-1": PurchaseEnd.RELEASED}, captured=frozenset({"p-1"}))

    found = await _run(own_client, answers)

    refund = own_client.get_workflow_handle("buyers:payment:refund:orphan-p-1")
    assert (await refund.result())["refund_id"] == "orphan-p-1"
    assert [each.refund_failure for each in answers.settled] == [None, None]
    assert found.orphans_settled == 1


async def test_refund_that_fails_is_handed_over_with_its_reason(own_client: Client) -> None:
    answers = Answers(purchases={REFUSED: PurchaseEnd.RELEASED}, captured=frozenset({REFUSED}))

    await _run(own_client, answers)

    assert [each.refund_failure for each in answers.settled] == [None, PaymentFailure.REFUND_FAILED]


async def test_every_page_is_asked_about(own_client: Client) -> None:
    answers = Answers(purchases={f"p-{number}": PurchaseEnd.SOLD for number in range(7)}, page=3)

    found = await _run(own_client, answers)

    assert len(answers.concluded) == found.orphans_asked == 7


async def test_provider_that_is_away_holds_up_no_orphan_and_fails_the_run(own_client: Client) -> None:
    answers = Answers(purchases={"p-1": PurchaseEnd.RELEASED}, provider_is_away=True)

    with pytest.raises(WorkflowFailureError):
        await _run(own_client, answers)

    assert [each.operation_id for each in answers.settled] == ["p-1"]


async def test_sweep_that_gets_long_goes_on_in_a_run_of_its_own_and_leaves_nothing_out(
    impatient_client: Client,
) -> None:
    answers = Answers(purchases={f"p-{number}": PurchaseEnd.RELEASED for number in range(20)}, page=3)

    found = await _run(impatient_client, answers)

    assert sorted(each.operation_id for each in answers.settled) == sorted(answers.purchases)
    assert found == ReconciliationResult(matched=3, orphans_asked=20, orphans_settled=20)
    assert await _runs(impatient_client) > 1


async def test_provider_that_is_away_holds_up_no_orphan_of_a_long_sweep_either(impatient_client: Client) -> None:
    purchases = {f"p-{number}": PurchaseEnd.RELEASED for number in range(20)}
    answers = Answers(purchases=purchases, page=3, provider_is_away=True)

    with pytest.raises(WorkflowFailureError) as failed:
        await _run(impatient_client, answers)

    assert isinstance(failed.value.cause, ApplicationError)
    assert sorted(each.operation_id for each in answers.settled) == sorted(purchases)
    assert await _runs(impatient_client) > 1


async def _runs(client: Client) -> int:
    return len([each async for each in client.list_workflows("WorkflowType = 'payment.Reconciliation'")])
