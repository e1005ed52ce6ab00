"""What the acquirer's own book says of the money it moved, page by page, and that an older book is taken over."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.sandbox.acquirer_process import authorise, captured, post, running_acquirer, write

BEFORE = """
CREATE TABLE operations (operation VARCHAR(200) PRIMARY KEY NOT NULL, status VARCHAR(16) NOT NULL, token VARCHAR(64),
    amount_minor BIGINT, currency VARCHAR(3));
CREATE TABLE journal (number INTEGER PRIMARY KEY NOT NULL, operation VARCHAR(200) NOT NULL, verb VARCHAR(16) NOT NULL,
    key VARCHAR(255) NOT NULL, amount_minor BIGINT, currency VARCHAR(3), at DATETIME NOT NULL);
CREATE INDEX ix_journal_operation ON journal (operation);
CREATE TABLE answers (key VARCHAR(255) PRIMARY KEY NOT NULL, request TEXT NOT NULL, http_status INTEGER NOT NULL,
    body TEXT NOT NULL);
INSERT INTO operations VALUES ('acme.old', 'captured', 'tok_ok', 100, 'EUR'),
    ('acme.open', 'authorised', 'tok_ok', 50, 'EUR');
INSERT INTO journal VALUES (1, 'acme.old', 'authorise', 'k1', 100, 'EUR', '2026-01-01 00:00:00.000000'),
    (2, 'acme.old', 'capture', 'acme.old:capture', 100, 'EUR', '2026-01-01 00:00:01.000000'),
    (3, 'acme.open', 'authorise', 'k3', 50, 'EUR', '2026-01-01 00:00:02.000000');
INSERT INTO answers VALUES ('acme.old:capture', '["capture", "acme.old", null]', 200,
    '{"operation": "acme.old", "status": "captured"}');
"""
"""A book as the first version of the acquirer left it, which knew no refunds."""


async def _pages(client: httpx.AsyncClient, **query: Any) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    while True:
        answer = (await client.get("/v1/records", params=query)).raise_for_status().json()
        pages.append(answer["records"])
        if answer["cursor"] is None:
            return pages
        query["cursor"] = answer["cursor"]


async def test_records_are_all_that_moved_page_by_page_and_each_once(tmp_path: Path) -> None:
    async with (
        running_acquirer(tmp_path) as process,
        httpx.AsyncClient(base_url=process.url, timeout=10, trust_env=False) as client,
    ):
        await authorise(client, "acme.reserved")
        for number in range(5):
            await captured(client, f"acme.{number}")
        await post(client, "operations/acme.0/refunds/r-1", amountMinor=30)
        await post(client, "operations/acme.1/disputes/d-1", amountMinor=40)
        await post(client, "payouts/seller.p-1", partner="seller", amountMinor=50, currency="EUR")
        pages = await _pages(client, limit=3)
        at_once = await _pages(client)

    assert [len(page) for page in pages] == [3, 3, 2]
    assert [record for page in pages for record in page] == at_once[0]
    moved = [(record["kind"], record["operation"], record["name"], record["amountMinor"]) for record in at_once[0]]
    assert moved == [
        *(("capture", f"acme.{number}", None, 100) for number in range(5)),
        ("refund", "acme.0", "r-1", 30),
        ("dispute", "acme.1", "d-1", 40),
        ("payout", None, "seller.p-1", 50),
    ]


async def test_span_has_its_first_moment_and_not_its_last(acquirer: httpx.AsyncClient, operation: str) -> None:
    since = datetime.now(UTC)
    await captured(acquirer, operation)
    until = datetime.now(UTC)
    ((record,),) = await _pages(acquirer, since=since.isoformat(), until=until.isoformat())

    from_it = await _pages(acquirer, since=record["at"], until=until.isoformat())
    up_to_it = await _pages(acquirer, since=since.isoformat(), until=record["at"])

    assert record["operation"] == operation
    assert (from_it, up_to_it) == ([[record]], [[]])


@pytest.mark.parametrize(
    "query",
    [{"since": "yesterday"}, {"until": "2026-01-01T00:00:00"}, {"cursor": "odd"}, {"limit": "0"}, {"page": "1"}],
)
async def test_records_that_cannot_be_asked_for_are_refused(acquirer: httpx.AsyncClient, query: dict[str, str]) -> None:
    response = await acquirer.get("/v1/records", params=query)

    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


async def test_book_of_the_first_version_is_taken_over_with_all_that_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "data" / "acquirer.sqlite3"
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(BEFORE)

    async with (
        running_acquirer(tmp_path) as process,
        httpx.AsyncClient(base_url=process.url, timeout=10, trust_env=False) as client,
    ):
        replayed = await write(client, "acme.old", "capture")
        refunded = await post(client, "operations/acme.old/refunds/r-1", amountMinor=100)
        taken = await write(client, "acme.open", "capture")
        (records,) = await _pages(client)

    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert (refunded.json()["status"], taken.json()["capturedMinor"]) == ("succeeded", 50)
    assert [record["amountMinor"] for record in records] == [100, 100, 50]
