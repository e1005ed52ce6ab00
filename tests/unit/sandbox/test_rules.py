"""What the acquirer does with an operation, whatever it is asked in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from platform_sandbox import operations as rules
from platform_sandbox.decisions import Decision, Refusal
from platform_sandbox.operations import Details, Operation, Status

TOKENS = st.sampled_from(["tok_ok", "tok_declined", "tok_capture_refused"])
VERBS = st.lists(st.sampled_from(["authorise", "capture", "void"]), max_size=12)


def _decide(verb: str, known: Operation | None, details: Details) -> Decision[Operation]:
    match verb:
        case "authorise":
            return rules.authorise(known, name="acme.one", details=details)
        case "capture":
            return rules.capture(known, amount_minor=None)
        case _:
            return rules.void(known, name="acme.one")


def _play(verbs: list[str], token: str) -> tuple[Operation | None, list[str]]:
    """Return how an operation ends, and what was done to it."""
    details = Details(token=token, amount_minor=100, currency="EUR")
    known: Operation | None = None
    done: list[str] = []
    for verb in verbs:
        decision = _decide(verb, known, details)
        known = decision.becomes or known
        done += [verb] if decision.is_done else []
    return known, done


@given(VERBS, TOKENS)
def test_nothing_is_done_twice_and_captured_excludes_voided(verbs: list[str], token: str) -> None:
    _, done = _play(verbs, token)

    assert len(done) == len(set(done))
    assert not {"capture", "void"} <= set(done)
    assert "capture" not in done or done == ["authorise", "capture"]


@given(VERBS, TOKENS)
def test_status_is_what_was_done_last(verbs: list[str], token: str) -> None:
    known, done = _play(verbs, token)

    expected = {"authorise": Status.AUTHORISED, "capture": Status.CAPTURED, "void": Status.VOIDED}
    if done:
        assert known is not None
        assert known.status is expected[done[-1]]
    else:
        assert known is None or known.status is Status.DECLINED


@given(VERBS, TOKENS)
def test_asking_again_gives_the_same_answer(verbs: list[str], token: str) -> None:
    details = Details(token=token, amount_minor=100, currency="EUR")
    known, _ = _play(verbs, token)

    for verb in ("authorise", "capture", "void"):
        first = _decide(verb, known, details)
        again = _decide(verb, first.becomes or known, details)
        assert (again.http_status, again.refusal) == (first.http_status, first.refusal)
        assert not again.is_done


def test_operation_voided_before_it_was_seen_refuses_every_card() -> None:
    voided = rules.void(None, name="acme.one").becomes

    decision = rules.authorise(voided, name="acme.one", details=Details(token="tok_ok", amount_minor=1, currency="EUR"))

    assert decision.refusal is Refusal.VOIDED
