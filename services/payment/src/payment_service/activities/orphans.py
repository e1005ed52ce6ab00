"""Activities that undo charges whose purchase came to nothing."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio import activity

from payment_service.activities.charge_outcomes import ChargeOutcomes
from payment_service.domain.charges import UNRESOLVED, ChargeStatus, StoredCharge
from payment_service.domain.escalations import Escalation, EscalationReason, escalation, subject_of
from payment_service.domain.orphans import OpenCharge, OrphanStep, next_step, orphan_refund_id
from payment_service.ports import ChargeProvider, Charges, Refunds
from payment_service.reconciliation_ports import Orphans
from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.message import ContractModel


class FindOpenCharges(ContractModel):
    """Which page."""

    after: str | None = None
    limit: int = 50


class OpenChargeName(ContractModel):
    """A charge, by its name."""

    tenant: Tenant
    operation_id: ClientId


class OpenChargesPage(ContractModel):
    """Charges of whose purchase nobody has said yet how it ended."""

    charges: tuple[OpenChargeName, ...]
    next: str | None = None


class ConcludeCharges(ContractModel):
    """Charges whose purchases are sold."""

    charges: tuple[OpenChargeName, ...]


class SettleOrphan(OpenChargeName):
    """A charge whose purchase came to nothing, and why its refund did not come about, if one was tried."""

    refund_failure: str | None = None


class OrphanState(ContractModel):
    """What the orphan needs next."""

    step: OrphanStep
    refund_id: ClientId


class OrphanActivities:
    """What is done to orphans."""

    def __init__(
        self,
        orphans: Orphans,
        charges: Charges,
        refunds: Refunds,
        provider: ChargeProvider,
        *,
        outcomes: ChargeOutcomes,
        after: timedelta,
    ) -> None:
        """Undo through the provider what is older than `after` and belongs to no purchase."""
        self._orphans = orphans
        self._charges = charges
        self._refunds = refunds
        self._provider = provider
        self._outcomes = outcomes
        self._after = after

    @activity.defn(name="payment.find_open_charges")
    async def find_open_charges(self, request: FindOpenCharges) -> OpenChargesPage:
        """Return a page of the charges that are old enough to be asked about; reads only."""
        after = None if request.after is None else _position(request.after)
        found = await self._orphans.page(before=_now() - self._after, limit=request.limit, after=after)
        return OpenChargesPage(
            charges=tuple(OpenChargeName(tenant=each.tenant, operation_id=each.operation_id) for each in found),
            next=_text(found[-1]) if len(found) == request.limit else None,
        )

    @activity.defn(name="payment.conclude_charges")
    async def conclude_charges(self, request: ConcludeCharges) -> None:
        """Never ask about these charges again: their purchases are sold. A repeat changes nothing."""
        by_tenant: dict[str, list[str]] = {}
        for charge in request.charges:
            by_tenant.setdefault(charge.tenant, []).append(charge.operation_id)
        for tenant, operation_ids in by_tenant.items():
            await self._orphans.conclude(tenant=tenant, operation_ids=operation_ids, now=_now())

    @activity.defn(name="payment.settle_orphan")
    async def settle_orphan(self, request: SettleOrphan) -> OrphanState:
        """Void what is not captured, and say what becomes of what is; only of a purchase that is known to be nothing.

        The provider is told to void first, whatever our row says; if it has captured instead, that is recorded, and has
        to be refunded. Each step changes what it finds undone, so a repeat goes on where the last one stood. Who has to
        see to it is told in the transaction that says that nobody asks any more.

        Raises:
            NoAnswerError: when the provider gave no answer; Temporal tries again, and then the next run.
        """
        state = await self._next(request)
        return OrphanState(step=state, refund_id=orphan_refund_id(request.operation_id))

    async def _next(self, request: SettleOrphan) -> OrphanStep:
        tenant, operation_id = request.tenant, request.operation_id
        charge = await self._charges.find(tenant=tenant, operation_id=operation_id)
        if charge is not None and charge.status in UNRESOLVED | {ChargeStatus.AUTHORISED}:
            charge = await self._voided(charge)
        if charge is None or charge.status is not ChargeStatus.CAPTURED:
            await self._conclude(request)
            return OrphanStep.SETTLED
        taken_back = await self._refunds.of_charge(tenant=tenant, charge_id=operation_id)
        assert taken_back is not None, "it is captured, and that is never undone"
        step, has_failed = next_step(taken_back, operation_id=operation_id)
        if step is OrphanStep.REFUND and request.refund_failure is not None:
            step, has_failed = OrphanStep.SETTLED, True
        if step is OrphanStep.SETTLED:
            await self._conclude(request, _escalation(charge, request.refund_failure) if has_failed else None)
        return step

    async def _voided(self, charge: StoredCharge) -> StoredCharge:
        tenant, operation_id = charge.tenant, charge.operation_id
        said = await self._provider.void(tenant=tenant, operation_id=operation_id, reference=charge.reference)
        if said is ChargeStatus.CAPTURED:
            return await self._outcomes.captured(charge)
        return await self._charges.void(tenant=tenant, operation_id=operation_id, now=_now())

    async def _conclude(self, request: SettleOrphan, told: Escalation | None = None) -> None:
        await self._orphans.conclude(
            tenant=request.tenant, operation_ids=[request.operation_id], now=_now(), escalation=told
        )


def _escalation(charge: StoredCharge, failure: str | None) -> Escalation:
    assert charge.details is not None, "what is captured was authorised"
    amount = charge.capture_amount or charge.details.amount
    return escalation(
        EscalationReason.ORPHANED_CAPTURE,
        tenant=charge.tenant,
        subject=subject_of("charge", tenant=charge.tenant, name=charge.operation_id),
        now=_now(),
        details={
            "provider": charge.provider,
            "minorUnits": str(amount.minor_units),
            "currency": amount.currency,
            "refund": orphan_refund_id(charge.operation_id),
            "refundFailure": failure or "the provider does not pay it back",
        },
    )


def _text(charge: OpenCharge) -> str:
    return json.dumps([charge.created_at.isoformat(), charge.tenant, charge.operation_id])


def _position(text: str) -> OpenCharge:
    position: Sequence[str] = json.loads(text)
    created_at, tenant, operation_id = position
    return OpenCharge(
        tenant=tenant,
        operation_id=operation_id,
        status=ChargeStatus.UNKNOWN,
        created_at=datetime.fromisoformat(created_at),
    )


def _now() -> datetime:
    return datetime.now(UTC)
