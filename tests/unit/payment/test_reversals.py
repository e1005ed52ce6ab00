"""Whatever is captured and taken back, in whatever parts: the sums are exact, and nothing is left when all is back."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_service.domain.charges import ChargeDetails, ChargeStatus, InvalidChargeError, Share, StoredCharge
from payment_service.domain.ledger import TransactionKind, capture_transaction, fee_of
from payment_service.domain.reversals import (
    InvalidReversalError,
    Left,
    ReversalExceedsError,
    SellerPart,
    captured_details,
    captured_parts,
    in_proportion,
    left_of,
    reversal_transaction,
    take_back,
)
from platform_contracts.money import Money
from tests.fakes.payment import euros
from tests.integration.payment.samples import NOW, details

AMOUNTS = st.integers(min_value=1, max_value=10**9)
SHARES = st.lists(AMOUNTS, min_size=1, max_size=8)
BASIS_POINTS = st.integers(min_value=0, max_value=10_000)


def _captured(shares: Sequence[int], *, basis_points: int) -> list[SellerPart]:
    return [
        SellerPart(seller=f"seller-{number}", minor_units=share, fee=fee_of(share, basis_points=basis_points))
        for number, share in enumerate(shares)
    ]


def _left(shares: Sequence[int], *, basis_points: int = 1_000) -> Left:
    return left_of(_captured(shares, basis_points=basis_points), [])


@given(weights=SHARES, data=st.data())
def test_parts_in_proportion_add_up_and_are_next_to_their_exact_share(weights: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(min_value=0, max_value=sum(weights)))

    parts = in_proportion(amount, weights)

    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert 0 <= part <= weight
        assert abs(part * sum(weights) - amount * weight) < sum(weights)


@given(shares=SHARES, data=st.data())
def test_shares_of_a_part_that_is_captured_add_up_to_it(shares: list[int], data: st.DataObject) -> None:
    whole = details(*shares)
    amount = euros(data.draw(st.integers(min_value=1, max_value=sum(shares))))

    part = captured_details(whole, amount)

    assert part.amount == amount
    assert sum(share.amount.minor_units for share in part.shares) == amount.minor_units
    assert all(share.amount.minor_units > 0 for share in part.shares)


@pytest.mark.parametrize(
    "amount",
    [euros(0), euros(-1), euros(2_001), Money(minor_units=5, currency="JPY", exponent=0)],
    ids=["nothing", "less", "more", "other currency"],
)
def test_no_more_is_captured_than_was_authorised(amount: Money) -> None:
    with pytest.raises(InvalidChargeError):
        captured_details(details(1_500, 500), amount)


@given(shares=SHARES, basis_points=BASIS_POINTS, data=st.data())
def test_refunds_that_give_back_everything_give_back_each_share_and_the_whole_fee(
    shares: list[int], basis_points: int, data: st.DataObject
) -> None:
    captured = _captured(shares, basis_points=basis_points)
    taken: list[SellerPart] = []

    while (left := left_of(captured, taken)).minor_units:
        amount = data.draw(st.integers(min_value=max(1, left.minor_units // 4), max_value=left.minor_units))
        parts = take_back(left, amount)
        assert sum(part.minor_units for part in parts) == amount
        taken.extend(parts)

    for part in captured:
        of_seller = [each for each in taken if each.seller == part.seller]
        assert sum(each.minor_units for each in of_seller) == part.minor_units
        assert sum(each.fee for each in of_seller) == part.fee


@given(shares=SHARES, basis_points=BASIS_POINTS, data=st.data())
def test_refunds_that_fail_in_between_leave_fees_and_shares_whole(
    shares: list[int], basis_points: int, data: st.DataObject
) -> None:
    captured = _captured(shares, basis_points=basis_points)
    taken: list[tuple[SellerPart, ...]] = []

    for _ in range(6):
        left = left_of(captured, [part for parts in taken for part in parts])
        if taken and data.draw(st.booleans()):
            taken.pop(data.draw(st.integers(min_value=0, max_value=len(taken) - 1)))
        elif left.minor_units:
            taken.append(take_back(left, data.draw(st.integers(min_value=1, max_value=left.minor_units))))
    rest = left_of(captured, [part for parts in taken for part in parts])
    last = take_back(rest, rest.minor_units) if rest.minor_units else ()

    everything = [part for parts in [*taken, last] for part in parts]
    assert sum(part.fee for part in everything) == sum(part.fee for part in captured)
    assert sum(part.minor_units for part in everything) == sum(part.minor_units for part in captured)


@given(share=AMOUNTS, basis_points=BASIS_POINTS, data=st.data())
def test_the_fee_that_stays_is_the_fee_of_what_stays(share: int, basis_points: int, data: st.DataObject) -> None:
    fee = fee_of(share, basis_points=basis_points)
    amount = data.draw(st.integers(min_value=1, max_value=share))

    (part,) = take_back(_left([share], basis_points=basis_points), amount)

    exact = fee * (share - amount) / share
    assert abs(fee - part.fee - exact) <= 0.5 + 1e-6 * fee


@given(shares=SHARES, basis_points=BASIS_POINTS, data=st.data())
def test_what_the_ledger_has_is_what_is_taken_back_whatever_the_fee_is_now(
    shares: list[int], basis_points: int, data: st.DataObject
) -> None:
    whole = details(*shares)
    amount = euros(data.draw(st.integers(min_value=1, max_value=sum(shares))))
    charge = StoredCharge(
        tenant="buyers", operation_id="p-1", status=ChargeStatus.CAPTURED, details=whole, capture_amount=amount
    )
    capture = capture_transaction(
        tenant="buyers",
        operation_id="p-1",
        provider="acquirer",
        details=captured_details(whole, amount),
        fee_basis_points=basis_points,
        now=NOW,
    )

    left = left_of(captured_parts(charge, capture), [])
    parts = take_back(left, left.minor_units)
    refund = reversal_transaction(charge, parts, operation_id="r-1", kind=TransactionKind.REFUND, now=NOW)

    assert left.minor_units == amount.minor_units
    assert sorted((each.account, -each.amount.minor_units) for each in refund.postings) == sorted(
        (each.account, each.amount.minor_units) for each in capture.postings
    )


def test_shares_of_one_seller_count_together() -> None:
    whole = ChargeDetails(
        payment_token="tok_ok",
        amount=euros(30),
        shares=tuple(Share(seller=seller, amount=euros(10)) for seller in ("acme", "zenith", "acme")),
    )
    charge = StoredCharge(tenant="buyers", operation_id="p-1", status=ChargeStatus.CAPTURED, details=whole)
    capture = capture_transaction(
        tenant="buyers", operation_id="p-1", provider="acquirer", details=whole, fee_basis_points=1_000, now=NOW
    )

    parts = captured_parts(charge, capture)

    assert parts == (
        SellerPart(seller="acme", minor_units=20, fee=2),
        SellerPart(seller="zenith", minor_units=10, fee=1),
    )


def test_a_refund_is_taken_from_whom_it_says() -> None:
    parts = take_back(_left([1_500, 500]), 400, shares={"seller-1": 400})

    assert parts == (SellerPart(seller="seller-1", minor_units=400, fee=40),)


@pytest.mark.parametrize(
    ("amount", "shares", "failure"),
    [
        (2_001, None, ReversalExceedsError),
        (501, {"seller-1": 501}, ReversalExceedsError),
        (0, None, InvalidReversalError),
        (-5, None, InvalidReversalError),
        (10, {"seller-0": 4}, InvalidReversalError),
        (10, {"seller-0": 20, "seller-1": -10}, InvalidReversalError),
        (10, {"somebody": 10}, InvalidReversalError),
    ],
)
def test_what_cannot_be_taken_back_is_refused(
    amount: int, shares: dict[str, int] | None, failure: type[Exception]
) -> None:
    with pytest.raises(failure):
        take_back(_left([1_500, 500]), amount, shares=shares)


def test_a_fee_above_its_part_cannot_be() -> None:
    with pytest.raises(ValueError, match="a fee of 11"):
        SellerPart(seller="acme", minor_units=10, fee=11)
