"""The ledger in the language of Beancount, which a program that is not ours can check and report on.

Each line is by https://beancount.github.io/docs/beancount_language_syntax.html. What is owed to us is an asset, what we
owe a liability, what we have earned income; a pending posting stands on the sub-account `Pending`, and so does its
other side, so every transaction balances by itself. Numbers are in whole currency units with the currency's digits.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from payment_service.domain.ledger import PLATFORM_FEES, Phase, Transaction
from platform_contracts.money import Money

_ROOTS: Final[Mapping[str, str]] = {
    "cash_clearing": "Assets:Clearing",
    "partner_payable": "Liabilities:Partners:Payable",
    "partner_reserve": "Liabilities:Partners:Reserve",
    PLATFORM_FEES: "Income:Fees",
}
_NO_COMPONENT_CHARACTER: Final = re.compile(r"[^A-Za-z0-9-]")

HEADER: Final = (
    'option "title" "The ledger of the payment service"',
    # The default would let half a minor unit pass in a transaction and a whole one in a balance.
    'option "tolerance_multiplier" "0.1"',
    "",
)


def account_name(account: str, phase: Phase) -> str:
    """Return what an account of ours is called there: each part begins with a capital letter or a digit.

    A partner's name is lower case letters, digits and hyphens; behind an `X` it may begin with any of them.
    """
    kind, _, owner = account.partition(":")
    name = _ROOTS.get(kind, "Equity:Other:" + _component(kind))
    if owner:
        name += f":{_component(owner)}"
    return name if phase is Phase.POSTED else f"{name}:Pending"


def opening_lines(accounts: Iterable[tuple[str, Phase]], *, on: date) -> Iterator[str]:
    """Yield what opens the accounts, on the day of the first transaction or before."""
    yield from (f"{on} open {name}" for name in sorted({account_name(account, phase) for account, phase in accounts}))


def transaction_lines(transaction: Transaction) -> Iterator[str]:
    """Yield a transaction with its postings; a debit is positive, a credit negative, as Beancount has it too."""
    flag = "*" if transaction.phase is Phase.POSTED else "!"
    yield ""
    about = f"{transaction.tenant} {transaction.operation_id}"
    yield f'{transaction.posted_at.date()} {flag} "{transaction.kind}" "{about}"'
    yield f'  at: "{transaction.posted_at.isoformat()}"'
    if transaction.charge_id is not None:
        yield f'  charge: "{transaction.charge_id}"'
    if transaction.reverses is not None:
        yield f'  reverses: "{transaction.reverses.kind} {transaction.reverses.operation_id}"'
    for posting in transaction.postings:
        name = account_name(posting.account, transaction.phase)
        yield f"  {name}  {_number(posting.amount)} {posting.amount.currency}"


def balance_lines(account: str, phase: Phase, debit: Money, *, last: date) -> Iterator[str]:
    """Yield what an account has to have after the last day: Beancount asserts it as the next day begins."""
    name = account_name(account, phase)
    yield f"{last + timedelta(days=1)} balance {name}  {_number(debit)} ~ 0 {debit.currency}"


def _number(amount: Money) -> str:
    return f"{Decimal(amount.minor_units).scaleb(-amount.exponent):f}"


def _component(name: str) -> str:
    return "X" + _NO_COMPONENT_CHARACTER.sub("-", name)
