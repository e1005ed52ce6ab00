"""Take a listing off the market."""

from pydantic import ValidationError
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from listing_service.activities.listings import ListingActivities, ListingKey
    from platform_contracts.listing.archival import (
        WORKFLOW_TYPE,
        Archival,
        ArchivalInput,
        ArchivalResult,
        ArchivalStep,
    )
    from platform_contracts.listing.listing_draft import ListingStatus
    from platform_contracts.memo import Progress
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ArchivalWorkflow(Archival):
    """Archive the listing; a cancel ends it as long as it could not be archived."""

    @workflow.run
    async def run(self, archival: ArchivalInput) -> ArchivalResult:
        """Archive the listing."""
        report_progress(Progress(step=ArchivalStep.ARCHIVING))
        await workflow.execute_activity_method(
            ListingActivities.archive,
            ListingKey(tenant=archival.tenant, listing_id=archival.listing_id),
            **activity_options.DATABASE_WRITE,
        )
        report_progress(Progress(step=ArchivalStep.ARCHIVED, cancellable=False))
        return ArchivalResult(listing_id=archival.listing_id, status=ListingStatus.ARCHIVED)
