"""What an event about a charge gives rise to: the provider's own word, applied as far as our row allows it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from temporalio.testing import ActivityEnvironment

from payment_service.activities.charge_events import ChargeEventActivities
from payment_service.activities.provider_events import EventFact, Verdict
from payment_service.domain.charges import ChargeStatus as Status
from payment_service.domain.provider import FactKind
from payment_service.domain.provider_events import EventReason, EventStatus
from payment_service.ports import NoAnswerError
from tests.fakes.payment import FakeAcquirer, charge_request
from tests.fakes.payment_events import NOON, EventPorts
from tests.integration.payment.samples import details

APPLIED = Verdict(status=EventStatus.APPLIED)
NO_RECORD = Verdict(status=EventStatus.IGNORED, reason=EventReason.NO_RECORD)
BOOKS_DIFFER = Verdict(status=EventStatus.QUARANTINED, reason=EventReason.BOOKS_DIFFER)
DISAGREES = Verdict(status=EventStatus.CONTRADICTED, reason=EventReason.PROVIDER_DISAGREES)


def _fact(kind: FactKind, **changes: str | None) -> EventFact:
    members: dict[str, str | None] = {"tenant": "buyers", "subject": "p-1", "provider": "acquirer", **changes}
    return EventFact.model_validate({"event_id": "evt_1", "kind": kind, "at": NOON, **members})


async def _ports(ours: Status | None, theirs: Status | None, *, provider: str = "acquirer") -> EventPorts:
    """Return ports with a charge as it stands in our book and in the provider's."""
    ports = EventPorts()
    now = datetime.now(UTC)
    if ours is not None:
        charge, _ = await ports.charges.begin(
            tenant="buyers", operation_id="p-1", details=details(1_500, 500), provider=provider, now=now
        )
        if ours in (Status.CAPTURED, Status.CAPTURE_REFUSED):
            charge = await ports.charges.move(charge, to=Status.AUTHORISED, now=now)
        if ours is not Status.AUTHORISING:
            await ports.charges.move(charge, to=ours, now=now)
    if theirs is not None:
        ports.acquirer.book["p-1"] = theirs
    return ports


async def _applied(ports: EventPorts, fact: EventFact) -> Verdict:
    activities: ChargeEventActivities = ports.charge_event_activities()
    return await ActivityEnvironment().run(activities.apply_charge_event, fact)


@pytest.mark.parametrize(
    ("kind", "ours", "theirs", "after"),
    [
        (FactKind.CHARGE_AUTHORISED, Status.AUTHORISING, Status.AUTHORISED, Status.AUTHORISED),
        (FactKind.CHARGE_AUTHORISED, Status.UNKNOWN, Status.CAPTURED, Status.CAPTURED),
        (FactKind.CHARGE_DECLINED, Status.UNKNOWN, Status.DECLINED, Status.DECLINED),
        (FactKind.CHARGE_CAPTURED, Status.AUTHORISED, Status.CAPTURED, Status.CAPTURED),
        (FactKind.CHARGE_CAPTURED, Status.CAPTURED, Status.CAPTURED, Status.CAPTURED),
        (FactKind.CHARGE_VOIDED, Status.AUTHORISED, Status.VOIDED, Status.VOIDED),
        (FactKind.CHARGE_EXPIRED, Status.AUTHORISED, Status.EXPIRED, Status.EXPIRED),
        (FactKind.CHARGE_EXPIRED, Status.VOIDED, Status.EXPIRED, Status.VOIDED),
        (FactKind.CHARGE_AUTHORISED, Status.CAPTURE_REFUSED, Status.AUTHORISED, Status.CAPTURE_REFUSED),
    ],
)
async def test_charge_becomes_what_the_provider_says(
    kind: FactKind, ours: Status, theirs: Status, after: Status
) -> None:
    ports = await _ports(ours, theirs)

    verdicts = [await _applied(ports, _fact(kind)) for _ in range(2)]

    assert verdicts == [APPLIED, APPLIED]
    assert ports.charges.status_of("p-1") is after
    assert ports.escalations.rows == {}


async def test_capture_of_which_an_event_tells_first_is_posted_once_with_our_own_answer_after_it() -> None:
    ports = await _ports(Status.AUTHORISED, Status.CAPTURED)
    charges = ports.payment_ports().charge_activities()
    await _applied(ports, _fact(FactKind.CHARGE_CAPTURED))

    again = await ActivityEnvironment().run(charges.capture, charge_request())

    assert again.status == Status.CAPTURED
    assert len(ports.charges.transactions) == 1


