"""An event that has only the provider's own name of a charge is asked about before anything is done with it."""

import pytest
from temporalio.testing import ActivityEnvironment

from payment_service.domain.provider import FactKind
from payment_service.domain.provider_events import EventStatus
from payment_service.ports import NoAnswerError
from tests.fakes.payment_events import EventPorts, event_body, event_input

NAMELESS = event_body(FactKind.DISPUTE_OPENED, "dp-1", tenant="")


async def test_whose_charge_it_is_about_is_asked_for() -> None:
    ports = EventPorts()

    taken_up = await ActivityEnvironment().run(ports.event_activities().record_provider_event, event_input(NAMELESS))

    assert taken_up.fact is not None
    assert (taken_up.fact.tenant, taken_up.fact.charge_id) == ("buyers", "p-named")


async def test_event_is_kept_while_the_provider_does_not_tell() -> None:
    ports = EventPorts()
    ports.reader.is_away = True

    with pytest.raises(NoAnswerError):
        await ActivityEnvironment().run(ports.event_activities().record_provider_event, event_input(NAMELESS))

    (row,) = ports.events.rows.values()
    assert row.status is EventStatus.RECEIVED
