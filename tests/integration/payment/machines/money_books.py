"""The bank's book, our tables and our ledger side by side, and the invariants that hold between them."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from payment_service.domain.ledger import fee_of
from payment_service.domain.payouts import OPEN as OPEN_PAYOUTS
from payment_service.domain.provider import MovementStatus
from payment_service.persistence.ledger_check import SqlLedgerCheck
from platform_runtime.database import Database
from tests.integration.payment.machines.bank import Bank
from tests.integration.payment.machines.invariants import Invariants

FEE_BASIS_POINTS = 1_000
OPEN_REFUNDS = ("requested", "pending")


@dataclass
class MoneyBooks:
    """Both sides of one run."""

    database: Database
    bank: Bank = field(default_factory=Bank)

    async def rows(self, statement: str) -> list[Any]:
        """Return what a query finds."""
        async with self.database.read() as connection:
            return list((await connection.execute(text(statement))).all())

    async def statuses(self, table: str, key: str) -> Mapping[str, str]:
        """Return where each row of a table stands."""
        return {row[0]: row[1] for row in await self.rows(f"SELECT {key}, status FROM {table}")}

    async def posted(self, kind: str, account: str) -> Mapping[str, int]:
        """Return the debits minus the credits of each transaction of a kind on an account."""
        found = await self.rows(
            "SELECT operation_id, sum(minor_units) FROM ledger_postings"
            f" WHERE kind = '{kind}' AND account = '{account}' GROUP BY operation_id"
        )
        return {name: int(total) for name, total in found}

    async def balance(self, account: str, *phases: str) -> int:
        """Return the credits minus the debits of an account, by the postings."""
        wanted = ", ".join(f"'{phase}'" for phase in phases)
        found = await self.rows(
            f"SELECT sum(minor_units) FROM ledger_postings WHERE account = '{account}' AND phase IN ({wanted})"
        )
        return -int(found[0][0] or 0)


money_invariant: Invariants[MoneyBooks] = Invariants()


@money_invariant
async def ledger_is_in_order(books: MoneyBooks) -> str | None:
    found = await SqlLedgerCheck(books.database).differences()
    return f"{found}" if found else None


@money_invariant
async def charge_is_captured_at_most_once(books: MoneyBooks) -> str | None:
    wrong = {name: each.captures for name, each in books.bank.charges.items() if len(each.captures) > 1}
    return f"{wrong}" if wrong else None


@money_invariant
async def every_operation_at_the_bank_is_one_of_ours(books: MoneyBooks) -> str | None:
    ours = {
        *(await books.statuses("charges", "operation_id")),
        *(await books.statuses("refunds", "refund_id")),
        *(await books.statuses("payouts", "payout_id")),
    }
    # What was voided before it was known takes nothing, and bars what comes late.
    charged = {name for name, each in books.bank.charges.items() if each.reserved}
    unknown = {*charged, *books.bank.refunds, *books.bank.payouts} - ours
    return f"{sorted(unknown)}" if unknown else None


@money_invariant
async def captured_charge_is_posted_with_what_the_bank_took(books: MoneyBooks) -> str | None:
    posted = await books.posted("capture", "cash_clearing:acquirer")
    statuses = await books.statuses("charges", "operation_id")
    captured = {name: books.bank.captured(name) for name, status in statuses.items() if status == "captured"}
    return None if posted == captured else f"posted {posted}, captured {captured}"


@money_invariant
async def voided_charge_takes_nothing(books: MoneyBooks) -> str | None:
    statuses = await books.statuses("charges", "operation_id")
    wrong = [name for name, status in statuses.items() if status == "voided" and books.bank.captured(name)]
    return f"{wrong}" if wrong else None


@money_invariant
async def no_more_is_given_back_than_was_captured(books: MoneyBooks) -> str | None:
    on_its_way = frozenset({MovementStatus.PENDING})
    wrong = [
        name for name in books.bank.charges if books.bank.given_back(name, also=on_its_way) > books.bank.captured(name)
    ]
    return f"{wrong}" if wrong else None


@money_invariant
async def settled_refunds_are_posted_with_what_the_bank_gave_back(books: MoneyBooks) -> str | None:
    """With the captures: captured minus refunded at the provider is the cash clearing of each purchase."""
    posted = {name: -total for name, total in (await books.posted("refund", "cash_clearing:acquirer")).items()}
    statuses = await books.statuses("refunds", "refund_id")
    given = {name: books.bank.refunds[name].minor_units for name, status in statuses.items() if status == "succeeded"}
    return None if posted == given else f"posted {posted}, given back {given}"


@money_invariant
async def refund_is_pending_while_it_is_open_and_only_then(books: MoneyBooks) -> str | None:
    pending = Counter(await books.posted("refund_pending", "cash_clearing:acquirer"))
    pending.update(await books.posted("refund_released", "cash_clearing:acquirer"))
    still = {name for name, total in pending.items() if total}
    is_open = {
        name for name, status in (await books.statuses("refunds", "refund_id")).items() if status in OPEN_REFUNDS
    }
    return None if still == is_open else f"pending {sorted(still)}, open {sorted(is_open)}"


@money_invariant
async def fee_is_that_of_what_is_left(books: MoneyBooks) -> str | None:
    """However it was given back: all of a fee comes back with all of a share."""
    left: dict[tuple[str, str], int] = defaultdict(int)
    for charge_id, account, total in await books.rows(
        "SELECT t.charge_id, p.account, sum(p.minor_units) FROM ledger_postings p JOIN ledger_transactions t"
        " ON t.tenant = p.tenant AND t.operation_id = p.operation_id AND t.kind = p.kind"
        " WHERE p.phase = 'posted' AND t.charge_id IS NOT NULL GROUP BY t.charge_id, p.account"
    ):
        left[charge_id, account] = -int(total)
    charges = {charge_id for charge_id, _ in left}
    for charge_id in charges:
        whole, fee = -left[charge_id, "cash_clearing:acquirer"], left[charge_id, "platform_fees"]
        # The rate is the one at which it was taken, which was rounded: so it may be one minor unit off on the way.
        exact = fee_of(whole, basis_points=FEE_BASIS_POINTS)
        if abs(fee - exact) > (1 if whole else 0):
            return f"{charge_id}: a fee of {fee} in {whole}"
    return None


@money_invariant
async def partner_has_what_was_sold_minus_what_left(books: MoneyBooks) -> str | None:
    sold = await books.balance("partner_payable:acme", "posted")
    captured = sum((await books.posted("capture", "partner_payable:acme")).values())
    refunded = sum((await books.posted("refund", "partner_payable:acme")).values())
    statuses = await books.statuses("payouts", "payout_id")
    paid = sum(books.bank.payouts[name].minor_units for name, status in statuses.items() if status == "paid")
    expected = -captured - refunded - paid
    return None if sold == expected else f"{sold}, expected {expected}"


@money_invariant
async def payout_is_paid_once(books: MoneyBooks) -> str | None:
    posted = await books.posted("payout", "cash_clearing:acquirer")
    statuses = await books.statuses("payouts", "payout_id")
    ended = {name for name, status in statuses.items() if status in ("paid", "returned")}
    paid = {name: -books.bank.payouts[name].minor_units * books.bank.payouts[name].times for name in ended}
    return None if posted == paid else f"posted {posted}, paid {paid}"


@money_invariant
async def one_payout_of_a_partner_is_open(books: MoneyBooks) -> str | None:
    statuses = await books.statuses("payouts", "payout_id")
    is_open = [name for name, status in statuses.items() if status in {str(each) for each in OPEN_PAYOUTS}]
    return f"{is_open}" if len(is_open) > 1 else None


@money_invariant
async def no_payout_takes_what_is_not_there(books: MoneyBooks) -> str | None:
    """Refunds may leave a partner below zero, payouts may not."""
    statuses = await books.statuses("payouts", "payout_id")
    counts = {name: each.minor_units for name, each in books.bank.payouts.items() if statuses[name] != "failed"}
    ever = -sum((await books.posted("capture", "partner_payable:acme")).values())
    returned = sum(each for name, each in counts.items() if statuses[name] == "returned")
    sent = sum(counts.values()) - returned
    return f"{sent} of {ever}" if sent > ever else None
