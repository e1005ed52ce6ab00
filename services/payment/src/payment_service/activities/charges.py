"""Activities that charge buyers: each asks the acquirer at most once for the same thing, and never guesses.

Two books are kept, the acquirer's and ours, and no transaction spans both. So the intent is written before the first
call; every call carries a key made of the operation and the verb alone; our row moves only from where the domain allows
it. An attempt that was believed dead may come back at any line and change nothing that was decided without it.
"""

from datetime import timedelta
from typing import Final

from pydantic import AwareDatetime
from temporalio import activity

from payment_service.activities.charge_outcomes import ChargeOutcomes, now
from payment_service.activities.failures import translated
from payment_service.domain.charges import (
    UNRESOLVED,
    BooksDifferError,
    CaptureRefusedError,
    ChargeCapturedError,
    ChargeDetails,
    ChargeExpiredError,
    ChargeUnresolvedError,
    ChargeVoidedError,
    DeclinedError,
    DifferentChargeError,
    Share,
    StoredCharge,
    UnknownChargeError,
    check_details,
)
from payment_service.domain.charges import ChargeStatus as Status
from payment_service.domain.reversals import captured_amount, captured_details
from payment_service.ports import ChargeProvider, Charges
from platform_contracts.money import Money
from platform_contracts.payment.charge import (
    AUTHORISE,
    CAPTURE,
    VOID,
    AuthoriseRequest,
    CaptureRequest,
    ChargeRequest,
    ChargeResult,
    ChargeStatus,
)

_CAPTURABLE: Final = frozenset({Status.AUTHORISED, Status.CAPTURED})

ESCALATE_AFTER: Final = timedelta(hours=1)
"""How old what nobody can tell anything of may get before a person hears of it, where nothing else is set."""


class SettleCharge(ChargeRequest):
    """Which charge, and until when somebody else asks what became of it."""

    wanted_until: AwareDatetime


