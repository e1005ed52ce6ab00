"""Activities that charge buyers: each asks the acquirer at most once for the same thing, and never guesses.

Two books are kept, the acquirer's and ours, and no transaction spans both. So the intent is written before the first
call; every call carries a key made of the operation and the verb alone; our row moves only from where the domain allows
it. An attempt that was believed dead may come back at any line and change nothing that was decided without it.
"""

from datetime import UTC, datetime

from temporalio import activity

from payment_service.activities.failures import translated
from payment_service.domain.charges import (
    UNRESOLVED,
    BooksDifferError,
    CaptureRefusedError,
    ChargeCapturedError,
    ChargeDetails,
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
from payment_service.domain.ledger import capture_transaction
from payment_service.ports import ChargeProvider, Charges, NoAnswerError
from platform_contracts.payment.charge import (
    AUTHORISE,
    CAPTURE,
    VOID,
    AuthoriseRequest,
    ChargeRequest,
    ChargeResult,
    ChargeStatus,
)


class ChargeActivities:
    """What is done to charges."""

    def __init__(self, charges: Charges, provider: ChargeProvider, *, fee_basis_points: int) -> None:
        """Charge through the provider, and keep what the fee says of each capture."""
        self._charges = charges
        self._provider = provider
        self._fee_basis_points = fee_basis_points

    @activity.defn(name=AUTHORISE.name)
    async def authorise(self, request: AuthoriseRequest) -> ChargeResult:
        """Reserve the amount; return AUTHORISED, or UNKNOWN when the acquirer gave no answer.

        A repeat returns what the first one came to. One that finds an intent without an outcome asks the acquirer for
        the operation first; what the acquirer has never seen is sent again, under the same key.

        Raises:
            ApplicationError: of type `DECLINED`, `CHARGE_VOIDED`, `DIFFERENT_CHARGE` or `INVALID_CHARGE`.
        """
        with translated():
            details = _details(request)
            check_details(details)
            charge, is_new = await self._charges.begin(
                tenant=request.tenant,
                operation_id=request.operation_id,
                details=details,
                provider=self._provider.name,
                now=_now(),
            )
            _check_same(charge, details)
            if charge.status in UNRESOLVED:
                charge = await self._resolved(charge, was_sent=not is_new)
            return _result(charge)

    @activity.defn(name=CAPTURE.name)
    async def capture(self, request: ChargeRequest) -> ChargeResult:
        """Take what is reserved and post it to the ledger; return CAPTURED.

        The acquirer captures once for the key, and our row and the postings change together, once: a repeat after a
        crash between the two gets the same answer from the acquirer and posts what is missing. A row without an outcome
        is resolved first: a database that came back from a backup or a fail-over may have forgotten what it had said.

        Raises:
            ApplicationError: of type `CAPTURE_REFUSED`, `CHARGE_VOIDED` or `UNKNOWN_CHARGE`.
            NoAnswerError: when the acquirer gave no answer; Temporal tries again.
            ChargeUnresolvedError: when it is not known yet whether anything is reserved; Temporal tries again.
        """
        with translated():
            charge = await self._charges.find(tenant=request.tenant, operation_id=request.operation_id)
            if charge is not None and charge.status in UNRESOLVED:
                charge = await self._resolved(charge, was_sent=True)
            if charge is None or charge.status is Status.DECLINED:
                raise UnknownChargeError(request.operation_id)
            if charge.status in UNRESOLVED:
                raise ChargeUnresolvedError(request.operation_id)
            if charge.status is Status.AUTHORISED:
                charge = await self._recorded(charge, await self._provider.capture(charge))
            return _result(charge)

    @activity.defn(name=VOID.name)
    async def void(self, request: ChargeRequest) -> ChargeResult:
        """Make sure that the operation charges nobody, now or later; return how the charge stands after that.

        The acquirer is told first, and always: that we have no record, or one that says nothing was sent, may be older
        than an attempt that is still on its way. It voids once for the key, so a repeat changes nothing.

        Raises:
            NoAnswerError: when the acquirer gave no answer; Temporal tries again.
            ChargeCapturedError: when it is captured. Temporal tries again, until a person has seen to it.
        """
        tenant, operation_id = request.tenant, request.operation_id
        known = await self._charges.find(tenant=tenant, operation_id=operation_id)
        reference = None if known is None else known.reference
        said = await self._provider.void(tenant=tenant, operation_id=operation_id, reference=reference)
        if said is Status.CAPTURED:
            raise ChargeCapturedError(operation_id)
        charge = await self._charges.void(tenant=tenant, operation_id=operation_id, now=_now())
        if charge.status is Status.CAPTURED:
            raise BooksDifferError(operation_id)
        return _shown(charge)

    @activity.defn(name="payment.resolve_charge")
    async def resolve_charge(self, request: ChargeRequest) -> ChargeResult:
        """Find out what became of a charge; return AUTHORISED, CAPTURED or VOIDED.

        A repeat asks again, or finds what is known; what the acquirer has never seen is sent, under the same key.

        Raises:
            ApplicationError: of type `DECLINED`, or `UNKNOWN_CHARGE` where there is nothing to resolve.
            ChargeUnresolvedError: while the acquirer gives no answer; Temporal tries again.
        """
        with translated():
            charge = await self._charges.find(tenant=request.tenant, operation_id=request.operation_id)
            if charge is None:
                raise UnknownChargeError(request.operation_id)
            if charge.status in UNRESOLVED:
                charge = await self._resolved(charge, was_sent=True)
            if charge.status in UNRESOLVED:
                raise ChargeUnresolvedError(request.operation_id)
            if charge.status is Status.VOIDED:
                return _shown(charge)
            return _result(charge)

    async def _resolved(self, charge: StoredCharge, *, was_sent: bool) -> StoredCharge:
        """Ask the acquirer for a charge that may have been sent; send what it does not know; record what it says."""
        try:
            known = None
            if was_sent:
                known = await self._provider.find(
                    tenant=charge.tenant, operation_id=charge.operation_id, reference=charge.reference
                )
            said = known or await self._provider.authorise(await self._prepared(charge))
        except NoAnswerError as silence:
            activity.logger.warning(
                "charge.unknown", extra={"operation_id": charge.operation_id, "reason": silence.reason}
            )
            said = Status.UNKNOWN
        return await self._recorded(charge, said)

    async def _prepared(self, charge: StoredCharge) -> StoredCharge:
        """Have the provider's own name of the charge written down before any money can move under it."""
        if charge.reference is not None:
            return charge
        reference = await self._provider.prepare(charge)
        return charge if reference is None else await self._charges.refer(charge, reference=reference, now=_now())

    async def _recorded(self, charge: StoredCharge, said: Status) -> StoredCharge:
        """Record what the acquirer said, as far as our row allows it; return the charge as it stands after that."""
        if said is Status.CAPTURED:
            return await self._captured(charge)
        stored = await self._charges.move(charge, to=said, now=_now())
        if said is Status.AUTHORISED and stored.status is Status.VOIDED:
            # This answer is older than the void, or the acquirer let a late authorisation in. Whichever it is, nothing
            # may be left reserved.
            await self._provider.void(
                tenant=charge.tenant, operation_id=charge.operation_id, reference=stored.reference
            )
        return stored

    async def _captured(self, charge: StoredCharge) -> StoredCharge:
        # Only what is authorised can be captured: one that was captured before we knew of it goes that way too.
        if charge.status in UNRESOLVED:
            charge = await self._charges.move(charge, to=Status.AUTHORISED, now=_now())
        assert charge.details is not None, "a charge without details was voided, and is never sent"
        stored = await self._charges.capture(
            charge,
            transaction=capture_transaction(
                tenant=charge.tenant,
                operation_id=charge.operation_id,
                provider=charge.provider,
                details=charge.details,
                fee_basis_points=self._fee_basis_points,
                now=_now(),
            ),
        )
        if stored.status is not Status.CAPTURED:
            raise BooksDifferError(charge.operation_id)
        return stored


def _now() -> datetime:
    return datetime.now(UTC)


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
        case Status.VOIDED | Status.EXPIRED:
            raise ChargeVoidedError(charge.operation_id)
        case Status.CAPTURE_REFUSED:
            raise CaptureRefusedError(charge.operation_id)
        case _:
            return _shown(charge)


def _shown(charge: StoredCharge) -> ChargeResult:
    return ChargeResult(operation_id=charge.operation_id, status=ChargeStatus(charge.status))
