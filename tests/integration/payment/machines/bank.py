"""A provider with a book of its own in memory: it does each thing once, and its answers can get lost."""

from dataclasses import dataclass, field
from enum import StrEnum

from payment_service.domain.charges import ChargeStatus, StoredCharge
from payment_service.domain.provider import MovementStatus, PayoutOrder, RefundOrder
from payment_service.ports import NoAnswerError


class Fault(StrEnum):
    """What happens to the next write."""

    NONE = "none"
    BEFORE = "before"
    """Nobody answers, and nothing is done."""
    AFTER = "after"
    """It is done, and nobody answers."""


@dataclass
class BankCharge:
    """One charge in the bank's book."""

    status: ChargeStatus
    reserved: int = 0
    captures: list[int] = field(default_factory=list[int])


@dataclass
class BankMovement:
    """One refund or payout in the bank's book."""

    of: str
    """The charge, or the partner."""
    minor_units: int
    status: MovementStatus
    times: int = 1
    """How often money was moved for it."""


class Bank:
    """Charges, gives back and pays out."""

    name = "acquirer"

    def __init__(self) -> None:
        """Begin with an empty book."""
        self.charges: dict[str, BankCharge] = {}
        self.refunds: dict[str, BankMovement] = {}
        self.payouts: dict[str, BankMovement] = {}
        self.next_fault = Fault.NONE
        self.next_status = MovementStatus.SUCCEEDED
        """How the next refund or payout stands at first."""

    async def prepare(self, charge: StoredCharge) -> str | None:
        return None

    async def authorise(self, charge: StoredCharge) -> ChargeStatus:
        fault = self.fault()
        assert charge.details is not None
        known = self.charges.get(charge.operation_id)
        if known is None:
            known = BankCharge(ChargeStatus.AUTHORISED, reserved=charge.details.amount.minor_units)
            self.charges[charge.operation_id] = known
        answer(fault)
        return known.status

    async def capture(self, charge: StoredCharge) -> ChargeStatus:
        fault = self.fault()
        known = self.charges[charge.operation_id]
        if known.status is ChargeStatus.AUTHORISED:
            amount = known.reserved if charge.capture_amount is None else charge.capture_amount.minor_units
            known.captures.append(amount)
            known.status = ChargeStatus.CAPTURED
        answer(fault)
        return known.status

    async def void(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus:
        fault = self.fault()
        known = self.charges.setdefault(operation_id, BankCharge(ChargeStatus.VOIDED))
        if known.status is not ChargeStatus.CAPTURED:
            known.status = ChargeStatus.VOIDED
        answer(fault)
        return known.status

    async def find(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus | None:
        known = self.charges.get(operation_id)
        return None if known is None else known.status

    async def refund(self, order: RefundOrder) -> MovementStatus:
        return self._move(self.refunds, order.refund_id, of=order.charge_id, minor_units=order.amount.minor_units)

    async def find_refund(self, order: RefundOrder) -> MovementStatus | None:
        known = self.refunds.get(order.refund_id)
        return None if known is None else known.status

    async def pay_out(self, order: PayoutOrder) -> MovementStatus:
        return self._move(self.payouts, order.payout_id, of=order.partner, minor_units=order.amount.minor_units)

    async def find_payout(self, order: PayoutOrder) -> MovementStatus | None:
        known = self.payouts.get(order.payout_id)
        return None if known is None else known.status

    def captured(self, charge_id: str) -> int:
        """Return what was taken for a charge, however often."""
        known = self.charges.get(charge_id)
        return 0 if known is None else sum(known.captures)

    def given_back(self, charge_id: str, *, also: frozenset[MovementStatus] = frozenset()) -> int:
        """Return what was given back of a charge."""
        counts = also | {MovementStatus.SUCCEEDED}
        return sum(
            each.minor_units * each.times
            for each in self.refunds.values()
            if each.of == charge_id and each.status in counts
        )

    def _move(self, book: dict[str, BankMovement], name: str, *, of: str, minor_units: int) -> MovementStatus:
        fault = self.fault()
        if name not in book:
            book[name] = BankMovement(of=of, minor_units=minor_units, status=self.next_status)
            self.next_status = MovementStatus.SUCCEEDED
        answer(fault)
        return book[name].status

    def fault(self) -> Fault:
        """Return what happens to this write, unless it does not even arrive."""
        fault, self.next_fault = self.next_fault, Fault.NONE
        if fault is Fault.BEFORE:
            raise NoAnswerError("before")
        return fault


def answer(fault: Fault) -> None:
    """Lose the answer to what is done, if that is the fault."""
    if fault is Fault.AFTER:
        raise NoAnswerError("after")
