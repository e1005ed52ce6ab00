"""The ports of the payment service in memory, and a worker that runs on them."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from payment_service.activities.charges import ChargeActivities
from payment_service.domain.charges import (
    MAY_COME_FROM,
    ChargeDetails,
    ChargeStatus,
    DifferentChargeError,
    StoredCharge,
)
from payment_service.domain.escalations import EscalationReason
from payment_service.domain.ledger import Phase, Transaction, TransactionKey
from payment_service.ports import NoAnswerError
from payment_service.workflows.charge_resolution import ChargeResolutionWorkflow
from payment_service.workflows.charge_settlement import ChargeSettlementWorkflow
from payment_service.workflows.charge_void import ChargeVoidWorkflow
from platform_contracts.money import Money
from platform_contracts.payment.charge import AuthoriseRequest, CaptureRequest, ChargeShare
from platform_runtime.sandbox import workflow_runner

Hook = Callable[[], Awaitable[object]]


class FakeCharges:
    """Keeps charges in a dictionary; can be away when a capture is to be recorded."""

    def __init__(self, *, away_for_captures: int = 0) -> None:
        """Refuse this many records of captures first."""
        self.rows: dict[tuple[str, str], StoredCharge] = {}
        self.transactions: list[Transaction] = []
        self.escalated: list[tuple[EscalationReason, str]] = []
        self.settled_voids: list[str] = []
        self._away_for_captures = away_for_captures

    def status_of(self, operation_id: str, *, tenant: str = "buyers") -> ChargeStatus:
        return self.rows[tenant, operation_id].status

    async def begin(
        self, *, tenant: str, operation_id: str, details: ChargeDetails, provider: str, now: datetime
    ) -> tuple[StoredCharge, bool]:
        is_new = (tenant, operation_id) not in self.rows
        if is_new:
            self.rows[tenant, operation_id] = StoredCharge(
                tenant=tenant,
                operation_id=operation_id,
                status=ChargeStatus.AUTHORISING,
                details=details,
                provider=provider,
                begun_at=now,
            )
        return self.rows[tenant, operation_id], is_new

    async def find(self, *, tenant: str, operation_id: str) -> StoredCharge | None:
        return self.rows.get((tenant, operation_id))

    async def refer(self, charge: StoredCharge, *, reference: str, now: datetime) -> StoredCharge:
        key = charge.tenant, charge.operation_id
        self.rows[key] = replace(self.rows[key], reference=self.rows[key].reference or reference)
        return self.rows[key]

    async def move(self, charge: StoredCharge, *, to: ChargeStatus, now: datetime) -> StoredCharge:
        self._move(charge.tenant, charge.operation_id, to)
        return self.rows[charge.tenant, charge.operation_id]

    async def ask_capture(self, charge: StoredCharge, *, amount: Money, now: datetime) -> StoredCharge:
        key = charge.tenant, charge.operation_id
        row = self.rows[key]
        if row.status is ChargeStatus.AUTHORISED and row.capture_amount is None:
            self.rows[key] = replace(row, capture_amount=amount)
        return self.rows[key]

    async def capture(self, charge: StoredCharge, *, transaction: Transaction) -> StoredCharge:
        if self._away_for_captures > 0:
            self._away_for_captures -= 1
            raise ConnectionError("the database is away")
        is_as_asked = self.rows[charge.tenant, charge.operation_id].capture_amount == charge.capture_amount
        if is_as_asked and self._move(charge.tenant, charge.operation_id, ChargeStatus.CAPTURED):
            self.transactions.append(transaction)
        return self.rows[charge.tenant, charge.operation_id]

    async def void(self, *, tenant: str, operation_id: str, now: datetime) -> StoredCharge:
        tombstone = StoredCharge(tenant=tenant, operation_id=operation_id, status=ChargeStatus.VOIDED, details=None)
        self.rows.setdefault((tenant, operation_id), tombstone)
        self._move(tenant, operation_id, ChargeStatus.VOIDED)
        return self.rows[tenant, operation_id]

    async def escalate_unknown(self, charge: StoredCharge, *, now: datetime) -> None:
        if self.rows[charge.tenant, charge.operation_id].status is ChargeStatus.UNKNOWN:
            self.escalated.append((EscalationReason.CHARGE_UNRESOLVED, charge.operation_id))

    async def escalate_void(self, *, tenant: str, operation_id: str, said: ChargeStatus, now: datetime) -> None:
        self.escalated.append((EscalationReason.VOID_REFUSED, operation_id))

    async def settle_void(self, charge: StoredCharge, *, now: datetime) -> None:
        self.settled_voids.append(charge.operation_id)

    def refund_all(self, operation_id: str, *, tenant: str = "buyers") -> None:
        row = self.rows[tenant, operation_id]
        assert row.details is not None
        self.rows[tenant, operation_id] = replace(row, reversed_minor_units=row.details.amount.minor_units)

    def _move(self, tenant: str, operation_id: str, to: ChargeStatus) -> bool:
        row = self.rows[tenant, operation_id]
        if row.status not in MAY_COME_FROM[to]:
            return False
        self.rows[tenant, operation_id] = replace(row, status=to)
        return True


class FakeLedger:
    """Sums up what a `FakeCharges` has posted."""

    def __init__(self, charges: FakeCharges) -> None:
        """Read these."""
        self._charges = charges

    async def credit_balances(
        self, account: str, *, at: datetime | None = None, phases: Sequence[Phase] = (Phase.POSTED,)
    ) -> Sequence[Money]:
        sums: dict[tuple[str, int], int] = {}
        for transaction in self._charges.transactions:
            for posting in transaction.postings:
                counts = transaction.phase in phases and (at is None or transaction.posted_at <= at)
                if posting.account == account and counts:
                    currency = posting.amount.currency, posting.amount.exponent
                    sums[currency] = sums.get(currency, 0) - posting.amount.minor_units
        return [
            Money(minor_units=minor_units, currency=currency, exponent=exponent)
            for (currency, exponent), minor_units in sorted(sums.items())
        ]

    async def find(self, key: TransactionKey) -> Transaction | None:
        return next((transaction for transaction in self._charges.transactions if transaction.key == key), None)


class FakeAcquirer:
    """An acquirer in memory, whose answers can get lost, and which can let in what it should not."""

    def __init__(
        self,
        *,
        declines: bool = False,
        refuses_captures: bool = False,
        away_for: int = 0,
        loses_answers: int = 0,
        bars_late_ones: bool = True,
    ) -> None:
        """Misbehave like this.

        Args:
            declines: every card.
            refuses_captures: of what it has authorised.
            away_for: so many calls fail, and nothing is done.
            loses_answers: so many writes are done, and nobody is told.
            bars_late_ones: False: it authorises what was voided before, which no acquirer should.
        """
        self.name = "acquirer"
        self.book: dict[str, ChargeStatus] = {}
        self.done: list[tuple[str, str]] = []
        """What moved money, in its order: verb and operation."""
        self.calls: list[str] = []
        self.before_authorising: Hook | None = None
        self.after_authorising: Hook | None = None
        self._details: dict[str, ChargeDetails | None] = {}
        self._declines = declines
        self._refuses_captures = refuses_captures
        self._away_for = away_for
        self.loses_answers = loses_answers
        self._bars_late_ones = bars_late_ones

    async def prepare(self, charge: StoredCharge) -> str | None:
        return None

    async def authorise(self, charge: StoredCharge) -> ChargeStatus:
        self._call("authorise")
        operation = charge.operation_id
        if self.before_authorising is not None:
            await self.before_authorising()
        known = self.book.get(operation)
        if known is None or (known is ChargeStatus.VOIDED and not self._bars_late_ones):
            self.book[operation] = ChargeStatus.DECLINED if self._declines else ChargeStatus.AUTHORISED
            self._details[operation] = charge.details
            if not self._declines:
                self.done.append(("authorise", operation))
        elif known is not ChargeStatus.VOIDED and self._details.get(operation) != charge.details:
            raise DifferentChargeError(operation)
        answer = self.book[operation]
        if self.after_authorising is not None:
            await self.after_authorising()
        self._may_lose_the_answer()
        return answer

    async def capture(self, charge: StoredCharge) -> ChargeStatus:
        self._call("capture")
        operation = charge.operation_id
        if self.book[operation] is ChargeStatus.AUTHORISED:
            if self._refuses_captures:
                return ChargeStatus.CAPTURE_REFUSED
            self.book[operation] = ChargeStatus.CAPTURED
            self.done.append(("capture", operation))
        self._may_lose_the_answer()
        return self.book[operation]

    async def void(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus:
        self._call("void")
        if self.book.get(operation_id) not in (ChargeStatus.CAPTURED, ChargeStatus.VOIDED):
            self.book[operation_id] = ChargeStatus.VOIDED
            self.done.append(("void", operation_id))
        self._may_lose_the_answer()
        return self.book[operation_id]

    async def find(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus | None:
        self._call("find")
        return self.book.get(operation_id)

    def heal(self) -> None:
        """Be there again."""
        self._away_for = 0

    def _call(self, verb: str) -> None:
        self.calls.append(verb)
        if self._away_for > 0:
            self._away_for -= 1
            raise NoAnswerError("away")

    def _may_lose_the_answer(self) -> None:
        if self.loses_answers > 0:
            self.loses_answers -= 1
            raise NoAnswerError("lost")


@dataclass
class PaymentPorts:
    """All fakes of the payment service together."""

    charges: FakeCharges = field(default_factory=FakeCharges)
    acquirer: FakeAcquirer = field(default_factory=FakeAcquirer)

    def charge_activities(self, *, escalate_after: timedelta = timedelta(hours=1)) -> ChargeActivities:
        """Return the real activities on these ports."""
        return ChargeActivities(self.charges, self.acquirer, fee_basis_points=1_000, escalate_after=escalate_after)


def euros(minor_units: int) -> Money:
    """Return an amount."""
    return Money(minor_units=minor_units, currency="EUR")


def authorise_request(
    operation_id: str = "p-1",
    *,
    token: str = "tok_ok",
    shares: tuple[int, ...] = (1_500, 500),
    total: int | None = None,
) -> AuthoriseRequest:
    """Return a request of tenant `buyers`, with a share for each of seller-0, seller-1 and so on."""
    return AuthoriseRequest(
        tenant="buyers",
        operation_id=operation_id,
        payment_token=token,
        amount=euros(sum(shares) if total is None else total),
        shares=tuple(
            ChargeShare(seller=f"seller-{number}", amount=euros(share)) for number, share in enumerate(shares)
        ),
    )


def charge_request(operation_id: str = "p-1", *, amount: int | None = None) -> CaptureRequest:
    """Return the request that names the same charge, to capture all or a part of it, or to void it."""
    return CaptureRequest(amount=None if amount is None else euros(amount), tenant="buyers", operation_id=operation_id)


@asynccontextmanager
async def payment_worker(
    client: Client, ports: PaymentPorts, *, task_queue: str, max_cached_workflows: int = 1000
) -> AsyncGenerator[None]:
    """Run the real workflows and activities on fake ports."""
    of_charges = ports.charge_activities()
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[ChargeResolutionWorkflow, ChargeSettlementWorkflow, ChargeVoidWorkflow],
        activities=[
            of_charges.authorise,
            of_charges.capture,
            of_charges.void,
            of_charges.resolve_charge,
            of_charges.settle_charge,
        ],
        workflow_runner=workflow_runner(),
        max_cached_workflows=max_cached_workflows,
        graceful_shutdown_timeout=timedelta(seconds=1),
    ):
        yield
