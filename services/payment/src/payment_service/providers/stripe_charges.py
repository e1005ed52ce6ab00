"""Charges at Stripe: a PaymentIntent each, made before its card is asked for anything, captured by hand."""

from collections.abc import Mapping
from typing import Final

import stripe

from payment_service.domain.charges import (
    BooksDifferError,
    ChargeStatus,
    DifferentChargeError,
    InvalidChargeError,
    StoredCharge,
)
from payment_service.providers.acquirer_client import UnexpectedAnswerError
from payment_service.providers.card_acquirer import idempotency_key
from payment_service.providers.stripe_calls import CardRefusedError, KeyReusedError, RefusedError, answers
from payment_service.providers.stripe_money import UnsupportedAmountError, stripe_units
from payment_service.providers.stripe_objects import Intent, read
from platform_contracts.money import Money

TEST_METHODS: Final[Mapping[str, str]] = {
    "tok_ok": "pm_card_visa",
    "tok_declined": "pm_card_visa_chargeDeclined",
}
"""What stands for the sandbox's tokens at Stripe, with a test key alone: with them the demo works there too."""

_MOST_TELLING: Final = (
    ChargeStatus.CAPTURED,
    ChargeStatus.AUTHORISED,
    ChargeStatus.DECLINED,
    ChargeStatus.EXPIRED,
    ChargeStatus.VOIDED,
)

_ENDED: Final = frozenset({ChargeStatus.CAPTURED, ChargeStatus.VOIDED, ChargeStatus.EXPIRED})


