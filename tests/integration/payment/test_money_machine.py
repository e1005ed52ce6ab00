"""Whatever is charged, given back and paid out, and whatever answers get lost: the bank and our books agree."""

# pyright: reportPrivateUsage=false

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.charges import ChargeStatus, StoredCharge
from payment_service.domain.ledger import Transaction, TransactionKind
from payment_service.domain.provider import MovementStatus
from payment_service.domain.reversals import left_of
from payment_service.persistence import charges as charge_store
from payment_service.persistence import ledger as ledger_store
from payment_service.persistence import payouts as payout_store
from payment_service.persistence import refunds as refund_store
from payment_service.persistence import reversals as reversal_store
from tests.integration.payment.machines.bank import Bank, answer
from tests.integration.payment.machines.databases import Fresh, fresh_postgres, fresh_sqlite
from tests.integration.payment.machines.invariants import BrokenInvariantsError
from tests.integration.payment.machines.money_books import money_invariant
from tests.integration.payment.machines.money_machine import MoneyMachine

Break = Callable[[pytest.MonkeyPatch], None]
"""Breaks the code on purpose."""


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
    _run(fresh, examples=20, steps=20, phases=[Phase.generate])

    assert len(money_invariant.by_name) >= 13


def _posting(monkeypatch: pytest.MonkeyPatch, change: Callable[[Transaction], Transaction | None]) -> None:
    """Have every transaction changed before it is posted; None: it gets lost."""
    honest = ledger_store.post

    async def post(connection: AsyncConnection, transaction: Transaction) -> None:
        changed = change(transaction)
        if changed is not None:
            await honest(connection, changed)

    for module in (ledger_store, charge_store, payout_store):
        monkeypatch.setattr(module, "post", post)


def balances_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The projection stays where it is."""

    async def project(_connection: AsyncConnection, _transaction: Transaction) -> None:
        return

    monkeypatch.setattr(ledger_store, "_project", project)


def captured_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bank takes what it is asked for, however often it is asked: so it is with a new key for each attempt."""

    async def capture(self: Bank, charge: StoredCharge) -> ChargeStatus:
        fault = self.fault()
        known = self.charges[charge.operation_id]
        amount = known.reserved if charge.capture_amount is None else charge.capture_amount.minor_units
        known.captures.append(amount)
        known.status = ChargeStatus.CAPTURED
        answer(fault)
        return known.status

    monkeypatch.setattr(Bank, "capture", capture)


def new_name_per_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every authorisation goes to the bank under another name."""
    honest = Bank.authorise

    async def authorise(self: Bank, charge: StoredCharge) -> ChargeStatus:
        return await honest(self, replace(charge, operation_id=f"{charge.operation_id}-{uuid4().hex[:4]}"))

    monkeypatch.setattr(Bank, "authorise", authorise)


def capture_not_posted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A charge is captured, and the ledger does not hear of it."""
    _posting(monkeypatch, lambda each: None if each.kind is TransactionKind.CAPTURE else each)


def void_believes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A void does not ask the bank, and writes down that it is voided."""

    async def void(self: Bank, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus:
        return ChargeStatus.VOIDED

    monkeypatch.setattr(Bank, "void", void)


def refunds_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was given back before does not count."""

    async def forget(*_arguments: Any, **_named: Any) -> None:
        return

    def all_is_left(captured: Any, _reversed_parts: Any) -> Any:
        return left_of(captured, ())

    monkeypatch.setattr(reversal_store, "left_of", all_is_left)
    monkeypatch.setattr(refund_store, "reverse", forget)
    monkeypatch.setattr(refund_store, "give_up", forget)


def refund_not_posted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bank gives back, and the ledger does not hear of it."""
    _posting(monkeypatch, lambda each: None if each.kind is TransactionKind.REFUND else each)


def refund_never_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was pending stays pending."""
    _posting(monkeypatch, lambda each: None if each.kind is TransactionKind.REFUND_RELEASED else each)


