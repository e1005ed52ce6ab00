"""Whatever is posted, in whatever order: the ledger's invariants hold, and each notices when the code is broken."""

# pyright: reportPrivateUsage=false

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain import ledger as rules
from payment_service.domain.ledger import Transaction
from payment_service.persistence import ledger as store
from payment_service.persistence import ledger_check
from platform_contracts.money import Money
from tests.integration.payment.machines.databases import Fresh, fresh_postgres, fresh_sqlite
from tests.integration.payment.machines.invariants import BrokenInvariantsError
from tests.integration.payment.machines.ledger_books import ledger_invariant
from tests.integration.payment.machines.ledger_machine import LedgerMachine

Break = Callable[[pytest.MonkeyPatch, Fresh], Fresh]
"""Breaks the code on purpose; returns what makes databases from then on."""


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Fresh]:
    """Return what makes a database for each run."""
    if request.param == "sqlite":
        yield fresh_sqlite(tmp_path)
        return
    with fresh_postgres(request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_url")) as made:
        yield made


def _run(fresh: Fresh, *, examples: int, steps: int, phases: list[Phase] | None = None) -> None:
    class Machine(LedgerMachine):
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


def test_invariants_hold_whatever_is_posted(fresh: Fresh) -> None:
    _run(fresh, examples=15, steps=20)

    assert len(ledger_invariant.by_name) >= 14


def _nothing(_transaction: Transaction) -> None:
    return


def unchecked(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """A transaction may be out of balance."""
    monkeypatch.setattr(Transaction, "__post_init__", _nothing)
    return fresh


def half_posted(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """The last posting gets lost."""
    honest = store.post

    async def post(connection: AsyncConnection, transaction: Transaction) -> None:
        lame = replace(transaction)
        object.__setattr__(lame, "postings", transaction.postings[:-1])
        await honest(connection, lame)

    monkeypatch.setattr(store, "post", post)
    return fresh


def not_projected(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """The balances stay where they are."""

    async def project(_connection: AsyncConnection, _transaction: Transaction) -> None:
        return

    monkeypatch.setattr(store, "_project", project)
    return fresh


def rebuilt_without_pending(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """Balances that are made anew leave the pending ones out."""
    honest = ledger_check._sums

    async def sums(connection: AsyncConnection, table: Any, names: Any) -> Any:
        found = await honest(connection, table, names)
        return {key: value for key, value in found.items() if "pending" not in key}

    monkeypatch.setattr(ledger_check, "_sums", sums)
    return fresh


def upside_down(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """A debit is taken for a credit."""
    honest = store.credit_balances

    async def balances(*arguments: Any, **named: Any) -> list[Money]:
        found = await honest(*arguments, **named)
        return [money.model_copy(update={"minor_units": -money.minor_units}) for money in found]

    monkeypatch.setattr(store, "credit_balances", balances)
    return fresh


def past_is_now(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """A balance of the past counts what came later."""
    honest = store.credit_balances

    async def balances(connection: Any, account: Any, *, at: Any, phases: Any) -> Any:
        return await honest(connection, account, at=None, phases=phases)

    monkeypatch.setattr(store, "credit_balances", balances)
    return fresh


def pending_is_posted(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """A pending balance counts what is posted."""
    honest = store.credit_balances

    async def balances(connection: Any, account: Any, *, at: Any, phases: Any) -> Any:
        return await honest(connection, account, at=at, phases=list(rules.Phase))

    monkeypatch.setattr(store, "credit_balances", balances)
    return fresh


def new_key_per_attempt(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """A repeat comes under another name."""
    honest = store.post
    attempts: list[int] = []

    async def post(connection: AsyncConnection, transaction: Transaction) -> None:
        attempts.append(1)
        await honest(connection, replace(transaction, operation_id=f"{transaction.operation_id}-{len(attempts)}"))

    monkeypatch.setattr(store, "post", post)
    return fresh


def reversal_is_a_copy(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """A reversal moves the same once more."""
    honest = rules.reversal

    def reversal(transaction: Transaction, **named: Any) -> Transaction:
        return replace(honest(transaction, **named), postings=transaction.postings)

    monkeypatch.setattr(rules, "reversal", reversal)
    return fresh


def reversal_forgets(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """The second reversal of a transaction is not known as such."""
    honest = store.post

    async def post(connection: AsyncConnection, transaction: Transaction) -> None:
        await honest(connection, replace(transaction, reverses=None))

    monkeypatch.setattr(store, "post", post)
    return fresh


def without_triggers(_monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """The database lets postings be changed."""

    def unguarded() -> str:
        url = fresh()
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            for table in ("ledger_transactions", "ledger_postings"):
                if engine.dialect.name == "sqlite":
                    connection.execute(text(f"DROP TRIGGER {table}_append_only_update"))
                    connection.execute(text(f"DROP TRIGGER {table}_append_only_delete"))
                else:
                    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        engine.dispose()
        return url

    return unguarded


def yen_with_cents(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """Every currency has two digits."""
    honest = store.post

    async def post(connection: AsyncConnection, transaction: Transaction) -> None:
        postings = [
            replace(posting, amount=posting.amount.model_copy(update={"exponent": 2}))
            for posting in transaction.postings
        ]
        await honest(connection, replace(transaction, postings=postings))

    monkeypatch.setattr(store, "post", post)
    return fresh


def fee_rounded_up(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> Fresh:
    """The platform takes the rest of every rounding, and one more."""
    honest = rules.fee_of

    def fee_of(minor_units: int, *, basis_points: int) -> int:
        return honest(minor_units, basis_points=basis_points) + 1

    monkeypatch.setattr(rules, "fee_of", fee_of)
    return fresh


BROKEN: dict[str, Break] = {
    "each_transaction_sums_to_zero": unchecked,
    "each_currency_sums_to_zero_in_each_phase": half_posted,
    "balances_are_what_the_postings_sum_up_to": not_projected,
    "balances_made_anew_are_the_live_ones": rebuilt_without_pending,
    "balance_now_is_all_that_was_posted": upside_down,
    "balance_of_the_past_is_what_was_posted_until_then": past_is_now,
    "pending_counts_apart_from_posted": pending_is_posted,
    "nothing_is_posted_twice": new_key_per_attempt,
    "every_transaction_reads_back_as_it_was_posted": reversal_forgets,
    "reversal_and_original_cancel_out": reversal_is_a_copy,
    "nothing_is_reversed_twice": reversal_forgets,
    "what_is_posted_never_changes": without_triggers,
    "amounts_are_whole_minor_units_of_iso_4217": yen_with_cents,
    "fee_is_within_half_a_minor_unit": fee_rounded_up,
}


@pytest.mark.parametrize("name", sorted(ledger_invariant.by_name))
def test_invariant_notices_code_that_is_broken_on_purpose(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = BROKEN[name](monkeypatch, fresh_sqlite(tmp_path))
    # Only this one is looked at, so that it is shown to notice by itself.
    monkeypatch.setattr(ledger_invariant, "by_name", {name: ledger_invariant.by_name[name]})

    with pytest.raises(BrokenInvariantsError) as noticed:
        _run(fresh, examples=30, steps=20, phases=[Phase.generate])

    assert noticed.value.names == {name}
