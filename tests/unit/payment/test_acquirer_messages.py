"""What an event of the acquirer says, and that one which says nothing is put aside."""

import json
from typing import Any

import pytest

from payment_service.domain.provider import FactKind
from payment_service.ports import UnreadableEventError
from payment_service.providers.acquirer_messages import read_event

CAPTURED: dict[str, Any] = {
    "id": "evt_1",
    "type": "charge.captured",
    "timestamp": "2026-01-01T00:00:00+00:00",
    "data": {
        "operation": "buyers.p.1",
        "status": "captured",
        "amountMinor": 100,
        "capturedMinor": 40,
        "currency": "EUR",
    },
}


def _with(**changes: Any) -> bytes:
    return json.dumps({**CAPTURED, **changes}).encode()


def _with_data(**changes: Any) -> bytes:
    return _with(data={**CAPTURED["data"], **changes})


def test_captured_amount_is_what_was_taken_and_not_what_was_reserved() -> None:
    fact = read_event(_with())

    assert fact.amount is not None
    assert (fact.kind, fact.amount.minor_units) == (FactKind.CHARGE_CAPTURED, 40)
    assert (fact.tenant, fact.subject) == ("buyers", "p.1")


def test_members_that_are_new_do_no_harm() -> None:
    fact = read_event(_with(livemode=False, data={**CAPTURED["data"], "risk": {"score": 1}}))

    assert fact.kind is FactKind.CHARGE_CAPTURED


@pytest.mark.parametrize("kind", ["refund.pending", "payout.pending", "charge.reviewed", "odd"])
def test_type_that_no_workflow_needs_is_other(kind: str) -> None:
    fact = read_event(_with(type=kind))

    assert (fact.kind, fact.event_id, fact.tenant) == (FactKind.OTHER, "evt_1", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"[]",
        b"\xff\xfe",
        _with(id=""),
        _with(timestamp="yesterday"),
        _with(timestamp="2026-01-01T00:00:00"),
        _with(data=None),
        _with_data(operation=None),
        _with_data(operation="p-1"),
        _with_data(amountMinor=1.5),
        _with_data(amountMinor=-1),
        _with_data(currency="QQQ"),
        _with(type="refund.succeeded"),
        _with(type="dispute.opened", data={**CAPTURED["data"], "refund": "r-1"}),
        _with(type="payout.paid", data={"partner": "seller", "amountMinor": 1, "currency": "EUR"}),
        _with(type="payout.paid", data={"payout": "seller.po-1", "amountMinor": 1, "currency": "EUR"}),
    ],
)
def test_what_is_no_event_is_unreadable_and_is_not_quoted(body: bytes) -> None:
    with pytest.raises(UnreadableEventError) as raised:
        read_event(body)

    assert str(raised.value) == "no event of the acquirer"
