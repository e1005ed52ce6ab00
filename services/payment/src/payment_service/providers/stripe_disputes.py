"""Disputes at Stripe, which names them; whose they are is told by the intent that they are about."""

from collections.abc import Mapping
from typing import Final

import stripe

from payment_service.domain.disputes import DisputeAtProvider, DisputeName, DisputeStatus
from payment_service.providers.stripe_calls import RefusedError, answers
from payment_service.providers.stripe_charges import StripeCharges
from payment_service.providers.stripe_money import from_stripe_units
from payment_service.providers.stripe_objects import Dispute, read

_ENDS: Final[Mapping[str, DisputeStatus]] = {"won": DisputeStatus.WON, "lost": DisputeStatus.LOST}
_INQUIRY: Final = "warning_"
"""How the statuses of an inquiry begin: it takes no money, and is no dispute yet."""


class StripeDisputes:
    """The port `DisputeProvider` at Stripe."""

    def __init__(self, api: stripe.StripeClient, *, charges: StripeCharges) -> None:
        """Ask with this client; the charges know whose an intent is."""
        self._disputes = api.v1.disputes
        self._charges = charges

    async def find_dispute(self, name: DisputeName) -> DisputeAtProvider | None:
        """Return how the dispute stands; None when Stripe knows none of this id about this charge, or an inquiry.

        Raises:
            NoAnswerError: when there is no answer.
        """
        try:
            with answers():
                said = await self._disputes.retrieve_async(name.dispute_id)
        except RefusedError:
            return None
        dispute = read(Dispute, said)
        if dispute.payment_intent is None or dispute.status.startswith(_INQUIRY):
            return None
        names = await self._charges.names_of(dispute.payment_intent)
        if not {"tenant": name.tenant, "operation_id": name.charge_id}.items() <= names.items():
            return None
        return DisputeAtProvider(
            status=_ENDS.get(dispute.status, DisputeStatus.OPENED),
            amount=from_stripe_units(dispute.amount, dispute.currency),
        )
