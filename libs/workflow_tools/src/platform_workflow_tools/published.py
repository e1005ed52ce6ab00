"""Call the published activity of another domain."""

from temporalio import workflow

from platform_contracts.published_activity import PublishedActivity, RequestT, ResultT


async def call(activity: PublishedActivity[RequestT, ResultT], request: RequestT) -> ResultT:
    """Run the activity on its domain's queue, within the deadlines of its contract.

    Raises:
        ActivityError: when it failed for good or missed a deadline.
    """
    return await workflow.execute_activity(
        activity.name,
        request,
        task_queue=activity.task_queue,
        result_type=activity.result_type,
        start_to_close_timeout=activity.start_to_close,
        schedule_to_close_timeout=activity.schedule_to_close,
        schedule_to_start_timeout=activity.schedule_to_start,
        retry_policy=activity.retry_policy,
    )
