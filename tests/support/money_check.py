"""The check of a marketplace's books after its purchases have ended, read from their databases and not from our API.

Four books have to tell the same story: what Temporal says of each purchase, the acquirer's own book, the ledger and the
stock. A ledger that sums to zero alone proves nothing: it does so too when money was taken for nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine, create_engine, text

_OVER = {"COMPLETED", "FAILED", "CANCELED", "TERMINATED"}


@dataclass(frozen=True)
class Books:
    """Where the books are: URLs for a synchronous driver."""

    acquirer: str
    payment: str
    listing: str


@dataclass(frozen=True)
class _Operation:
    status: str
    captures: int
    captured: int
    kept: int
    """What of it no refund gave back and no dispute took."""


@dataclass
class _Read:
    operations: dict[str, _Operation] = field(default_factory=dict[str, _Operation])
    ledger: dict[str, int] = field(default_factory=dict[str, int])
    """What the acquirer owes us by the ledger, by operation."""
    sent: dict[str, int] = field(default_factory=dict[str, int])
    """What the acquirer has sent to the account, or is sending, by payout id."""
    paid: Counter[str] = field(default_factory=Counter[str])
    """The same by the ledger."""
    unbalanced: list[str] = field(default_factory=list[str])
    states: dict[str, str] = field(default_factory=dict[str, str])
    """The listing database's state of each purchase."""
    amounts: dict[str, int] = field(default_factory=dict[str, int])
    stock: dict[str, tuple[int, int, int, int]] = field(default_factory=dict[str, tuple[int, int, int, int]])
    """Initial, available, held and sold units by listing."""
    units: Counter[str] = field(default_factory=Counter[str])
    """Units by listing in purchases that are sold."""


def differences(books: Books, *, tenant: str, statuses: Mapping[str, str]) -> list[str]:
    """Return what does not fit, a sentence each; nothing when every book tells the same.

    Args:
        books: where they are.
        tenant: whose purchases.
        statuses: how Temporal says that each purchase ended, by purchase id.
    """
    read = _read(books, tenant)
    found = list(read.unbalanced)
    for purchase_id, status in statuses.items():
        found.extend(f"{purchase_id} ({status}): {problem}" for problem in _problems(purchase_id, status, read))
    known = set(statuses)
    # An operation that belongs to no purchase is money that nobody will ever look for.
    found.extend(f"the acquirer knows {name}, and no purchase does" for name in set(read.operations) - known)
    found.extend(f"the ledger knows {name}, and no purchase does" for name in set(read.ledger) - known)
    for payout_id in read.sent.keys() | read.paid.keys():
        sent, paid = read.sent.get(payout_id, 0), read.paid[payout_id]
        if sent != paid:
            found.append(f"payout {payout_id}: the acquirer sent {sent}, the ledger says {paid}")
    for listing_id, (initial, available, held, sold) in read.stock.items():
        if (available + held + sold, held) != (initial, 0):
            found.append(f"{listing_id}: {available} available, {held} held and {sold} sold of {initial}")
        if sold != read.units[listing_id]:
            found.append(f"{listing_id}: {sold} units sold, {read.units[listing_id]} in purchases")
    return found


def _problems(purchase_id: str, status: str, read: _Read) -> list[str]:
    operation = read.operations.get(purchase_id)
    captured = 0 if operation is None else operation.captured
    kept = 0 if operation is None else operation.kept
    problems: list[str] = []
    if status not in _OVER:
        problems.append("it has not ended")
    if operation is not None and operation.captures > 1:
        problems.append(f"captured {operation.captures} times")
    if operation is not None and operation.status == "authorised":
        problems.append("the buyer's money is still reserved")
    if kept != read.ledger.get(purchase_id, 0):
        problems.append(f"the acquirer keeps {kept}, the ledger says {read.ledger.get(purchase_id, 0)}")
    state = read.states.get(purchase_id, "none")
    if status == "COMPLETED":
        if captured == 0 or captured != read.amounts.get(purchase_id):
            problems.append(f"sold for {read.amounts.get(purchase_id)}, and {captured} was taken")
        if state != "sold":
            problems.append(f"its stock is {state}")
    else:
        if kept != 0:
            problems.append(f"{kept} was taken for nothing")
        if state not in {"released", "none"}:
            problems.append(f"its stock is {state}")
    return problems


