"""What the metrics show is what the database has, and alerts ask for nothing else."""

import re
from datetime import UTC, datetime, timedelta

from payment_service.domain.escalations import EscalationReason
from payment_service.domain.reconciliation import Counts, Span, StoredReconciliation
from payment_service.metrics import CHARGES, ESCALATIONS, FINDINGS, FINISHED, LEDGER
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.money_figures import SqlMoneyFigures
from payment_service.persistence.reconciliations import SqlReconciliations
from platform_runtime.database import Database
from tests.architecture.members import ROOT
from tests.fakes.payment_escalations import escalated
from tests.integration.payment.samples import details


async def test_figures_are_those_of_the_database(database: Database) -> None:
    now = datetime.now(UTC)
    await SqlEscalations(database).open(escalated(1))
    await SqlCharges(database).begin(
        tenant="buyers",
        operation_id="p-1",
        details=details(1_500, 500),
        provider="acquirer",
        now=now - timedelta(minutes=20),
    )
    done = StoredReconciliation(
        run_id="0f6e7b1c-2d3a-4b5c-8d9e-0a1b2c3d4e5f",
        provider="acquirer",
        span=Span(since=now, until=now),
        counts=Counts(),
        finished_at=now,
    )
    await SqlReconciliations(database).finish(done)

    figures = await SqlMoneyFigures(database).read()

    assert figures.escalations == {EscalationReason.CHARGE_UNRESOLVED: 1}
    assert figures.without_outcome == {60: 1, 600: 1, 3_600: 0, 86_400: 0}
    assert figures.finished == {"acquirer": now}
    assert set(figures.findings.values()) == {0}
    assert figures.imbalance == {}


def test_alerts_ask_for_metrics_that_there_are() -> None:
    alerts = (ROOT / "deploy/prometheus/alerts.yaml").read_text()

    asked_for = set(re.findall(r"\bpayment_[a-z_]+", alerts))

    assert asked_for == {CHARGES, ESCALATIONS, FINDINGS, FINISHED, LEDGER}
