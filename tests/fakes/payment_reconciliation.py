"""A provider's book in memory, and charges and postings to compare it with."""

from collections.abc import AsyncIterator
from datetime import datetime

from payment_service.domain.provider import MovementStatus, ProviderRecord, RecordKind
from payment_service.ports import NoAnswerError
from tests.fakes.payment import euros


class FakeRecords:
    """The port `ProviderRecords` on a list."""

    name = "acquirer"

    def __init__(self, *records: ProviderRecord, away_for: int = 0) -> None:
        """Give no answer this many times first."""
        self.book = list(records)
        self.asked: list[tuple[datetime, datetime]] = []
        self._away_for = away_for

    async def records(self, *, since: datetime, until: datetime) -> AsyncIterator[ProviderRecord]:
        self.asked.append((since, until))
        if self._away_for > 0:
            self._away_for -= 1
            raise NoAnswerError("away")
        for record in self.book:
            if since <= record.at < until:
                yield record


def record(
    operation_id: str = "p-1",
    *,
    at: datetime,
    kind: RecordKind = RecordKind.CAPTURE,
    tenant: str = "buyers",
    minor_units: int = 2_000,
    status: MovementStatus = MovementStatus.SUCCEEDED,
) -> ProviderRecord:
    """Return what a provider says of a movement."""
    return ProviderRecord(
        kind=kind,
        tenant=tenant,
        operation_id=operation_id,
        charge_id=operation_id if kind is RecordKind.CAPTURE else "p-1",
        amount=euros(minor_units),
        status=status,
        at=at,
    )
