"""Whatever is charged, given back and paid out, and whatever answers get lost: the bank and our books agree."""

# pyright: reportPrivateUsage=false

from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.payment.machines.databases import Fresh, fresh_postgres, fresh_sqlite
from tests.integration.payment.machines.money_books import money_invariant
from tests.integration.payment.machines.money_machine import MoneyMachine


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Fresh]:
    """Return what makes a database for each run."""
    if request.param == "sqlite":
        yield fresh_sqlite(tmp_path)
        return
    with fresh_postgres(request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_url")) as made:
        yield made


def _run(fresh: Fresh, *, examples: int, steps: int, phases: list[Phase] | None = None) -> None:
    class Machine(MoneyMachine):
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
            phases=phases or [Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )


@pytest.mark.timeout(300)
def test_bank_and_books_agree_whatever_happens(fresh: Fresh) -> None:
    _run(fresh, examples=25, steps=25)

    assert len(money_invariant.by_name) >= 13
