"""Payouts through Stripe Connect: a transfer to the partner's account there, then a payout from it to its bank."""

from collections.abc import Mapping

import stripe

from payment_service.domain.charges import BooksDifferError
from payment_service.domain.provider import MovementStatus, PayoutOrder
from payment_service.providers.stripe_calls import KeyReusedError, RefusedError, answers
from payment_service.providers.stripe_money import UnsupportedAmountError, stripe_units
from payment_service.providers.stripe_objects import Movement, Transfer, read


class StripePayouts:
    """The port `PayoutProvider` at Stripe.

    The partner's account there must not pay out by itself. A payout that fails is only called FAILED once the transfer
    is taken back: until then the money is with the partner's account, and neither sent nor ours.
    """

    name = "stripe"

    def __init__(self, api: stripe.StripeClient) -> None:
        """Pay out with this client."""
        self._transfers = api.v1.transfers
        self._reversals = api.v1.transfers.reversals
        self._payouts = api.v1.payouts

    async def pay_out(self, order: PayoutOrder) -> MovementStatus:
        """Send money to a partner, at most once for a payout id; PENDING until it has arrived.

        A repeat goes on where the one before stopped: it finds the transfer by its group and the payout by its
        metadata, in lists that are never behind. Of two at once the keys let in one.

        Raises:
            NoAnswerError: when it may have happened or not.
            BooksDifferError: when the payout id was used for another amount or partner.
        """
        try:
            units = stripe_units(order.amount, is_payout=True)
        except UnsupportedAmountError:
            return MovementStatus.FAILED
        if order.destination is None:
            return MovementStatus.FAILED
        transfer = await self._transfer(order)
        try:
            if transfer is None:
                with answers():
                    said = await self._transfers.create_async(
                        {
                            "amount": units,
                            "currency": order.amount.currency.lower(),
                            "destination": order.destination,
                            "transfer_group": _name(order),
                            "metadata": _metadata(order),
                        },
                        {"idempotency_key": f"{_name(order)}:transfer"},
                    )
                transfer = read(Transfer, said)
        except KeyReusedError:
            raise BooksDifferError(order.payout_id) from None
        except RefusedError:
            # Our balance is too low, or the account may not receive. Nothing has moved.
            return MovementStatus.FAILED
        return await self._continued(order, transfer)

    async def find_payout(self, order: PayoutOrder) -> MovementStatus | None:
        """Return how the payout stands; None when Stripe has never seen it, so that nothing has moved.

        Half a payout is no answer: one that stopped between transfer and payout is finished, and one that failed is
        taken back, each under the same key as before.

        Raises:
            NoAnswerError: when there is no answer.
            BooksDifferError: when the payout id was used for another amount or partner.
        """
        transfer = await self._transfer(order)
        return None if transfer is None else await self._continued(order, transfer)

    async def standing(self, transfer: Transfer) -> MovementStatus:
        """Return how the payout of a transfer stands, and do nothing about it."""
        if transfer.reversed:
            return MovementStatus.FAILED
        # One that somebody else made has no names, and every payout would be its own.
        payout = await self._payout(transfer, transfer.metadata) if "payout_id" in transfer.metadata else None
        arrived = payout is not None and payout.standing() is MovementStatus.SUCCEEDED
        return MovementStatus.SUCCEEDED if arrived else MovementStatus.PENDING

    async def _continued(self, order: PayoutOrder, transfer: Transfer) -> MovementStatus:
        ours = stripe_units(order.amount, is_payout=True), order.amount.currency.lower(), order.destination
        if (transfer.amount, transfer.currency, transfer.destination) != ours:
            raise BooksDifferError(order.payout_id)
        if transfer.reversed:
            return MovementStatus.FAILED
        payout = await self._payout(transfer, _metadata(order))
        if payout is None:
            payout = await self._paid_out(order, transfer)
        if payout is None or payout.standing() is MovementStatus.FAILED:
            await self._take_back(order, transfer)
            return MovementStatus.FAILED
        return payout.standing()

    async def _paid_out(self, order: PayoutOrder, transfer: Transfer) -> Movement | None:
        """Make the payout; return None where Stripe never will."""
        try:
            with answers():
                said = await self._payouts.create_async(
                    {"amount": transfer.amount, "currency": transfer.currency, "metadata": _metadata(order)},
                    {"idempotency_key": _name(order), "stripe_account": transfer.destination},
                )
        except KeyReusedError:
            raise BooksDifferError(order.payout_id) from None
        except RefusedError:
            return await self._payout(transfer, _metadata(order))
        return read(Movement, said)

    async def _take_back(self, order: PayoutOrder, transfer: Transfer) -> None:
        try:
            with answers():
                await self._reversals.create_async(
                    transfer.id,
                    {"amount": transfer.amount, "metadata": _metadata(order)},
                    {"idempotency_key": f"{_name(order)}:reversal"},
                )
        except (KeyReusedError, RefusedError):
            found = await self._transfer(order)
            if found is None or not found.reversed:
                # The account's balance has gone elsewhere: a person has to see to it.
                raise BooksDifferError(order.payout_id) from None

    async def _transfer(self, order: PayoutOrder) -> Transfer | None:
        with answers():
            page = await self._transfers.list_async({"transfer_group": _name(order), "limit": 100})
        found = [read(Transfer, each) for each in page.data]
        return next((each for each in found if _metadata(order).items() <= each.metadata.items()), None)

    async def _payout(self, transfer: Transfer, names: Mapping[str, str]) -> Movement | None:
        with answers():
            page = await self._payouts.list_async(
                {"created": {"gte": transfer.created}, "limit": 100}, {"stripe_account": transfer.destination}
            )
            async for each in page.auto_paging_iter():
                payout = read(Movement, each)
                if names.items() <= payout.metadata.items():
                    return payout
        return None


def _name(order: PayoutOrder) -> str:
    """Return what names the payout at Stripe: a partner has no dot, so no two payouts share it."""
    return f"payout-{order.partner}.{order.payout_id}"


def _metadata(order: PayoutOrder) -> dict[str, str]:
    return {"partner": order.partner, "payout_id": order.payout_id}
