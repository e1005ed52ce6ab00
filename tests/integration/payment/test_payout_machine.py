"""Payouts in any order, on both databases: what the machine knows holds, and it notices code that is broken."""

# pyright: reportPrivateUsage=false

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import SQLAlchemyError

from payment_service.domain.payouts import payable, payout_transactions
from payment_service.persistence import payouts as store
from tests.integration.payment.machines.databases import Fresh, fresh_postgres, fresh_sqlite
from tests.integration.payment.machines.payout_machine import PayoutMachine


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Fresh]:
    """Return what makes a database for each run."""
    if request.param == "sqlite":
        yield fresh_sqlite(tmp_path)
        return
    with fresh_postgres(request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_url")) as made:
        yield made


def _run(fresh: Fresh, *, examples: int, steps: int, phases: list[Phase]) -> None:
    class Machine(PayoutMachine):
        def __init__(self) -> None:
            super().__init__(fresh)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )


def test_every_unit_is_paid_once_kept_back_or_owed(fresh: Fresh) -> None:
    _run(fresh, examples=12, steps=25, phases=[Phase.generate, Phase.shrink])


async def _nothing(*_args: Any, **_kwargs: Any) -> None:
    return None


def _without(figure: str) -> Callable[..., int]:
    def broken(**of: int) -> int:
        return payable(**{**of, figure: 0})

    return broken


BROKEN: dict[str, tuple[str, Callable[..., Any] | object]] = {
    "what is on its way is paid again": ("payable", _without("pending")),
    "what is too young is paid": ("payable", _without("too_young")),
    "what ended stays on its way": ("_release", _nothing),
    "nothing is kept back": ("payout_transactions", lambda *of, **at: payout_transactions(*of, **at)[:1]),
}
"""What needs days to pass in a certain order is noticed by test_payouts.py: a reserve that is kept for ever, a payout
that came back and waits again, one that is no longer covered and sent, one that was sent and is given back."""


@pytest.mark.parametrize("name", BROKEN)
def test_machine_notices_code_that_is_broken_on_purpose(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    what, broken = BROKEN[name]
    monkeypatch.setattr(store, what, broken)

    # The machine's own assertion, or the refusal of the database.
    with pytest.raises((AssertionError, SQLAlchemyError)):
        _run(fresh_sqlite(tmp_path), examples=60, steps=30, phases=[Phase.generate])
