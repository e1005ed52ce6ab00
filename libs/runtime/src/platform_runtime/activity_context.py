"""What every activity gets before it runs: ids on its log lines, its attempt on its span, a drill's delay."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from opentelemetry import trace
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from platform_contracts.identifiers import tenant_of


class ActivityContext(Interceptor):
    """Runs around every activity of a worker."""

    def __init__(self, delays: Mapping[str, float]) -> None:
        """Remember how many seconds to wait before which activity type (`*` is any): for drills."""
        self._delays = delays

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Put this between the SDK and the activity."""
        return _Inbound(next, self._delays)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, delays: Mapping[str, float]) -> None:
        super().__init__(following)
        self._delays = delays

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        info = activity.info()
        # Without it the spans of two attempts would differ in nothing but their time.
        trace.get_current_span().set_attribute("temporalActivityAttempt", info.attempt)
        delay_seconds = self._delays.get(info.activity_type, self._delays.get("*", 0.0))
        with structlog.contextvars.bound_contextvars(
            workflow_id=info.workflow_id,
            run_id=info.workflow_run_id,
            workflow_type=info.workflow_type,
            activity_type=info.activity_type,
            attempt=info.attempt,
            task_queue=info.task_queue,
            tenant=tenant_of(info.workflow_id or ""),
        ):
            if delay_seconds:
                await asyncio.sleep(delay_seconds)
            return await super().execute_activity(input)
