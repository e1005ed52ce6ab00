"""A ledger to which a run posts what it likes, tries what is forbidden, and which is checked after every step."""

import asyncio
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from payment_service.domain import ledger as rules
from payment_service.domain.charges import ChargeDetails, Share
from payment_service.domain.ledger import Phase, Posting, Transaction, TransactionKind, UnbalancedError
from payment_service.persistence import ledger as store
from platform_contracts.money import Money
from platform_runtime.database import Database
from tests.integration.payment.machines.databases import Fresh
from tests.integration.payment.machines.ledger_books import LedgerBooks, ledger_invariant

ACCOUNTS = ("cash_clearing:acquirer", "partner_payable:seller", "partner_reserve:seller", "platform_fees")
CURRENCIES = st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3)])
AMOUNTS = st.integers(min_value=1, max_value=10**9)


class LedgerMachine(RuleBasedStateMachine):
    """Posts, repeats, reverses and tampers; every invariant is checked after each step."""

    def __init__(self, fresh: Fresh) -> None:
        """Open a new database."""
        super().__init__()
        self._runner = asyncio.Runner()
        self._books = LedgerBooks(Database(fresh()))

    def teardown(self) -> None:
        """Close it."""
        self._runner.run(self._books.database.dispose())
        self._runner.close()

    @initialize(amount=AMOUNTS, currency=CURRENCIES)
    def begin(self, amount: int, currency: tuple[str, int]) -> None:
        """Have something to repeat and to reverse from the first step on."""
        self.move(amount, currency, ACCOUNTS[0], Phase.POSTED)
        self.move(amount, currency, ACCOUNTS[0], Phase.PENDING)

    @rule(
        amount=AMOUNTS, currency=CURRENCIES, account=st.sampled_from(ACCOUNTS[1:]), phase=st.sampled_from(list(Phase))
    )
    def move(self, amount: int, currency: tuple[str, int], account: str, phase: Phase) -> None:
        """Post an amount from one account to another."""
        code, exponent = currency
        money = Money(minor_units=amount, currency=code, exponent=exponent)
        other = money.model_copy(update={"minor_units": -amount})
        kind = TransactionKind.PAYOUT if phase is Phase.POSTED else TransactionKind.PAYOUT_PENDING
        postings = [Posting(account=account, amount=money), Posting(account="partner_payable:other", amount=other)]
        self._post(
            Transaction(
                tenant="seller",
                operation_id=f"m-{len(self._books.posted)}",
                kind=kind,
                postings=postings,
                posted_at=self._tick(),
                phase=phase,
            )
        )

    @rule(
        shares=st.lists(AMOUNTS, min_size=1, max_size=4),
        currency=CURRENCIES,
        basis_points=st.integers(min_value=0, max_value=10_000),
    )
    def capture(self, shares: list[int], currency: tuple[str, int], basis_points: int) -> None:
        """Post a captured charge."""
        code, exponent = currency
        whole = Money(minor_units=sum(shares), currency=code, exponent=exponent)
        details = ChargeDetails(
            payment_token="tok_ok",
            amount=whole,
            shares=tuple(
                Share(seller=f"seller-{number}", amount=whole.model_copy(update={"minor_units": share}))
                for number, share in enumerate(shares)
            ),
        )
        self._books.captures += [
            (share, basis_points, rules.fee_of(share, basis_points=basis_points)) for share in shares
        ]
        self._post(
            rules.capture_transaction(
                tenant="buyers",
                operation_id=f"p-{len(self._books.posted)}",
                provider="acquirer",
                details=details,
                fee_basis_points=basis_points,
                now=self._tick(),
            )
        )

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Post something again, as an attempt does that was believed dead."""
        transaction = data.draw(st.sampled_from(list(self._books.posted.values())))
        self._refused(f"posted twice {transaction.key}", transaction)

    @precondition(lambda self: any(each.reverses is None for each in self._books.posted.values()))
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        """Take something back; a second time it is refused."""
        transaction = data.draw(
            st.sampled_from([each for each in self._books.posted.values() if each.reverses is None])
        )
        taken_back = {each.reverses for each in self._books.posted.values()}
        name = f"r-{len(self._books.posted)}"
        entry = rules.reversal(transaction, operation_id=name, kind=TransactionKind.CORRECTION, now=self._tick())
        if transaction.key in taken_back:
            self._refused(f"reversed twice {transaction.key}", entry)
        else:
            self._post(entry)

    @rule(amount=AMOUNTS)
    def unbalance(self, amount: int) -> None:
        """Try to post what makes money; the ledger's own check refuses it."""
        money = Money(minor_units=amount, currency="EUR")
        try:
            transaction = Transaction(
                tenant="seller",
                operation_id=f"u-{len(self._books.posted)}",
                kind=TransactionKind.PAYOUT,
                postings=[Posting(account="platform_fees", amount=money)],
                posted_at=self._tick(),
            )
        except UnbalancedError:
            return
        self._post(transaction)

    @rule(
        statement=st.sampled_from(
            [
                "UPDATE ledger_postings SET minor_units = minor_units + 1",
                "UPDATE ledger_transactions SET charge_id = 'x'",
                "DELETE FROM ledger_postings",
            ]
        )
    )
    def tamper(self, statement: str) -> None:
        """Try to change what is posted."""

        async def change() -> bool:
            try:
                async with self._books.database.write() as connection:
                    await connection.execute(text(statement))
            except DBAPIError:
                return False
            return True

        if self._runner.run(change()):
            self._books.accepted.append(f"changed by {statement}")

    @invariant()
    def holds(self) -> None:
        """Check every invariant."""
        self._runner.run(ledger_invariant.check(self._books))

    def _tick(self) -> datetime:
        self._books.now += timedelta(minutes=7)
        return self._books.now

    def _post(self, transaction: Transaction) -> None:
        self._runner.run(self._write(transaction))
        self._books.posted[transaction.key] = transaction

    def _refused(self, what: str, transaction: Transaction) -> None:
        try:
            self._runner.run(self._write(transaction))
        except DBAPIError:
            return
        self._books.accepted.append(what)

    async def _write(self, transaction: Transaction) -> None:
        async with self._books.database.write() as connection:
            await store.post(connection, transaction)
