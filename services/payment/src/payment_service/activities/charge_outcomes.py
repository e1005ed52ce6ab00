"""What became of a charge: asked of the provider, and recorded as far as our row allows it."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from payment_service.domain.charges import UNRESOLVED, BooksDifferError, ChargeUnresolvedError, StoredCharge
from payment_service.domain.charges import ChargeStatus as Status
from payment_service.domain.ledger import capture_transaction
from payment_service.domain.reversals import captured_details
from payment_service.ports import ChargeProvider, Charges, NoAnswerError


class ChargeOutcomes:
    """Finds out and records; what the activities of charges have in common."""

    def __init__(
        self, charges: Charges, provider: ChargeProvider, *, fee_basis_points: int, escalate_after: timedelta
    ) -> None:
        """Ask the provider, and keep what the fee says of each capture."""
        self._charges = charges
        self._provider = provider
        self._fee_basis_points = fee_basis_points
        self._escalate_after = escalate_after

    async def resolved(self, charge: StoredCharge, *, was_sent: bool) -> StoredCharge:
        """Ask for a charge that may have been sent; send what the provider does not know; record what it says."""
        try:
            known = None
            if was_sent:
                known = await self._provider.find(
                    tenant=charge.tenant, operation_id=charge.operation_id, reference=charge.reference
                )
            if known is None:
                charge = await self._prepared(charge)
                if charge.status not in UNRESOLVED:
                    # Voided while it was prepared, by somebody who did not know its name yet: a provider that has no
                    # other name for it could not bar it. It is our row that does.
                    return charge
                known = await self._provider.authorise(charge)
            said = known
        except NoAnswerError as silence:
            said = _unknown(charge, silence)
        return await self.recorded(charge, said)

    async def settled(self, charge: StoredCharge) -> StoredCharge:
        """Ask for a charge that nobody waits for; bar what the provider does not know; record what it says."""
        tenant, operation_id, reference = charge.tenant, charge.operation_id, charge.reference
        try:
            said = await self._provider.find(tenant=tenant, operation_id=operation_id, reference=reference)
            if said is None:
                said = await self._provider.void(tenant=tenant, operation_id=operation_id, reference=reference)
        except NoAnswerError as silence:
            said = _unknown(charge, silence)
        return await self.recorded(charge, said)

    async def recorded(self, charge: StoredCharge, said: Status) -> StoredCharge:
        """Record what the provider said, as far as our row allows it; return the charge as it stands after that."""
        if said is Status.CAPTURED:
            return await self.captured(charge)
        stored = await self._charges.move(charge, to=said, now=now())
        # This answer is older than the void, or the acquirer let a late authorisation in; or it was void without the
        # name that it has got meanwhile. Whichever it is, nothing may be left reserved.
        is_left = said is Status.AUTHORISED or (charge.reference is None and stored.reference is not None)
        if is_left and stored.status is Status.VOIDED:
            await self._provider.void(
                tenant=charge.tenant, operation_id=charge.operation_id, reference=stored.reference
            )
        return stored

    async def captured(self, charge: StoredCharge) -> StoredCharge:
        """Record that the provider has captured it, and post that.

        Raises:
            BooksDifferError: when our row cannot be captured, or another amount was to be.
        """
        # Only what is authorised can be captured: one that was captured before we knew of it goes that way too.
        if charge.status in UNRESOLVED:
            charge = await self._charges.move(charge, to=Status.AUTHORISED, now=now())
        assert charge.details is not None, "a charge without details was voided, and is never sent"
        stored = await self._charges.capture(
            charge,
            transaction=capture_transaction(
                tenant=charge.tenant,
                operation_id=charge.operation_id,
                provider=charge.provider,
                details=captured_details(charge.details, charge.capture_amount),
                fee_basis_points=self._fee_basis_points,
                now=now(),
            ),
        )
        if stored.status is not Status.CAPTURED:
            raise BooksDifferError(charge.operation_id)
        return stored

    async def unresolved(self, charge: StoredCharge) -> ChargeUnresolvedError:
        """Return the failure that has it asked for again; a person hears of it when that goes on for too long."""
        if charge.begun_at is not None and now() - charge.begun_at >= self._escalate_after:
            await self._charges.escalate_unknown(charge, now=now())
        return ChargeUnresolvedError(charge.operation_id)

    async def _prepared(self, charge: StoredCharge) -> StoredCharge:
        """Have the provider's own name of the charge written down before any money can move under it."""
        if charge.reference is not None:
            return charge
        reference = await self._provider.prepare(charge)
        return charge if reference is None else await self._charges.refer(charge, reference=reference, now=now())


def now() -> datetime:
    """Return the moment at which an activity writes something down."""
    return datetime.now(UTC)


def _unknown(charge: StoredCharge, silence: NoAnswerError) -> Status:
    activity.logger.warning("charge.unknown", extra={"operation_id": charge.operation_id, "reason": silence.reason})
    return Status.UNKNOWN
