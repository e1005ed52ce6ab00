"""Workers that keep no workflow in memory replay each at every step; the trace has every span once all the same."""

import pytest

from platform_cli.jaeger_traces import read_trace
from tests.support.platform import new_id, running_platform
from tests.support.trace_rules import broken_rules


@pytest.mark.timeout(180)
async def test_trace_has_every_span_once_with_the_cache_off(
    tmp_path_factory: pytest.TempPathFactory, local_stack_tools: None
) -> None:
    home = tmp_path_factory.mktemp("uncached")
    async with running_platform(home, TEMPORAL_MAX_CACHED_WORKFLOWS="0") as platform:
        user = new_id("u")

        answer = await platform.gateway.onboard(user_id=user, email=f"{user}@example.com", name="Ada")

        status = await platform.gateway.status(answer.json()["workflowId"])
        trace = await read_trace(
            platform.jaeger,
            status["traceId"],
            until=lambda trace: trace.services >= {"gateway", "user", "analytics"} and not broken_rules(trace),
            within_seconds=20,
        )
    assert trace.services == {"gateway", "user", "analytics"}
    assert broken_rules(trace) == []
