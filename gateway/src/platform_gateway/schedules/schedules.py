"""The schedules in Temporal: look at them, pause, resume, trigger and backfill them, for those who may."""

import re
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import BackfillRequest as RawBackfill
from temporalio.api.schedule.v1 import ScheduleActionResult, SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import (
    DescribeScheduleRequest,
    DescribeScheduleResponse,
    ListScheduleMatchingTimesRequest,
    ListSchedulesRequest,
    ListSchedulesResponse,
    PatchScheduleRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from platform_contracts.identifiers import tenant_of
from platform_gateway.identity.callers import STAFF_TENANT, Caller
from platform_gateway.operations.describing import moment
from platform_gateway.operations.temporal_calls import ATTEMPT, calling_temporal, is_missing_workflow
from platform_gateway.problems import Kind, Problem, invalid_field
from platform_gateway.rest_models import OperationLink
from platform_gateway.schedules.page_tokens import cursor_of, token_of
from platform_gateway.schedules.schedule_models import (
    BackfillAccepted,
    BackfillRequest,
    MissedRuns,
    Overlap,
    RunningRun,
    Schedule,
    ScheduleLinks,
    ScheduleRun,
    SchedulesPage,
    ScheduleSummary,
    TriggerAccepted,
)

_ID: Final = re.compile(r"[a-z0-9-]{1,40}:[!-~]{1,400}")
"""Every id that this platform makes; what does not look like one is not sent to Temporal."""

LONGEST_BACKFILL: Final = timedelta(days=31)
MOST_BACKFILL_RUNS: Final = 100
"""Temporal drops what a schedule has waiting beyond a thousand, and an operator wants to see what he has started."""

_POLICIES: Final = {
    Overlap.BUFFER_ALL: ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
    Overlap.ALLOW_ALL: ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
    Overlap.SKIP: ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP,
}

LinksOf = Callable[[str], ScheduleLinks]
"""Returns where to go from the schedule with this id."""

PathOf = Callable[[str], str]
"""Returns the path of an operation."""


class Schedules:
    """The schedules of each caller's account, and for staff the platform's own; others do not exist for them.

    Every call that names one raises `UNKNOWN_SCHEDULE` where there is none to see, and all of them `TEMPORAL_AWAY`.

    Args:
        client: the connection to Temporal.
        links_of: where to go from a schedule.
        operation_path: where a run is looked at.
    """

    def __init__(self, client: Client, *, links_of: LinksOf, operation_path: PathOf) -> None:
        self._client = client
        self._links_of = links_of
        self._operation_path = operation_path

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> SchedulesPage:
        """Return a page of the schedules that the caller sees, newest first; they are some moments old.

        Raises:
            Problem: `INVALID_REQUEST` for a cursor of another list.
        """
        owners = sorted({caller.tenant, STAFF_TENANT} if caller.is_staff else {caller.tenant})
        query = " OR ".join(f"ScheduleId STARTS_WITH '{owner}:'" for owner in owners)
        token = token_of(cursor, "schedules", *owners)
        async with calling_temporal():
            answer: ListSchedulesResponse = await self._client.workflow_service.list_schedules(
                ListSchedulesRequest(
                    namespace=self._client.namespace, maximum_page_size=limit, next_page_token=token, query=query
                ),
                retry=True,
                timeout=ATTEMPT,
            )
        return SchedulesPage(
            schedules=tuple(
                ScheduleSummary(
                    schedule_id=entry.schedule_id,
                    workflow_type=entry.info.workflow_type.name,
                    paused=entry.info.paused,
                    note=entry.info.notes or None,
                    next_runs=() if entry.info.paused else _moments(entry.info.future_action_times),
                    recent_runs=self._runs(entry.info.recent_actions),
                    links=self._links_of(entry.schedule_id),
                )
                for entry in answer.schedules
            ),
            next_cursor=cursor_of(answer.next_page_token, "schedules", *owners),
        )

    async def one(self, caller: Caller, schedule_id: str) -> Schedule:
        """Return a schedule as it is now."""
        async with calling_temporal():
            return await self._described(caller, schedule_id)

    async def pause(self, caller: Caller, schedule_id: str, *, reason: str) -> Schedule:
        """Have no run take place until it is resumed; pausing what is paused changes the reason alone."""
        return await self._switched(caller, schedule_id, SchedulePatch(pause=reason))

    async def resume(self, caller: Caller, schedule_id: str, *, reason: str) -> Schedule:
        """Have runs take place again, beginning with the next; resuming what runs changes the note alone."""
        return await self._switched(caller, schedule_id, SchedulePatch(unpause=reason))

    async def trigger(self, caller: Caller, schedule_id: str, *, request_id: str) -> TriggerAccepted:
        """Have a run take place now, once per request id, whether or not the schedule is paused.

        It is a run as every other: while one goes on, the overlap policy of the schedule decides.
        """
        patch = SchedulePatch(trigger_immediately=TriggerImmediatelyRequest())
        async with calling_temporal():
            self._check_visible(caller, schedule_id)
            # What came of it is not asked: while a schedule starts a run, it is slow to answer.
            await self._patch(schedule_id, patch, request_id)
        return TriggerAccepted(schedule_id=schedule_id, links=self._links_of(schedule_id))

    async def backfill(
        self, caller: Caller, schedule_id: str, wanted: BackfillRequest, *, request_id: str
    ) -> BackfillAccepted:
        """Have the runs of a past time take place now, once per request id, whether or not the schedule is paused.

        Raises:
            Problem: `INVALID_REQUEST` for a time that is not past, has no run, or is longer or has more than it may.
        """
        _check_range(wanted, now=datetime.now(UTC))
        async with calling_temporal():
            self._check_visible(caller, schedule_id)
            runs = await self._runs_within(schedule_id, wanted)
            if not runs:
                raise invalid_field("body", "endAt", "the schedule has no run in that time")
            if runs > MOST_BACKFILL_RUNS:
                raise invalid_field(
                    "body", "endAt", f"{runs} runs are in that time; at most {MOST_BACKFILL_RUNS} may be"
                )
            backfill = RawBackfill(
                start_time=_timestamp(wanted.start_at),
                end_time=_timestamp(wanted.end_at),
                overlap_policy=_POLICIES[wanted.overlap_policy],
            )
            await self._patch(schedule_id, SchedulePatch(backfill_request=[backfill]), request_id)
        return BackfillAccepted(schedule_id=schedule_id, runs=runs, **wanted.model_dump(by_alias=False))

    async def _runs_within(self, schedule_id: str, wanted: BackfillRequest) -> int:
        request = ListScheduleMatchingTimesRequest(
            namespace=self._client.namespace,
            schedule_id=schedule_id,
            # A backfill includes its start, this question does not.
            start_time=_timestamp(wanted.start_at - timedelta(milliseconds=1)),
            end_time=_timestamp(wanted.end_at),
        )
        service = self._client.workflow_service
        with _answering_unknown():
            answer = await service.list_schedule_matching_times(request, retry=True, timeout=ATTEMPT)
        return len(answer.start_time)

    async def _switched(self, caller: Caller, schedule_id: str, patch: SchedulePatch) -> Schedule:
        async with calling_temporal():
            self._check_visible(caller, schedule_id)
            await self._patch(schedule_id, patch, str(uuid4()))
            return await self._described(caller, schedule_id)

    async def _patch(self, schedule_id: str, patch: SchedulePatch, request_id: str) -> None:
        request = PatchScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=schedule_id,
            patch=patch,
            identity=self._client.identity,
            request_id=request_id,
        )
        with _answering_unknown():
            await self._client.workflow_service.patch_schedule(request, retry=True, timeout=ATTEMPT)

    async def _described(self, caller: Caller, schedule_id: str) -> Schedule:
        self._check_visible(caller, schedule_id)
        request = DescribeScheduleRequest(namespace=self._client.namespace, schedule_id=schedule_id)
        with _answering_unknown():
            found = await self._client.workflow_service.describe_schedule(request, retry=True, timeout=ATTEMPT)
        return self._shown(schedule_id, found)

    def _check_visible(self, caller: Caller, schedule_id: str) -> None:
        if _ID.fullmatch(schedule_id) is None or tenant_of(schedule_id) != caller.account_of(schedule_id):
            raise Problem(Kind.UNKNOWN_SCHEDULE)

    def _shown(self, schedule_id: str, found: DescribeScheduleResponse) -> Schedule:
        state, policies, info = found.schedule.state, found.schedule.policies, found.info
        started = found.schedule.action.start_workflow
        return Schedule(
            schedule_id=schedule_id,
            workflow_type=started.workflow_type.name,
            task_queue=started.task_queue.name,
            paused=state.paused,
            note=state.notes or None,
            overlap_policy=_policy_name(policies.overlap_policy),
            catch_up_window_seconds=policies.catchup_window.ToTimedelta().total_seconds(),
            next_runs=() if state.paused else _moments(info.future_action_times),
            recent_runs=self._runs(info.recent_actions),
            running=tuple(
                RunningRun(workflow_id=run.workflow_id, run_id=run.run_id, links=self._link_to(run.workflow_id))
                for run in info.running_workflows
            ),
            waiting_runs=info.buffer_size,
            missed=MissedRuns(
                catch_up=info.missed_catchup_window, overlap=info.overlap_skipped, buffer=info.buffer_dropped
            ),
            run_count=info.action_count,
            created_at=moment(info.create_time),
            updated_at=moment(info.update_time) if info.HasField("update_time") else None,
            links=self._links_of(schedule_id),
        )

    def _runs(self, actions: Sequence[ScheduleActionResult]) -> tuple[ScheduleRun, ...]:
        return tuple(
            ScheduleRun(
                workflow_id=action.start_workflow_result.workflow_id,
                run_id=action.start_workflow_result.run_id,
                scheduled_at=moment(action.schedule_time),
                started_at=moment(action.actual_time),
                links=self._link_to(action.start_workflow_result.workflow_id),
            )
            for action in reversed(actions)
        )

    def _link_to(self, workflow_id: str) -> OperationLink:
        return OperationLink(operation=self._operation_path(workflow_id))


def _check_range(wanted: BackfillRequest, *, now: datetime) -> None:
    if wanted.end_at > now:
        raise invalid_field("body", "endAt", "in the future; the schedule will run then by itself")
    if wanted.end_at <= wanted.start_at:
        raise invalid_field("body", "endAt", "not after `startAt`")
    if wanted.end_at - wanted.start_at > LONGEST_BACKFILL:
        raise invalid_field("body", "endAt", f"more than {LONGEST_BACKFILL.days} days after `startAt`")


@contextmanager
def _answering_unknown() -> Generator[None]:
    try:
        yield
    except RPCError as error:
        if is_missing_workflow(error):
            raise Problem(Kind.UNKNOWN_SCHEDULE) from None
        raise


def _policy_name(policy: ScheduleOverlapPolicy.ValueType) -> str:
    if policy == ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_UNSPECIFIED:
        policy = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP
    return ScheduleOverlapPolicy.Name(policy).removeprefix("SCHEDULE_OVERLAP_POLICY_").lower()


def _moments(timestamps: Iterable[Timestamp]) -> tuple[datetime, ...]:
    return tuple(moment(timestamp) for timestamp in timestamps)


def _timestamp(moment_: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment_)
    return timestamp
