"""A provider in memory that knows charges by names of its own alone, as Stripe does while its search is behind."""

from payment_service.domain.charges import ChargeStatus, StoredCharge
from tests.fakes.payment import FakeAcquirer, Hook


class FakeIntentProvider(FakeAcquirer):
    """Gives each charge a name before it is authorised; without that name it finds and bars nothing."""

    def __init__(self, *, away_for: int = 0) -> None:
        """Begin without a charge; so many calls fail first."""
        super().__init__(away_for=away_for)
        self.after_preparing: Hook | None = None
        self.while_voiding_nothing: Hook | None = None

    async def prepare(self, charge: StoredCharge) -> str:
        self._call("prepare")
        if self.after_preparing is not None:
            await self.after_preparing()
        return f"pi_{charge.operation_id}"

    async def void(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus:
        if reference is not None:
            return await super().void(tenant=tenant, operation_id=operation_id, reference=reference)
        self._call("void")
        if self.while_voiding_nothing is not None:
            await self.while_voiding_nothing()
        return ChargeStatus.VOIDED

    async def find(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus | None:
        found = await super().find(tenant=tenant, operation_id=operation_id, reference=reference)
        return None if reference is None else found
