"""The state machine of a charge, and which details can be charged."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_service.domain.charges import (
    MAY_COME_FROM,
    ChargeDetails,
    ChargeStatus,
    InvalidChargeError,
    Share,
    check_details,
)
from platform_contracts.money import Money
from platform_contracts.payment import charge
from tests.fakes.payment import euros

AMOUNTS = st.integers(min_value=1, max_value=10**9)


def _details(whole: int, *shares: int) -> ChargeDetails:
    return ChargeDetails(
        payment_token="tok_ok",
        amount=euros(whole),
        shares=tuple(Share(seller=f"seller-{number}", amount=euros(share)) for number, share in enumerate(shares)),
    )


def _walk(moves: list[ChargeStatus]) -> list[ChargeStatus]:
    """Return where a charge is after each move, of which those that are not allowed change nothing."""
    path = [ChargeStatus.AUTHORISING]
    for to in moves:
        path.append(to if path[-1] in MAY_COME_FROM[to] else path[-1])
    return path


def test_words_of_the_domain_are_those_of_the_contract() -> None:
    assert [str(each) for each in ChargeStatus] == [str(each) for each in charge.ChargeStatus]


@given(st.lists(st.sampled_from(ChargeStatus), max_size=20))
def test_whatever_is_tried_captured_voided_and_declined_stay(moves: list[ChargeStatus]) -> None:
    path = _walk(moves)

    for before, after in pairwise(path):
        if before in {ChargeStatus.CAPTURED, ChargeStatus.VOIDED, ChargeStatus.DECLINED}:
            assert after is before


@given(st.lists(st.sampled_from(ChargeStatus), max_size=20))
def test_nothing_is_captured_that_was_not_authorised(moves: list[ChargeStatus]) -> None:
    path = _walk(moves)

    if ChargeStatus.CAPTURED in path:
        assert path[path.index(ChargeStatus.CAPTURED) - 1] is ChargeStatus.AUTHORISED


def test_every_status_but_the_first_can_be_reached() -> None:
    unreachable = [status for status, origins in MAY_COME_FROM.items() if not origins]

    assert set(MAY_COME_FROM) == set(ChargeStatus)
    assert unreachable == [ChargeStatus.AUTHORISING]


@given(st.lists(AMOUNTS, min_size=1, max_size=50))
def test_shares_that_add_up_can_be_charged(shares: list[int]) -> None:
    details = _details(sum(shares), *shares)

    check_details(details)

    assert details.amount.minor_units == sum(shares)


@given(st.lists(AMOUNTS, min_size=1, max_size=50), st.integers(min_value=1, max_value=10**9))
def test_shares_that_do_not_add_up_cannot(shares: list[int], surplus: int) -> None:
    with pytest.raises(InvalidChargeError):
        check_details(_details(sum(shares) + surplus, *shares))


@pytest.mark.parametrize(("whole", "shares"), [(0, (0,)), (-5, (-5,)), (5, (10, -5)), (5, (5, 0))])
def test_amount_that_is_not_positive_cannot(whole: int, shares: tuple[int, ...]) -> None:
    with pytest.raises(InvalidChargeError):
        check_details(_details(whole, *shares))


@pytest.mark.parametrize(
    "other", [Money(minor_units=5, currency="USD"), Money(minor_units=5, currency="EUR", exponent=0)]
)
def test_share_in_another_currency_cannot(other: Money) -> None:
    details = ChargeDetails(payment_token="tok_ok", amount=euros(5), shares=(Share(seller="acme", amount=other),))

    with pytest.raises(InvalidChargeError):
        check_details(details)
