"""What Stripe's events say, in our words."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from payment_service.domain.provider import FactKind, ProviderFact
from payment_service.ports import UnreadableEventError
from payment_service.providers.stripe_events import StripeEvents
from tests.fakes.payment import euros

_OF_CHARGE = {"tenant": "buyers", "operation_id": "p-1"}
_OF_REFUND = {**_OF_CHARGE, "refund_id": "r-1"}
_OF_PAYOUT = {"partner": "acme", "payout_id": "o-1"}


def _read(kind: str, **subject: Any) -> ProviderFact:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": kind,
        "created": 1_800_000_000,
        "data": {"object": {"id": "obj_1", "amount": 2_000, "currency": "eur", **subject}},
    }
    return StripeEvents().read_event(json.dumps(event).encode())


@pytest.mark.parametrize(
    ("event", "subject", "kind"),
    [
        ("payment_intent.amount_capturable_updated", {}, FactKind.CHARGE_AUTHORISED),
        ("payment_intent.payment_failed", {}, FactKind.CHARGE_DECLINED),
        ("payment_intent.succeeded", {"amount_received": 2_000}, FactKind.CHARGE_CAPTURED),
        ("payment_intent.canceled", {"cancellation_reason": None}, FactKind.CHARGE_VOIDED),
        ("payment_intent.canceled", {"cancellation_reason": "requested_by_customer"}, FactKind.CHARGE_VOIDED),
        ("payment_intent.canceled", {"cancellation_reason": "automatic"}, FactKind.CHARGE_EXPIRED),
    ],
)
def test_event_of_an_intent_is_about_our_charge(event: str, subject: dict[str, Any], kind: FactKind) -> None:
    fact = _read(event, metadata=_OF_CHARGE, **subject)

    assert fact == ProviderFact(
        event_id="evt_1",
        kind=kind,
        tenant="buyers",
        subject="p-1",
        charge_id="p-1",
        amount=euros(2_000),
        at=datetime.fromtimestamp(1_800_000_000, UTC),
    )


def test_captured_part_is_what_was_received() -> None:
    fact = _read("payment_intent.succeeded", metadata=_OF_CHARGE, amount_received=1_500)

    assert fact.amount == euros(1_500)


@pytest.mark.parametrize(
    ("event", "status", "kind"),
    [
        ("refund.created", "succeeded", FactKind.REFUND_SUCCEEDED),
        ("refund.created", "pending", FactKind.OTHER),
        ("refund.updated", "succeeded", FactKind.REFUND_SUCCEEDED),
        ("charge.refund.updated", "canceled", FactKind.REFUND_FAILED),
        ("refund.failed", "failed", FactKind.REFUND_FAILED),
    ],
)
def test_event_of_a_refund_tells_how_it_stands(event: str, status: str, kind: FactKind) -> None:
    fact = _read(event, status=status, metadata=_OF_REFUND)

    assert fact.kind is kind
    assert kind is FactKind.OTHER or (fact.tenant, fact.subject, fact.charge_id) == ("buyers", "r-1", "p-1")


@pytest.mark.parametrize(
    ("event", "status", "kind"),
    [
        ("charge.dispute.created", "needs_response", FactKind.DISPUTE_OPENED),
        ("charge.dispute.created", "warning_needs_response", FactKind.OTHER),
        ("charge.dispute.updated", "under_review", FactKind.OTHER),
        ("charge.dispute.closed", "won", FactKind.DISPUTE_WON),
        ("charge.dispute.closed", "lost", FactKind.DISPUTE_LOST),
        ("charge.dispute.closed", "warning_closed", FactKind.OTHER),
    ],
)
def test_event_of_a_dispute_names_the_intent_that_it_is_about(event: str, status: str, kind: FactKind) -> None:
    fact = _read(event, id="dp_1", status=status, payment_intent="pi_1")

    assert (fact.kind, fact.subject) == (kind, "dp_1")
    assert kind is FactKind.OTHER or (fact.charge_reference, fact.amount) == ("pi_1", euros(2_000))


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("payout.paid", FactKind.PAYOUT_PAID),
        ("payout.failed", FactKind.PAYOUT_FAILED),
        ("payout.canceled", FactKind.PAYOUT_FAILED),
        ("payout.updated", FactKind.OTHER),
    ],
)
def test_event_of_a_payout_is_about_our_payout(event: str, kind: FactKind) -> None:
    fact = _read(event, metadata=_OF_PAYOUT)

    assert fact.kind is kind
    assert kind is FactKind.OTHER or (fact.tenant, fact.subject) == ("acme", "o-1")


@pytest.mark.parametrize("event", ["payment_intent.succeeded", "refund.failed", "payout.paid", "customer.created"])
def test_what_somebody_else_made_is_something_else(event: str) -> None:
    fact = _read(event, status="succeeded")

    assert (fact.kind, fact.tenant, fact.subject) == (FactKind.OTHER, "", "obj_1")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"id":"evt_1","type":"payout.paid"}', b"\xff"])
def test_what_is_no_event_cannot_be_read(body: bytes) -> None:
    with pytest.raises(UnreadableEventError):
        StripeEvents().read_event(body)
