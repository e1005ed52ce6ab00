"""What the integration tests of the payment service share."""

from datetime import UTC, datetime

from payment_service.domain.charges import ChargeDetails, Share, StoredCharge
from payment_service.domain.ledger import Transaction, capture_transaction
from payment_service.domain.reversals import captured_details
from tests.fakes.payment import euros

MIGRATIONS = "payment_service.persistence.migrations"
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def details(*shares: int) -> ChargeDetails:
    """Return what belongs to seller-0, seller-1 and so on."""
    return ChargeDetails(
        payment_token="tok_ok",
        amount=euros(sum(shares)),
        shares=tuple(Share(seller=f"seller-{number}", amount=euros(share)) for number, share in enumerate(shares)),
    )


def captured(charge: StoredCharge, *, now: datetime = NOW) -> Transaction:
    """Return what the capture of a charge posts, with a fee of a tenth."""
    assert charge.details is not None
    return capture_transaction(
        tenant=charge.tenant,
        operation_id=charge.operation_id,
        provider=charge.provider,
        details=captured_details(charge.details, charge.capture_amount),
        fee_basis_points=1_000,
        now=now,
    )
