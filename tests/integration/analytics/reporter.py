"""A process of its own that reports events into a database and counts them, as another worker would."""

import asyncio
import sys
from datetime import timedelta

from analytics_service.persistence.event_log import SqlEventLog
from platform_runtime.database import Database
from tests.integration.analytics.samples import NOON, event, roll_up


async def main(url: str, name: str) -> None:
    """Report 40 batches; half of the events of each are reported by every other process too."""
    async with Database.opened(url) as database:
        for batch in range(40):
            moment = NOON + timedelta(minutes=10 * batch)
            own = [event(f"{name}-{batch}-{number}", occurred_at=moment) for number in range(5)]
            common = [event(f"common-{batch}-{number}", occurred_at=moment) for number in range(5)]
            await SqlEventLog(database).record(own + common, received_at=moment)
            if batch % 10 == 0:
                await roll_up(database)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
