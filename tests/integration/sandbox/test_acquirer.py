"""The acquirer over HTTP: what it does once, what it refuses, and how it misbehaves."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.sandbox.acquirer_process import authorise, journal, running_acquirer, write


async def test_operation_is_authorised_and_captured(acquirer: httpx.AsyncClient, operation: str) -> None:
    authorised = await authorise(acquirer, operation)
    captured = await write(acquirer, operation, "capture")

    found = (await acquirer.get(f"/v1/operations/{operation}")).json()
    assert (authorised.status_code, authorised.json()["status"]) == (201, "authorised")
    assert (captured.status_code, captured.json()["status"]) == (200, "captured")
    assert (found["status"], found["amountMinor"], found["currency"], found["token"]) == (
        "captured",
        100,
        "EUR",
        "tok_ok",
    )


@pytest.mark.parametrize("verb", ["authorise", "capture", "void"])
async def test_repeat_of_a_key_gets_the_first_answer_and_does_nothing(
    acquirer: httpx.AsyncClient, operation: str, verb: str
) -> None:
    first = await authorise(acquirer, operation)
    if verb != "authorise":
        first = await write(acquirer, operation, verb)

    again = await authorise(acquirer, operation) if verb == "authorise" else await write(acquirer, operation, verb)

    assert again.json() == first.json()
    assert again.status_code == first.status_code
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert (await journal(acquirer, operation)).count(verb) == 1


async def test_repeat_under_another_key_moves_no_money_either(acquirer: httpx.AsyncClient, operation: str) -> None:
    await authorise(acquirer, operation)
    await write(acquirer, operation, "capture")

    authorised = await authorise(acquirer, operation, key=f"{operation}-other-1")
    captured = await write(acquirer, operation, "capture", key=f"{operation}-other-2")

    assert (authorised.status_code, captured.status_code) == (201, 200)
    assert await journal(acquirer, operation) == ["authorise", "capture"]


async def test_key_of_another_request_is_refused(acquirer: httpx.AsyncClient, operation: str) -> None:
    await authorise(acquirer, operation, amount=100)

    other = await authorise(acquirer, operation, amount=101)

    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


@pytest.mark.parametrize(("token", "amount"), [("tok_ok", 101), ("tok_other", 100)])
async def test_same_operation_with_other_details_is_refused(
    acquirer: httpx.AsyncClient, operation: str, token: str, amount: int
) -> None:
    await authorise(acquirer, operation, "tok_ok", amount=100)

    other = await authorise(acquirer, operation, token, amount=amount, key=f"{operation}-other")

    assert (other.status_code, other.json()["code"]) == (409, "different")


async def test_declined_card_reserves_nothing(acquirer: httpx.AsyncClient, operation: str) -> None:
    declined = await authorise(acquirer, operation, "tok_declined")

    assert (declined.status_code, declined.json()["code"]) == (402, "declined")
    assert (await acquirer.get(f"/v1/operations/{operation}")).json()["status"] == "declined"
    assert await journal(acquirer, operation) == []


async def test_voided_operation_is_authorised_and_captured_no_more(acquirer: httpx.AsyncClient, operation: str) -> None:
    voided = await write(acquirer, operation, "void")

    late = await authorise(acquirer, operation)
    capture = await write(acquirer, operation, "capture")

    assert (voided.status_code, voided.json()["status"]) == (200, "voided")
    assert [(each.status_code, each.json()["code"]) for each in (late, capture)] == [(409, "voided")] * 2
    assert await journal(acquirer, operation) == ["void"]


async def test_captured_operation_is_not_voided(acquirer: httpx.AsyncClient, operation: str) -> None:
    await authorise(acquirer, operation)
    await write(acquirer, operation, "capture")

    void = await write(acquirer, operation, "void")

    assert (void.status_code, void.json()["code"]) == (409, "captured")


async def test_refused_capture_leaves_the_operation_to_be_voided(acquirer: httpx.AsyncClient, operation: str) -> None:
    await authorise(acquirer, operation, "tok_capture_refused")

    refused = await write(acquirer, operation, "capture")
    voided = await write(acquirer, operation, "void")

    assert (refused.status_code, refused.json()["code"]) == (409, "refused")
    assert voided.json()["status"] == "voided"


async def test_capture_that_came_too_early_may_be_repeated_later(acquirer: httpx.AsyncClient, operation: str) -> None:
    early = await write(acquirer, operation, "capture")
    await authorise(acquirer, operation)
    later = await write(acquirer, operation, "capture")

    assert (early.status_code, early.json()["code"]) == (409, "not_authorised")
    assert later.json()["status"] == "captured"


async def test_operation_never_seen_is_not_found(acquirer: httpx.AsyncClient, operation: str) -> None:
    assert (await acquirer.get(f"/v1/operations/{operation}")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"token": "4111111111111111", "amountMinor": 1, "currency": "EUR"},
        {"token": "tok_ok", "amountMinor": 1.5, "currency": "EUR"},
        {"token": "tok_ok", "amountMinor": 0, "currency": "EUR"},
        {"token": "tok_ok", "amountMinor": 1, "currency": "Euro"},
    ],
)
async def test_what_is_no_authorisation_is_refused(
    acquirer: httpx.AsyncClient, operation: str, body: dict[str, Any]
) -> None:
    response = await write(acquirer, operation, "authorise", **body)

    assert response.status_code == 400


async def test_write_without_a_key_is_refused(acquirer: httpx.AsyncClient, operation: str) -> None:
    response = await acquirer.post(f"/v1/operations/{operation}/void")

    assert (response.status_code, response.json()["code"]) == (400, "no_key")


async def test_slow_card_is_charged_at_once_and_answered_late(acquirer: httpx.AsyncClient, operation: str) -> None:
    started = time.monotonic()
    answering = asyncio.create_task(authorise(acquirer, operation, "tok_slow"))
    await asyncio.sleep(0.2)

    done = await journal(acquirer, operation)
    answer = await answering

    assert done == ["authorise"]
    assert answer.status_code == 201
    assert time.monotonic() - started >= 0.5


@pytest.mark.parametrize(("token", "done"), [("tok_500_before", []), ("tok_500_after", ["authorise"])])
async def test_error_says_nothing_about_what_was_done(
    acquirer: httpx.AsyncClient, operation: str, token: str, done: list[str]
) -> None:
    first = await authorise(acquirer, operation, token)
    done_at_first = await journal(acquirer, operation)
    second = await authorise(acquirer, operation, token)

    assert (first.status_code, second.status_code) == (500, 201)
    assert done_at_first == done
    assert await journal(acquirer, operation) == ["authorise"]


async def test_hanging_card_is_charged_and_never_answered(acquirer: httpx.AsyncClient, operation: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await acquirer.post(
            f"/v1/operations/{operation}/authorise",
            json={"token": "tok_hang_after", "amountMinor": 100, "currency": "EUR"},
            headers={"Idempotency-Key": f"{operation}:authorise"},
            timeout=1,
        )

    found = (await acquirer.get(f"/v1/operations/{operation}")).json()
    again = await authorise(acquirer, operation, "tok_hang_after")
    assert found["status"] == "authorised"
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_of_many_at_once_one_authorises_and_one_captures_or_voids(
    acquirer: httpx.AsyncClient, operation: str
) -> None:
    await authorise(acquirer, operation)

    answers = await asyncio.gather(
        *(
            write(acquirer, operation, verb, key=f"{operation}-{verb}-{n}")
            for n in range(10)
            for verb in ("capture", "void")
        )
    )

    done = await journal(acquirer, operation)
    assert len(done) == 2
    assert {each.status_code for each in answers} == {200, 409}


async def test_faults_come_at_their_rate_and_the_same_again_for_the_same_seed(
    acquirer: httpx.AsyncClient, operation: str
) -> None:
    async def failures(prefix: str) -> list[int]:
        answers = [await acquirer.get(f"/v1/operations/{operation}-{prefix}-{number}") for number in range(60)]
        return [number for number, answer in enumerate(answers) if answer.status_code == 500]

    await acquirer.put("/v1/faults", json={"seed": 7, "rate": 0.5, "kinds": ["error"]})
    faulty = await failures("a")
    await acquirer.delete("/v1/faults")
    healthy = await failures("a")

    assert 15 <= len(faulty) <= 45
    assert healthy == []


async def test_delay_holds_up_each_request_before_it_is_done(acquirer: httpx.AsyncClient, operation: str) -> None:
    await acquirer.put("/v1/faults", json={"delaySeconds": 0.5})
    answering = asyncio.create_task(authorise(acquirer, operation))
    await asyncio.sleep(0.2)

    done = await journal(acquirer, operation)
    answer = await answering

    assert done == []
    assert answer.status_code == 201


@pytest.mark.parametrize("faults", [{"rate": 2}, {"kinds": []}, {"kinds": ["odd"]}, {"rat": 0.5}])
async def test_faults_that_are_none_are_refused(acquirer: httpx.AsyncClient, faults: dict[str, object]) -> None:
    response = await acquirer.put("/v1/faults", json=faults)

    assert response.status_code == 400


async def test_book_shows_one_tenants_operations(acquirer: httpx.AsyncClient, operation: str) -> None:
    await authorise(acquirer, operation)
    await authorise(acquirer, f"other{operation}")

    mine = (await acquirer.get("/v1/book", params={"tenant": "acme"})).json()["operations"]

    names = [each["operation"] for each in mine]
    assert operation in names
    assert all(name.startswith("acme.") for name in names)
    (entry,) = next(each["journal"] for each in mine if each["operation"] == operation)
    assert (entry["verb"], entry["key"], entry["amountMinor"]) == ("authorise", f"{operation}:authorise", 100)


async def test_killed_acquirer_keeps_its_book(tmp_path: Path) -> None:
    async with (
        running_acquirer(tmp_path) as process,
        httpx.AsyncClient(base_url=process.url, timeout=10, trust_env=False) as client,
    ):
        await authorise(client, "acme.one")
        await write(client, "acme.one", "capture")
        await write(client, "acme.two", "void")
        before = (await client.get("/v1/book")).json()

        await process.kill()
        await process.start()
        after = (await client.get("/v1/book")).json()
        again = await write(client, "acme.one", "capture")

    assert after == before
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_acquirer_that_is_told_to_stop_ends_well_even_while_it_hangs(tmp_path: Path) -> None:
    async with (
        running_acquirer(tmp_path) as process,
        httpx.AsyncClient(base_url=process.url, trust_env=False) as client,
    ):
        hanging = asyncio.create_task(authorise(client, "acme.one", "tok_hang_after"))
        await asyncio.sleep(0.5)
        code = await process.stop()
        await asyncio.gather(hanging, return_exceptions=True)

    assert code == 0
