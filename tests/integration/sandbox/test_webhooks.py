"""The acquirer tells of every change: signed, until it is accepted, and whatever happens to the acquirer."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from tests.integration.sandbox.acquirer_process import (
    AcquirerProcess,
    authorise,
    captured,
    post,
    running_acquirer,
    write,
)
from tests.integration.sandbox.webhook_receiver import SECRET, Receiver
from tests.support.waiting import eventually


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    """Return a receiver that listens."""
    receiver = Receiver()
    async with receiver.listening():
        yield receiver


@pytest.fixture
async def process(receiver: Receiver, tmp_path: Path) -> AsyncGenerator[AcquirerProcess]:
    """Return an acquirer that tells it of everything."""
    async with running_acquirer(tmp_path, webhook_url=receiver.url, webhook_secret=SECRET) as process:
        yield process


@pytest.fixture
async def client(process: AcquirerProcess) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of that acquirer."""
    async with httpx.AsyncClient(base_url=process.url, timeout=10, trust_env=False) as client:
        yield client


async def _pending(client: httpx.AsyncClient) -> list[str]:
    return [each["type"] for each in (await client.get("/v1/events")).json()["events"] if each["isPending"]]


async def test_every_change_is_told_in_its_order(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await captured(client, "acme.one", "tok_refund_pending")
    await post(client, "operations/acme.one/refunds/r-1", amountMinor=10)
    await post(client, "operations/acme.one/disputes/d-1", amountMinor=20)
    await post(client, "operations/acme.one/disputes/d-1/outcome", status="lost")
    await authorise(client, "acme.two", "tok_declined")
    await write(client, "acme.three", "void")
    await authorise(client, "acme.four")
    await write(client, "acme.four", "expire")
    await post(client, "payouts/seller.p-1", partner="seller", amountMinor=5, currency="EUR")

    await receiver.until("refund.succeeded r-1", "payout.paid seller.p-1")

    by_itself = {"refund.succeeded r-1", "payout.paid seller.p-1"}
    told = [received.about for received in receiver.accepted]
    assert len(told) == len(set(told))
    assert [about for about in told if about not in by_itself] == [
        "charge.authorised acme.one",
        "charge.captured acme.one",
        "refund.pending r-1",
        "dispute.opened d-1",
        "dispute.lost d-1",
        "charge.declined acme.two",
        "charge.voided acme.three",
        "charge.authorised acme.four",
        "charge.expired acme.four",
        "payout.pending seller.p-1",
    ]
    assert set(receiver.copies().values()) == {1}


async def test_event_says_what_changed_and_nothing_of_the_card(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await captured(client, "acme.one", amount=70)
    await receiver.until("charge.captured acme.one")

    received = receiver.accepted[-1]

    assert received.event["id"] == received.event_id
    assert received.event["data"] == {
        "operation": "acme.one",
        "status": "captured",
        "amountMinor": 70,
        "capturedMinor": 70,
        "currency": "EUR",
    }
    assert b"tok_" not in b"".join(each.body for each in receiver.accepted)


async def test_repeat_of_a_request_tells_nothing_again(client: httpx.AsyncClient, receiver: Receiver) -> None:
    for _ in range(3):
        await captured(client, "acme.one")
    await authorise(client, "acme.last")

    await receiver.until("charge.authorised acme.last")

    assert len(receiver.accepted) == 3


async def test_refused_event_comes_again_with_its_id_and_body_and_a_time_of_its_own(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.refusals = 2
    await write(client, "acme.one", "void")

    await receiver.until("charge.voided acme.one")

    first, second = receiver.refused
    (accepted,) = receiver.accepted
    assert first.event_id == second.event_id == accepted.event_id
    assert first.body == second.body == accepted.body
    assert first.sent_at < accepted.sent_at
    await eventually(lambda: _settled(client), within_seconds=10)


async def _settled(client: httpx.AsyncClient) -> bool:
    return await _pending(client) == []


async def test_events_are_doubled_and_overtake_each_other_as_the_seed_says(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    faults = {"seed": 3, "duplicateRate": 0.5, "lateRate": 0.5, "longestDelaySeconds": 2}
    await client.put("/v1/webhook-faults", json=faults)
    for number in range(30):
        await write(client, f"acme.{number}", "void")
    await client.delete("/v1/webhook-faults")

    await eventually(lambda: _settled(client), within_seconds=20)

    firsts = list(dict.fromkeys(received.event["data"]["operation"] for received in receiver.accepted))
    assert sorted(firsts) == sorted(f"acme.{number}" for number in range(30))
    assert firsts != [f"acme.{number}" for number in range(30)]
    assert set(receiver.copies().values()) == {1, 2}


@pytest.mark.parametrize("faults", [{"duplicateRate": 2}, {"lateRate": -1}, {"seed": "odd"}, {"rate": 0.5}])
async def test_webhook_faults_that_are_none_are_refused(client: httpx.AsyncClient, faults: dict[str, object]) -> None:
    response = await client.put("/v1/webhook-faults", json=faults)

    assert response.status_code == 400
    assert (await client.get("/v1/webhook-faults")).json()["duplicateRate"] == 0


async def test_nothing_that_was_done_goes_untold_when_the_acquirer_is_killed_again_and_again(
    process: AcquirerProcess, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    operations = [f"acme.{number}" for number in range(60)]

    async def charge(operation: str) -> None:
        for verb in ("authorise", "capture"):
            while True:
                try:
                    asked = authorise(client, operation) if verb == "authorise" else write(client, operation, verb)
                    if (await asked).is_success:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)

    async def charge_all() -> None:
        for operation in operations:
            await charge(operation)

    charging = asyncio.create_task(charge_all())
    for _ in range(3):
        await asyncio.sleep(0.15)
        await process.kill()
        await process.start()
    await asyncio.wait_for(charging, timeout=30)
    await eventually(lambda: _settled(client), within_seconds=20)

    told = {received.about for received in receiver.accepted}
    assert told == {f"charge.{change} {name}" for name in operations for change in ("authorised", "captured")}
    by_id = {received.event_id: received.about for received in receiver.accepted}
    assert len(by_id) == len(told), "one change has one event, however often it is sent"


async def test_events_wait_in_the_book_until_somebody_is_there_to_be_told(receiver: Receiver, tmp_path: Path) -> None:
    async with (
        running_acquirer(tmp_path) as quiet,
        httpx.AsyncClient(base_url=quiet.url, trust_env=False) as client,
    ):
        await write(client, "acme.one", "void")
        pending = await _pending(client)

    async with running_acquirer(tmp_path, webhook_url=receiver.url, webhook_secret=SECRET):
        await receiver.until("charge.voided acme.one")

    assert pending == ["charge.voided"]
    assert set(receiver.copies().values()) == {1}


async def test_acquirer_stops_well_while_its_receiver_hangs(tmp_path: Path) -> None:
    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        reached.set()
        await asyncio.Event().wait()

    reached = asyncio.Event()
    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/events"
    async with running_acquirer(tmp_path, webhook_url=url, webhook_secret=SECRET) as process:
        async with httpx.AsyncClient(base_url=process.url, trust_env=False) as client:
            await write(client, "acme.one", "void")
            await asyncio.wait_for(reached.wait(), timeout=10)
            answered = await write(client, "acme.two", "void")
        code = await process.stop()
    server.close()

    assert answered.is_success
    assert code == 0
