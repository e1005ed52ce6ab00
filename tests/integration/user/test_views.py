"""The views of the user service over HTTP, as the gateway reads them."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from platform_contracts.user.views import ACCOUNT, INBOX, AccountAnswer, Inbox
from platform_runtime.database import Database
from platform_runtime.internal_app import internal_app
from user_service.domain.accounts import AccountDetails
from user_service.domain.notifications import InboxEntry
from user_service.persistence.accounts import SqlAccounts
from user_service.persistence.notifications import SqlInboxes
from user_service.views import views

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
RIGHT = {"Authorization": "Bearer secret", "X-Tenant": "acme"}


@pytest.fixture
async def http(database: Database) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the internal port of a service with one user, who has three messages."""
    accounts, inboxes = SqlAccounts(database), SqlInboxes(database)
    details = AccountDetails(email="ada@example.com", name="Ada")
    await accounts.create(tenant="acme", user_id="u-1", details=details, now=NOW)
    await accounts.activate(tenant="acme", user_id="u-1", now=NOW)
    for number in range(3):
        entry = InboxEntry(
            notification_id=f"n-{number}", type="info", subject="Hi", body=f"Nr. {number}", delivered_at=NOW
        )
        await inboxes.deliver(tenant="acme", user_id="u-1", entry=entry)
    routes = views(accounts=accounts, inboxes=inboxes, token=SecretStr("secret"))
    app = internal_app(registry=CollectorRegistry(), checks={}, views=routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://user") as client:
        yield client


async def test_inbox_is_read_page_by_page(http: httpx.AsyncClient) -> None:
    query = {"user_id": "u-1", "limit": "2"}

    first = Inbox.model_validate_json((await http.get(INBOX.path, params=query, headers=RIGHT)).content)
    query["cursor"] = str(first.next_cursor)
    last = Inbox.model_validate_json((await http.get(INBOX.path, params=query, headers=RIGHT)).content)

    assert [message.notification_id for message in first.messages + last.messages] == ["n-2", "n-1", "n-0"]
    assert first.messages[0].delivered_at == NOW
    assert last.next_cursor is None


async def test_account_is_shown_without_personal_data(http: httpx.AsyncClient) -> None:
    response = await http.get(ACCOUNT.path, params={"user_id": "u-1"}, headers=RIGHT)

    account = AccountAnswer.model_validate_json(response.content).account
    assert account is not None
    assert account.created_at == NOW
    assert "ada" not in response.text.lower()


async def test_another_tenant_sees_nothing(http: httpx.AsyncClient) -> None:
    other = {**RIGHT, "X-Tenant": "other"}

    inbox = await http.get(INBOX.path, params={"user_id": "u-1"}, headers=other)
    account = await http.get(ACCOUNT.path, params={"user_id": "u-1"}, headers=other)

    assert inbox.json()["messages"] == []
    assert account.json() == {"account": None}


@pytest.mark.parametrize("path", [INBOX.path, ACCOUNT.path])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({**RIGHT, "Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer secret"}, 422),
        ({**RIGHT, "X-Tenant": "A:B"}, 422),
    ],
)
async def test_caller_without_token_or_tenant_is_refused(
    http: httpx.AsyncClient, path: str, headers: dict[str, str], status: int
) -> None:
    response = await http.get(path, params={"user_id": "u-1"}, headers=headers)

    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query", [{}, {"user_id": "a b"}, {"user_id": "u", "limit": "201"}, {"user_id": "u", "cursor": "?"}]
)
async def test_wrong_query_is_refused(http: httpx.AsyncClient, query: dict[str, str]) -> None:
    response = await http.get(INBOX.path, params=query, headers=RIGHT)

    assert response.status_code == 422
    assert response.json()["type"] == "invalid_query"
