"""The views of the payment service over HTTP, as the gateway reads them."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from payment_service.domain.charges import ChargeStatus
from payment_service.domain.payouts import PayoutPlan
from payment_service.domain.reconciliation import Counts, Span, StoredReconciliation
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.ledger import SqlLedger
from payment_service.persistence.payout_plans import SqlPayoutPlans
from payment_service.persistence.payouts import SqlPayouts
from payment_service.persistence.reconciliations import SqlReconciliations
from payment_service.persistence.refunds import SqlRefunds
from payment_service.views import views
from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.payment.reconciliation_views import (
    RECONCILIATION,
    RECONCILIATIONS,
    ReconciliationAnswer,
    ReconciliationsPage,
)
from platform_contracts.payment.views import (
    BALANCES,
    CHARGE,
    ESCALATION,
    ESCALATIONS,
    Balances,
    ChargeAnswer,
    EscalationsPage,
)
from platform_contracts.view import TENANT_HEADER
from platform_runtime.database import Database
from platform_runtime.internal_app import internal_app
from tests.fakes.payment import euros
from tests.fakes.payment_escalations import escalated
from tests.integration.payment.samples import NOW, captured, details

RIGHT = {"Authorization": "Bearer secret", "X-Tenant": "buyers"}
SELLER = {**RIGHT, "X-Tenant": "seller-0"}


@pytest.fixture
async def http(database: Database) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the internal port of a service with one captured charge."""
    charges = SqlCharges(database)
    charge, _ = await charges.begin(
        tenant="buyers", operation_id="p-1", details=details(1_500, 500), provider="acquirer", now=NOW
    )
    charge = await charges.move(charge, to=ChargeStatus.AUTHORISED, now=NOW)
    await charges.capture(charge, transaction=captured(charge))
    routes = views(
        charges=charges,
        refunds=SqlRefunds(database),
        ledger=SqlLedger(database),
        escalations=SqlEscalations(database),
        payouts=SqlPayouts(database, default_plan=PayoutPlan()),
        plans=SqlPayoutPlans(database, default_plan=PayoutPlan()),
        reconciliations=SqlReconciliations(database),
        token=SecretStr("secret"),
    )
    app = internal_app(registry=CollectorRegistry(), checks={}, views=routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://payment") as client:
        yield client


async def test_seller_reads_what_it_is_owed_now_and_was_owed_before(http: httpx.AsyncClient) -> None:
    before = (NOW - timedelta(seconds=1)).isoformat()

    now = Balances.model_validate_json((await http.get(BALANCES.path, headers=SELLER)).content)
    then = Balances.model_validate_json((await http.get(BALANCES.path, params={"at": before}, headers=SELLER)).content)

    assert now.balances == (euros(1_350),)
    assert then.balances == ()
    assert then.as_of.isoformat() == before


async def test_buyer_reads_its_charge_and_nobody_else_does(http: httpx.AsyncClient) -> None:
    mine = ChargeAnswer.model_validate_json(
        (await http.get(CHARGE.path, params={"operation_id": "p-1"}, headers=RIGHT)).content
    )
    others = await http.get(CHARGE.path, params={"operation_id": "p-1"}, headers=SELLER)

    assert mine.charge is not None
    assert (mine.charge.status, mine.charge.amount) == ("captured", euros(2_000))
    assert others.json() == {"charge": None}


@pytest.mark.parametrize(
    ("path", "query"), [(CHARGE.path, {}), (CHARGE.path, {"operation_id": "a b"}), (BALANCES.path, {"at": "yesterday"})]
)
async def test_wrong_query_is_refused(http: httpx.AsyncClient, path: str, query: dict[str, str]) -> None:
    response = await http.get(path, params=query, headers=RIGHT)

    assert (response.status_code, response.json()["type"]) == (422, "invalid_query")


async def test_account_sees_its_own_escalations_and_staff_see_all(http: httpx.AsyncClient, database: Database) -> None:
    for number, tenant in enumerate(("buyers", "others", "buyers"), start=1):
        await SqlEscalations(database).open(escalated(number, tenant=tenant))
    staff = {**RIGHT, TENANT_HEADER: PLATFORM_TENANT}
    others = {"escalation_id": escalated(2, tenant="others").escalation_id}

    first = EscalationsPage.model_validate_json(
        (await http.get(ESCALATIONS.path, params={"limit": 2}, headers=staff)).content
    )
    rest = EscalationsPage.model_validate_json(
        (await http.get(ESCALATIONS.path, params={"cursor": first.next_cursor or ""}, headers=staff)).content
    )
    mine = EscalationsPage.model_validate_json((await http.get(ESCALATIONS.path, headers=RIGHT)).content)
    foreign = await http.get(ESCALATION.path, params=others, headers=RIGHT)
    known = await http.get(ESCALATION.path, params=others, headers=staff)
    made_up = await http.get(ESCALATIONS.path, params={"cursor": "made-up"}, headers=staff)

    assert [each.account for each in (*first.escalations, *rest.escalations)] == ["buyers", "others", "buyers"]
    assert [each.subject for each in mine.escalations] == ["charge:buyers:p-3", "charge:buyers:p-1"]
    assert foreign.json() == {"escalation": None}
    assert known.json()["escalation"]["account"] == "others"
    assert made_up.status_code == 422


async def test_staff_reads_reconciliations_with_their_findings_and_nobody_else_does(
    http: httpx.AsyncClient, database: Database
) -> None:
    reconciliations = SqlReconciliations(database)
    for hour in range(3):
        await reconciliations.finish(_done(hour))
    staff = SELLER | {TENANT_HEADER: PLATFORM_TENANT}

    first = ReconciliationsPage.model_validate_json(
        (await http.get(RECONCILIATIONS.path, params={"limit": 2}, headers=staff)).content
    )
    rest = ReconciliationsPage.model_validate_json(
        (await http.get(RECONCILIATIONS.path, params={"cursor": first.next_cursor or ""}, headers=staff)).content
    )
    asked = {"reconciliation_id": _done(1).reconciliation_id}
    one = ReconciliationAnswer.model_validate_json(
        (await http.get(RECONCILIATION.path, params=asked, headers=staff)).content
    )
    others = await http.get(RECONCILIATION.path, params=asked, headers=SELLER)

    ids = [each.reconciliation_id for each in (*first.reconciliations, *rest.reconciliations)]
    assert ids == [_done(hour).reconciliation_id for hour in (2, 1, 0)]
    assert rest.next_cursor is None
    assert one.reconciliation == first.reconciliations[1]
    assert others.json() == {"reconciliation": None, "findings": []}


def _done(hour: int) -> StoredReconciliation:
    return StoredReconciliation(
        run_id=f"0f6e7b1c-2d3a-4b5c-8d9e-00000000000{hour}",
        provider="acquirer",
        span=Span(since=NOW, until=NOW),
        counts=Counts(matched=hour),
        finished_at=NOW + timedelta(hours=hour),
    )
