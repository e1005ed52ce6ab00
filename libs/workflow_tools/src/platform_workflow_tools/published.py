"""Call the published activity of another domain."""

from datetime import timedelta

from temporalio import workflow

from platform_contracts.published_activity import PublishedActivity, RequestT, ResultT


async def call(
    activity: PublishedActivity[RequestT, ResultT],
    request: RequestT,
    *,
    within: timedelta | None = None,
    pick_up_within: timedelta | None = None,
) -> ResultT:
    """Run the activity on its domain's queue, within the deadlines of its contract.

    Args:
        activity: the contract.
        request: its one argument.
        within: a deadline for all attempts, for a caller that has less time than the contract allows.
        pick_up_within: how long a worker may take to pick an attempt up, where the contract does not say.

    Raises:
        ActivityError: when it failed for good or missed a deadline.
    """
    return await workflow.execute_activity(
        activity.name,
        request,
        task_queue=activity.task_queue,
        result_type=activity.result_type,
        start_to_close_timeout=activity.start_to_close,
        schedule_to_close_timeout=min(within or activity.schedule_to_close, activity.schedule_to_close),
        schedule_to_start_timeout=pick_up_within or activity.schedule_to_start,
        retry_policy=activity.retry_policy,
    )
