"""What the payment service relies on, of every provider alike; `counterparts.py` says who cannot be asked what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from payment_service.domain.charges import ChargeStatus, DifferentChargeError
from payment_service.domain.disputes import DisputeAtProvider, DisputeName, DisputeStatus
from payment_service.domain.provider import FactKind, MovementStatus, ProviderFact, ProviderRecord, RecordKind
from tests.fakes.payment import euros
from tests.integration.payment.providers.counterparts import (
    Ability,
    Harness,
    a_charge,
    a_payout,
    a_refund,
    each_that,
)
from tests.integration.sandbox.acquirer_process import post
from tests.support.waiting import eventually

_TOLD_WITHIN_SECONDS = 30
_SETTLED_WITHIN_SECONDS = 30


@each_that()
async def test_charge_is_prepared_authorised_and_captured(harness: Harness) -> None:
    charge = await harness.prepared(a_charge())

    found = [await harness.found(charge)]
    authorised = await harness.provider.authorise(charge)
    found.append(await harness.found(charge))
    captured = await harness.provider.capture(charge)
    found.append(await harness.found(charge))

    assert (authorised, captured) == (ChargeStatus.AUTHORISED, ChargeStatus.CAPTURED)
    assert found == [None, ChargeStatus.AUTHORISED, ChargeStatus.CAPTURED]


@each_that()
async def test_declined_card_is_declined_again_and_found_so(harness: Harness) -> None:
    charge = await harness.prepared(a_charge(token=harness.declining_token))

    said = [await harness.provider.authorise(charge) for _ in range(2)]

    assert said == [ChargeStatus.DECLINED] * 2
    assert await harness.found(charge) is ChargeStatus.DECLINED


@each_that()
async def test_charge_sent_again_is_the_same_charge(harness: Harness) -> None:
    charge = await harness.prepared(a_charge())

    authorised = [await harness.provider.authorise(charge) for _ in range(3)]
    captured = [await harness.provider.capture(charge) for _ in range(3)]

    assert authorised == [ChargeStatus.AUTHORISED] * 3
    assert captured == [ChargeStatus.CAPTURED] * 3


@each_that(Ability.ONCE)
async def test_charge_prepared_again_is_the_same_charge(harness: Harness) -> None:
    charge = a_charge()

    references = {await harness.provider.prepare(charge) for _ in range(3)}

    assert len(references) == 1


@each_that()
async def test_other_amount_under_the_same_operation_is_refused(harness: Harness) -> None:
    charge = await harness.authorised(a_charge())
    assert charge.details is not None
    other = replace(charge, details=replace(charge.details, amount=euros(7)))

    with pytest.raises(DifferentChargeError):
        await harness.provider.authorise(other)


@each_that()
async def test_voided_charge_cannot_be_authorised_or_captured_any_more(harness: Harness) -> None:
    prepared, authorised = await harness.prepared(a_charge()), await harness.authorised(a_charge())

    voided = [await harness.voided(charge) for charge in (prepared, authorised, authorised)]

    assert voided == [ChargeStatus.VOIDED] * 3
    assert await harness.provider.authorise(prepared) is ChargeStatus.VOIDED
    assert await harness.provider.capture(authorised) is ChargeStatus.VOIDED
    assert await harness.found(authorised) is ChargeStatus.VOIDED


@each_that()
async def test_captured_charge_cannot_be_voided(harness: Harness) -> None:
    charge = await harness.captured(a_charge())

    assert await harness.voided(charge) is ChargeStatus.CAPTURED
    assert await harness.found(charge) is ChargeStatus.CAPTURED


@each_that(Ability.FINDS)
async def test_charge_is_found_and_voided_by_our_operation_id_alone(harness: Harness) -> None:
    charge = replace(await harness.authorised(a_charge()), reference=None)

    found = await harness.found(charge)
    voided = await harness.voided(charge)

    assert (found, voided) == (ChargeStatus.AUTHORISED, ChargeStatus.VOIDED)
    assert await harness.found(a_charge()) is None


@each_that(Ability.BARS)
async def test_void_of_what_was_never_seen_bars_it(harness: Harness) -> None:
    charge = a_charge()

    voided = await harness.voided(charge)

    assert voided is ChargeStatus.VOIDED
    assert await harness.provider.authorise(await harness.prepared(charge)) is ChargeStatus.VOIDED


@each_that()
async def test_part_is_captured(harness: Harness) -> None:
    charge = await harness.authorised(a_charge(2_000, part=1_500))

    said = [await harness.provider.capture(charge) for _ in range(2)]

    assert said == [ChargeStatus.CAPTURED] * 2


@each_that()
async def test_more_than_what_is_reserved_is_not_captured(harness: Harness) -> None:
    charge = await harness.authorised(a_charge(2_000, part=2_001))

    assert await harness.provider.capture(charge) is ChargeStatus.CAPTURE_REFUSED
    assert await harness.found(charge) is ChargeStatus.AUTHORISED


@each_that(Ability.EXPIRES)
async def test_what_nobody_captures_expires(harness: Harness) -> None:
    charge = await harness.authorised(a_charge())
    expired = await harness.raw.post(
        f"/v1/operations/{charge.tenant}.{charge.operation_id}/expire", headers={"Idempotency-Key": "expire"}
    )

    assert expired.is_success, expired.text
    assert await harness.found(charge) is ChargeStatus.EXPIRED
    assert await harness.provider.capture(charge) is ChargeStatus.EXPIRED


@each_that()
async def test_refunds_are_made_once_each_and_found(harness: Harness) -> None:
    charge = await harness.captured(a_charge(2_000))
    first, second = a_refund(charge, 500), a_refund(charge, 700)

    before = await harness.provider.find_refund(first)
    said = [await harness.provider.refund(order) for order in (first, first, second, first)]
    found = [await harness.provider.find_refund(order) for order in (first, second)]

    assert before is None
    assert said == [MovementStatus.SUCCEEDED] * 4
    assert found == [MovementStatus.SUCCEEDED] * 2


@each_that(Ability.LIMITS)
async def test_no_more_is_given_back_than_was_captured(harness: Harness) -> None:
    charge = await harness.captured(a_charge(2_000, part=1_500))
    fits, does_not = a_refund(charge, 1_000), a_refund(charge, 501)

    said = [await harness.provider.refund(order) for order in (fits, does_not)]

    assert said == [MovementStatus.SUCCEEDED, MovementStatus.FAILED]


@each_that(Ability.PAYS_OUT)
async def test_payout_is_made_once_and_arrives(harness: Harness) -> None:
    order = a_payout(euros(900))

    before = await harness.provider.find_payout(order)
    said = [await harness.provider.pay_out(order) for _ in range(2)]

    async def has_arrived() -> bool:
        return await harness.provider.find_payout(order) is MovementStatus.SUCCEEDED

    assert before is None
    assert set(said) <= {MovementStatus.PENDING, MovementStatus.SUCCEEDED}
    assert await eventually(has_arrived, within_seconds=_SETTLED_WITHIN_SECONDS)


@each_that(Ability.RECORDS)
async def test_book_tells_each_movement_once_under_our_names(harness: Harness) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    charge = await harness.captured(a_charge(2_000, part=1_500))
    refund, payout = a_refund(charge, 500), a_payout(euros(900))
    await harness.provider.refund(refund)
    await harness.provider.pay_out(payout)

    until = datetime.now(UTC) + timedelta(seconds=1)
    told = [record async for record in harness.provider.records(since=since, until=until)]

    names = (charge.operation_id, refund.refund_id, payout.payout_id)
    assert sorted(map(_shown, (record for record in told if record.operation_id in names))) == sorted(
        [
            (RecordKind.CAPTURE, "buyers", charge.operation_id, charge.operation_id, 1_500),
            (RecordKind.REFUND, "buyers", refund.refund_id, charge.operation_id, 500),
            (RecordKind.PAYOUT, "acme", payout.payout_id, None, 900),
        ]
    )


@each_that(Ability.TELLS)
async def test_capture_is_told_by_a_signed_event(harness: Harness) -> None:
    charge = await harness.captured(a_charge(2_000))

    async def told() -> list[ProviderFact]:
        return [
            fact
            for fact in harness.facts
            if (fact.kind, fact.subject) == (FactKind.CHARGE_CAPTURED, charge.operation_id)
        ]

    fact, *_ = await eventually(told, within_seconds=_TOLD_WITHIN_SECONDS)
    assert (fact.tenant, fact.charge_id or fact.subject, fact.amount) == (
        "buyers",
        charge.operation_id,
        euros(2_000),
    )


@each_that(Ability.DISPUTES)
async def test_dispute_is_found_as_it_stands_and_about_its_own_charge_alone(harness: Harness) -> None:
    charge, other = await harness.captured(a_charge(2_000)), await harness.captured(a_charge(2_000))
    name = DisputeName(tenant="buyers", charge_id=charge.operation_id, dispute_id=f"dp-{uuid4().hex[:12]}")
    path = f"operations/buyers.{charge.operation_id}/disputes/{name.dispute_id}"

    before = await harness.provider.find_dispute(name)
    await post(harness.raw, path, amountMinor=700)
    opened = await harness.provider.find_dispute(name)
    await post(harness.raw, f"{path}/outcome", status="lost")
    lost = await harness.provider.find_dispute(name)
    elsewhere = await harness.provider.find_dispute(replace(name, charge_id=other.operation_id))

    assert (before, elsewhere) == (None, None)
    assert opened == DisputeAtProvider(status=DisputeStatus.OPENED, amount=euros(700))
    assert lost == DisputeAtProvider(status=DisputeStatus.LOST, amount=euros(700))


def _shown(record: ProviderRecord) -> tuple[RecordKind, str, str, str | None, int]:
    return record.kind, record.tenant, record.operation_id, record.charge_id, record.amount.minor_units
