"""Refunds at Stripe, named by us in their metadata."""

import stripe

from payment_service.domain.charges import BooksDifferError
from payment_service.domain.provider import MovementStatus, RefundOrder
from payment_service.providers.card_acquirer import idempotency_key
from payment_service.providers.stripe_calls import KeyReusedError, RefusedError, answers
from payment_service.providers.stripe_charges import StripeCharges
from payment_service.providers.stripe_money import UnsupportedAmountError, stripe_units
from payment_service.providers.stripe_objects import Movement, read


class StripeRefunds:
    """The port `RefundProvider` at Stripe."""

    def __init__(self, api: stripe.StripeClient, *, charges: StripeCharges) -> None:
        """Refund with this client; the charges know an intent whose id was not kept."""
        self._refunds = api.v1.refunds
        self._charges = charges

    async def refund(self, order: RefundOrder) -> MovementStatus:
        """Give back a part of what was captured, at most once for a refund id; FAILED where it never will be.

        A repeat first looks for the refund among those of the charge, a list that is never behind, so that it holds
        also after a day, when Stripe has forgotten the key. Of two at once the key lets in one.

        Raises:
            NoAnswerError: when it may have happened or not.
            BooksDifferError: when the charge is not known, or the refund id was used for another amount.
        """
        if (known := await self.find_refund(order)) is not None:
            return known
        try:
            units = stripe_units(order.amount)
        except UnsupportedAmountError:
            return MovementStatus.FAILED
        try:
            with answers():
                said = await self._refunds.create_async(
                    {
                        "payment_intent": await self._intent(order),
                        "amount": units,
                        "metadata": {
                            "tenant": order.tenant,
                            "refund_id": order.refund_id,
                            "operation_id": order.charge_id,
                        },
                    },
                    {
                        "idempotency_key": idempotency_key("refund", tenant=order.tenant, operation_id=order.refund_id),
                    },
                )
        except KeyReusedError:
            raise BooksDifferError(order.refund_id) from None
        except RefusedError:
            # Above what is left, for one; or it was made while we looked.
            return await self.find_refund(order) or MovementStatus.FAILED
        return read(Movement, said).standing()

    async def find_refund(self, order: RefundOrder) -> MovementStatus | None:
        """Return how the refund stands; None when Stripe has never seen it.

        Raises:
            NoAnswerError: when there is no answer.
            BooksDifferError: when the charge is not known, or the refund is one of another amount.
        """
        wanted = {"tenant": order.tenant, "refund_id": order.refund_id}.items()
        try:
            with answers():
                page = await self._refunds.list_async({"payment_intent": await self._intent(order), "limit": 100})
                async for each in page.auto_paging_iter():
                    refund = read(Movement, each)
                    if wanted <= refund.metadata.items():
                        return _checked(refund, order)
        except RefusedError:
            raise BooksDifferError(order.charge_id) from None
        return None

    async def _intent(self, order: RefundOrder) -> str:
        found = order.charge_reference or await self._charges.reference_of(order.tenant, order.charge_id)
        if found is None:
            raise BooksDifferError(order.charge_id)
        return found


def _checked(refund: Movement, order: RefundOrder) -> MovementStatus:
    if (refund.amount, refund.currency) != (stripe_units(order.amount), order.amount.currency.lower()):
        raise BooksDifferError(order.refund_id)
    return refund.standing()
