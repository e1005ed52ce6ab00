"""What the acquirer does with an operation, whatever it is asked in whatever order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_sandbox import operations
from platform_sandbox.decisions import Decision, Refusal
from platform_sandbox.operations import Details, Operation, Status

AMOUNT = 100
TOKENS = st.sampled_from(["tok_ok", "tok_declined", "tok_capture_refused"])
VERBS = st.lists(st.sampled_from(["authorise", "capture", "capture a part", "void", "expire"]), max_size=12)
DETAILS = Details(token="tok_ok", amount_minor=AMOUNT, currency="EUR")


def _decide(verb: str, known: Operation | None, details: Details) -> Decision[Operation]:
    match verb:
        case "authorise":
            return operations.authorise(known, name="acme.one", details=details)
        case "capture":
            return operations.capture(known, amount_minor=None)
        case "capture a part":
            return operations.capture(known, amount_minor=40)
        case "void":
            return operations.void(known, name="acme.one")
        case _:
            return operations.expire(known)


def _play(verbs: list[str], token: str = "tok_ok") -> tuple[Operation | None, list[str]]:
    """Return how an operation ends, and what was done to it."""
    details = Details(token=token, amount_minor=AMOUNT, currency="EUR")
    known: Operation | None = None
    done: list[str] = []
    for verb in verbs:
        decision = _decide(verb, known, details)
        known = decision.becomes or known
        done += [verb.partition(" ")[0]] if decision.is_done else []
    return known, done


@given(VERBS, TOKENS)
def test_nothing_is_done_twice_and_captured_excludes_voided_and_expired(verbs: list[str], token: str) -> None:
    _, done = _play(verbs, token)

    assert len(done) == len(set(done))
    assert "capture" not in done or done == ["authorise", "capture"]


@given(VERBS, TOKENS)
def test_status_is_what_was_done_last(verbs: list[str], token: str) -> None:
    known, done = _play(verbs, token)

    expected = {
        "authorise": Status.AUTHORISED,
        "capture": Status.CAPTURED,
        "void": Status.VOIDED,
        "expire": Status.EXPIRED,
    }
    if done:
        assert known is not None
        assert known.status is expected[done[-1]]
    else:
        assert known is None or known.status is Status.DECLINED


@given(VERBS, TOKENS)
def test_asking_again_gives_the_same_answer(verbs: list[str], token: str) -> None:
    details = Details(token=token, amount_minor=AMOUNT, currency="EUR")
    known, _ = _play(verbs, token)

    for verb in ("authorise", "capture", "capture a part", "void", "expire"):
        first = _decide(verb, known, details)
        again = _decide(verb, first.becomes or known, details)
        assert (again.http_status, again.refusal) == (first.http_status, first.refusal)
        assert not again.is_done


def test_operation_voided_before_it_was_seen_refuses_every_card() -> None:
    voided = operations.void(None, name="acme.one").becomes

    decision = operations.authorise(voided, name="acme.one", details=DETAILS)

    assert decision.refusal is Refusal.VOIDED


@pytest.mark.parametrize(("first", "second"), [(40, 41), (40, None), (None, 40)])
def test_second_capture_of_another_amount_is_refused(first: int | None, second: int | None) -> None:
    authorised, _ = _play(["authorise"])
    captured = operations.capture(authorised, amount_minor=first).becomes

    decision = operations.capture(captured, amount_minor=second)

    assert (decision.refusal, decision.becomes) == (Refusal.CAPTURED_DIFFERENTLY, None)


def test_capture_of_all_may_name_the_amount_or_not() -> None:
    captured, _ = _play(["authorise", "capture"])

    decision = operations.capture(captured, amount_minor=AMOUNT)

    assert decision.refusal is None
    assert captured is not None
    assert captured.captured_minor == AMOUNT


def test_more_than_was_authorised_is_not_captured_and_the_key_stays_good() -> None:
    authorised, _ = _play(["authorise"])

    decision = operations.capture(authorised, amount_minor=AMOUNT + 1)

    assert (decision.refusal, decision.becomes, decision.is_final) == (Refusal.ABOVE_AUTHORISED, None, False)


@pytest.mark.parametrize(("verb", "refusal"), [("authorise", Refusal.EXPIRED), ("capture", Refusal.EXPIRED)])
def test_expired_authorisation_takes_no_money(verb: str, refusal: Refusal) -> None:
    expired, _ = _play(["authorise", "expire"])

    decision = _decide(verb, expired, DETAILS)

    assert (decision.refusal, decision.becomes) == (refusal, None)


def test_expired_authorisation_can_be_voided_so_that_nothing_arrives_later() -> None:
    expired, _ = _play(["authorise", "expire"])

    voided = operations.void(expired, name="acme.one").becomes

    assert voided is not None
    assert voided.status is Status.VOIDED


@pytest.mark.parametrize(
    ("before", "refusal"),
    [
        ([], Refusal.NOT_AUTHORISED),
        (["authorise", "capture"], Refusal.CAPTURED),
        (["authorise", "void"], Refusal.VOIDED),
    ],
)
def test_only_what_is_authorised_expires(before: list[str], refusal: Refusal) -> None:
    known, _ = _play(before)

    decision = operations.expire(known)

    assert (decision.refusal, decision.becomes) == (refusal, None)


def test_shown_operation_says_what_was_taken_of_what_was_reserved() -> None:
    captured, _ = _play(["authorise", "capture a part"])

    assert captured is not None
    shown = operations.described(captured)
    assert (shown["amountMinor"], shown["capturedMinor"]) == (AMOUNT, 40)