def _read(books: Books, tenant: str) -> _Read:
    read = _Read()
    _read_acquirer(create_engine(books.acquirer), tenant, read)
    _read_ledger(create_engine(books.payment), tenant, read)
    _read_stock(create_engine(books.listing), tenant, read)
    return read


def _read_acquirer(engine: Engine, tenant: str, read: _Read) -> None:
    captures: dict[str, list[int]] = defaultdict(list)
    gone: Counter[str] = Counter()
    with engine.connect() as connection:
        for operation, amount in connection.execute(
            text("SELECT operation, amount_minor FROM journal WHERE verb = 'capture'")
        ):
            captures[operation].append(amount)
        moved = connection.execute(
            text(
                "SELECT kind, operation, name, partner, amount_minor FROM movements"
                " WHERE status NOT IN ('failed', 'won')"
            )
        )
        for kind, operation, name, partner, amount in moved:
            if kind != "payout":
                gone[operation] += amount
            elif partner == tenant:
                read.sent[name.partition(".")[2]] = amount
        for operation, status in connection.execute(text("SELECT operation, status FROM operations")):
            owner, _, purchase_id = operation.partition(".")
            if owner == tenant:
                taken = captures[operation]
                captured = sum(taken)
                read.operations[purchase_id] = _Operation(
                    status, captures=len(taken), captured=captured, kept=captured - gone[operation]
                )
    engine.dispose()


def _read_ledger(engine: Engine, tenant: str, read: _Read) -> None:
    with engine.connect() as connection:
        for operation, kind, total in connection.execute(
            text(
                "SELECT operation_id, kind, SUM(minor_units) FROM ledger_postings"
                " GROUP BY tenant, operation_id, kind, currency HAVING SUM(minor_units) <> 0"
            )
        ):
            read.unbalanced.append(f"the postings of {operation} ({kind}) sum to {total}")
        rows = connection.execute(
            text(
                "SELECT kind, operation_id, charge_id, minor_units FROM ledger_postings"
                " JOIN ledger_transactions USING (tenant, operation_id, kind)"
                " WHERE tenant = :tenant AND account = 'cash_clearing:acquirer'"
            ),
            {"tenant": tenant},
        )
        # What is pending was posted, and is taken back before it is posted for good: so the sum of all is what counts.
        for kind, operation, charge, amount in rows:
            if kind.startswith("payout"):
                read.paid[operation] -= amount
            else:
                read.ledger[charge or operation] = read.ledger.get(charge or operation, 0) + amount
    engine.dispose()


def _read_stock(engine: Engine, tenant: str, read: _Read) -> None:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT purchase_id, state FROM purchases WHERE tenant = :tenant"), {"tenant": tenant}
        )
        read.states.update({row.purchase_id: row.state for row in rows})
        lines = connection.execute(
            text(
                "SELECT purchase_id, listing_id, quantity, price_minor_units FROM purchase_lines WHERE tenant = :tenant"
            ),
            {"tenant": tenant},
        )
        for purchase_id, listing_id, quantity, price in lines:
            read.amounts[purchase_id] = read.amounts.get(purchase_id, 0) + quantity * price
            if read.states[purchase_id] == "sold":
                read.units[listing_id] += quantity
        listings = connection.execute(text("SELECT listing_id, stock, available, held, sold FROM listings"))
        read.stock.update({listing: (stock, free, held, sold) for listing, stock, free, held, sold in listings})
    engine.dispose()
