"""Whatever happens to a partner's money in whatever order, it is paid once, kept back or owed, and nothing else."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from payment_service.domain.ledger import Phase, partner_payable
from payment_service.domain.payouts import OPEN, WAITING, CarriedReason, PayoutPlan, PayoutStatus, StoredPayout
from platform_runtime.database import Database
from tests.integration.payment.machines.databases import Fresh
from tests.integration.payment.payouts import CUT, DAY, Books

ResultT = TypeVar("ResultT")

_SALES = st.integers(1, 5_000)
_REFUNDS = st.integers(1, 600)
"""Smaller, for else the balance is below zero most of the time, and nothing is paid."""
_ENDS = st.sampled_from([PayoutStatus.REJECTED, PayoutStatus.EXPIRED, PayoutStatus.CANCELLED])
_PLANS = st.builds(
    PayoutPlan,
    minimum_minor_units=st.sampled_from([1, 500]),
    delay_days=st.sampled_from([2, 0]),
    reserve_basis_points=st.sampled_from([0, 333, 5_000]),
    reserve_days=st.sampled_from([0, 3]),
)


class PayoutMachine(RuleBasedStateMachine):
    """Sells, gives back, pays, loses and gets back, day by day, and keeps its own book of what has to come out."""

    def __init__(self, fresh: Fresh) -> None:
        """Begin with a new database."""
        super().__init__()
        self._runner = asyncio.Runner()
        self._database = Database(fresh())
        self._books = Books(self._database)
        self._plan = PayoutPlan()
        self._now = CUT
        self._number = 0
        self._sold: list[tuple[datetime, int]] = []
        self._given_back = 0
        self._about_to_give_back = 0
        self._arrived: dict[str, int] = {}
        """What the partner has got, by payout."""
        self._kept_back: dict[str, tuple[int, datetime]] = {}
        """What is in the reserve until when, by payout."""

    @initialize(plan=_PLANS)
    def begin(self, plan: PayoutPlan) -> None:
        self._plan = plan
        self._books = Books(self._database, plan)

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        self._now += timedelta(hours=hours)

    @rule(amount=_SALES)
    def sell(self, amount: int) -> None:
        self._run(self._books.sell(amount, at=self._now))
        self._sold.append((self._now, amount))

    @rule(amount=_REFUNDS)
    def give_back(self, amount: int) -> None:
        self._run(self._books.give_back(amount, at=self._now))
        self._given_back += amount

    @rule(amount=_REFUNDS)
    def be_about_to_give_back(self, amount: int) -> None:
        self._run(self._books.give_back(amount, at=self._now, phase=Phase.PENDING))
        self._about_to_give_back += amount

    @rule()
    def reserve(self) -> None:
        """Whatever is reserved is no more than what came in before the cut and its delay, minus all that has left."""
        was_open = self._open()
        self._number += 1
        payout = self._run(self._books.reserve(f"po-{self._number}", cut=self._now, now=self._now))
        again = self._run(self._books.reserve(f"po-{self._number}", cut=self._now, now=self._now))

        if was_open is None:
            self._kept_back = {key: kept for key, kept in self._kept_back.items() if kept[1] > self._now}
        mature = sum(amount for at, amount in self._sold if at <= self._now - self._plan.delay_days * DAY)
        kept_back = sum(kept for kept, _ in self._kept_back.values())
        left = self._given_back + self._about_to_give_back + sum(self._arrived.values()) + kept_back
        takes = payout.amount.minor_units + payout.withheld.minor_units
        assert again == payout
        if was_open is not None:
            assert payout.carried is CarriedReason.ANOTHER_IS_OPEN
        elif mature - left >= self._plan.minimum_minor_units:
            assert takes == mature - left
        else:
            assert payout.carried in (CarriedReason.NOTHING_PAYABLE, CarriedReason.BELOW_MINIMUM)

    @precondition(lambda self: self._open() is not None)
    @rule()
    def send(self) -> None:
        """What is no longer covered is not sent."""
        is_covered = self._run(self._books.balance(partner_payable("acme"))) >= 0
        before = self._open()
        after = self._run(self._books.payouts.begin_sending(partner="acme", payout_id=self._open_id(), now=self._now))

        assert before is not None
        is_sent = is_covered or before.status is PayoutStatus.SENDING
        assert after.status is (PayoutStatus.SENDING if is_sent else PayoutStatus.CARRIED)

    @precondition(lambda self: self._open() is not None)
    @rule(end=_ENDS)
    def stop(self, end: PayoutStatus) -> None:
        before = self._open()
        after = self._run(
            self._books.payouts.give_back(partner="acme", payout_id=self._open_id(), to=end, now=self._now)
        )

        assert before is not None
        assert after is not None
        assert after.status is (end if before.status in WAITING else PayoutStatus.SENDING)

    @precondition(lambda self: self._open() is not None)
    @rule(succeeds=st.booleans())
    def settle(self, *, succeeds: bool) -> None:
        """Whatever the provider says of one that was not sent changes nothing."""
        payout_id, before = self._open_id(), self._open()
        self._said(payout_id, succeeds=succeeds)
        after = self._said(payout_id, succeeds=succeeds)
        if before is not None and before.status in WAITING:
            assert after == before
        elif succeeds:
            self._has_arrived(after)

    @precondition(lambda self: self._open() is None)
    @rule()
    def pay(self) -> None:
        self.reserve()
        if self._open() is not None:
            self.send()
        if self._open() is not None:
            self.settle(succeeds=True)

    @precondition(lambda self: bool(self._arrived))
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        payout_id = data.draw(st.sampled_from(sorted(self._arrived)))
        for _ in range(2):
            self._run(self._books.come_back(payout_id, now=self._now))
        del self._arrived[payout_id]

    @invariant()
    def each_phase_sums_to_zero_and_balances_are_their_postings(self) -> None:
        assert self._run(self._books.problems()) == []

    @invariant()
    def what_the_ledger_paid_is_what_has_arrived(self) -> None:
        assert self._run(self._books.paid_out()) == sum(self._arrived.values())

    @invariant()
    def every_unit_is_paid_kept_back_on_its_way_or_owed(self) -> None:
        posted = self._run(self._books.balance(partner_payable("acme"), Phase.POSTED))
        kept_back = self._run(self._books.kept_back())
        earned = sum(amount for _, amount in self._sold) - self._given_back

        assert posted + kept_back + sum(self._arrived.values()) == earned
        assert kept_back == sum(kept for kept, _ in self._kept_back.values())

    @invariant()
    def only_what_is_open_is_on_its_way(self) -> None:
        pending = self._run(self._books.balance(partner_payable("acme"), Phase.PENDING))
        payout = self._open()
        on_its_way = 0 if payout is None else payout.amount.minor_units + payout.withheld.minor_units

        assert pending == -on_its_way - self._about_to_give_back

    @invariant()
    def one_payout_is_open_at_a_time(self) -> None:
        assert len(self._open_ones()) <= 1

    def teardown(self) -> None:
        self._run(self._database.dispose())
        self._runner.close()

    def _has_arrived(self, payout: StoredPayout) -> None:
        self._arrived[payout.payout_id] = payout.amount.minor_units
        if payout.withheld.minor_units:
            until = self._now + self._plan.reserve_days * DAY
            self._kept_back[payout.payout_id] = payout.withheld.minor_units, until

    def _said(self, payout_id: str, *, succeeds: bool) -> StoredPayout:
        if succeeds:
            return self._run(self._books.payouts.paid(partner="acme", payout_id=payout_id, now=self._now))
        return self._run(self._books.fail(payout_id, now=self._now))

    def _open_ones(self) -> list[StoredPayout]:
        found = self._run(self._books.payouts.page(partner="acme", limit=1_000, after=None))
        return [payout for payout in found if payout.status in OPEN]

    def _open(self) -> StoredPayout | None:
        return next(iter(self._open_ones()), None)

    def _open_id(self) -> str:
        payout = self._open()
        assert payout is not None, "the rule needs one"
        return payout.payout_id

    def _run(self, move: Awaitable[ResultT]) -> ResultT:
        async def wait() -> ResultT:
            return await move

        return self._runner.run(wait())