def fee_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seller pays back the fee too, and the platform keeps it."""

    def change(transaction: Transaction) -> Transaction:
        if transaction.kind is not TransactionKind.REFUND:
            return transaction
        fees = sum(each.amount.minor_units for each in transaction.postings if each.account == "platform_fees")
        postings = [
            replace(each, amount=each.amount.model_copy(update={"minor_units": each.amount.minor_units + fees}))
            if each.account.startswith("partner_payable")
            else each
            for each in transaction.postings
            if each.account != "platform_fees"
        ]
        return replace(transaction, postings=postings)

    _posting(monkeypatch, change)


def payout_posted_without_the_partner(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payout comes out of the fees."""

    def change(transaction: Transaction) -> Transaction:
        if transaction.kind is not TransactionKind.PAYOUT:
            return transaction
        postings = [
            replace(each, account="platform_fees") if each.account.startswith("partner_payable") else each
            for each in transaction.postings
        ]
        return replace(transaction, postings=postings)

    _posting(monkeypatch, change)


def payout_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bank pays as often as it is asked, and it is not asked whether it has paid."""
    honest = Bank.pay_out

    async def pay_out(self: Bank, order: Any) -> MovementStatus:
        known = self.payouts.get(order.payout_id)
        if known is not None:
            known.times += 1
        return await honest(self, order)

    async def find_payout(self: Bank, order: Any) -> MovementStatus | None:
        return None

    monkeypatch.setattr(Bank, "pay_out", pay_out)
    monkeypatch.setattr(Bank, "find_payout", find_payout)


def several_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payout is reserved although another one is open."""
    honest = payout_store._insert

    async def insert(connection: AsyncConnection, *arguments: Any, **named: Any) -> Any:
        await connection.exec_driver_sql("DROP INDEX IF EXISTS uq_payouts_open")
        return await honest(connection, *arguments, **named)

    monkeypatch.setattr(payout_store, "_insert", insert)


def pays_twice_the_balance(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is payable is reckoned wrong."""

    def payable(*, posted: int, **_figures: int) -> int:
        return 2 * posted

    async def available(*_arguments: Any) -> int:
        return 0

    monkeypatch.setattr(payout_store, "payable", payable)
    # What is sent is looked at once more, and would be held back.
    monkeypatch.setattr(payout_store, "_available", available)


BROKEN: dict[str, Break] = {
    "ledger_is_in_order": balances_forgotten,
    "charge_is_captured_at_most_once": captured_twice,
    "every_operation_at_the_bank_is_one_of_ours": new_name_per_attempt,
    "captured_charge_is_posted_with_what_the_bank_took": capture_not_posted,
    "voided_charge_takes_nothing": void_believes_itself,
    "no_more_is_given_back_than_was_captured": refunds_without_limit,
    "settled_refunds_are_posted_with_what_the_bank_gave_back": refund_not_posted,
    "refund_is_pending_while_it_is_open_and_only_then": refund_never_released,
    "fee_is_that_of_what_is_left": fee_kept,
    "partner_has_what_was_sold_minus_what_left": payout_posted_without_the_partner,
    "payout_is_paid_once": payout_sent_again,
    "one_payout_of_a_partner_is_open": several_at_once,
    "no_payout_takes_what_is_not_there": pays_twice_the_balance,
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted(money_invariant.by_name))
def test_invariant_notices_code_that_is_broken_on_purpose(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BROKEN[name](monkeypatch)
    # Only this one is looked at, so that it is shown to notice by itself.
    monkeypatch.setattr(money_invariant, "by_name", {name: money_invariant.by_name[name]})

    with pytest.raises(BrokenInvariantsError) as noticed:
        _run(fresh_sqlite(tmp_path), examples=80, steps=20, phases=[Phase.generate])

    assert noticed.value.names == {name}
