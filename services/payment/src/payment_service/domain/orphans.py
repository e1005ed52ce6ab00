"""Orphans: charges whose purchase came to nothing, and what becomes of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from payment_service.domain.charges import ChargeStatus
from payment_service.domain.refunds import OPEN, RefundsOfCharge, RefundStatus
from platform_contracts.identifiers import short_id


@dataclass(frozen=True, kw_only=True)
class OpenCharge:
    """A charge that may hold money, and of whose purchase nobody has said yet how it ended."""

    tenant: str
    operation_id: str
    status: ChargeStatus
    created_at: datetime


class OrphanStep(StrEnum):
    """What an orphan needs next."""

    SETTLED = "settled"
    """Nothing any more: nobody is charged, or all of it is given back, or a person was told."""
    REFUND = "refund"
    """It is captured, and has to be given back."""
    WAIT = "wait"
    """A refund of it is on its way."""


def orphan_refund_id(operation_id: str) -> str:
    """Return the id of the refund of an orphan: one for each charge, so that it is given back once."""
    return short_id("orphan", operation_id)


def next_step(taken_back: RefundsOfCharge, *, operation_id: str) -> tuple[OrphanStep, bool]:
    """Return what a captured orphan needs next, and whether its refund failed, so that a person has to see to it."""
    mine = [refund for refund in taken_back.refunds if refund.refund_id == orphan_refund_id(operation_id)]
    if any(refund.status is RefundStatus.FAILED for refund in mine):
        return OrphanStep.SETTLED, True
    if any(refund.status in OPEN for refund in taken_back.refunds):
        return OrphanStep.WAIT, False
    if taken_back.reversed.minor_units >= taken_back.captured.minor_units:
        return OrphanStep.SETTLED, False
    # What is left after a refund of ours has succeeded was disputed, and came back to us since.
    return (OrphanStep.SETTLED, True) if mine else (OrphanStep.REFUND, False)
