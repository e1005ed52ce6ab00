"""Transactions sum to zero, and fees make or lose no money."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_service.domain.charges import ChargeDetails, Share
from payment_service.domain.ledger import (
    PLATFORM_FEES,
    Posting,
    Transaction,
    TransactionKind,
    UnbalancedError,
    capture_transaction,
    cash_clearing,
    fee_of,
    partner_payable,
)
from platform_contracts.money import Money
from tests.fakes.payment import euros

CLEARING = cash_clearing("acquirer")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AMOUNTS = st.integers(min_value=1, max_value=10**12)
BASIS_POINTS = st.integers(min_value=0, max_value=10_000)


def _transaction(*amounts: Money) -> Transaction:
    return Transaction(
        tenant="buyers",
        operation_id="p-1",
        kind=TransactionKind.CAPTURE,
        postings=[Posting(account=f"account-{number}", amount=amount) for number, amount in enumerate(amounts)],
        posted_at=NOW,
    )


def _captured(shares: list[tuple[str, int]], basis_points: int) -> dict[str, int]:
    """Return what a capture moves, by account."""
    transaction = capture_transaction(
        tenant="buyers",
        operation_id="p-1",
        provider="acquirer",
        details=ChargeDetails(
            payment_token="tok_ok",
            amount=euros(sum(share for _, share in shares)),
            shares=tuple(Share(seller=seller, amount=euros(share)) for seller, share in shares),
        ),
        fee_basis_points=basis_points,
        now=NOW,
    )
    sums: dict[str, int] = {}
    for posting in transaction.postings:
        sums[posting.account] = sums.get(posting.account, 0) + posting.amount.minor_units
    return sums


@pytest.mark.parametrize(
    ("minor_units", "basis_points", "fee"),
    [(1000, 1000, 100), (5, 1000, 0), (15, 1000, 2), (25, 1000, 2), (35, 1000, 4), (1, 10_000, 1), (999, 0, 0)],
)
def test_fee_is_rounded_half_to_even(minor_units: int, basis_points: int, fee: int) -> None:
    assert fee_of(minor_units, basis_points=basis_points) == fee


@given(AMOUNTS, BASIS_POINTS)
def test_fee_is_what_exact_arithmetic_rounds_to(minor_units: int, basis_points: int) -> None:
    assert fee_of(minor_units, basis_points=basis_points) == round(Fraction(minor_units * basis_points, 10_000))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), AMOUNTS), min_size=1, max_size=50), BASIS_POINTS)
def test_what_buyers_pay_is_what_sellers_and_platform_get(shares: list[tuple[str, int]], basis_points: int) -> None:
    sums = _captured(shares, basis_points)

    assert sum(sums.values()) == 0
    assert sums[CLEARING] == sum(share for _, share in shares)
    assert all(amount < 0 for account, amount in sums.items() if account != CLEARING)
    for seller in {seller for seller, _ in shares}:
        theirs = sum(share for each, share in shares if each == seller)
        assert 0 <= -sums.get(partner_payable(seller), 0) <= theirs


def test_capture_credits_each_seller_its_share_minus_the_fee() -> None:
    sums = _captured([("acme", 1_500), ("other", 505)], 1_000)

    assert sums == {
        CLEARING: 2_005,
        partner_payable("acme"): -1_350,
        partner_payable("other"): -455,
        PLATFORM_FEES: -200,
    }


@given(st.lists(st.integers(min_value=-(10**9), max_value=10**9), max_size=5))
def test_transaction_that_does_not_sum_to_zero_cannot_be_made(amounts: list[int]) -> None:
    if amounts and sum(amounts) == 0:
        assert _transaction(*map(euros, amounts)).postings
    else:
        with pytest.raises(UnbalancedError):
            _transaction(*map(euros, amounts))


def test_currencies_do_not_balance_each_other() -> None:
    with pytest.raises(UnbalancedError):
        _transaction(euros(5), Money(minor_units=-5, currency="USD"))
