"""What reconciliations did once, recorded."""

from typing import Any, Final

from temporalio.client import Client, WorkflowHandle

from payment_service.workflows.reconciliation import ReconciliationWorkflow
from platform_contracts.listing.close_purchase import PurchaseEnd
from platform_contracts.payment.reconciliation import Reconciliation, ReconciliationInput
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment_reconciliation_worker import Answers, reconciliation_worker
from tests.support.histories import Scenario


async def _orphans_settled(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    answers = Answers(
        purchases={"p-1": PurchaseEnd.RELEASED, "p-2": PurchaseEnd.SOLD, "p-3": PurchaseEnd.OPEN},
        captured=frozenset({"p-1"}),
        page=2,
    )
    async with reconciliation_worker(client, answers, task_queue=task_queue):
        handle = await start_workflow(client, Reconciliation.run, ReconciliationInput(), task_queue=task_queue)
        await handle.result()
    return handle


WORKFLOWS: Final = [ReconciliationWorkflow]

SCENARIOS: Final[dict[str, Scenario]] = {"reconciliation-orphans_settled": _orphans_settled}
