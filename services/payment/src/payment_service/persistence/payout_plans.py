"""Payout plans in the database, and who is to be paid by them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, literal, select, tuple_, union
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.ledger import partner_payable
from payment_service.domain.payouts import (
    OPEN,
    DuePayout,
    PayoutPlan,
    PayoutSchedule,
    is_due,
)
from payment_service.persistence.payout_tables import PAYOUT_PLANS, PAYOUTS
from payment_service.persistence.tables import LEDGER_BALANCES
from platform_runtime.database import Database, upsert

_PREFIX: Final = partner_payable("")


class SqlPayoutPlans:
    """The port `PayoutPlans` on SQLite and PostgreSQL."""

    def __init__(self, database: Database, *, default_plan: PayoutPlan) -> None:
        """Keep the plans in the database; who has none is paid by the default one."""
        self._database = database
        self._default_plan = default_plan

    async def find(self, *, partner: str, currency: str) -> tuple[PayoutPlan, bool]:
        """Return the plan that holds, and whether it is the partner's own."""
        async with self._database.read() as connection:
            plan = await find_plan(connection, partner=partner, currency=currency)
        return (self._default_plan, False) if plan is None else (plan, True)

    async def save(
        self, *, partner: str, currency: str, plan: PayoutPlan, change_id: str, changed_by: str, changed_at: datetime
    ) -> None:
        """Keep the plan instead of what was there, unless that was asked for later."""
        values = {
            "schedule": plan.schedule,
            "minimum_minor_units": plan.minimum_minor_units,
            "delay_days": plan.delay_days,
            "reserve_basis_points": plan.reserve_basis_points,
            "reserve_days": plan.reserve_days,
            "review_above_minor_units": plan.review_above_minor_units,
            "destination": plan.destination,
            "change_id": change_id,
            "changed_by": changed_by,
            "changed_at": changed_at,
        }
        async with self._database.write() as connection:
            await connection.execute(
                upsert(connection, PAYOUT_PLANS)
                .values(partner=partner, currency=currency, **values)
                .on_conflict_do_update(
                    index_elements=[PAYOUT_PLANS.c.partner, PAYOUT_PLANS.c.currency],
                    set_=values,
                    # A repeat of a change must not undo the one that came after it.
                    where=PAYOUT_PLANS.c.changed_at <= changed_at,
                )
            )

    async def due(
        self, *, cut: datetime, now: datetime, after: DuePayout | None, limit: int
    ) -> tuple[Sequence[DuePayout], DuePayout | None]:
        """Return who is to be paid among the next partners and currencies, and where to go on; None at the end.

        Whose payout is open, or whose schedule has not come, is left out. What exactly is payable is worked out when it
        is reserved.
        """
        async with self._database.read() as connection:
            candidates = await _candidates(connection, now=now, after=after, limit=limit)
            due = [each for each in candidates if await self._is_due(connection, each, cut=cut)]
        return due, candidates[-1] if len(candidates) == limit else None

    async def _is_due(self, connection: AsyncConnection, candidate: DuePayout, *, cut: datetime) -> bool:
        table = PAYOUTS.c
        of_candidate = (
            table.partner == candidate.partner,
            table.currency == candidate.currency,
            table.exponent == candidate.exponent,
        )
        plan = await find_plan(connection, partner=candidate.partner, currency=candidate.currency)
        last_cut = await connection.scalar(
            select(table.cut).where(*of_candidate, table.requested_by.is_(None)).order_by(table.cut.desc()).limit(1)
        )
        has_open = await connection.scalar(
            select(literal(1)).where(*of_candidate, table.status.in_(sorted(OPEN))).limit(1)
        )
        schedule = (plan or self._default_plan).schedule
        return has_open is None and is_due(schedule, cut=cut, last_cut=last_cut)


async def find_plan(connection: AsyncConnection, *, partner: str, currency: str) -> PayoutPlan | None:
    """Return the partner's own plan, within a transaction of the database; None when there is none."""
    table = PAYOUT_PLANS.c
    query = select(PAYOUT_PLANS).where(table.partner == partner, table.currency == currency)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _plan(row)


async def _candidates(
    connection: AsyncConnection, *, now: datetime, after: DuePayout | None, limit: int
) -> list[DuePayout]:
    """Return partners and currencies with something in the balance, or with a reserve to be released."""
    balance, payout = LEDGER_BALANCES.c, PAYOUTS.c
    with_balance = (
        select(
            func.substr(balance.account, len(_PREFIX) + 1).label("partner"),
            balance.currency.label("currency"),
            balance.exponent.label("exponent"),
        )
        .where(balance.account.startswith(_PREFIX, autoescape=True))
        .group_by(balance.account, balance.currency, balance.exponent)
        .having(func.sum(balance.minor_units) < 0)
    )
    with_reserve = select(payout.partner, payout.currency, payout.exponent).where(
        payout.reserve_until <= now, payout.reserve_released_at.is_(None)
    )
    found = union(with_balance, with_reserve).subquery()
    key = tuple_(found.c.partner, found.c.currency, found.c.exponent)
    query = select(found).order_by(found.c.partner, found.c.currency, found.c.exponent).limit(limit)
    if after is not None:
        query = query.where(key > tuple_(literal(after.partner), literal(after.currency), literal(after.exponent)))
    return [
        DuePayout(partner=row.partner, currency=row.currency, exponent=row.exponent)
        for row in (await connection.execute(query)).all()
    ]


def _plan(row: Row[Any]) -> PayoutPlan:
    return PayoutPlan(
        schedule=PayoutSchedule(row.schedule),
        minimum_minor_units=row.minimum_minor_units,
        delay_days=row.delay_days,
        reserve_basis_points=row.reserve_basis_points,
        reserve_days=row.reserve_days,
        review_above_minor_units=row.review_above_minor_units,
        destination=row.destination,
    )
