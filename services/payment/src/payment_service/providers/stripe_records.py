"""Stripe's own book, read from its balance transactions: the one list that tells when money moved."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

import stripe

from payment_service.domain.provider import MovementStatus, ProviderRecord, RecordKind
from payment_service.providers.stripe_calls import answers
from payment_service.providers.stripe_charges import StripeCharges
from payment_service.providers.stripe_money import from_stripe_units
from payment_service.providers.stripe_objects import (
    BalanceTransaction,
    Captured,
    Dispute,
    Movement,
    Transfer,
    moment,
    read,
)
from payment_service.providers.stripe_payouts import StripePayouts

_DISPUTES: Final[Mapping[str, MovementStatus]] = {"lost": MovementStatus.SUCCEEDED, "won": MovementStatus.FAILED}

Reader = Callable[[dict[str, Any], datetime], Awaitable[ProviderRecord]]


class StripeRecords:
    """The port `ProviderRecords` at Stripe.

    What carries none of our names is told too, under the name that Stripe has for it: the ledger does not know it.
    """

    name = "stripe"

    def __init__(self, api: stripe.StripeClient, *, charges: StripeCharges, payouts: StripePayouts) -> None:
        """Read with this client; charges and payouts tell what the book does not."""
        self._lines = api.v1.balance_transactions
        self._charges = charges
        self._payouts = payouts
        self._readers: Mapping[str, Reader] = {
            "charge": self._capture,
            "payment": self._capture,
            "refund": self._refund,
            "payment_refund": self._refund,
            "transfer": self._payout,
            "adjustment": self._dispute,
        }

    async def records(self, *, since: datetime, until: datetime) -> AsyncIterator[ProviderRecord]:
        """Yield every capture, refund, payout and dispute from `since` up to, and without, `until`.

        Stripe counts whole seconds. Fees, and what only takes back another line, are left out: the status tells that.

        Raises:
            NoAnswerError: when a page does not come.
        """
        span = {"gte": math.ceil(since.timestamp()), "lt": math.ceil(until.timestamp())}
        with answers():
            page = await self._lines.list_async(
                {"created": {"gte": span["gte"], "lt": span["lt"]}, "limit": 100, "expand": ["data.source"]}
            )
            async for each in page.auto_paging_iter():
                line = BalanceTransaction.model_validate(each.to_dict())
                is_adjustment_of_something_else = (
                    line.type == "adjustment" and (line.reporting_category or "dispute") != "dispute"
                )
                reader = self._readers.get(line.type)
                if reader is None or is_adjustment_of_something_else or not isinstance(line.source, dict):
                    continue
                yield await reader(line.source, moment(line.created))

    async def _capture(self, source: dict[str, Any], at: datetime) -> ProviderRecord:
        charge = read(Captured, source)
        operation_id = charge.metadata.get("operation_id", charge.id)
        units = charge.amount if charge.amount_captured is None else charge.amount_captured
        return ProviderRecord(
            kind=RecordKind.CAPTURE,
            tenant=charge.metadata.get("tenant", ""),
            operation_id=operation_id,
            charge_id=operation_id,
            amount=from_stripe_units(units, charge.currency),
            status=MovementStatus.SUCCEEDED,
            at=at,
        )

    async def _refund(self, source: dict[str, Any], at: datetime) -> ProviderRecord:
        refund = read(Movement, source)
        return ProviderRecord(
            kind=RecordKind.REFUND,
            tenant=refund.metadata.get("tenant", ""),
            operation_id=refund.metadata.get("refund_id", refund.id),
            charge_id=refund.metadata.get("operation_id"),
            amount=from_stripe_units(refund.amount, refund.currency),
            status=refund.standing(),
            at=at,
        )

    async def _payout(self, source: dict[str, Any], at: datetime) -> ProviderRecord:
        transfer = read(Transfer, source)
        return ProviderRecord(
            kind=RecordKind.PAYOUT,
            tenant=transfer.metadata.get("partner", ""),
            operation_id=transfer.metadata.get("payout_id", transfer.id),
            charge_id=None,
            amount=from_stripe_units(transfer.amount, transfer.currency),
            status=await self._payouts.standing(transfer),
            at=at,
        )

    async def _dispute(self, source: dict[str, Any], at: datetime) -> ProviderRecord:
        dispute = read(Dispute, source)
        intent = dispute.payment_intent
        names: Mapping[str, str] = {} if intent is None else await self._charges.names_of(intent)
        return ProviderRecord(
            kind=RecordKind.DISPUTE,
            tenant=names.get("tenant", ""),
            operation_id=dispute.id,
            charge_id=names.get("operation_id"),
            amount=from_stripe_units(dispute.amount, dispute.currency),
            status=_DISPUTES.get(dispute.status, MovementStatus.PENDING),
            at=at,
        )
