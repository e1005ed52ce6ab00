"""Provider events in memory, and a worker that takes them in."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from payment_service.activities.charge_events import ChargeEventActivities
from payment_service.activities.charge_outcomes import ChargeOutcomes
from payment_service.activities.dispute_events import DisputeEventActivities
from payment_service.activities.provider_events import ProviderEventActivities
from payment_service.activities.refund_events import RefundEventActivities
from payment_service.domain.disputes import DisputeAtProvider, DisputeName, DisputeStatus
from payment_service.domain.escalations import Escalation
from payment_service.domain.provider import FactKind, ProviderFact
from payment_service.domain.provider_events import REDRIVABLE, EventReason, EventStatus, StoredEvent
from payment_service.ports import NoAnswerError, UnreadableEventError
from payment_service.workflows.provider_event import ProviderEventWorkflow
from platform_contracts.payment import dispute as dispute_contract
from platform_contracts.payment import payout_sync
from platform_contracts.payment.dispute import Dispute, DisputeInput, DisputeResult
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.partner_payout import PayoutStatus
from platform_contracts.payment.payout_sync import PayoutSync, PayoutSyncInput, PayoutSyncResult
from platform_contracts.payment.provider_event import ProviderEventInput, Redrive
from platform_runtime.sandbox import workflow_runner
from tests.fakes.payment import FakeAcquirer, FakeCharges, PaymentPorts, euros
from tests.fakes.payment_escalations import FakeEscalations
from tests.fakes.payment_refunds import FakeRefundProvider, FakeRefunds

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class FakeReceivedEvents:
    """Keeps events in a dictionary, and what people were told about them."""

    def __init__(self, escalations: FakeEscalations) -> None:
        self.rows: dict[tuple[str, str], StoredEvent] = {}
        self._escalations = escalations

    async def receive(self, *, provider: str, event_id: str, body: bytes, received_at: datetime) -> StoredEvent:
        new = StoredEvent(
            provider=provider, event_id=event_id, body=body, received_at=received_at, status=EventStatus.RECEIVED
        )
        return self.rows.setdefault((provider, event_id), new)

    async def reopen(self, *, provider: str, event_id: str, now: datetime) -> StoredEvent | None:
        row = self.rows.get((provider, event_id))
        if row is not None and row.status in REDRIVABLE:
            row = replace(row, status=EventStatus.RECEIVED, reason=None, attempts=row.attempts + 1)
            self.rows[provider, event_id] = row
        return row

    async def settle(
        self,
        *,
        provider: str,
        event_id: str,
        status: EventStatus,
        reason: EventReason | None,
        now: datetime,
        opens: Escalation | None = None,
        resolves: Any = (),
        by: str = "",
        resolution: str = "",
    ) -> StoredEvent | None:
        row = self.rows.get((provider, event_id))
        if row is not None and row.status is EventStatus.RECEIVED:
            row = self.rows[provider, event_id] = replace(row, status=status, reason=reason)
            if opens is not None:
                await self._escalations.open(opens)
            for each in resolves:
                await self._escalations.resolve(each, by=by, resolution=resolution, now=now)
        return row

    async def find(self, *, provider: str, event_id: str) -> StoredEvent | None:
        return self.rows.get((provider, event_id))


class FakeReader:
    """Reads the events that `event_body` makes; can be mended while a test runs."""

    def __init__(self) -> None:
        self.is_broken = False
        self.is_away = False

    def read_event(self, body: bytes) -> ProviderFact:
        if self.is_broken:
            raise KeyError("the adapter has a bug")
        try:
            said = json.loads(body)
            return ProviderFact(
                event_id=said["id"],
                kind=FactKind(said["kind"]),
                tenant=said["tenant"],
                subject=said["subject"],
                charge_id=said.get("charge"),
                amount=euros(500) if "charge" in said else None,
                at=NOON,
            )
        except (ValueError, KeyError, TypeError):
            raise UnreadableEventError from None

    async def named(self, fact: ProviderFact) -> ProviderFact:
        if fact.tenant:
            return fact
        if self.is_away:
            raise NoAnswerError("away")
        return replace(fact, tenant="buyers", charge_id="p-named")


class FakeDisputes:
    """Knows disputes of five euros about the charges that it is told of, as they stand there."""

    def __init__(self) -> None:
        self.book: dict[str, DisputeStatus] = {}
        self.asked: list[DisputeName] = []

    async def find_dispute(self, name: DisputeName) -> DisputeAtProvider | None:
        self.asked.append(name)
        status = self.book.get(name.dispute_id)
        return None if status is None else DisputeAtProvider(status=status, amount=euros(500))


@dataclass
class EventPorts:
    """All fakes that events need together."""

    charges: FakeCharges = field(default_factory=FakeCharges)
    acquirer: FakeAcquirer = field(default_factory=FakeAcquirer)
    escalations: FakeEscalations = field(default_factory=FakeEscalations)
    reader: FakeReader = field(default_factory=FakeReader)
    refunds: FakeRefunds = field(default_factory=FakeRefunds)
    refund_provider: FakeRefundProvider = field(default_factory=FakeRefundProvider)
    disputes: FakeDisputes = field(default_factory=FakeDisputes)

    def __post_init__(self) -> None:
        """Keep events whose escalations can be looked at."""
        self.events = FakeReceivedEvents(self.escalations)

    def payment_ports(self) -> PaymentPorts:
        """Return what charges need, on the same fakes."""
        return PaymentPorts(charges=self.charges, acquirer=self.acquirer)

    def event_activities(self) -> ProviderEventActivities:
        """Return the real activities on these ports."""
        return ProviderEventActivities(self.events, {"acquirer": self.reader})

    def charge_event_activities(self) -> ChargeEventActivities:
        """Return the real activities on these ports."""
        return ChargeEventActivities(
            self.charges,
            self.escalations,
            providers={"acquirer": self.acquirer},
            outcomes=ChargeOutcomes(
                self.charges, self.acquirer, fee_basis_points=1_000, escalate_after=timedelta(hours=1)
            ),
        )

    def refund_event_activities(self) -> RefundEventActivities:
        """Return the real activities on these ports."""
        return RefundEventActivities(self.refunds, self.escalations, providers={"acquirer": self.refund_provider})

    @property
    def reasons(self) -> list[str]:
        """Return why people were told something, in its order."""
        return [str(row.reason) for row in self.escalations.rows.values()]

    @property
    def open_reasons(self) -> list[str]:
        """Return what still waits for a person."""
        return [str(row.reason) for row in self.escalations.rows.values() if row.resolved_at is None]

    def status_of(self, event_id: str = "evt_1") -> tuple[EventStatus, EventReason | None]:
        """Return where an event stands, and why."""
        row = self.events.rows["acquirer", event_id]
        return row.status, row.reason


def event_body(
    kind: FactKind = FactKind.CHARGE_CAPTURED, subject: str = "p-1", event_id: str = "evt_1", **members: str
) -> bytes:
    """Return an event as `FakeReader` reads it."""
    return json.dumps({"id": event_id, "kind": kind, "tenant": "buyers", "subject": subject, **members}).encode()


def event_input(
    body: bytes | None = None, *, event_id: str = "evt_1", provider: str = "acquirer", **changes: Any
) -> ProviderEventInput:
    """Return an event as the gateway hands it over; without a body, one about the capture of p-1."""
    return ProviderEventInput(
        provider=provider,
        event_id=event_id,
        body=event_body(event_id=event_id) if body is None else body,
        received_at=NOON,
        **changes,
    )


def redrive_input(event_id: str = "evt_1") -> ProviderEventInput:
    """Return an operator's order to try an event again."""
    return ProviderEventInput(
        provider="acquirer",
        event_id=event_id,
        received_at=NOON,
        redrive=Redrive(operator_id="user:grace", reason="The adapter is mended."),
    )


