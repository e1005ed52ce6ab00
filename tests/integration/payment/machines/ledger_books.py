"""What is posted to a ledger in a run, and the invariants that hold of it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from payment_service.domain.ledger import Phase, Transaction, TransactionKey
from payment_service.persistence.ledger import SqlLedger
from payment_service.persistence.ledger_check import SqlLedgerCheck
from platform_contracts.currencies import EXPONENTS
from platform_runtime.database import Database
from tests.integration.payment.machines.invariants import Invariants

Balances = Mapping[tuple[str, Phase, str], int]


@dataclass
class LedgerBooks:
    """A ledger in a database, and what this run knows to have been posted to it."""

    database: Database
    posted: dict[TransactionKey, Transaction] = field(default_factory=dict[TransactionKey, Transaction])
    accepted: list[str] = field(default_factory=list[str])
    """What the ledger let happen and should have refused."""
    captures: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    """Share, basis points and fee of what was captured."""
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def expected(self, *, at: datetime | None = None) -> Balances:
        """Return the credits minus the debits, by account, phase and currency."""
        sums: dict[tuple[str, Phase, str], int] = defaultdict(int)
        for transaction in self.posted.values():
            if at is None or transaction.posted_at <= at:
                for posting in transaction.postings:
                    sums[posting.account, transaction.phase, posting.amount.currency] -= posting.amount.minor_units
        return sums

    async def rows(self, statement: str) -> list[Any]:
        """Return what a query finds."""
        async with self.database.read() as connection:
            return list((await connection.execute(text(statement))).all())


ledger_invariant: Invariants[LedgerBooks] = Invariants()


@ledger_invariant
async def each_transaction_sums_to_zero(books: LedgerBooks) -> str | None:
    found = await books.rows(
        "SELECT operation_id, kind, currency FROM ledger_postings"
        " GROUP BY tenant, operation_id, kind, currency, exponent HAVING sum(minor_units) <> 0"
    )
    return f"{found}" if found else None


@ledger_invariant
async def each_currency_sums_to_zero_in_each_phase(books: LedgerBooks) -> str | None:
    found = await books.rows(
        "SELECT phase, currency FROM ledger_postings GROUP BY phase, currency HAVING sum(minor_units) <> 0"
    )
    return f"{found}" if found else None


@ledger_invariant
async def balances_are_what_the_postings_sum_up_to(books: LedgerBooks) -> str | None:
    found = [each for each in await SqlLedgerCheck(books.database).differences() if each.what == "balance"]
    return f"{found}" if found else None


@ledger_invariant
async def balances_made_anew_are_the_live_ones(books: LedgerBooks) -> str | None:
    query = "SELECT account, phase, currency, exponent, minor_units FROM ledger_balances ORDER BY 1, 2, 3, 4"
    live = await books.rows(query)
    await SqlLedgerCheck(books.database).rebuild(now=books.now)
    anew = await books.rows(query)
    return None if [each for each in live if each[-1]] == [each for each in anew if each[-1]] else f"{live} {anew}"


@ledger_invariant
async def balance_now_is_all_that_was_posted(books: LedgerBooks) -> str | None:
    return await _differs(books, at=None, phase=Phase.POSTED)


@ledger_invariant
async def balance_of_the_past_is_what_was_posted_until_then(books: LedgerBooks) -> str | None:
    moments = sorted(transaction.posted_at for transaction in books.posted.values())
    return await _differs(books, at=moments[len(moments) // 2], phase=Phase.POSTED) if moments else None


@ledger_invariant
async def pending_counts_apart_from_posted(books: LedgerBooks) -> str | None:
    return await _differs(books, at=None, phase=Phase.PENDING)


@ledger_invariant
async def nothing_is_posted_twice(books: LedgerBooks) -> str | None:
    (count,) = (await books.rows("SELECT count(*) FROM ledger_transactions"))[0]
    return None if count == len(books.posted) else f"{count} transactions, {len(books.posted)} were asked for"


@ledger_invariant
async def every_transaction_reads_back_as_it_was_posted(books: LedgerBooks) -> str | None:
    ledger = SqlLedger(books.database)
    wrong = [key for key, transaction in books.posted.items() if await ledger.find(key) != transaction]
    return f"{wrong}" if wrong else None


@ledger_invariant
async def reversal_and_original_cancel_out(books: LedgerBooks) -> str | None:
    for transaction in books.posted.values():
        if transaction.reverses is None:
            continue
        sums: dict[str, int] = defaultdict(int)
        for each in (transaction, books.posted[transaction.reverses]):
            for posting in each.postings:
                sums[posting.account] += posting.amount.minor_units
        if any(sums.values()):
            return f"{transaction.key} leaves {dict(sums)}"
    return None


@ledger_invariant
async def nothing_is_reversed_twice(books: LedgerBooks) -> str | None:
    found = [what for what in books.accepted if what.startswith("reversed twice")]
    return f"{found}" if found else None


@ledger_invariant
async def what_is_posted_never_changes(books: LedgerBooks) -> str | None:
    found = [what for what in books.accepted if what.startswith("changed")]
    return f"{found}" if found else None


@ledger_invariant
async def amounts_are_whole_minor_units_of_iso_4217(books: LedgerBooks) -> str | None:
    name = "typeof" if (await _dialect(books)) == "sqlite" else "pg_typeof"
    rows = await books.rows(f"SELECT {name}(minor_units), currency, exponent FROM ledger_postings")
    wrong = [row for row in rows if row[0] not in ("integer", "bigint") or EXPONENTS.get(row[1]) != row[2]]
    return f"{wrong}" if wrong else None


@ledger_invariant
async def fee_is_within_half_a_minor_unit(books: LedgerBooks) -> str | None:
    wrong = [
        each
        for each in books.captures
        if abs(each[2] * 10_000 - each[0] * each[1]) > 5_000 or not 0 <= each[2] <= each[0]
    ]
    return f"{wrong}" if wrong else None


async def _differs(books: LedgerBooks, *, at: datetime | None, phase: Phase) -> str | None:
    expected = books.expected(at=at)
    ledger = SqlLedger(books.database)
    for account in {account for account, _, _ in books.expected()}:
        found = {
            money.currency: money.minor_units for money in await ledger.credit_balances(account, at=at, phases=[phase])
        }
        wanted = {
            currency: minor_units
            for (of, where, currency), minor_units in expected.items()
            if (of, where) == (account, phase)
        }
        if {key: value for key, value in found.items() if value} != {
            key: value for key, value in wanted.items() if value
        }:
            return f"{account} {phase} at {at}: {found}, expected {wanted}"
    return None


async def _dialect(books: LedgerBooks) -> str:
    async with books.database.read() as connection:
        return connection.dialect.name
