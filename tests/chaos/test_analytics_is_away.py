"""Analytics is down: nobody waits for it, and it has every event when it is back."""

from datetime import UTC, datetime
from http import HTTPStatus

import pytest

from tests.support.platform import Platform, new_id, result_of, running_platform
from tests.support.waiting import eventually


@pytest.mark.timeout(240)
async def test_users_are_onboarded_and_notified_and_counted_later(
    tmp_path_factory: pytest.TempPathFactory, local_stack_tools: None
) -> None:
    since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0).isoformat()
    users = [new_id("u") for _ in range(3)]
    async with running_platform(tmp_path_factory.mktemp("away")) as platform:
        await platform.partner("scale", "analytics=0")

        for user in users:
            answer = await platform.gateway.onboard(user_id=user, email=f"{user}@example.com", name="Ada")
            assert answer.status_code == HTTPStatus.OK
            assert result_of(answer.json())["accountStatus"] == "active"
        notified = await platform.gateway.notify({"userId": users[0], "message": "Hello", "type": "info"})
        status = await platform.gateway.status_when_closed(notified.json()["workflowId"], within_seconds=60)
        assert status["status"] == "COMPLETED"
        await platform.partner("scale", "analytics=1")

        assert await eventually(lambda: _counted(platform, since), within_seconds=60, every_seconds=0.5)


async def _counted(platform: Platform, since: str) -> bool:
    await platform.temporal.get_schedule_handle("platform:analytics:rollup:hour").trigger()
    onboarded = await platform.gateway.counts("user.onboarded", since=since)
    # Three welcomes and one notification.
    notified = await platform.gateway.counts("user.notified", since=since)
    return (onboarded, notified) == (3, 4)