class ChargeActivities:
    """What is done to charges."""

    def __init__(
        self,
        charges: Charges,
        provider: ChargeProvider,
        *,
        fee_basis_points: int,
        escalate_after: timedelta = ESCALATE_AFTER,
    ) -> None:
        """Charge through the provider.

        Args:
            charges: where they are kept.
            provider: who takes the money.
            fee_basis_points: what the platform keeps of each capture, in hundredths of a per cent.
            escalate_after: how old a charge of unknown outcome may get before a person hears of it.
        """
        self._charges = charges
        self._provider = provider
        self._outcomes = ChargeOutcomes(
            charges, provider, fee_basis_points=fee_basis_points, escalate_after=escalate_after
        )

    @activity.defn(name=AUTHORISE.name)
    async def authorise(self, request: AuthoriseRequest) -> ChargeResult:
        """Reserve the amount; return AUTHORISED, or UNKNOWN when the acquirer gave no answer.

        A repeat returns what the first one came to. One that finds an intent without an outcome asks the acquirer for
        the operation first; what the acquirer has never seen is sent again, under the same key.

        Raises:
            ApplicationError: of type `DECLINED`, `CHARGE_VOIDED`, `CHARGE_EXPIRED`, `DIFFERENT_CHARGE` or
                `INVALID_CHARGE`.
        """
        with translated():
            details = _details(request)
            check_details(details)
            charge, is_new = await self._charges.begin(
                tenant=request.tenant,
                operation_id=request.operation_id,
                details=details,
                provider=self._provider.name,
                now=now(),
            )
            _check_same(charge, details)
            if charge.status in UNRESOLVED:
                charge = await self._outcomes.resolved(charge, was_sent=not is_new)
            return _result(charge)

    @activity.defn(name=CAPTURE.name)
    async def capture(self, request: CaptureRequest) -> ChargeResult:
        """Take what is reserved, or a part of it, and post it to the ledger; return CAPTURED.

        A part is written down before the acquirer is asked for it, so that a repeat asks for the same.

        The acquirer captures once for the key, and our row and the postings change together, once: a repeat after a
        crash between the two gets the same answer from the acquirer and posts what is missing. A row without an outcome
        is resolved first: a database that came back from a backup or a fail-over may have forgotten what it had said.

        Raises:
            ApplicationError: of type `CAPTURE_REFUSED`, `CHARGE_VOIDED`, `CHARGE_EXPIRED`, `UNKNOWN_CHARGE`,
                `INVALID_CHARGE` or `DIFFERENT_CHARGE`.
            NoAnswerError: when the acquirer gave no answer; Temporal tries again.
            ChargeUnresolvedError: when it is not known yet whether anything is reserved; Temporal tries again.
        """
        with translated():
            charge = await self._charges.find(tenant=request.tenant, operation_id=request.operation_id)
            if charge is not None and charge.status in UNRESOLVED:
                charge = await self._outcomes.resolved(charge, was_sent=True)
            if charge is None or charge.status is Status.DECLINED:
                raise UnknownChargeError(request.operation_id)
            if charge.status in UNRESOLVED:
                raise ChargeUnresolvedError(request.operation_id)
            if charge.status in _CAPTURABLE:
                charge = await self._asked_for(charge, request.amount)
            if charge.status is Status.AUTHORISED:
                charge = await self._outcomes.recorded(charge, await self._provider.capture(charge))
            return _result(charge)

    @activity.defn(name=VOID.name)
    async def void(self, request: ChargeRequest) -> ChargeResult:
        """Make sure that the operation charges nobody, now or later; return how the charge stands after that.

        The acquirer is told first, and always: that we have no record, or one that says nothing was sent, may be older
        than an attempt that is still on its way. It voids once for the key, so a repeat changes nothing.

        Raises:
            NoAnswerError: when the acquirer gave no answer; Temporal tries again.
            ChargeCapturedError: when it is captured: a person hears of it. Temporal tries again, until all of it is
                given back.
            BooksDifferError: when only our book has it captured: a person hears of it. Temporal tries again.
        """
        tenant, operation_id = request.tenant, request.operation_id
        known = await self._charges.find(tenant=tenant, operation_id=operation_id)
        reference = None if known is None else known.reference
        said = await self._provider.void(tenant=tenant, operation_id=operation_id, reference=reference)
        if said is Status.CAPTURED:
            return _shown(await self._given_back(request, known))
        charge = await self._charges.void(tenant=tenant, operation_id=operation_id, now=now())
        if charge.status is Status.CAPTURED:
            await self._charges.escalate_void(tenant=tenant, operation_id=operation_id, said=said, now=now())
            raise BooksDifferError(operation_id)
        if reference is None and charge.reference is not None:
            # It was prepared while we voided what had no name yet, and may be authorised. From here on nobody gets it
            # prepared without finding our row voided.
            await self._provider.void(tenant=tenant, operation_id=operation_id, reference=charge.reference)
        return _shown(charge)

    @activity.defn(name="payment.resolve_charge")
    async def resolve_charge(self, request: ChargeRequest) -> ChargeResult:
        """Find out what became of a charge; return AUTHORISED, CAPTURED or VOIDED.

        A repeat asks again, or finds what is known; what the acquirer has never seen is sent, under the same key.

        Raises:
            ApplicationError: of type `DECLINED` or `CHARGE_EXPIRED`, or `UNKNOWN_CHARGE` where there is nothing to
                resolve.
            ChargeUnresolvedError: while the acquirer gives no answer; Temporal tries again.
        """
        with translated():
            charge = await self._charges.find(tenant=request.tenant, operation_id=request.operation_id)
            if charge is None:
                raise UnknownChargeError(request.operation_id)
            if charge.status in UNRESOLVED:
                charge = await self._outcomes.resolved(charge, was_sent=True)
            if charge.status in UNRESOLVED:
                raise await self._outcomes.unresolved(charge)
            if charge.status is Status.VOIDED:
                return _shown(charge)
            return _result(charge)

    @activity.defn(name="payment.settle_charge")
    async def settle_charge(self, request: SettleCharge) -> ChargeResult:
        """Find out what became of a charge that nobody may be waiting for any more; return how it stands.

        Up to the moment after which nobody wants it, whoever waits for it asks, and this only looks whether they were
        told. After that the acquirer is asked; what it has never seen is not sent again but barred, for nobody would
        capture it. A repeat asks again, or finds what is known.

        Raises:
            ApplicationError: of type `UNKNOWN_CHARGE` where there is nothing to settle.
            ChargeUnresolvedError: while it is not known; Temporal tries again.
        """
        with translated():
            charge = await self._charges.find(tenant=request.tenant, operation_id=request.operation_id)
            if charge is None:
                raise UnknownChargeError(request.operation_id)
            if charge.status in UNRESOLVED and now() >= request.wanted_until:
                charge = await self._outcomes.settled(charge)
            if charge.status in UNRESOLVED:
                raise await self._outcomes.unresolved(charge)
            return _shown(charge)

    async def _asked_for(self, charge: StoredCharge, amount: Money | None) -> StoredCharge:
        """Have it written down how much is captured, before the acquirer is asked for a part; all of it goes unsaid.

        Raises:
            InvalidChargeError: when it is not positive, or more than what is authorised.
            DifferentChargeError: when another amount was captured, or asked for.
        """
        assert charge.details is not None, "a charge without details was voided, and is never captured"
        wanted = captured_details(charge.details, amount).amount
        is_part = wanted != charge.details.amount
        if is_part and charge.capture_amount is None and charge.status is Status.AUTHORISED:
            charge = await self._charges.ask_capture(charge, amount=wanted, now=now())
        if charge.status in _CAPTURABLE and captured_amount(charge) != wanted:
            raise DifferentChargeError(charge.operation_id)
        return charge

    async def _given_back(self, request: ChargeRequest, charge: StoredCharge | None) -> StoredCharge:
        """Return a captured charge that should be void, once refunds and disputes have taken all of it back."""
        await self._charges.escalate_void(
            tenant=request.tenant, operation_id=request.operation_id, said=Status.CAPTURED, now=now()
        )
        if charge is None or charge.status not in UNRESOLVED | _CAPTURABLE:
            raise ChargeCapturedError(request.operation_id)
        if charge.status is not Status.CAPTURED:
            # Nobody can refund what our book does not have.
            charge = await self._outcomes.captured(charge)
        if charge.reversed_minor_units < captured_amount(charge).minor_units:
            raise ChargeCapturedError(request.operation_id)
        await self._charges.settle_void(charge, now=now())
        return charge


def _details(request: AuthoriseRequest) -> ChargeDetails:
    return ChargeDetails(
        payment_token=request.payment_token,
        amount=request.amount,
        shares=tuple(Share(seller=share.seller, amount=share.amount) for share in request.shares),
    )


def _check_same(charge: StoredCharge, details: ChargeDetails) -> None:
    """Make sure that the operation was not authorised with other details; a voided one may have none."""
    if charge.details is not None and charge.details != details:
        raise DifferentChargeError(charge.operation_id)


def _result(charge: StoredCharge) -> ChargeResult:
    """Return where the charge stands, or raise what that means for whoever wants money from it."""
    match charge.status:
        case Status.DECLINED:
            raise DeclinedError(charge.operation_id)
        case Status.VOIDED:
            raise ChargeVoidedError(charge.operation_id)
        case Status.EXPIRED:
            raise ChargeExpiredError(charge.operation_id)
        case Status.CAPTURE_REFUSED:
            raise CaptureRefusedError(charge.operation_id)
        case _:
            return _shown(charge)


def _shown(charge: StoredCharge) -> ChargeResult:
    return ChargeResult(operation_id=charge.operation_id, status=ChargeStatus(charge.status))