class StripeCharges:
    """The port `ChargeProvider` at Stripe.

    An intent that is not confirmed moves no money, and its id is ours to write down before it is confirmed. From then
    on Stripe's own state machine bars everything twice, whatever became of idempotency keys, which it forgets after a
    day. Without the id an intent can only be searched for by its metadata, and a search may be a minute behind.
    """

    name = "stripe"

    def __init__(self, api: stripe.StripeClient, *, is_test: bool) -> None:
        """Charge with this client; with a test key the sandbox's tokens stand for Stripe's test cards."""
        self._intents = api.v1.payment_intents
        self._is_test = is_test

    async def prepare(self, charge: StoredCharge) -> str:
        """Make the intent, without asking its card; return its id.

        A repeat within a day gets the same one. A later one may make a second, which nobody will ever confirm.

        Raises:
            DifferentChargeError: when the operation was prepared with another amount or token.
            InvalidChargeError: when Stripe cannot charge that amount, or does not know the method.
        """
        details = charge.details
        assert details is not None, "a charge without details was voided, and is never sent"
        try:
            with answers():
                made = await self._intents.create_async(
                    {
                        "amount": stripe_units(details.amount),
                        "currency": details.amount.currency.lower(),
                        "capture_method": "manual",
                        "payment_method": self._method(details.payment_token),
                        # A method that sends its holder to another page would ask for one of ours to come back to.
                        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                        "metadata": {"tenant": charge.tenant, "operation_id": charge.operation_id},
                    },
                    {"idempotency_key": _key("prepare", charge)},
                )
        except KeyReusedError:
            raise DifferentChargeError(charge.operation_id) from None
        except (UnsupportedAmountError, RefusedError) as error:
            raise InvalidChargeError(f"Stripe cannot charge this: {error}") from None
        return read(Intent, made).id

    async def authorise(self, charge: StoredCharge) -> ChargeStatus:
        """Confirm the intent, at most once: AUTHORISED, DECLINED or VOIDED, or EXPIRED for one that is as old as that.

        A card that wants its holder to do something is declined: nobody is here to do it.

        Raises:
            NoAnswerError: when it may have happened or not.
            DifferentChargeError: when the intent has another amount.
        """
        reference = charge.reference
        assert reference is not None, "nothing is confirmed before its id is written down"
        try:
            with answers():
                said = await self._intents.confirm_async(
                    reference, {"error_on_requires_action": True}, {"idempotency_key": _key("authorise", charge)}
                )
            intent = read(Intent, said)
        except CardRefusedError:
            return ChargeStatus.DECLINED
        except KeyReusedError:
            raise DifferentChargeError(charge.operation_id) from None
        except RefusedError as refusal:
            # It cannot be confirmed in the state that it is in: which one is it?
            intent = await self._retrieved(reference, charge.operation_id)
            if intent.standing() is None:
                raise UnexpectedAnswerError(f"not confirmed: {refusal.code}") from None
        _check_same(intent, charge)
        standing = intent.standing()
        if standing is None:
            raise UnexpectedAnswerError("confirmed, and it is not")
        return standing

    async def capture(self, charge: StoredCharge) -> ChargeStatus:
        """Take what is reserved or a part of it, at most once: CAPTURED, CAPTURE_REFUSED, VOIDED or EXPIRED.

        Raises:
            NoAnswerError: when it may have happened or not.
            BooksDifferError: when nothing is reserved, or another amount was captured.
        """
        details = charge.details
        assert details is not None, "a charge without details was voided, and is never captured"
        reference = charge.reference or await self.reference_of(charge.tenant, charge.operation_id)
        if reference is None:
            raise BooksDifferError(charge.operation_id)
        wanted = charge.capture_amount or details.amount
        try:
            units = stripe_units(wanted)
            with answers():
                said = await self._intents.capture_async(
                    reference, {"amount_to_capture": units}, {"idempotency_key": _key("capture", charge)}
                )
            intent = read(Intent, said)
        except (CardRefusedError, UnsupportedAmountError):
            return ChargeStatus.CAPTURE_REFUSED
        except KeyReusedError:
            raise BooksDifferError(charge.operation_id) from None
        except RefusedError as refusal:
            if refusal.code == "charge_expired_for_capture":
                return ChargeStatus.EXPIRED
            intent = await self._retrieved(reference, charge.operation_id)
            if intent.standing() is ChargeStatus.AUTHORISED:
                return ChargeStatus.CAPTURE_REFUSED
        return _ended(intent, wanted, charge.operation_id)

    async def void(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus:
        """Cancel the intent: VOIDED, or CAPTURED if it is so. It cannot be confirmed from then on.

        Without its id every intent is cancelled that a search finds. One that was made in the last minute may not be
        found, and Stripe knows no way to bar what is not there yet: it is the caller's row that lets nobody confirm it.

        Raises:
            NoAnswerError: when it may have happened or not.
        """
        found = [reference] if reference else await self._searched(tenant, operation_id)
        said = [await self._cancelled(tenant, operation_id, each) for each in found]
        return ChargeStatus.CAPTURED if ChargeStatus.CAPTURED in said else ChargeStatus.VOIDED

    async def find(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus | None:
        """Return AUTHORISED, DECLINED, CAPTURED, VOIDED or EXPIRED; None while no card was asked for anything.

        Raises:
            NoAnswerError: when there is no answer, or Stripe does not know yet.
            BooksDifferError: when Stripe does not know the id that it gave us.
        """
        found = [reference] if reference else await self._searched(tenant, operation_id)
        # A search tells what was once; the intent itself tells what is.
        said = [(await self._retrieved(each, operation_id)).standing() for each in found]
        return min((each for each in said if each), key=_MOST_TELLING.index, default=None)

    async def reference_of(self, tenant: str, operation_id: str) -> str | None:
        """Return the id of the intent of which the most came, by a search; None when there is none."""
        best: tuple[int, str] | None = None
        for each in await self._searched(tenant, operation_id):
            standing = (await self._retrieved(each, operation_id)).standing()
            rank = len(_MOST_TELLING) if standing is None else _MOST_TELLING.index(standing)
            best = min(best or (rank, each), (rank, each))
        return None if best is None else best[1]

    async def names_of(self, reference: str) -> Mapping[str, str]:
        """Return the names that we gave an intent, `tenant` and `operation_id`; none for what is not ours.

        Raises:
            NoAnswerError: when there is no answer.
        """
        try:
            with answers():
                return read(Intent, await self._intents.retrieve_async(reference)).metadata
        except RefusedError:
            return {}

    async def _searched(self, tenant: str, operation_id: str) -> list[str]:
        # Neither can contain a quote: see the contract's identifiers.
        query = f"metadata['tenant']:'{tenant}' AND metadata['operation_id']:'{operation_id}'"
        with answers():
            said = await self._intents.search_async({"query": query, "limit": 100})
        found = [read(Intent, each) for each in said.data]
        wanted = {"tenant": tenant, "operation_id": operation_id}
        return [each.id for each in found if wanted.items() <= each.metadata.items()]

    async def _retrieved(self, reference: str, operation_id: str) -> Intent:
        try:
            with answers():
                return read(Intent, await self._intents.retrieve_async(reference))
        except RefusedError:
            raise BooksDifferError(operation_id) from None

    async def _cancelled(self, tenant: str, operation_id: str, reference: str) -> ChargeStatus | None:
        # With the id: without it a second intent of the same operation would be the same key for something else.
        key = f"{idempotency_key('void', tenant=tenant, operation_id=operation_id)}:{reference}"
        intent = await self._cancel(reference, key)
        if intent is None:
            intent = await self._retrieved(reference, operation_id)
            if intent.standing() not in _ENDED:
                # A refusal is kept with its key for a day, also once the intent has left the state that it was for.
                intent = await self._cancel(reference, f"{key}:{intent.status}")
        if intent is None:
            raise UnexpectedAnswerError("not cancelled, and not ended")
        return intent.standing()

    async def _cancel(self, reference: str, key: str) -> Intent | None:
        """Cancel an intent; None when Stripe refuses to."""
        try:
            with answers():
                return read(Intent, await self._intents.cancel_async(reference, {}, {"idempotency_key": key}))
        except RefusedError:
            return None

    def _method(self, token: str) -> str:
        if not token.startswith("tok_"):
            return token
        if not self._is_test or token not in TEST_METHODS:
            raise InvalidChargeError(f"{token} is no payment method at Stripe")
        return TEST_METHODS[token]


def _key(verb: str, charge: StoredCharge) -> str:
    return idempotency_key(verb, tenant=charge.tenant, operation_id=charge.operation_id)


def _check_same(intent: Intent, charge: StoredCharge) -> None:
    details = charge.details
    assert details is not None, "a charge without details was voided, and is never sent"
    ours = stripe_units(details.amount), details.amount.currency.lower()
    if (intent.amount, intent.currency) != ours:
        raise DifferentChargeError(charge.operation_id)


def _ended(intent: Intent, wanted: Money, operation_id: str) -> ChargeStatus:
    """Return what became of an intent that was asked to be captured; make sure that it was captured as we wanted."""
    match intent.standing():
        case ChargeStatus.VOIDED | ChargeStatus.EXPIRED as standing:
            return standing
        case ChargeStatus.CAPTURED if intent.amount_received in (None, stripe_units(wanted)):
            return ChargeStatus.CAPTURED
        case _:
            raise BooksDifferError(operation_id)
