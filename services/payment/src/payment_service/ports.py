"""What the activities and views of the payment service need from the outside."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from payment_service.domain.charges import ChargeDetails, ChargeStatus, StoredCharge
from payment_service.domain.disputes import DisputeAtProvider, DisputeName, DisputeNotice, StoredDispute
from payment_service.domain.escalations import Escalation, EscalationPosition, EscalationReason
from payment_service.domain.ledger import Phase, Transaction, TransactionKey
from payment_service.domain.payouts import (
    DuePayout,
    NewPayout,
    PayoutPlan,
    PayoutPosition,
    PayoutStatus,
    StoredPayout,
)
from payment_service.domain.provider import MovementStatus, PayoutOrder, ProviderFact, ProviderRecord, RefundOrder
from payment_service.domain.provider_events import EventReason, EventStatus, StoredEvent
from payment_service.domain.refunds import RefundRequest, RefundsOfCharge, RefundStatus, StoredRefund
from platform_contracts.money import Money


class Charges(Protocol):
    """The charges: one row for each operation, moved by conditional updates, so that of two movers one finds out."""

    async def begin(
        self, *, tenant: str, operation_id: str, details: ChargeDetails, provider: str, now: datetime
    ) -> tuple[StoredCharge, bool]:
        """Write down that the charge is about to be sent, unless there is one; return it, and whether it is new."""
        ...

    async def find(self, *, tenant: str, operation_id: str) -> StoredCharge | None:
        """Return the charge; None when there is none."""
        ...

    async def refer(self, charge: StoredCharge, *, reference: str, now: datetime) -> StoredCharge:
        """Write down what the provider calls the charge, once; return it as it stands after that."""
        ...

    async def move(self, charge: StoredCharge, *, to: ChargeStatus, now: datetime) -> StoredCharge:
        """Move the charge to a status if it may come from where it is now; return it as it stands after that."""
        ...

    async def ask_capture(self, charge: StoredCharge, *, amount: Money, now: datetime) -> StoredCharge:
        """Write down how much of the charge is about to be captured, once; return it as it stands after that."""
        ...

    async def capture(self, charge: StoredCharge, *, transaction: Transaction) -> StoredCharge:
        """Move the charge to captured and post the transaction, both or neither; return it as it stands after that.

        It moves only if the amount that was to be captured is still the one that the charge given here has.
        """
        ...

    async def void(self, *, tenant: str, operation_id: str, now: datetime) -> StoredCharge:
        """Move the charge to voided if it may; where there is none, leave a voided one for whoever comes late."""
        ...

    async def escalate_unknown(self, charge: StoredCharge, *, now: datetime) -> None:
        """Have a person look at a charge of unknown outcome, if it still is one."""
        ...

    async def escalate_void(self, *, tenant: str, operation_id: str, said: ChargeStatus, now: datetime) -> None:
        """Have a person look at a void that meets what is captured, in the provider's book or in ours."""
        ...

    async def settle_void(self, charge: StoredCharge, *, now: datetime) -> None:
        """Resolve what a person was told of a void: nobody is charged any more."""
        ...


class Refunds(Protocol):
    """The refunds: one row for each id; what all of a charge take is counted by one conditional update."""

    async def request(self, request: RefundRequest, *, now: datetime) -> StoredRefund:
        """Write the refund down and post it pending, unless it is there; return it as it stands after that.

        Raises:
            UnknownChargeError: when there is no such charge.
            NotCapturedError: when it is not captured.
            RefundExceedsError: when more is asked for than is left.
            InvalidRefundError: when nothing can be refunded like this.
            DifferentRefundError: when the refund is there with other details.
        """
        ...

    async def find(self, *, tenant: str, refund_id: str) -> StoredRefund | None:
        """Return the refund; None when there is none."""
        ...

    async def of_charge(self, *, tenant: str, charge_id: str) -> RefundsOfCharge | None:
        """Return what is taken back of a captured charge; None when there is none that is captured."""
        ...

    async def settle(self, refund: StoredRefund, *, to: RefundStatus, now: datetime) -> StoredRefund:
        """Move the refund if it may, with its postings, in one transaction; return it as it stands after that."""
        ...

    async def escalate(self, refund: StoredRefund, *, now: datetime) -> None:
        """Have a person look at a refund that is open for too long, if it still is."""
        ...


class Disputes(Protocol):
    """The disputes: one row for each name of the provider, whatever is told of it, and in which order."""

    async def apply(self, notice: DisputeNotice, *, now: datetime) -> StoredDispute:
        """Apply what a provider says of a dispute, with its postings, in one transaction; return it as it stands.

        Raises:
            UnknownChargeError: when there is no such charge; a person hears of it.
            DisputeNotCapturedError: when it is not captured in our book; a person hears of it.
        """
        ...


