"""What the acquirer gives back, pays out and loses in disputes: never above what was captured, and nothing twice."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_sandbox import movements
from platform_sandbox.decisions import Decision, Refusal
from platform_sandbox.movements import OUTCOMES, Kind, Movement, Standing
from platform_sandbox.operations import Details, Operation, Status

CAPTURED = Operation(
    name="acme.one",
    status=Status.CAPTURED,
    details=Details(token="tok_ok", amount_minor=100, currency="EUR"),
    captured_minor=100,
)
AWAY = {Standing.PENDING, Standing.SUCCEEDED, Standing.OPENED, Standing.LOST}

STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([Kind.REFUND, Kind.DISPUTE]), st.sampled_from("abcd"), st.integers(1, 60)),
        st.tuples(st.sampled_from(Standing), st.sampled_from("abcd"), st.just(0)),
    ),
    max_size=20,
)


def _wanted(kind: Kind, name: str = "r-1", *, amount_minor: int = 100, partner: str | None = None) -> Movement:
    return Movement(
        kind=kind,
        operation="" if kind is Kind.PAYOUT else CAPTURED.name,
        name=name,
        partner=partner,
        amount_minor=amount_minor,
        currency="EUR",
        status=Standing.PENDING,
    )


@dataclass
class Played:
    """A captured operation, and all that was done to it."""

    token: str = "tok_ok"
    all: dict[tuple[Kind, str], Movement] = field(default_factory=dict[tuple[Kind, str], Movement])

    def ask(self, kind: Kind, name: str, amount_minor: int) -> Decision[Movement]:
        assert CAPTURED.details is not None
        operation = replace(CAPTURED, details=replace(CAPTURED.details, token=self.token))
        rule = movements.refund if kind is Kind.REFUND else movements.dispute
        decision = rule(
            _wanted(kind, name, amount_minor=amount_minor),
            known=self.all.get((kind, name)),
            of=operation,
            left=movements.left_of(operation, list(self.all.values())),
        )
        return self._kept(decision)

    def end(self, kind: Kind, name: str, to: Standing) -> Decision[Movement]:
        return self._kept(movements.outcome(self.all.get((kind, name)), to=to))

    def _kept(self, decision: Decision[Movement]) -> Decision[Movement]:
        if decision.becomes is not None:
            self.all[decision.becomes.kind, decision.becomes.name] = decision.becomes
        return decision


@given(STEPS, st.sampled_from(["tok_ok", "tok_refund_pending", "tok_refund_failed"]))
def test_never_more_goes_away_than_was_captured(steps: list[tuple[Kind | Standing, str, int]], token: str) -> None:
    played = Played(token=token)

    for what, name, amount_minor in steps:
        if isinstance(what, Kind):
            played.ask(what, name, amount_minor)
        else:
            played.end(Kind.REFUND, name, what)
            played.end(Kind.DISPUTE, name, what)

        assert sum(each.amount_minor for each in played.all.values() if each.status in AWAY) <= 100


@given(st.sampled_from([Kind.REFUND, Kind.DISPUTE]), st.integers(1, 100), st.integers(1, 100))
def test_same_name_is_done_once_and_with_another_amount_refused(kind: Kind, first: int, second: int) -> None:
    played = Played()
    played.ask(kind, "a", first)

    decision = played.ask(kind, "a", second)

    assert not decision.is_done
    assert decision.refusal is (None if first == second else Refusal.DIFFERENT)


def test_several_refunds_add_up_to_what_was_captured_and_no_further() -> None:
    played = Played()

    answers = [played.ask(Kind.REFUND, name, amount) for name, amount in (("a", 60), ("b", 40), ("c", 1))]

    assert [answer.refusal for answer in answers] == [None, None, Refusal.ABOVE_CAPTURED]


def test_failed_refund_and_won_dispute_leave_room_again() -> None:
    played = Played(token="tok_refund_pending")
    played.ask(Kind.REFUND, "a", 50)
    played.ask(Kind.DISPUTE, "b", 50)
    full = played.ask(Kind.REFUND, "c", 1)

    played.end(Kind.REFUND, "a", Standing.FAILED)
    played.end(Kind.DISPUTE, "b", Standing.WON)
    again = played.ask(Kind.REFUND, "d", 100)

    assert (full.refusal, again.refusal) == (Refusal.ABOVE_CAPTURED, None)


@pytest.mark.parametrize("status", [None, Status.AUTHORISED, Status.VOIDED, Status.EXPIRED, Status.DECLINED])
def test_what_is_not_captured_is_neither_refunded_nor_disputed(status: Status | None) -> None:
    operation = None if status is None else replace(CAPTURED, status=status, captured_minor=None)
    left = movements.left_of(operation, [])

    refund = movements.refund(_wanted(Kind.REFUND), known=None, of=operation, left=left)
    dispute = movements.dispute(_wanted(Kind.DISPUTE), known=None, of=operation, left=left)

    assert {(each.refusal, each.is_final) for each in (refund, dispute)} == {(Refusal.NOT_CAPTURED, False)}


@pytest.mark.parametrize(
    ("token", "first", "then"),
    [
        ("tok_ok", Standing.SUCCEEDED, None),
        ("tok_refund_failed", Standing.FAILED, None),
        ("tok_refund_pending", Standing.PENDING, Standing.SUCCEEDED),
        ("tok_refund_pending_failed", Standing.PENDING, Standing.FAILED),
    ],
)
def test_card_says_how_its_refunds_end(token: str, first: Standing, then: Standing | None) -> None:
    made = Played(token=token).ask(Kind.REFUND, "a", 10).becomes

    assert made is not None
    assert (made.status, movements.comes_next(made, token=token)) == (first, then)


@pytest.mark.parametrize(
    ("partner", "way"),
    [
        ("acme", [Standing.PENDING, Standing.PAID]),
        ("acme-payout-refused", [Standing.FAILED]),
        ("acme-payout-fails", [Standing.PENDING, Standing.FAILED]),
        ("acme-payout-returned", [Standing.PENDING, Standing.PAID, Standing.FAILED]),
    ],
)
def test_partner_says_how_its_payouts_end(partner: str, way: list[Standing]) -> None:
    movement = movements.payout(_wanted(Kind.PAYOUT, partner=partner), known=None).becomes

    walked: list[Standing] = []
    while movement is not None:
        walked.append(movement.status)
        becomes = movements.comes_next(movement, token=None)
        movement = None if becomes is None else movements.outcome(movement, to=becomes).becomes

    assert walked == way


@pytest.mark.parametrize(
    "other",
    [
        _wanted(Kind.PAYOUT, partner="acme", amount_minor=7),
        _wanted(Kind.PAYOUT, partner="other"),
        replace(_wanted(Kind.PAYOUT, partner="acme"), currency="USD"),
    ],
    ids=["amount", "partner", "currency"],
)
def test_payout_with_other_details_is_refused(other: Movement) -> None:
    known = movements.payout(_wanted(Kind.PAYOUT, partner="acme"), known=None).becomes

    decision = movements.payout(other, known=known)

    assert (decision.refusal, decision.becomes) == (Refusal.DIFFERENT, None)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("now", Standing)
@pytest.mark.parametrize("to", Standing)
def test_movement_ends_only_as_its_kind_can(kind: Kind, now: Standing, to: Standing) -> None:
    known = replace(_wanted(kind), status=now)

    decision = movements.outcome(known, to=to)

    if now is to:
        assert (decision.refusal, decision.becomes) == (None, None)
    elif to in OUTCOMES.get((kind, now), frozenset()):
        assert decision.becomes == replace(known, status=to)
    else:
        assert decision.refusal is Refusal.SETTLED


def test_movement_never_seen_has_no_outcome() -> None:
    decision = movements.outcome(None, to=Standing.WON)

    assert (decision.refusal, decision.http_status, decision.is_final) == (Refusal.UNKNOWN, 404, False)
