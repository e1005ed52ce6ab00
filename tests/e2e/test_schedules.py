"""A schedule of the platform runs when it is told to, and its run can be followed."""

from http import HTTPStatus
from typing import Any

from platform_contracts.analytics.rollup import Granularity, rollup_schedule_id
from tests.support.platform import Platform, new_id
from tests.support.waiting import eventually

SCHEDULE = f"/v1/schedules/{rollup_schedule_id(Granularity.HOUR)}"


async def test_a_triggered_rollup_counts_and_leads_to_its_operation(platform: Platform) -> None:
    triggered = await platform.http.post(f"{SCHEDULE}/trigger", headers={"Idempotency-Key": new_id("k")})

    async def its_operation() -> dict[str, Any] | None:
        (run, *_) = (await platform.http.get(SCHEDULE)).json()["recentRuns"]
        operation = (await platform.http.get(run["links"]["operation"])).json()
        return operation if operation["status"] == "COMPLETED" else None

    operation = await eventually(its_operation, within_seconds=30)
    assert operation is not None
    assert triggered.status_code == HTTPStatus.ACCEPTED
    assert operation["type"] == "analytics.Rollup"
    assert operation["result"]["granularity"] == "hour"
    # No request started it, and yet it can be followed.
    assert operation["traceId"] is None
    assert operation["progress"]["traceId"] is None
    assert operation["links"]["trace"] is not None