@workflow.defn(name=dispute_contract.WORKFLOW_TYPE)
class DisputeStub(Dispute):
    """Knows the charge `p-1` alone."""

    @workflow.run
    async def run(self, dispute: DisputeInput) -> DisputeResult:
        if dispute.charge_id != "p-1":
            raise ApplicationError("no such charge", type=PaymentFailure.UNKNOWN_CHARGE, non_retryable=True)
        return DisputeResult(dispute_id=dispute.dispute_id, status=dispute.status, taken=dispute.amount)


@workflow.defn(name=payout_sync.WORKFLOW_TYPE)
class PayoutSyncStub(PayoutSync):
    """Finds a payout as its id says, `paid-1` or `sending-2`; one that is called `none` is not there."""

    @workflow.run
    async def run(self, sync: PayoutSyncInput) -> PayoutSyncResult:
        status = sync.payout_id.partition("-")[0]
        return PayoutSyncResult(status=None if status == "none" else PayoutStatus(status))


@asynccontextmanager
async def event_worker(
    client: Client, ports: EventPorts, *, task_queue: str, max_cached_workflows: int = 1000
) -> AsyncGenerator[None]:
    """Run the real workflow and activities on fake ports."""
    of_events, of_charge_events = ports.event_activities(), ports.charge_event_activities()
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[ProviderEventWorkflow, DisputeStub, PayoutSyncStub],
        activities=[
            of_events.record_provider_event,
            of_events.settle_provider_event,
            of_charge_events.apply_charge_event,
            ports.refund_event_activities().apply_refund_event,
            DisputeEventActivities(providers={"acquirer": ports.disputes}).look_up_dispute,
        ],
        workflow_runner=workflow_runner(),
        max_cached_workflows=max_cached_workflows,
        graceful_shutdown_timeout=timedelta(seconds=1),
    ):
        yield
