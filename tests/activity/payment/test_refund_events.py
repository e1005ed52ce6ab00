"""What an event about a refund gives rise to: the provider's own word, applied as far as our row allows it."""

import pytest
from temporalio.testing import ActivityEnvironment

from payment_service.activities.provider_events import EventFact, Verdict
from payment_service.domain.provider import FactKind
from payment_service.domain.provider_events import EventReason, EventStatus
from payment_service.domain.refunds import RefundRequest, RefundStatus
from tests.fakes.payment import euros
from tests.fakes.payment_events import NOON, EventPorts
from tests.fakes.payment_refunds import FakeRefundProvider

APPLIED = Verdict(status=EventStatus.APPLIED)
DISAGREES = Verdict(status=EventStatus.CONTRADICTED, reason=EventReason.PROVIDER_DISAGREES)
UNKNOWN = Verdict(status=EventStatus.QUARANTINED, reason=EventReason.UNKNOWN_MOVEMENT)
BOOKS_DIFFER = Verdict(status=EventStatus.QUARANTINED, reason=EventReason.BOOKS_DIFFER)
NO_RECORD = Verdict(status=EventStatus.IGNORED, reason=EventReason.NO_RECORD)


async def _ports(provider: FakeRefundProvider, *, is_sent: bool = True) -> EventPorts:
    ports = EventPorts(refund_provider=provider)
    request = RefundRequest(
        tenant="buyers", refund_id="r-1", charge_id="p-1", amount=euros(500), shares=None, reason="broken"
    )
    refund = await ports.refunds.request(request, now=NOON)
    if is_sent:
        provider.book["r-1"] = refund.order
    return ports


async def _applied(ports: EventPorts, kind: FactKind, refund_id: str = "r-1") -> Verdict:
    fact = EventFact(provider="acquirer", event_id="evt_1", kind=kind, tenant="buyers", subject=refund_id, at=NOON)
    return await ActivityEnvironment().run(ports.refund_event_activities().apply_refund_event, fact)


@pytest.mark.parametrize(
    ("kind", "fails", "after"),
    [
        (FactKind.REFUND_SUCCEEDED, False, RefundStatus.SUCCEEDED),
        (FactKind.REFUND_FAILED, True, RefundStatus.FAILED),
    ],
)
async def test_refund_becomes_what_the_provider_says_and_nothing_is_sent(
    kind: FactKind, *, fails: bool, after: RefundStatus
) -> None:
    ports = await _ports(FakeRefundProvider(fails=fails))

    verdicts = [await _applied(ports, kind) for _ in range(2)]

    assert verdicts == [APPLIED, APPLIED]
    assert ports.refunds.rows["r-1"].status is after
    assert ports.refund_provider.calls == ["find_refund", "find_refund"]


async def test_event_that_the_provider_does_not_stand_by_is_contradicted_and_its_word_counts() -> None:
    ports = await _ports(FakeRefundProvider(fails=True))

    verdict = await _applied(ports, FactKind.REFUND_SUCCEEDED)

    assert verdict == DISAGREES
    assert ports.refunds.rows["r-1"].status is RefundStatus.FAILED


async def test_refund_that_the_provider_has_never_seen_is_not_sent_for_an_event() -> None:
    ports = await _ports(FakeRefundProvider(), is_sent=False)

    verdict = await _applied(ports, FactKind.REFUND_SUCCEEDED)

    assert verdict == DISAGREES
    assert ports.refunds.rows["r-1"].status is RefundStatus.REQUESTED
    assert ports.refund_provider.paid_back == []


async def test_refund_that_was_settled_otherwise_is_for_a_person() -> None:
    ports = await _ports(FakeRefundProvider(fails=True))
    await ports.refunds.settle(ports.refunds.rows["r-1"], to=RefundStatus.SUCCEEDED, now=NOON)

    verdict = await _applied(ports, FactKind.REFUND_FAILED)

    assert verdict == BOOKS_DIFFER
    assert ports.reasons == ["mismatched"]


@pytest.mark.parametrize(
    ("kind", "verdict"), [(FactKind.REFUND_SUCCEEDED, UNKNOWN), (FactKind.REFUND_FAILED, NO_RECORD)]
)
async def test_refund_that_nobody_asked_for_is_told_if_money_has_moved(kind: FactKind, verdict: Verdict) -> None:
    ports = await _ports(FakeRefundProvider())

    found = await _applied(ports, kind, "r-9")

    assert found == verdict