class Ledger(Protocol):
    """The postings, to be read; they are written with what they come from."""

    async def credit_balances(
        self, account: str, *, at: datetime | None = None, phases: Sequence[Phase] = (Phase.POSTED,)
    ) -> Sequence[Money]:
        """Return what was credited to the account minus what was debited, for each currency; now, or up to a moment."""
        ...

    async def find(self, key: TransactionKey) -> Transaction | None:
        """Return a transaction as it was posted; None when there is none."""
        ...


class Escalations(Protocol):
    """What could not be resolved without a person."""

    async def open(self, escalation: Escalation) -> None:
        """Write it down, unless it is there, whether open or resolved; to one that waits already, add its details."""
        ...

    async def close_unless(
        self, reason: EscalationReason, *, subjects: Collection[str], resolution: str, now: datetime
    ) -> None:
        """Resolve what waits for this reason, but not of these subjects, in the platform's name."""
        ...

    async def resolve(self, escalation_id: str, *, by: str, resolution: str, now: datetime) -> Escalation | None:
        """Resolve it, unless it is resolved; return it as it stands after that, None when there is none."""
        ...

    async def find(self, escalation_id: str) -> Escalation | None:
        """Return it; None when there is none."""
        ...

    async def page(
        self, *, tenant: str | None, is_open: bool | None, limit: int, after: EscalationPosition | None
    ) -> Sequence[Escalation]:
        """Return at most `limit` escalations of a tenant or of all, newest first; those after a position."""
        ...

    async def count_open(self) -> Mapping[EscalationReason, int]:
        """Return how many of each reason wait."""
        ...


class Payouts(Protocol):
    """The payouts: one row for each, moved by conditional updates together with its postings."""

    async def reserve(self, new: NewPayout, *, now: datetime) -> StoredPayout:
        """Take everything that is payable out of the balance, or write down why nothing is; once for a payout id.

        Raises:
            PayoutDiffersError: when there is one of this id for another currency.
        """
        ...

    async def find(self, *, partner: str, payout_id: str) -> StoredPayout | None:
        """Return the payout; None when there is none."""
        ...

    async def wait(self, *, partner: str, payout_id: str, to: PayoutStatus, now: datetime) -> StoredPayout:
        """Move a waiting payout to HELD or IN_REVIEW; return it as it stands after that."""
        ...

    async def begin_sending(self, *, partner: str, payout_id: str, now: datetime) -> StoredPayout:
        """Write down that it is about to be sent, or that the balance no longer covers it; return how it stands."""
        ...

    async def give_back(self, *, partner: str, payout_id: str, to: PayoutStatus, now: datetime) -> StoredPayout | None:
        """End a payout that was not sent, and restore the balance; return how it stands, None when there is none."""
        ...

    async def paid(self, *, partner: str, payout_id: str, now: datetime) -> StoredPayout:
        """Post that it is paid, and what is kept back; once. Return how it stands."""
        ...

    async def failed(self, *, partner: str, payout_id: str, escalation: Escalation, now: datetime) -> StoredPayout:
        """Restore the balance of what could not be paid, and have a person look at it; once. Return how it stands."""
        ...

    async def unresolved(self, *, partner: str, payout_id: str, escalation: Escalation) -> None:
        """Have a person look at a payout that was sent and has no end; one that has one by now concerns nobody."""
        ...

    async def returned(self, *, partner: str, payout_id: str, escalation: Escalation, now: datetime) -> StoredPayout:
        """Restore the balance of what was paid and came back, and have a person look; once. Return how it stands."""
        ...

    async def page(self, *, partner: str, limit: int, after: PayoutPosition | None) -> Sequence[StoredPayout]:
        """Return a page of the partner's payouts, newest first."""
        ...


class PayoutPlans(Protocol):
    """How partners are paid, and who is to be paid now."""

    async def find(self, *, partner: str, currency: str) -> tuple[PayoutPlan, bool]:
        """Return the plan that holds, and whether it is the partner's own."""
        ...

    async def save(
        self, *, partner: str, currency: str, plan: PayoutPlan, change_id: str, changed_by: str, changed_at: datetime
    ) -> None:
        """Keep the plan instead of what was there, unless that was asked for later."""
        ...

    async def due(
        self, *, cut: datetime, now: datetime, after: DuePayout | None, limit: int
    ) -> tuple[Sequence[DuePayout], DuePayout | None]:
        """Return who is to be paid among the next partners and currencies, and where to go on; None at the end."""
        ...


