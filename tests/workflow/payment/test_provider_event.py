from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.domain.charges import ChargeStatus
from payment_service.domain.disputes import DisputeName, DisputeStatus
from payment_service.domain.provider import FactKind
from payment_service.domain.provider_events import EventReason, EventStatus
from platform_contracts import memo
from platform_contracts.memo import Progress
from platform_contracts.payment import dispute as dispute_contract
from platform_contracts.payment.dispute import Dispute, dispute_workflow_id
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.provider_event import ProviderEvent, ProviderEventInput, ProviderEventStatus
from platform_runtime.workflow_calls import execute_workflow, start_workflow
from tests.fakes.payment import FakeAcquirer, authorise_request, euros
from tests.fakes.payment_events import EventPorts, event_body, event_input, event_worker, redrive_input
from tests.integration.payment.samples import details
from tests.support.waiting import eventually

WAIT = timedelta(seconds=30)


async def _authorised(ports: EventPorts) -> EventPorts:
    await ActivityEnvironment().run(ports.payment_ports().charge_activities().authorise, authorise_request())
    return ports


async def _taken_in(client: Client, task_queue: str, event: ProviderEventInput) -> ProviderEventStatus:
    result = await execute_workflow(client, ProviderEvent.run, event, task_queue=task_queue, wait=WAIT)
    return result.status


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_capture_that_the_provider_confirms_is_recorded(
    client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = await _authorised(EventPorts())
    ports.acquirer.book["p-1"] = ChargeStatus.CAPTURED

    async with event_worker(client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await start_workflow(client, ProviderEvent.run, event_input(), task_queue=task_queue)
        result = await handle.result()

    assert result.status is ProviderEventStatus.APPLIED
    assert ports.charges.status_of("p-1") is ChargeStatus.CAPTURED
    assert ports.status_of() == (EventStatus.APPLIED, None)
    progress = await (await handle.describe()).memo_value(memo.PROGRESS, type_hint=Progress)
    assert progress == Progress(step="settled", cancellable=False)


async def test_event_that_comes_again_past_retention_has_no_second_effect(client: Client, task_queue: str) -> None:
    ports = await _authorised(EventPorts())
    ports.acquirer.book["p-1"] = ChargeStatus.CAPTURED

    async with event_worker(client, ports, task_queue=task_queue):
        statuses = [await _taken_in(client, task_queue, event_input()) for _ in range(3)]

    assert statuses == [ProviderEventStatus.APPLIED] * 3
    assert ports.acquirer.calls == ["authorise", "find"]
    assert len(ports.charges.transactions) == 1


async def test_event_that_cannot_be_read_is_put_aside_and_a_person_is_told(client: Client, task_queue: str) -> None:
    ports = EventPorts()

    async with event_worker(client, ports, task_queue=task_queue):
        status = await _taken_in(client, task_queue, event_input(b"\xff no json"))

    assert status is ProviderEventStatus.QUARANTINED
    assert ports.status_of() == (EventStatus.QUARANTINED, EventReason.UNREADABLE)
    assert ports.open_reasons == ["event_unreadable"]
    assert ports.events.rows["acquirer", "evt_1"].body == b"\xff no json"


async def test_event_is_tried_again_by_an_operator_once_the_adapter_is_mended(client: Client, task_queue: str) -> None:
    ports = await _authorised(EventPorts())
    ports.acquirer.book["p-1"] = ChargeStatus.CAPTURED
    ports.reader.is_broken = True

    async with event_worker(client, ports, task_queue=task_queue):
        broken = await _taken_in(client, task_queue, event_input())
        ports.reader.is_broken = False
        mended = await _taken_in(client, task_queue, redrive_input())

    assert (broken, mended) == (ProviderEventStatus.QUARANTINED, ProviderEventStatus.APPLIED)
    assert ports.charges.status_of("p-1") is ChargeStatus.CAPTURED
    assert ports.events.rows["acquirer", "evt_1"].attempts == 2
    assert [row.resolved_by for row in ports.escalations.rows.values()] == ["user:grace"]


async def test_redrive_of_what_was_never_received_fails(client: Client, task_queue: str) -> None:
    async with event_worker(client, EventPorts(), task_queue=task_queue):
        with pytest.raises(WorkflowFailureError) as raised:
            await _taken_in(client, task_queue, redrive_input())

    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == PaymentFailure.UNKNOWN_PROVIDER_EVENT


async def test_event_that_the_provider_does_not_stand_by_is_contradicted_and_its_word_counts(
    client: Client, task_queue: str
) -> None:
    ports = await _authorised(EventPorts())

    async with event_worker(client, ports, task_queue=task_queue):
        status = await _taken_in(client, task_queue, event_input())

    assert status is ProviderEventStatus.CONTRADICTED
    assert ports.acquirer.calls == ["authorise", "find", "find", "find"]
    assert ports.charges.status_of("p-1") is ChargeStatus.AUTHORISED
    assert ports.charges.transactions == []
    assert ports.open_reasons == ["event_contradicts"]


async def test_provider_that_tells_before_its_answers_show_it_does_not_contradict_itself(
    client: Client, task_queue: str
) -> None:
    ports = await _authorised(EventPorts())

    async with event_worker(client, ports, task_queue=task_queue):
        handle = await start_workflow(client, ProviderEvent.run, event_input(), task_queue=task_queue)

        async def is_asked() -> bool:
            return "find" in ports.acquirer.calls

        await eventually(is_asked, within_seconds=10)
        ports.acquirer.book["p-1"] = ChargeStatus.CAPTURED
        result = await handle.result()

    assert result.status is ProviderEventStatus.APPLIED
    assert ports.escalations.rows == {}


@pytest.mark.parametrize("is_reversed", [False, True], ids=["as sent", "reversed"])
async def test_order_in_which_events_come_makes_no_difference(
    client: Client, task_queue: str, *, is_reversed: bool
) -> None:
    ports = await _authorised(EventPorts())
    ports.acquirer.book["p-1"] = ChargeStatus.CAPTURED
    events = [
        event_input(event_body(FactKind.CHARGE_AUTHORISED, event_id="evt_1"), event_id="evt_1"),
        event_input(event_body(FactKind.CHARGE_CAPTURED, event_id="evt_2"), event_id="evt_2"),
    ]

    async with event_worker(client, ports, task_queue=task_queue):
        for event in reversed(events) if is_reversed else events:
            await _taken_in(client, task_queue, event)

    assert {row.status for row in ports.events.rows.values()} == {EventStatus.APPLIED}
    assert ports.charges.status_of("p-1") is ChargeStatus.CAPTURED
    assert len(ports.charges.transactions) == 1
    assert ports.escalations.rows == {}


async def test_event_waits_for_a_provider_that_is_away(client: Client, task_queue: str) -> None:
    ports = EventPorts(acquirer=FakeAcquirer(away_for=3))
    now = datetime.now(UTC)
    await ports.charges.begin(
        tenant="buyers", operation_id="p-1", details=details(1_500, 500), provider="acquirer", now=now
    )
    ports.acquirer.book["p-1"] = ChargeStatus.CAPTURED

    async with event_worker(client, ports, task_queue=task_queue):
        status = await _taken_in(client, task_queue, event_input())

    assert status is ProviderEventStatus.APPLIED


async def test_event_that_nobody_has_to_know_of_is_ignored(client: Client, task_queue: str) -> None:
    ports = EventPorts()

    async with event_worker(client, ports, task_queue=task_queue):
        status = await _taken_in(client, task_queue, event_input(event_body(FactKind.OTHER)))

    assert status is ProviderEventStatus.IGNORED
    assert ports.status_of() == (EventStatus.IGNORED, EventReason.NOBODY_ASKS)
    assert ports.acquirer.calls == []


async def test_event_of_a_provider_that_is_not_set_up_is_kept_for_a_redrive(client: Client, task_queue: str) -> None:
    ports = EventPorts()

    async with event_worker(client, ports, task_queue=task_queue):
        status = await _taken_in(client, task_queue, event_input(provider="stripe"))

    assert status is ProviderEventStatus.QUARANTINED
    assert ports.events.rows["stripe", "evt_1"].reason is EventReason.UNKNOWN_PROVIDER
    assert ports.open_reasons == ["event_unreadable"]


async def test_cancel_does_not_lose_an_event_that_was_acknowledged(client: Client, task_queue: str) -> None:
    ports = await _authorised(EventPorts())

    async with event_worker(client, ports, task_queue=task_queue):
        handle = await start_workflow(client, ProviderEvent.run, event_input(), task_queue=task_queue)

        async def is_asked() -> bool:
            return "find" in ports.acquirer.calls

        await eventually(is_asked, within_seconds=10)
        await handle.cancel()
        ports.acquirer.book["p-1"] = ChargeStatus.CAPTURED
        result = await handle.result()

    assert result.status is ProviderEventStatus.APPLIED
    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED


@pytest.mark.parametrize(
    ("kind", "payout", "status", "reasons"),
    [
        (FactKind.PAYOUT_PAID, "paid-1", ProviderEventStatus.APPLIED, []),
        (FactKind.PAYOUT_PAID, "returned-1", ProviderEventStatus.APPLIED, []),
        (FactKind.PAYOUT_FAILED, "failed-1", ProviderEventStatus.APPLIED, []),
        (FactKind.PAYOUT_FAILED, "paid-1", ProviderEventStatus.CONTRADICTED, ["event_contradicts"]),
        (FactKind.PAYOUT_PAID, "none", ProviderEventStatus.QUARANTINED, ["extra_at_provider"]),
    ],
)
async def test_payout_is_looked_at_again_and_the_event_is_what_that_makes_of_it(
    client: Client, task_queue: str, kind: FactKind, payout: str, status: ProviderEventStatus, reasons: list[str]
) -> None:
    ports = EventPorts()

    async with event_worker(client, ports, task_queue=task_queue):
        found = await _taken_in(client, task_queue, event_input(event_body(kind, payout)))

    assert found is status
    assert ports.open_reasons == reasons


@pytest.mark.parametrize(
    ("kind", "at_provider", "charge", "status"),
    [
        (FactKind.DISPUTE_OPENED, DisputeStatus.OPENED, "p-1", ProviderEventStatus.APPLIED),
        (FactKind.DISPUTE_WON, DisputeStatus.WON, "p-1", ProviderEventStatus.APPLIED),
        (FactKind.DISPUTE_LOST, DisputeStatus.LOST, "p-1", ProviderEventStatus.APPLIED),
        (FactKind.DISPUTE_OPENED, DisputeStatus.OPENED, "p-2", ProviderEventStatus.QUARANTINED),
        # It has ended since.
        (FactKind.DISPUTE_OPENED, DisputeStatus.LOST, "p-1", ProviderEventStatus.APPLIED),
        (FactKind.DISPUTE_WON, DisputeStatus.OPENED, "p-1", ProviderEventStatus.CONTRADICTED),
        (FactKind.DISPUTE_LOST, DisputeStatus.WON, "p-1", ProviderEventStatus.CONTRADICTED),
        (FactKind.DISPUTE_OPENED, None, "p-1", ProviderEventStatus.CONTRADICTED),
    ],
)
async def test_dispute_is_applied_as_its_provider_has_it_and_otherwise_a_person_is_told(
    client: Client,
    task_queue: str,
    kind: FactKind,
    at_provider: DisputeStatus | None,
    charge: str,
    status: ProviderEventStatus,
) -> None:
    dispute_id, ports = f"dp-{task_queue}"[:64], EventPorts()
    if at_provider is not None:
        ports.disputes.book[dispute_id] = at_provider

    async with event_worker(client, ports, task_queue=task_queue):
        found = await _taken_in(client, task_queue, event_input(event_body(kind, dispute_id, charge=charge)))

    assert found is status
    assert ports.disputes.asked[0] == DisputeName(tenant="buyers", charge_id=charge, dispute_id=dispute_id)
    is_contradicted = status is ProviderEventStatus.CONTRADICTED
    assert ports.open_reasons == (["event_contradicts"] if is_contradicted else [])
    applied = client.get_workflow_handle_for(
        Dispute.run,
        dispute_workflow_id(
            tenant="buyers",
            dispute_id=dispute_id,
            status=dispute_contract.DisputeStatus(at_provider or DisputeStatus.OPENED),
        ),
    )
    if status is ProviderEventStatus.APPLIED:
        assert (await applied.result()).taken == euros(500)
