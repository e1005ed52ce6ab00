"""Activities that pay partners: what is owed is taken out of the balance first, and nothing is sent twice.

The provider's book and ours share no transaction. So the row says `sending` before the first call, every call carries
the payout's id, the provider is asked for the payout before it is sent, and silence is no answer.
"""

from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from payment_service.activities.failures import translated
from payment_service.domain.escalations import Escalation, EscalationReason, escalation, subject_of
from payment_service.domain.payouts import NewPayout, StoredPayout, UnknownPayoutError
from payment_service.domain.payouts import PayoutStatus as Status
from payment_service.domain.provider import MovementStatus, PayoutOrder
from payment_service.ports import Escalations, PayoutProvider, Payouts
from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.payment.partner_payout import CarriedReason, PartnerPayoutInput, PayoutStatus


class PayoutTimings(BaseModel):
    """How long a payout waits for what; it keeps those that it was reserved with."""

    model_config = ConfigDict(frozen=True)

    recheck_after: timedelta
    """When it is asked again whether a partner may be paid that may not."""
    remind_after: timedelta
    """When the reviewers are reminded."""
    overdue_after: timedelta
    """When it is too late to decide."""
    look_after: timedelta
    """When the provider is asked again for the first time; each time after that twice as late."""
    unresolved_after: timedelta
    """When a person hears of a payout of which the provider has not said how it ended."""


class PayoutKey(ContractModel):
    """Which payout."""

    tenant: Tenant
    payout_id: ClientId


class PayoutMove(ContractModel):
    """Which payout, and where it goes."""

    tenant: Tenant
    payout_id: ClientId
    to: PayoutStatus


class PayoutState(ContractModel):
    """Where a payout stands."""

    status: PayoutStatus
    amount: Money
    withheld: Money
    carried: CarriedReason | None = None


class ReservedPayout(ContractModel):
    """A payout that was reserved, now or before."""

    state: PayoutState
    needs_review: bool
    requested_by: str | None
    timings: PayoutTimings


