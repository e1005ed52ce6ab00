"""Bring the counts up to date."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from analytics_service.activities.rollup import RollupActivities
    from platform_contracts.analytics.rollup import WORKFLOW_TYPE, Rollup, RollupInput, RollupResult, RollupStep
    from platform_contracts.memo import Progress
    from platform_workflow_tools.activity_options import BATCH
    from platform_workflow_tools.progress import report_progress


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class RollupWorkflow(Rollup):
    """Counts what has changed, or everything."""

    @workflow.run
    async def run(self, rollup: RollupInput) -> RollupResult:
        """Count; running it again, or beside another run, leaves the same counts."""
        report_progress(Progress(step=RollupStep.COUNTING))
        counted = await workflow.execute_activity_method(
            RollupActivities.roll_up,
            rollup,
            **BATCH,
            # A worker that dies is noticed after this long, not after the minutes that a large backlog may take; the
            # longest step between two heartbeats is one transaction, which may wait 8 s for SQLite's lock.
            heartbeat_timeout=timedelta(seconds=30),
        )
        report_progress(Progress(step=RollupStep.COUNTED, cancellable=False))
        return counted
