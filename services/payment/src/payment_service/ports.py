"""What the activities and views of the payment service need from the outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from payment_service.domain.charges import ChargeDetails, ChargeStatus, StoredCharge
from payment_service.domain.ledger import Transaction
from platform_contracts.money import Money


class Charges(Protocol):
    """The charges: one row for each operation, moved by conditional updates, so that of two movers one finds out."""

    async def begin(
        self, *, tenant: str, operation_id: str, details: ChargeDetails, now: datetime
    ) -> tuple[StoredCharge, bool]:
        """Write down that the charge is about to be sent, unless there is one; return it, and whether it is new."""
        ...

    async def find(self, *, tenant: str, operation_id: str) -> StoredCharge | None:
        """Return the charge; None when there is none."""
        ...

    async def move(self, charge: StoredCharge, *, to: ChargeStatus, now: datetime) -> StoredCharge:
        """Move the charge to a status if it may come from where it is now; return it as it stands after that."""
        ...

    async def capture(self, charge: StoredCharge, *, transaction: Transaction) -> StoredCharge:
        """Move the charge to captured and post the transaction, both or neither; return it as it stands after that."""
        ...

    async def void(self, *, tenant: str, operation_id: str, now: datetime) -> StoredCharge:
        """Move the charge to voided if it may; where there is none, leave a voided one for whoever comes late."""
        ...


class Ledger(Protocol):
    """The postings, to be read; they are written with what they come from."""

    async def credit_balances(self, account: str, *, at: datetime) -> Sequence[Money]:
        """Return what has been credited to the account minus what was debited up to a moment, for each currency."""
        ...


class CardAcquirer(Protocol):
    """Who takes money from cards. Operations are named by us, so that it can be asked what became of each.

    Every method may raise NoAnswerError: then it may have happened or not.
    """

    async def authorise(self, charge: StoredCharge) -> ChargeStatus:
        """Reserve the amount, at most once for an operation, however often it is sent: AUTHORISED, DECLINED or VOIDED.

        Raises:
            DifferentChargeError: when the operation is known with another amount or token.
        """
        ...

    async def capture(self, charge: StoredCharge) -> ChargeStatus:
        """Take what is reserved, at most once: CAPTURED, CAPTURE_REFUSED or VOIDED."""
        ...

    async def void(self, *, tenant: str, operation_id: str) -> ChargeStatus:
        """Give back what is reserved, and bar an authorisation that arrives later: VOIDED, or CAPTURED if it is so."""
        ...

    async def find(self, *, tenant: str, operation_id: str) -> ChargeStatus | None:
        """Return AUTHORISED, DECLINED, CAPTURED or VOIDED; None when it has never seen the operation."""
        ...


class NoAnswerError(Exception):
    """The acquirer gave no answer, or one that says nothing: it may have done what was asked, or not."""

    def __init__(self, reason: str) -> None:
        """Keep a reason without anything of the answer."""
        super().__init__(f"the acquirer gave no answer: {reason}")
        self.reason = reason
