"""One run of `payment.ProviderEvent` for each way that it can take."""

from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.testing import ActivityEnvironment

from payment_service.domain.disputes import DisputeStatus
from payment_service.domain.provider import FactKind
from platform_contracts.payment.provider_event import ProviderEvent, ProviderEventInput
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment import authorise_request
from tests.fakes.payment_events import EventPorts, event_body, event_input, event_worker, redrive_input
from tests.support.histories import Scenario


async def _run(
    client: Client, task_queue: str, event: ProviderEventInput, *, ports: EventPorts | None = None
) -> WorkflowHandle[Any, Any]:
    ports = ports or EventPorts()
    await ActivityEnvironment().run(ports.payment_ports().charge_activities().authorise, authorise_request())
    async with event_worker(client, ports, task_queue=task_queue):
        handle = await start_workflow(client, ProviderEvent.run, event, task_queue=task_queue)
        try:
            await handle.result()
        except WorkflowFailureError:
            return handle
    return handle


async def _applied(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _run(client, task_queue, event_input(event_body(FactKind.CHARGE_AUTHORISED)))


async def _contradicted(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _run(client, task_queue, event_input())


async def _ignored(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _run(client, task_queue, event_input(event_body(FactKind.OTHER)))


async def _quarantined(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _run(client, task_queue, event_input(b"no json"))


async def _never_received(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _run(client, task_queue, redrive_input())


async def _payout_applied(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _run(client, task_queue, event_input(event_body(FactKind.PAYOUT_PAID, "paid-1")))


async def _payout_unknown(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _run(client, task_queue, event_input(event_body(FactKind.PAYOUT_PAID, "none")))


async def _refund_unknown(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _run(client, task_queue, event_input(event_body(FactKind.REFUND_SUCCEEDED, "r-9")))


async def _dispute_applied(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _dispute(client, task_queue, FactKind.DISPUTE_OPENED)


async def _dispute_contradicted(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _dispute(client, task_queue, FactKind.DISPUTE_WON)


async def _dispute(client: Client, task_queue: str, kind: FactKind) -> WorkflowHandle[Any, Any]:
    """Tell of a dispute that is open at the provider."""
    dispute_id, ports = f"dp-{task_queue}"[:64], EventPorts()
    ports.disputes.book[dispute_id] = DisputeStatus.OPENED
    return await _run(client, task_queue, event_input(event_body(kind, dispute_id, charge="p-1")), ports=ports)


SCENARIOS: dict[str, Scenario] = {
    "provider_event-applied": _applied,
    "provider_event-contradicted": _contradicted,
    "provider_event-ignored": _ignored,
    "provider_event-quarantined": _quarantined,
    "provider_event-never_received": _never_received,
    "provider_event-payout_applied": _payout_applied,
    "provider_event-payout_unknown": _payout_unknown,
    "provider_event-refund_unknown": _refund_unknown,
    "provider_event-dispute_applied": _dispute_applied,
    # Since disputes are looked up.
    "provider_event-dispute_looked_up": _dispute_applied,
    "provider_event-dispute_contradicted": _dispute_contradicted,
}