class PayoutActivities:
    """What is done to payouts."""

    def __init__(
        self, payouts: Payouts, provider: PayoutProvider, escalations: Escalations, *, timings: PayoutTimings
    ) -> None:
        """Pay through the provider, and wait as the timings say."""
        self._payouts = payouts
        self._provider = provider
        self._escalations = escalations
        self._timings = timings

    @activity.defn(name="payment.reserve_payout")
    async def reserve_payout(self, payout: PartnerPayoutInput) -> ReservedPayout:
        """Take everything payable up to the cut out of the balance; return it, or why nothing is paid.

        Row, amount and posting are one transaction by the payout's id: a repeat finds them and takes nothing again.

        Raises:
            ApplicationError: of type `PAYOUT_DIFFERS`.
        """
        with translated():
            stored = await self._payouts.reserve(
                NewPayout(
                    partner=payout.tenant,
                    payout_id=payout.payout_id,
                    currency=payout.currency,
                    exponent=payout.exponent,
                    cut=payout.cut,
                    requested_by=payout.requested_by,
                    provider=self._provider.name,
                ),
                now=_now(),
            )
        return ReservedPayout(
            state=_state(stored),
            needs_review=stored.needs_review,
            requested_by=stored.requested_by,
            timings=self._timings,
        )

    @activity.defn(name="payment.hold_payout")
    async def hold_payout(self, move: PayoutMove) -> PayoutState:
        """Write down what a payout waits for, HELD or IN_REVIEW; a repeat changes nothing."""
        stored = await self._payouts.wait(partner=move.tenant, payout_id=move.payout_id, to=Status(move.to), now=_now())
        return _state(stored)

    @activity.defn(name="payment.give_back_payout")
    async def give_back_payout(self, move: PayoutMove) -> PayoutState | None:
        """Restore the balance of a payout that was not sent; None where nothing was ever reserved.

        A repeat changes nothing. One that was sent stays as it is.
        """
        stored = await self._payouts.give_back(
            partner=move.tenant, payout_id=move.payout_id, to=Status(move.to), now=_now()
        )
        return None if stored is None else _state(stored)

    @activity.defn(name="payment.begin_payout")
    async def begin_payout(self, key: PayoutKey) -> PayoutState:
        """Write down that the payout is about to be sent: SENDING, or CARRIED when the balance no longer covers it.

        A repeat changes nothing.
        """
        return _state(await self._payouts.begin_sending(partner=key.tenant, payout_id=key.payout_id, now=_now()))

    @activity.defn(name="payment.send_payout")
    async def send_payout(self, key: PayoutKey) -> PayoutState:
        """Send the payout unless the provider has it, and record how it stands there: SENDING, PAID or FAILED.

        The provider is asked first, so a repeat finds what an earlier attempt has sent; what it does not know is sent
        under the payout's own id, which it pays at most once. The outcome is posted once, with the row.

        Raises:
            ApplicationError: of type `UNKNOWN_PAYOUT`.
            NoAnswerError: when the provider gave no answer; Temporal tries again.
        """
        with translated():
            payout = await self._known(key)
        if payout.status is not Status.SENDING:
            return _state(payout)
        order = _order(payout)
        said = await self._provider.find_payout(order)
        if said is None:
            said = await self._provider.pay_out(order)
        return _state(await self._recorded(payout, said))

    @activity.defn(name="payment.sync_payout")
    async def sync_payout(self, key: PayoutKey) -> PayoutState | None:
        """Ask the provider for a payout that was sent, and record what it says; None where there is none.

        Nothing is sent. A repeat asks again and posts nothing twice. That one which was paid has come back is posted as
        RETURNED.

        Raises:
            NoAnswerError: when the provider gave no answer; Temporal tries again.
        """
        payout = await self._payouts.find(partner=key.tenant, payout_id=key.payout_id)
        if payout is None:
            return None
        if payout.status not in (Status.SENDING, Status.PAID, Status.FAILED):
            return _state(payout)
        said = await self._provider.find_payout(_order(payout))
        return _state(payout if said is None else await self._recorded(payout, said))

    @activity.defn(name="payment.escalate_payout")
    async def escalate_payout(self, key: PayoutKey) -> None:
        """Have a person look at a payout of which the provider has not said how it ended; a repeat opens no second."""
        of = {"partner": key.tenant, "payout_id": key.payout_id}
        await self._payouts.unresolved(
            **of, escalation=_escalation(EscalationReason.PAYOUT_UNRESOLVED, **of, why="no_end")
        )

    async def _known(self, key: PayoutKey) -> StoredPayout:
        payout = await self._payouts.find(partner=key.tenant, payout_id=key.payout_id)
        if payout is None:
            raise UnknownPayoutError(key.payout_id)
        return payout

    async def _recorded(self, payout: StoredPayout, said: MovementStatus) -> StoredPayout:
        """Record what the provider said, as far as our row allows it; return the payout as it stands after that."""
        of = {"partner": payout.partner, "payout_id": payout.payout_id}
        failed = _escalation(EscalationReason.PAYOUT_FAILED, **of, why="returned" if _was_paid(payout) else "failed")
        if said is MovementStatus.SUCCEEDED:
            stored = await self._payouts.paid(**of, now=_now())
            if stored.status is Status.FAILED:
                # The balance was restored on the provider's own word; which of the two is true is for a person.
                await self._escalations.open(_escalation(EscalationReason.EVENT_CONTRADICTS, **of, why="paid"))
            return stored
        if said is MovementStatus.FAILED and _was_paid(payout):
            return await self._payouts.returned(**of, escalation=failed, now=_now())
        if said is MovementStatus.FAILED:
            return await self._payouts.failed(**of, escalation=failed, now=_now())
        return payout


def _was_paid(payout: StoredPayout) -> bool:
    return payout.status is Status.PAID


def _order(payout: StoredPayout) -> PayoutOrder:
    return PayoutOrder(
        partner=payout.partner, payout_id=payout.payout_id, amount=payout.amount, destination=payout.destination
    )


def _escalation(reason: EscalationReason, *, partner: str, payout_id: str, why: str) -> Escalation:
    return escalation(
        reason,
        tenant=partner,
        subject=subject_of("payout", tenant=partner, name=payout_id),
        now=_now(),
        details={"payoutId": payout_id, "why": why},
    )


def _state(payout: StoredPayout) -> PayoutState:
    return PayoutState(
        status=PayoutStatus(payout.status),
        amount=payout.amount,
        withheld=payout.withheld,
        carried=None if payout.carried is None else CarriedReason(payout.carried),
    )


def _now() -> datetime:
    return datetime.now(UTC)
