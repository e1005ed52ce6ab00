"""What an operator can do with the ledger: `python -m payment_service ledger check`, `rebuild` and `export`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from payment_service.domain.beancount import HEADER, balance_lines, opening_lines, transaction_lines
from payment_service.persistence.ledger_book import LedgerBook
from payment_service.persistence.ledger_check import SqlLedgerCheck
from payment_service.persistence.tables import LEDGER_POSTINGS, LEDGER_TRANSACTIONS
from platform_runtime.database import Database

APPEND_ONLY: Final = (LEDGER_TRANSACTIONS.name, LEDGER_POSTINGS.name)
"""Rows are added to these and stay as they are; where roles are apart, the worker's may do nothing else."""


async def ledger(database: Database, arguments: Sequence[str]) -> int:
    """Check the ledger, make its balances anew, or write it out for Beancount; return the exit code.

    Exits with 1 where a check finds something. Nothing of the ledger itself can be changed here.
    """
    parser = argparse.ArgumentParser(prog="python -m payment_service ledger")
    parser.add_argument(
        "verb",
        choices=["check", "rebuild", "export"],
        help="check: compare balances and sums with the postings; rebuild: make the balances anew from them; "
        "export: write everything to standard output as a Beancount file",
    )
    match parser.parse_args(arguments).verb:
        case "check":
            return await _check(database)
        case "rebuild":
            count = await SqlLedgerCheck(database).rebuild(now=datetime.now(UTC))
            sys.stdout.write(f"{count} balances made anew\n")
            return 0
        case _:
            await _export(database)
            return 0


async def _check(database: Database) -> int:
    differences = await SqlLedgerCheck(database).differences()
    for each in differences:
        sys.stdout.write(f"{each.what} {each.name}: {each.found}, expected {each.expected}\n")
    sys.stdout.write(f"{len(differences)} differences\n")
    return 1 if differences else 0


async def _export(database: Database) -> None:
    def write(line: str) -> None:
        sys.stdout.write(f"{line}\n")

    async with LedgerBook.opened(database) as book:
        for line in HEADER:
            write(line)
        days = await book.days()
        if days is None:
            return
        first, last = days
        balances = await book.balances()
        for line in opening_lines([(account, phase) for account, phase, _ in balances], on=first):
            write(line)
        async for transaction in book.transactions():
            for line in transaction_lines(transaction):
                write(line)
        write("")
        for account, phase, debit in balances:
            for line in balance_lines(account, phase, debit, last=last):
                write(line)
