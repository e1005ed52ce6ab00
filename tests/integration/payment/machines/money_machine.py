"""Charges, refunds and payouts in any order, with answers that get lost, checked after every step."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.activities.charges import ChargeActivities
from payment_service.activities.payouts import PayoutActivities, PayoutKey
from payment_service.activities.refunds import RefundActivities, SettleRefund
from payment_service.domain.charges import BooksDifferError, ChargeCapturedError, ChargeUnresolvedError
from payment_service.domain.payouts import PayoutPlan
from payment_service.domain.provider import MovementStatus
from payment_service.domain.refunds import RefundUnresolvedError
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.payouts import SqlPayouts
from payment_service.persistence.refunds import SqlRefunds
from payment_service.ports import NoAnswerError
from platform_contracts.payment.charge import AuthoriseRequest, CaptureRequest, ChargeRequest, ChargeShare
from platform_contracts.payment.partner_payout import PartnerPayoutInput
from platform_contracts.payment.refund import RefundInput
from platform_runtime.database import Database
from tests.fakes.payment import euros
from tests.fakes.payment_payouts import timings
from tests.integration.payment.machines.bank import Fault
from tests.integration.payment.machines.databases import Fresh
from tests.integration.payment.machines.money_books import FEE_BASIS_POINTS, MoneyBooks, money_invariant

EXPECTED = (
    ApplicationError,
    BooksDifferError,
    ChargeCapturedError,
    ChargeUnresolvedError,
    NoAnswerError,
    RefundUnresolvedError,
)
CHARGE_IDS = ("p-0", "p-1", "p-2")
CHARGES = st.sampled_from(CHARGE_IDS)
AMOUNTS = st.integers(min_value=1, max_value=5_000)
FAULTS = st.sampled_from(list(Fault))
STATUSES = st.sampled_from(list(MovementStatus))


class MoneyMachine(RuleBasedStateMachine):
    """One seller, three charges, and as many refunds and payouts as there is money for."""

    def __init__(self, fresh: Fresh) -> None:
        """Open a new database."""
        super().__init__()
        self._runner = asyncio.Runner()
        self._books = MoneyBooks(Database(fresh()))
        self._bank = self._books.bank
        database = self._books.database
        self._charges = ChargeActivities(SqlCharges(database), self._bank, fee_basis_points=FEE_BASIS_POINTS)
        self._refunds = RefundActivities(SqlRefunds(database), self._bank)
        self._payouts = PayoutActivities(
            SqlPayouts(database, default_plan=PayoutPlan(delay_days=0)),
            self._bank,
            SqlEscalations(database),
            timings=timings(),
        )
        self._refund_ids: list[str] = []
        self._payout_ids: list[str] = []

    def teardown(self) -> None:
        """Heal: every answer arrives, everything is asked for again, and nothing is left open."""
        self._bank.next_fault, self._bank.next_status = Fault.NONE, MovementStatus.SUCCEEDED
        for charge_id in CHARGE_IDS:
            self._try(self._charges.resolve_charge, ChargeRequest(tenant="buyers", operation_id=charge_id))
        for movement in (*self._bank.refunds.values(), *self._bank.payouts.values()):
            if movement.status is MovementStatus.PENDING:
                movement.status = MovementStatus.SUCCEEDED
        for refund_id in self._refund_ids:
            self._try(self._refunds.settle_refund, SettleRefund(tenant="buyers", refund_id=refund_id))
        for payout_id in self._payout_ids:
            self._send(payout_id)
        try:
            self.holds()
            assert self._runner.run(self._left_open()) == []
        finally:
            self._runner.run(self._books.database.dispose())
            self._runner.close()

    @initialize(amount=AMOUNTS)
    def begin(self, amount: int) -> None:
        """Have something to give back and to pay out from the first step on."""
        self.sell("p-0", amount)

    @rule(charge_id=CHARGES, amount=AMOUNTS)
    def sell(self, charge_id: str, amount: int) -> None:
        """Charge without any trouble."""
        self.authorise(charge_id, amount, Fault.NONE)
        self.capture(charge_id, None, Fault.NONE)

    @rule(charge_id=CHARGES, amount=AMOUNTS, fault=FAULTS)
    def give_up_on_capture(self, charge_id: str, amount: int, fault: Fault) -> None:
        """Void what may have been captured."""
        self.authorise(charge_id, amount, Fault.NONE)
        self.capture(charge_id, None, fault)
        self.void(charge_id, Fault.NONE)

    @rule(charge_id=CHARGES, amount=AMOUNTS)
    def capture_again(self, charge_id: str, amount: int) -> None:
        """Capture what was captured, and nobody told."""
        self.authorise(charge_id, amount, Fault.NONE)
        self.capture(charge_id, None, Fault.AFTER)
        self.capture(charge_id, None, Fault.NONE)

    @rule(charge_id=CHARGES)
    def give_all_back_twice(self, charge_id: str) -> None:
        """Have everything given back, and everything once more."""
        before = len(self._refund_ids)
        for _ in range(2):
            self.request_refund(charge_id, None)
        for refund_id in self._refund_ids[before:]:
            self._try(self._refunds.settle_refund, SettleRefund(tenant="buyers", refund_id=refund_id))

    @rule(charge_id=CHARGES, amount=AMOUNTS, fault=FAULTS)
    def authorise(self, charge_id: str, amount: int, fault: Fault) -> None:
        """Charge; a repeat with another amount is refused."""
        self._bank.next_fault = fault
        request = AuthoriseRequest(
            tenant="buyers",
            operation_id=charge_id,
            payment_token="tok_ok",
            amount=euros(amount),
            shares=(ChargeShare(seller="acme", amount=euros(amount)),),
        )
        self._try(self._charges.authorise, request)

    @rule(charge_id=CHARGES, part=st.none() | AMOUNTS, fault=FAULTS)
    def capture(self, charge_id: str, part: int | None, fault: Fault) -> None:
        """Take all of it, or a part."""
        self._bank.next_fault = fault
        amount = None if part is None else euros(part)
        self._try(self._charges.capture, CaptureRequest(tenant="buyers", operation_id=charge_id, amount=amount))

    @rule(charge_id=CHARGES, fault=FAULTS)
    def void(self, charge_id: str, fault: Fault) -> None:
        """Give it up."""
        self._bank.next_fault = fault
        self._try(self._charges.void, ChargeRequest(tenant="buyers", operation_id=charge_id))

    @rule(charge_id=CHARGES)
    def resolve(self, charge_id: str) -> None:
        """Ask what became of it."""
        self._try(self._charges.resolve_charge, ChargeRequest(tenant="buyers", operation_id=charge_id))

    @rule(charge_id=CHARGES, amount=st.none() | AMOUNTS)
    def request_refund(self, charge_id: str, amount: int | None) -> None:
        """Have a part or all of it given back."""
        refund_id = f"r-{len(self._refund_ids)}"
        request = RefundInput(
            tenant="buyers",
            refund_id=refund_id,
            charge_id=charge_id,
            amount=None if amount is None else euros(amount),
            reason="broken",
        )
        if self._try(self._refunds.request_refund, request) is not None:
            self._refund_ids.append(refund_id)
            self._try(self._refunds.request_refund, request)

    @precondition(lambda self: self._refund_ids)
    @rule(data=st.data(), fault=FAULTS, status=STATUSES)
    def settle_refund(self, data: st.DataObject, fault: Fault, status: MovementStatus) -> None:
        """Have the bank give it back, or say how it stands."""
        refund_id = data.draw(st.sampled_from(self._refund_ids))
        self._bank.next_fault, self._bank.next_status = fault, status
        self._try(self._refunds.settle_refund, SettleRefund(tenant="buyers", refund_id=refund_id))

    @rule(fault=FAULTS, status=STATUSES)
    def pay_out(self, fault: Fault, status: MovementStatus) -> None:
        """Pay everything that is payable."""
        payout_id = f"po-{len(self._payout_ids)}"
        cut = datetime.now(UTC) + timedelta(seconds=1)
        request = PartnerPayoutInput(tenant="acme", payout_id=payout_id, currency="EUR", cut=cut)
        self._payout_ids.append(payout_id)
        self._try(self._payouts.reserve_payout, request)
        self._try(self._payouts.reserve_payout, request)
        self._bank.next_fault, self._bank.next_status = fault, status
        self._send(payout_id)

    @precondition(lambda self: self._payout_ids)
    @rule(data=st.data())
    def look_at_payout(self, data: st.DataObject) -> None:
        """Ask again what became of one."""
        self._send(data.draw(st.sampled_from(self._payout_ids)))

    @precondition(lambda self: self._bank.payouts or self._bank.refunds)
    @rule(data=st.data(), status=st.sampled_from([MovementStatus.SUCCEEDED, MovementStatus.FAILED]))
    def bank_decides(self, data: st.DataObject, status: MovementStatus) -> None:
        """What was on its way arrives, or does not; a payout that arrived may come back."""
        book = {**self._bank.refunds, **self._bank.payouts}
        name = data.draw(st.sampled_from(sorted(book)))
        movement = book[name]
        comes_back = name in self._bank.payouts and status is MovementStatus.FAILED
        if movement.status is MovementStatus.PENDING or (comes_back and movement.status is MovementStatus.SUCCEEDED):
            movement.status = status
            if name in self._bank.payouts:
                self._try(self._payouts.sync_payout, PayoutKey(tenant="acme", payout_id=name))

    @invariant()
    def holds(self) -> None:
        """Check every invariant."""
        self._runner.run(money_invariant.check(self._books))

    def _send(self, payout_id: str) -> None:
        key = PayoutKey(tenant="acme", payout_id=payout_id)
        self._try(self._payouts.begin_payout, key)
        self._try(self._payouts.send_payout, key)
        self._try(self._payouts.sync_payout, key)

    def _try(self, activity: Any, request: Any) -> Any:
        """Run an activity; return None when it failed in a way that its caller knows."""

        async def run() -> Any:
            return await ActivityEnvironment().run(activity, request)

        try:
            return self._runner.run(run())
        except EXPECTED:
            return None

    async def _left_open(self) -> list[str]:
        charges = await self._books.statuses("charges", "operation_id")
        refunds = await self._books.statuses("refunds", "refund_id")
        payouts = await self._books.statuses("payouts", "payout_id")
        return [
            *(name for name, status in charges.items() if status in ("authorising", "unknown")),
            *(name for name, status in refunds.items() if status in ("requested", "pending")),
            *(name for name, status in payouts.items() if status in ("reserved", "sending")),
        ]
