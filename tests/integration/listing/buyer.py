"""A process of its own that buys in a database, as another worker would."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from listing_service.domain.purchases import ReservationExpiredError, SoldOutError
from listing_service.persistence.purchases import SqlPurchases
from platform_runtime.database import Database
from tests.integration.listing.samples import order

PURCHASES = 40


async def main(url: str) -> None:
    """Sell or release purchases that every process sells or releases, eight at a time."""
    async with Database.opened(url) as database:
        purchases = SqlPurchases(database)
        room = asyncio.Semaphore(8)

        async def buy(number: int) -> None:
            of = {"tenant": "buyers", "purchase_id": f"p-{number}"}
            now = datetime.now(UTC)
            async with room:
                try:
                    await purchases.reserve(
                        **of, buyer_id="b-1", lines=[order()], now=now, held_until=now + timedelta(minutes=15)
                    )
                    if number % 2:
                        await purchases.confirm(**of, now=now)
                        await purchases.sell(**of, now=now)
                    else:
                        await purchases.release(**of)
                except (SoldOutError, ReservationExpiredError):
                    # Another process was first; what it is owed is seen to by it.
                    return

        await asyncio.gather(*(buy(number) for number in range(PURCHASES)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
