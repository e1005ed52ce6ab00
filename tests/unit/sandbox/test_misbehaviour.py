"""What goes wrong, and that it is the same again for the same seed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from platform_sandbox.misbehaviour import (
    NO_FAULTS,
    Fate,
    Faults,
    Lost,
    Misbehaviour,
    Plan,
    WebhookFaults,
    fated,
    planned,
)

MANY = 2_000


def _schedule(faults: Faults) -> list[Plan]:
    return [planned(faults, operation=f"acme.{number}", call="authorise", attempt=1) for number in range(MANY)]


@given(st.integers(), st.text(max_size=20), st.integers(min_value=1, max_value=100))
def test_same_seed_gives_the_same_schedule(seed: int, operation: str, attempt: int) -> None:
    faults = Faults(seed=seed, rate=0.5)

    first = planned(faults, operation=operation, call="capture", attempt=attempt)
    again = planned(faults, operation=operation, call="capture", attempt=attempt)

    assert first == again


def test_another_seed_gives_another_schedule() -> None:
    assert _schedule(Faults(seed=1, rate=0.5)) != _schedule(Faults(seed=2, rate=0.5))


def test_faults_come_in_the_shares_that_were_asked_for() -> None:
    schedule = _schedule(Faults(seed=1, rate=0.25))

    before = sum(plan.fails_before for plan in schedule) / MANY
    lost = {kind: sum(plan.lost is kind for plan in schedule) / MANY for kind in Lost}
    assert before == pytest.approx(0.125, abs=0.03)
    assert lost[Lost.ERROR] == pytest.approx(0.0625, abs=0.03)
    assert lost[Lost.HANG] == pytest.approx(0.0625, abs=0.03)


def test_another_attempt_has_another_fate() -> None:
    faults = Faults(seed=1, rate=0.5)

    fates = {planned(faults, operation="acme.one", call="void", attempt=attempt) for attempt in range(1, 50)}

    assert len(fates) > 1


def test_nothing_goes_wrong_unless_it_is_asked_for() -> None:
    assert set(_schedule(NO_FAULTS)) == {Plan()}


@pytest.mark.parametrize(
    ("token", "fate"),
    [
        ("tok_500_before", Plan(fails_before=True)),
        ("tok_500_after", Plan(lost=Lost.ERROR)),
        ("tok_hang_after", Plan(lost=Lost.HANG)),
    ],
)
def test_card_fails_the_first_time_alone(token: str, fate: Plan) -> None:
    misbehaviour = Misbehaviour(slow_seconds=3)

    fates = [misbehaviour.next_attempt("acme.one", "authorise", token=token) for _ in range(3)]
    other = misbehaviour.next_attempt("acme.two", "authorise", token=token)

    assert fates == [fate, Plan(), Plan()]
    assert other == fate


def test_slow_card_is_slow_every_time() -> None:
    misbehaviour = Misbehaviour(slow_seconds=3)

    fates = [misbehaviour.next_attempt("acme.one", "authorise", token="tok_slow") for _ in range(2)]

    assert fates == [Plan(answers_after_seconds=3)] * 2


def test_rate_above_one_is_none() -> None:
    with pytest.raises(ValidationError):
        Faults(rate=1.5)


@given(st.integers(), st.text(max_size=20))
def test_same_seed_gives_an_event_the_same_fate(seed: int, event: str) -> None:
    faults = WebhookFaults(seed=seed, duplicate_rate=0.5, late_rate=0.5, longest_delay_seconds=10)

    assert fated(faults, event=event) == fated(faults, event=event)


def test_events_are_doubled_and_late_in_the_shares_that_were_asked_for() -> None:
    faults = WebhookFaults(seed=1, duplicate_rate=0.25, late_rate=0.5, longest_delay_seconds=10)

    fates = [fated(faults, event=f"charge.captured|acme.{number}") for number in range(MANY)]

    late = [each.delay.total_seconds() for each in fates if each.delay]
    assert sum(each.copies == 2 for each in fates) / MANY == pytest.approx(0.25, abs=0.03)
    assert len(late) / MANY == pytest.approx(0.5, abs=0.03)
    assert 8 < max(late) <= 10
    assert len(set(late)) > MANY / 3


def test_event_arrives_at_once_and_once_unless_it_is_asked_for() -> None:
    fates = {Misbehaviour(slow_seconds=3).fate_of(f"charge.captured|acme.{number}") for number in range(MANY)}

    assert fates == {Fate()}
