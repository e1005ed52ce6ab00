"""What of a balance is paid, what is kept back, and that the postings make and lose no money."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_service.domain.ledger import (
    Phase,
    Transaction,
    cash_clearing,
    partner_payable,
    partner_reserve,
)
from payment_service.domain.payouts import (
    MAY_COME_FROM,
    OPEN,
    WAITING,
    CarriedReason,
    PayoutPlan,
    PayoutSchedule,
    PayoutStatus,
    StoredPayout,
    is_due,
    needs_review,
    payable,
    payout_transactions,
    pending_transaction,
    reserved,
)
from platform_contracts.payment import partner_payout, payout_plan_change
from tests.fakes.payment import euros

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
AMOUNTS = st.integers(min_value=0, max_value=10**12)
PLANS = st.builds(
    PayoutPlan,
    minimum_minor_units=st.integers(1, 10**6),
    reserve_basis_points=st.integers(0, 9_999),
    reserve_days=st.integers(0, 400),
)


@given(owed=st.integers(-(10**12), 10**12), plan=PLANS)
def test_payout_takes_all_that_is_payable_or_nothing_and_says_why(owed: int, plan: PayoutPlan) -> None:
    taken = reserved(owed, plan)

    if taken.carried is None:
        assert owed >= plan.minimum_minor_units
        assert taken.amount + taken.withheld == owed
        assert taken.amount > 0
        assert 0 <= taken.withheld <= owed * plan.reserve_basis_points / 10_000
    else:
        assert (taken.amount, taken.withheld) == (0, 0)
        assert owed < plan.minimum_minor_units
        assert (taken.carried is CarriedReason.NOTHING_PAYABLE) == (owed <= 0)


@given(posted=st.integers(-(10**9), 10**9), too_young=AMOUNTS, pending=st.integers(-(10**9), 10**9))
def test_what_is_young_or_on_its_way_out_is_never_payable(posted: int, too_young: int, pending: int) -> None:
    can_be_paid = payable(posted=posted, too_young=too_young, pending=pending)

    assert can_be_paid <= posted - too_young
    assert can_be_paid <= posted - too_young + pending or pending > 0


def test_reserve_of_no_days_keeps_nothing_back() -> None:
    plan = PayoutPlan(reserve_basis_points=5_000)

    assert reserved(100, plan).withheld == 0


@pytest.mark.parametrize(("amount", "wanted"), [(1_000, False), (1_001, True)])
def test_two_people_look_at_what_is_above_the_threshold(amount: int, *, wanted: bool) -> None:
    plan = PayoutPlan(review_above_minor_units=1_000)

    assert needs_review(amount, plan) is wanted
    assert not needs_review(amount, PayoutPlan())


@pytest.mark.parametrize(
    ("last_cut", "wanted"),
    [
        (None, True),
        (datetime(2026, 11, 16, tzinfo=UTC), True),
        (datetime(2026, 11, 22, 23, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 23, tzinfo=UTC), False),
        (datetime(2026, 11, 24, tzinfo=UTC), False),
    ],
)
def test_week_begins_on_monday_and_its_first_run_pays(last_cut: datetime | None, *, wanted: bool) -> None:
    # A Wednesday: Monday's and Tuesday's runs may have been missed.
    cut = datetime(2026, 11, 25, tzinfo=UTC)

    assert is_due(PayoutSchedule.WEEKLY, cut=cut, last_cut=last_cut) is wanted
    assert is_due(PayoutSchedule.DAILY, cut=cut, last_cut=last_cut)
    assert not is_due(PayoutSchedule.MANUAL, cut=cut, last_cut=last_cut)


@given(amount=st.integers(1, 10**12), withheld=AMOUNTS)
def test_pending_takes_out_of_each_account_what_is_posted_in_the_end(amount: int, withheld: int) -> None:
    payout = _payout(amount=amount, withheld=withheld)

    pending = pending_transaction(payout, now=NOW)
    posted = payout_transactions(payout, now=NOW)

    assert pending.phase is Phase.PENDING
    assert {each.phase for each in posted} == {Phase.POSTED}
    assert _moved(pending) == _moved(*posted)
    assert _moved(*posted) == {
        account: minor_units
        for account, minor_units in (
            (partner_payable("acme"), amount + withheld),
            (cash_clearing("acquirer"), -amount),
            (partner_reserve("acme"), -withheld),
        )
        if minor_units
    }


def test_nothing_that_was_sent_can_be_taken_back_by_a_person() -> None:
    ends_by_people = {PayoutStatus.REJECTED, PayoutStatus.EXPIRED, PayoutStatus.CANCELLED, PayoutStatus.CARRIED}

    assert all(MAY_COME_FROM[end] == WAITING for end in ends_by_people)
    assert PayoutStatus.SENDING not in WAITING
    assert WAITING | {PayoutStatus.SENDING} == OPEN
    assert set(MAY_COME_FROM) == set(PayoutStatus)


def test_stored_words_are_those_of_the_contract() -> None:
    assert {str(each) for each in PayoutStatus} == {str(each) for each in partner_payout.PayoutStatus}
    assert {str(each) for each in CarriedReason} == {str(each) for each in partner_payout.CarriedReason}
    assert {str(each) for each in PayoutSchedule} == {str(each) for each in payout_plan_change.PayoutSchedule}


def test_id_of_a_scheduled_payout_is_made_of_currency_and_cut() -> None:
    cut = datetime(2026, 11, 23, 1, tzinfo=UTC)
    same = cut.astimezone(datetime.fromisoformat("2026-11-23T01:00:00+01:00").tzinfo)

    ids = {
        partner_payout.scheduled_payout_id(currency="EUR", exponent=2, cut=moment)
        for moment in (cut, same, cut + timedelta(hours=1))
    }

    assert ids == {"EUR-2-20261123T010000Z", "EUR-2-20261123T020000Z"}


def _moved(*transactions: Transaction) -> dict[str, int]:
    moved: dict[str, int] = {}
    for transaction in transactions:
        for posting in transaction.postings:
            moved[posting.account] = moved.get(posting.account, 0) + posting.amount.minor_units
    return moved


def _payout(*, amount: int, withheld: int) -> StoredPayout:
    payout = StoredPayout(
        partner="acme",
        payout_id="po-1",
        status=PayoutStatus.RESERVED,
        amount=euros(amount),
        withheld=euros(withheld),
        carried=None,
        cut=NOW,
        requested_by=None,
        needs_review=False,
        destination=None,
        provider="acquirer",
        reserve_until=None,
        created_at=NOW,
        changed_at=NOW,
    )
    return replace(payout, status=PayoutStatus.SENDING)
