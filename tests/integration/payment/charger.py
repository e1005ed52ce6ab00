"""A process of its own that begins, captures and voids charges in a database, as another worker would."""

import asyncio
import sys
from datetime import UTC, datetime

from payment_service.domain.charges import ChargeStatus
from payment_service.persistence.charges import SqlCharges
from platform_runtime.database import Database
from tests.integration.payment.samples import captured, details

CHARGES = 40


async def main(url: str, name: str) -> None:
    """Bring charges that every process works on to an end, eight at a time; one of the processes would void them."""
    async with Database.opened(url) as database:
        charges = SqlCharges(database)
        room = asyncio.Semaphore(8)

        async def charge(operation_id: str) -> None:
            async with room:
                now = datetime.now(UTC)
                begun, _ = await charges.begin(
                    tenant="buyers",
                    operation_id=operation_id,
                    details=details(1_500, 500),
                    provider="acquirer",
                    now=now,
                )
                await charges.move(begun, to=ChargeStatus.AUTHORISED, now=now)
                if name == "voids":
                    await charges.void(tenant="buyers", operation_id=operation_id, now=now)
                else:
                    await charges.capture(begun, transaction=captured(begun, now=now))

        await asyncio.gather(*(charge(f"p-{number}") for number in range(CHARGES)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
