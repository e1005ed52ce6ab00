"""Payout plans, and who is due by them, on both databases."""

from collections.abc import Sequence

import pytest

from payment_service.domain.payouts import DuePayout, PayoutPlan, PayoutSchedule, PayoutStatus
from payment_service.persistence.payout_plans import SqlPayoutPlans
from platform_runtime.database import Database
from tests.integration.payment.payouts import CUT, DAY, Books

# 2026-11-23 is a Monday.
OWN = PayoutPlan(
    schedule=PayoutSchedule.WEEKLY,
    minimum_minor_units=500,
    delay_days=3,
    reserve_basis_points=250,
    reserve_days=60,
    review_above_minor_units=0,
    destination="acct_1",
)


@pytest.fixture
def plans(database: Database) -> SqlPayoutPlans:
    return SqlPayoutPlans(database, default_plan=PayoutPlan())


async def _due(plans: SqlPayoutPlans, *, day: int = 0, limit: int = 100) -> Sequence[str]:
    cut, after, found = CUT + day * DAY, None, list[str]()
    while True:
        due, after = await plans.due(cut=cut, now=cut, after=after, limit=limit)
        found += [each.partner for each in due]
        if after is None:
            return found


async def _save(plans: SqlPayoutPlans, plan: PayoutPlan, *, partner: str = "acme", day: int = 0) -> None:
    await plans.save(
        partner=partner,
        currency="EUR",
        plan=plan,
        change_id=f"c-{day}",
        changed_by="user:ada",
        changed_at=CUT + day * DAY,
    )


async def test_plan_is_the_platforms_until_the_partner_has_one(plans: SqlPayoutPlans) -> None:
    before = await plans.find(partner="acme", currency="EUR")
    await _save(plans, OWN)

    assert before == (PayoutPlan(), False)
    assert await plans.find(partner="acme", currency="EUR") == (OWN, True)
    assert await plans.find(partner="acme", currency="USD") == (PayoutPlan(), False)


async def test_repeat_of_an_older_change_does_not_undo_a_newer_one(plans: SqlPayoutPlans) -> None:
    await _save(plans, OWN, day=1)
    await _save(plans, PayoutPlan(), day=2)

    await _save(plans, OWN, day=1)

    assert await plans.find(partner="acme", currency="EUR") == (PayoutPlan(), True)


async def test_payout_follows_the_partners_own_plan(plans: SqlPayoutPlans, database: Database) -> None:
    books = Books(database)
    await _save(plans, OWN)
    await books.sell(1_000, at=CUT - 4 * DAY)
    await books.sell(100, at=CUT - 2 * DAY)

    payout = await books.reserve()

    assert (payout.amount.minor_units, payout.withheld.minor_units) == (975, 25)
    assert (payout.needs_review, payout.destination) == (True, "acct_1")


async def test_those_with_something_to_pay_are_due_page_by_page(plans: SqlPayoutPlans, database: Database) -> None:
    books = Books(database)
    for partner in ("a", "b", "c", "d"):
        await books.sell(100, at=CUT, partner=partner)
    await books.give_back(100, at=CUT, partner="b")
    await books.give_back(150, at=CUT, partner="d")

    assert await _due(plans) == await _due(plans, limit=1) == ["a", "c"]


async def test_whose_payout_is_open_is_not_due(plans: SqlPayoutPlans, database: Database) -> None:
    books = Books(database)
    await books.sell(100, at=CUT)
    await books.reserve(now=CUT)
    await books.sell(100, at=CUT)

    while_open = await _due(plans)
    await books.payouts.give_back(partner="acme", payout_id="po-1", to=PayoutStatus.CANCELLED, now=CUT)

    assert while_open == []
    assert await _due(plans) == ["acme"]


async def test_reserve_that_is_to_be_released_makes_its_partner_due(database: Database) -> None:
    plan = PayoutPlan(reserve_basis_points=1_000, reserve_days=30)
    books, plans = Books(database, plan), SqlPayoutPlans(database, default_plan=plan)
    await books.sell(100, at=CUT)
    await books.pay()

    assert await _due(plans, day=29) == []
    assert await _due(plans, day=30) == ["acme"]


@pytest.mark.parametrize(
    ("schedule", "due_on"),
    [(PayoutSchedule.DAILY, [0, 1, 7]), (PayoutSchedule.WEEKLY, [7]), (PayoutSchedule.MANUAL, [])],
)
async def test_schedule_of_the_plan_says_which_runs_pay(
    plans: SqlPayoutPlans, database: Database, schedule: PayoutSchedule, due_on: list[int]
) -> None:
    books = Books(database)
    await _save(plans, PayoutPlan(schedule=schedule))
    await books.sell(100, at=CUT)
    await books.pay()
    await books.sell(100, at=CUT)

    assert [day for day in (0, 1, 7) if await _due(plans, day=day)] == due_on


async def test_place_of_a_page_is_its_last_partner_due_or_not(plans: SqlPayoutPlans, database: Database) -> None:
    books = Books(database)
    for partner in ("a", "b"):
        await _save(plans, PayoutPlan(schedule=PayoutSchedule.MANUAL), partner=partner)
        await books.sell(100, at=CUT, partner=partner)

    due, after = await plans.due(cut=CUT, now=CUT, after=None, limit=1)

    assert due == []
    assert after == DuePayout(partner="a", currency="EUR", exponent=2)