@pytest.mark.parametrize(
    ("kind", "theirs"),
    [
        (FactKind.CHARGE_CAPTURED, Status.AUTHORISED),
        (FactKind.CHARGE_CAPTURED, None),
        (FactKind.CHARGE_DECLINED, Status.AUTHORISED),
        (FactKind.CHARGE_VOIDED, Status.AUTHORISED),
    ],
)
async def test_event_that_the_provider_does_not_stand_by_changes_nothing_by_itself(
    kind: FactKind, theirs: Status | None
) -> None:
    ports = await _ports(Status.AUTHORISED, theirs)

    verdict = await _applied(ports, _fact(kind))

    assert verdict == DISAGREES
    assert ports.charges.status_of("p-1") is Status.AUTHORISED


@pytest.mark.parametrize(("theirs", "reasons"), [(Status.CAPTURED, ["extra_at_provider"]), (Status.AUTHORISED, [])])
async def test_money_that_was_taken_without_a_record_is_told_to_a_person(theirs: Status, reasons: list[str]) -> None:
    ports = await _ports(None, theirs)

    verdict = await _applied(ports, _fact(FactKind.CHARGE_AUTHORISED))

    assert verdict == NO_RECORD
    assert ports.reasons == reasons
    assert ports.charges.rows == {}


async def test_charge_of_another_provider_is_no_record_of_this_one() -> None:
    ports = await _ports(Status.AUTHORISED, Status.CAPTURED, provider="stripe")

    verdict = await _applied(ports, _fact(FactKind.CHARGE_CAPTURED))

    assert verdict == NO_RECORD
    assert ports.charges.status_of("p-1") is Status.AUTHORISED
    assert ports.reasons == ["extra_at_provider"]


async def test_event_without_our_name_on_it_is_nothing_we_have_a_record_of() -> None:
    ports = await _ports(None, None)

    verdict = await _applied(ports, _fact(FactKind.CHARGE_CAPTURED, tenant=None, subject=None))

    assert verdict == NO_RECORD
    assert ports.acquirer.calls == []


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        (FactKind.CHARGE_CAPTURED, Status.VOIDED, Status.CAPTURED),
        (FactKind.CHARGE_CAPTURED, Status.DECLINED, Status.CAPTURED),
        (FactKind.CHARGE_VOIDED, Status.CAPTURED, Status.VOIDED),
    ],
)
async def test_books_that_cannot_be_made_to_agree_are_for_a_person(
    kind: FactKind, ours: Status, theirs: Status
) -> None:
    ports = await _ports(ours, theirs)
    if ours is Status.CAPTURED:
        ports.charges.rows["buyers", "p-1"] = replace(ports.charges.rows["buyers", "p-1"], status=ours)

    verdict = await _applied(ports, _fact(kind))

    assert verdict == BOOKS_DIFFER
    assert ports.charges.status_of("p-1") is ours
    assert ports.charges.transactions == []
    assert ports.reasons == ["mismatched"]


async def test_operation_that_was_voided_before_it_was_known_and_is_captured_is_for_a_person() -> None:
    ports = await _ports(None, Status.CAPTURED)
    await ports.charges.void(tenant="buyers", operation_id="p-1", now=datetime.now(UTC))

    verdict = await _applied(ports, _fact(FactKind.CHARGE_CAPTURED))

    assert verdict == BOOKS_DIFFER
    assert ports.reasons == ["mismatched"]


async def test_authorisation_that_comes_through_after_a_void_is_voided_again() -> None:
    ports = await _ports(Status.VOIDED, Status.AUTHORISED)

    verdict = await _applied(ports, _fact(FactKind.CHARGE_AUTHORISED))

    assert verdict == APPLIED
    assert ports.acquirer.book["p-1"] is Status.VOIDED


async def test_silence_of_the_provider_is_left_to_a_repeat() -> None:
    ports = await _ports(Status.AUTHORISED, Status.CAPTURED)
    ports.acquirer = FakeAcquirer(away_for=1)

    with pytest.raises(NoAnswerError):
        await _applied(ports, _fact(FactKind.CHARGE_CAPTURED))

    assert ports.charges.status_of("p-1") is Status.AUTHORISED
