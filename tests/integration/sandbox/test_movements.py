"""Refunds, payouts and disputes over HTTP, and authorisations captured in part or expired."""

import asyncio
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.integration.sandbox.acquirer_process import (
    authorise,
    captured,
    journal,
    post,
    running_acquirer,
    write,
)
from tests.support.waiting import eventually


async def _status(client: httpx.AsyncClient, path: str) -> str:
    return (await client.get(f"/v1/{path}")).json()["status"]


async def _becomes(client: httpx.AsyncClient, path: str, status: str) -> None:
    async def is_so() -> bool:
        return await _status(client, path) == status

    await eventually(is_so, within_seconds=10)


async def test_part_of_an_authorisation_is_captured_once_and_the_journal_says_how_much(
    acquirer: httpx.AsyncClient, operation: str
) -> None:
    await authorise(acquirer, operation)

    first = await write(acquirer, operation, "capture", amountMinor=40)
    again = await write(acquirer, operation, "capture", amountMinor=40, key=f"{operation}-again")
    other = await write(acquirer, operation, "capture", amountMinor=60, key=f"{operation}-other")
    same_key = await write(acquirer, operation, "capture", amountMinor=60)

    assert (first.json()["capturedMinor"], first.json()["amountMinor"]) == (40, 100)
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (409, "captured_differently")
    assert (same_key.status_code, same_key.json()["code"]) == (422, "key_reused")
    (shown,) = [
        each for each in (await acquirer.get("/v1/book")).json()["operations"] if each["operation"] == operation
    ]
    assert [(entry["verb"], entry["amountMinor"]) for entry in shown["journal"]] == [
        ("authorise", 100),
        ("capture", 40),
    ]


async def test_more_than_authorised_is_refused_and_the_rest_can_be_captured(
    acquirer: httpx.AsyncClient, operation: str
) -> None:
    await authorise(acquirer, operation)

    above = await write(acquirer, operation, "capture", amountMinor=101)
    all_of_it = await write(acquirer, operation, "capture")

    assert (above.status_code, above.json()["code"]) == (409, "above_authorised")
    assert all_of_it.json()["capturedMinor"] == 100


async def test_expired_authorisation_is_not_captured_and_can_be_voided(
    acquirer: httpx.AsyncClient, operation: str
) -> None:
    await authorise(acquirer, operation)

    expired = await write(acquirer, operation, "expire")
    capture = await write(acquirer, operation, "capture")
    late = await authorise(acquirer, operation, key=f"{operation}-late")
    void = await write(acquirer, operation, "void")

    assert expired.json()["status"] == "expired"
    assert {(each.status_code, each.json()["code"]) for each in (capture, late)} == {(409, "expired")}
    assert void.json()["status"] == "voided"


async def test_authorisation_expires_by_itself_and_what_is_captured_does_not(tmp_path: Path) -> None:
    async with (
        running_acquirer(tmp_path, expires_after_seconds="0.5") as process,
        httpx.AsyncClient(base_url=process.url, timeout=10, trust_env=False) as client,
    ):
        await captured(client, "acme.captured")
        await authorise(client, "acme.forgotten")
        await _becomes(client, "operations/acme.forgotten", "expired")

        assert await _status(client, "operations/acme.captured") == "captured"
        assert await journal(client, "acme.forgotten") == ["authorise", "expire"]