class ReceivedEvents(Protocol):
    """What providers have told: one row for each event, moved by conditional updates."""

    async def receive(self, *, provider: str, event_id: str, body: bytes, received_at: datetime) -> StoredEvent:
        """Write an event down, unless it is there; return it as it stands."""
        ...

    async def reopen(self, *, provider: str, event_id: str, now: datetime) -> StoredEvent | None:
        """Have a settled event that was not applied tried again; return it as it stands, None when there is none."""
        ...

    async def settle(
        self,
        *,
        provider: str,
        event_id: str,
        status: EventStatus,
        reason: EventReason | None,
        now: datetime,
        opens: Escalation | None = None,
        resolves: Sequence[str] = (),
        by: str = "",
        resolution: str = "",
    ) -> StoredEvent | None:
        """Move an event that is being tried to where it ends, with what a person is told, or need not know any more.

        One that is settled stays as it is. Returns it as it stands, None when there is none.
        """
        ...

    async def find(self, *, provider: str, event_id: str) -> StoredEvent | None:
        """Return an event; None when there is none."""
        ...


class ChargeProvider(Protocol):
    """Who takes money from cards. Operations are named by us, so that it can be asked what became of each.

    Every write of a provider may be sent any number of times for one operation and happens at most once. Every method
    may raise NoAnswerError: then it may have happened or not.
    """

    @property
    def name(self) -> str:
        """The provider's name: a charge keeps it, and `cash_clearing:{name}` is what the provider owes us."""
        ...

    async def prepare(self, charge: StoredCharge) -> str | None:
        """Make the charge known without moving money; return what the provider calls it, None where it has no name."""
        ...

    async def authorise(self, charge: StoredCharge) -> ChargeStatus:
        """Reserve the amount, at most once for an operation, however often it is sent: AUTHORISED, DECLINED or VOIDED.

        Raises:
            DifferentChargeError: when the operation is known with another amount or token.
        """
        ...

    async def capture(self, charge: StoredCharge) -> ChargeStatus:
        """Take what is reserved, or `capture_amount` of it, at most once: CAPTURED, CAPTURE_REFUSED, VOIDED or EXPIRED.

        What is not taken of an authorisation is given back.
        """
        ...

    async def void(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus:
        """Give back what is reserved, and bar an authorisation that arrives later: VOIDED, or CAPTURED if it is so."""
        ...

    async def find(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus | None:
        """Return AUTHORISED, DECLINED, CAPTURED, VOIDED or EXPIRED; None when it has never seen the operation."""
        ...


class RefundProvider(Protocol):
    """Who gives back what it has captured."""

    async def refund(self, order: RefundOrder) -> MovementStatus:
        """Give back a part of what was captured, at most once for a refund id; FAILED where it never will be."""
        ...

    async def find_refund(self, order: RefundOrder) -> MovementStatus | None:
        """Return how the refund stands; None when the provider has never seen it."""
        ...


class PayoutProvider(Protocol):
    """Who sends money to partners."""

    @property
    def name(self) -> str:
        """The provider's name."""
        ...

    async def pay_out(self, order: PayoutOrder) -> MovementStatus:
        """Send money to a partner, at most once for a payout id; PENDING until it has arrived."""
        ...

    async def find_payout(self, order: PayoutOrder) -> MovementStatus | None:
        """Return how the payout stands; None when the provider has never seen it."""
        ...


class DisputeProvider(Protocol):
    """Who hears of disputes first."""

    async def find_dispute(self, name: DisputeName) -> DisputeAtProvider | None:
        """Return how the dispute stands; None when the provider knows none of this name about this charge."""
        ...


class ProviderRecords(Protocol):
    """A provider's own book."""

    @property
    def name(self) -> str:
        """The provider's name."""
        ...

    def records(self, *, since: datetime, until: datetime) -> AsyncIterator[ProviderRecord]:
        """Yield every capture, refund and payout that the provider has made in a span of time."""
        ...


class ProviderEvents(Protocol):
    """What a provider tells without being asked."""

    def read_event(self, body: bytes) -> ProviderFact:
        """Return what a provider event, whose signature was checked, says.

        Raises:
            UnreadableEventError: when it is none that this provider sends.
        """
        ...

    async def named(self, fact: ProviderFact) -> ProviderFact:
        """Return the fact with tenant and charge id where it had but a `charge_reference`; OTHER if it is not ours."""
        ...


class PaymentProvider(
    ChargeProvider, RefundProvider, PayoutProvider, DisputeProvider, ProviderRecords, ProviderEvents, Protocol
):
    """All that a provider of ours does."""


class NoAnswerError(Exception):
    """The provider gave no answer, or one that says nothing: it may have done what was asked, or not."""

    def __init__(self, reason: str) -> None:
        """Keep a reason without anything of the answer."""
        super().__init__(f"the provider gave no answer: {reason}")
        self.reason = reason


class UnreadableEventError(Exception):
    """A provider event that cannot be read; it is put aside for a person, never dropped."""
