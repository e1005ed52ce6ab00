"""The figures of the payment service's metrics, from the database."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.money_figures import MoneyFigures
from payment_service.domain.reconciliation import Difference, FindingState
from payment_service.persistence.reconciliation_tables import RECONCILIATION_FINDINGS, RECONCILIATIONS
from payment_service.persistence.tables import CHARGES, ESCALATIONS, LEDGER_BALANCES, OUTCOME_UNKNOWN
from platform_runtime.database import Database

AGES: Final = (60, 600, 3_600, 86_400)
"""Seconds."""

_WAITING: Final = (FindingState.OPEN, FindingState.ESCALATED)


class SqlMoneyFigures:
    """The port `Figures` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Read from the database."""
        self._database = database

    async def read(self) -> MoneyFigures:
        """Return the figures as they are now; each is answered from an index or from a small table."""
        async with self._database.read() as connection:
            waiting = select(ESCALATIONS.c.reason, func.count()).where(ESCALATIONS.c.resolved_at.is_(None))
            escalations = (await connection.execute(waiting.group_by(ESCALATIONS.c.reason))).all()
            finished = select(RECONCILIATIONS.c.provider, func.max(RECONCILIATIONS.c.finished_at))
            done = (await connection.execute(finished.group_by(RECONCILIATIONS.c.provider))).all()
            of = LEDGER_BALANCES.c
            sums = select(of.phase, of.currency, func.sum(of.minor_units)).group_by(of.phase, of.currency)
            return MoneyFigures(
                escalations={row[0]: row[1] for row in escalations},
                findings=await _findings(connection),
                finished={row.provider: row[1] for row in done},
                # PostgreSQL sums whole numbers to a decimal one.
                imbalance={
                    (phase, currency): int(units) for phase, currency, units in (await connection.execute(sums)).all()
                },
                without_outcome=await _without_outcome(connection),
            )


async def _findings(connection: AsyncConnection) -> Mapping[tuple[Difference, FindingState], int]:
    of = RECONCILIATION_FINDINGS.c
    query = select(of.difference, of.state, func.count()).where(of.state.in_(_WAITING))
    counts = {(difference, state): 0 for difference in Difference for state in _WAITING}
    for difference, state, count in (await connection.execute(query.group_by(of.difference, of.state))).all():
        counts[Difference(difference), FindingState(state)] = count
    return counts


async def _without_outcome(connection: AsyncConnection) -> Mapping[int, int]:
    now = datetime.now(UTC)
    counts: dict[int, int] = {}
    for age in AGES:
        query = (
            select(func.count())
            .select_from(CHARGES)
            # In the words of the index, or it would not be used.
            .where(text(OUTCOME_UNKNOWN), CHARGES.c.created_at < now - timedelta(seconds=age))
        )
        counts[age] = await connection.scalar(query) or 0
    return counts