async def test_refunds_add_up_to_what_was_captured_and_no_further(acquirer: httpx.AsyncClient, operation: str) -> None:
    await authorise(acquirer, operation)
    await write(acquirer, operation, "capture", amountMinor=80)

    answers = [
        await post(acquirer, f"operations/{operation}/refunds/r-{number}", amountMinor=amount)
        for number, amount in enumerate((50, 30, 1))
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[0].json() == {
        "refund": "r-0",
        "operation": operation,
        "status": "succeeded",
        "amountMinor": 50,
        "currency": "EUR",
    }
    assert answers[2].json()["code"] == "above_captured"


async def test_of_many_refunds_at_once_no_more_than_was_captured_is_given_back(
    acquirer: httpx.AsyncClient, operation: str
) -> None:
    await captured(acquirer, operation)

    answers = await asyncio.gather(
        *(post(acquirer, f"operations/{operation}/refunds/r-{number}", amountMinor=30) for number in range(10))
    )

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 7


async def test_same_refund_is_made_once_whatever_the_key(acquirer: httpx.AsyncClient, operation: str) -> None:
    await captured(acquirer, operation)
    path = f"operations/{operation}/refunds/r-1"

    first = await post(acquirer, path, amountMinor=30)
    same_key = await post(acquirer, path, amountMinor=30)
    other_key = await post(acquirer, path, amountMinor=30, key=f"{path}-other")
    other_amount = await post(acquirer, path, amountMinor=31, key=f"{path}-more")

    assert same_key.headers["Idempotent-Replayed"] == "true"
    assert other_key.json() == same_key.json() == first.json()
    assert (other_amount.status_code, other_amount.json()["code"]) == (409, "different")


@pytest.mark.parametrize(
    ("token", "ends"), [("tok_refund_pending", "succeeded"), ("tok_refund_pending_failed", "failed")]
)
async def test_pending_refund_comes_to_its_end_by_itself(
    acquirer: httpx.AsyncClient, operation: str, token: str, ends: str
) -> None:
    await captured(acquirer, operation, token)

    made = await post(acquirer, f"operations/{operation}/refunds/r-1", amountMinor=100)
    await _becomes(acquirer, f"operations/{operation}/refunds/r-1", ends)

    assert made.json()["status"] == "pending"
    again = await post(acquirer, f"operations/{operation}/refunds/r-2", amountMinor=100)
    assert again.status_code == (409 if ends == "succeeded" else 201)


async def test_refund_of_what_is_not_captured_is_refused_until_it_is(
    acquirer: httpx.AsyncClient, operation: str
) -> None:
    path = f"operations/{operation}/refunds/r-1"
    early = await post(acquirer, path, amountMinor=30)
    await captured(acquirer, operation)

    later = await post(acquirer, path, amountMinor=30)

    assert (early.status_code, early.json()["code"]) == (409, "not_captured")
    assert later.status_code == 201


async def test_refund_never_seen_is_not_found(acquirer: httpx.AsyncClient, operation: str) -> None:
    found = await acquirer.get(f"/v1/operations/{operation}/refunds/r-1")

    assert (found.status_code, found.json()["code"]) == (404, "unknown")


async def test_payout_is_on_its_way_and_arrives_once(acquirer: httpx.AsyncClient) -> None:
    path = f"payouts/seller.{uuid4().hex[:12]}"

    made = await post(acquirer, path, partner="seller", amountMinor=500, currency="JPY")
    again = await post(acquirer, path, key=f"{path}-again", partner="seller", amountMinor=500, currency="JPY")
    other = await post(acquirer, path, key=f"{path}-other", partner="seller", amountMinor=501, currency="JPY")
    await _becomes(acquirer, path, "paid")

    assert (made.status_code, made.json()["status"], again.status_code) == (201, "pending", 200)
    assert (other.status_code, other.json()["code"]) == (409, "different")
    book = (await acquirer.get("/v1/book", params={"tenant": "seller"})).json()
    (shown,) = [each for each in book["payouts"] if f"payouts/{each['payout']}" == path]
    assert [entry["status"] for entry in shown["journal"]] == ["pending", "paid"]


@pytest.mark.parametrize("partner", ["x-payout-refused", "x-payout-fails", "x-payout-returned"])
async def test_payout_that_does_not_arrive_or_comes_back_is_failed(acquirer: httpx.AsyncClient, partner: str) -> None:
    path = f"payouts/{partner}.{uuid4().hex[:12]}"

    await post(acquirer, path, partner=partner, amountMinor=500, currency="EUR")
    await _becomes(acquirer, path, "failed")

    book = (await acquirer.get("/v1/book", params={"tenant": partner})).json()
    ways = {"x-payout-refused": ["failed"], "x-payout-fails": ["pending", "failed"]}
    walked = [entry["status"] for entry in book["payouts"][-1]["journal"]]
    assert walked == ways.get(partner, ["pending", "paid", "failed"])


async def test_operator_lets_a_paid_payout_come_back_and_it_stays_so(acquirer: httpx.AsyncClient) -> None:
    path = f"payouts/seller.{uuid4().hex[:12]}"
    await post(acquirer, path, partner="seller", amountMinor=500, currency="EUR")
    await post(acquirer, f"{path}/outcome", status="paid")

    returned = await post(acquirer, f"{path}/outcome", status="failed", key=f"{path}-returned")
    late = await post(acquirer, f"{path}/outcome", status="paid", key=f"{path}-late")
    # Longer than what is pending takes to arrive by itself.
    await asyncio.sleep(1)

    assert returned.json()["status"] == "failed"
    assert (late.status_code, late.json()["code"]) == (409, "settled")
    assert await _status(acquirer, path) == "failed"


async def test_dispute_takes_money_and_gives_it_back_when_it_is_won(
    acquirer: httpx.AsyncClient, operation: str
) -> None:
    await captured(acquirer, operation)
    opened = await post(acquirer, f"operations/{operation}/disputes/d-1", amountMinor=100)

    meanwhile = await post(acquirer, f"operations/{operation}/refunds/r-1", amountMinor=1)
    won = await post(acquirer, f"operations/{operation}/disputes/d-1/outcome", status="won")
    after = await post(acquirer, f"operations/{operation}/refunds/r-2", amountMinor=100)

    assert (opened.json()["status"], won.json()["status"]) == ("opened", "won")
    assert (meanwhile.status_code, after.status_code) == (409, 201)
    lost = await post(acquirer, f"operations/{operation}/disputes/d-1/outcome", status="lost", key=f"{operation}-lost")
    assert (lost.status_code, lost.json()["code"]) == (409, "settled")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("operations/acme.x/refunds/r-1", {}),
        ("operations/acme.x/refunds/r-1", {"amountMinor": 0}),
        ("operations/acme.x/capture", {"amountMinor": 1.5}),
        ("operations/acme.x/disputes/d-1/outcome", {"status": "paid"}),
        ("operations/acme.x/refunds/r-1/outcome", {"status": "pending"}),
        ("payouts/acme.p-1", {"partner": "A.B", "amountMinor": 1, "currency": "EUR"}),
    ],
)
async def test_what_cannot_be_read_is_refused(acquirer: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    response = await post(acquirer, path, key=uuid4().hex, **body)

    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("path", ["operations/acme.x/refunds/r-1", "payouts/acme.p-1"])
async def test_write_without_a_key_is_refused(acquirer: httpx.AsyncClient, path: str) -> None:
    response = await acquirer.post(f"/v1/{path}", json={"amountMinor": 1})

    assert (response.status_code, response.json()["code"]) == (400, "no_key")


async def test_faults_concern_refunds_and_payouts_and_nothing_is_done_twice(
    acquirer: httpx.AsyncClient, operation: str
) -> None:
    await captured(acquirer, operation)
    await acquirer.put("/v1/faults", json={"seed": 1, "rate": 1, "doneButLostShare": 1, "kinds": ["error"]})
    refund, payout = f"operations/{operation}/refunds/r-1", f"payouts/seller.{uuid4().hex[:12]}"

    lost = [
        await post(acquirer, refund, amountMinor=30),
        await post(acquirer, payout, partner="seller", amountMinor=1, currency="EUR"),
        await acquirer.get("/v1/records"),
        await acquirer.get(f"/v1/{refund}"),
    ]
    await acquirer.delete("/v1/faults")

    assert {answer.status_code for answer in lost} == {500}
    again = await post(acquirer, refund, amountMinor=30)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await _status(acquirer, payout) in {"pending", "paid"}
