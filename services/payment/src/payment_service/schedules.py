"""When partners are paid, and when the books are compared."""

from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.common import Priority

from payment_service.settings import PaymentSettings
from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.payment.payout_run import PayoutRun, PayoutRunInput, payout_run_schedule_id
from platform_contracts.payment.reconciliation import (
    Reconciliation,
    ReconciliationInput,
    reconciliation_schedule_id,
)
from platform_contracts.task_queues import TaskQueue
from platform_runtime.schedules import ensure_schedule

_LATER: Final = timedelta(minutes=15)
"""Behind the end of a period, when the last of its sales are posted; one that is later still is paid the next time."""


async def ensure_schedules(client: Client) -> None:
    """Create the schedules or bring them up to date; an operator's pause is kept. Safe to repeat."""
    settings = PaymentSettings()
    schedule = payout_run_schedule(period_seconds=settings.payout_period_seconds)
    await ensure_schedule(client, schedule_id=payout_run_schedule_id(), schedule=schedule)
    schedule = reconciliation_schedule(period_seconds=settings.reconciliation_period_seconds)
    await ensure_schedule(client, schedule_id=reconciliation_schedule_id(), schedule=schedule)


def payout_run_schedule(*, period_seconds: int, task_queue: str = TaskQueue.PAYMENT) -> Schedule:
    """Return the schedule that starts a run in each period, counted from midnight UTC."""
    period = timedelta(seconds=period_seconds)
    return Schedule(
        action=ScheduleActionStartWorkflow(
            PayoutRun.run,
            PayoutRunInput(period_seconds=period_seconds),
            # Temporal adds the time of the run to it.
            id=payout_run_schedule_id(),
            task_queue=task_queue,
            priority=Priority(fairness_key=PLATFORM_TENANT),
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=period, offset=min(_LATER, period / 10))]),
        policy=SchedulePolicy(
            # A run takes seconds; where one falls due during another, it follows.
            overlap=ScheduleOverlapPolicy.BUFFER_ONE,
            # A run pays all that is payable up to its cut, so one makes up for every one that was missed.
            catchup_window=max(period, timedelta(seconds=10)),
        ),
    )


def reconciliation_schedule(*, period_seconds: int, task_queue: str = TaskQueue.PAYMENT) -> Schedule:
    """Return the schedule that starts a reconciliation in each period, counted from midnight UTC."""
    period = timedelta(seconds=period_seconds)
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Reconciliation.run,
            ReconciliationInput(),
            # Temporal adds the time of the run to it.
            id=reconciliation_schedule_id(),
            task_queue=task_queue,
            priority=Priority(fairness_key=PLATFORM_TENANT),
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=period)]),
        policy=SchedulePolicy(
            # The next run covers what a skipped one would have.
            overlap=ScheduleOverlapPolicy.SKIP,
            catchup_window=max(period, timedelta(seconds=10)),
        ),
    )
