"""Draft a listing."""

from pydantic import ValidationError
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from listing_service.activities.listings import ListingActivities, SaveDraft
    from platform_contracts.listing.listing_draft import (
        WORKFLOW_TYPE,
        ListingDraft,
        ListingDraftInput,
        ListingDraftResult,
        ListingDraftStep,
        ListingStatus,
    )
    from platform_contracts.memo import Progress
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ListingDraftWorkflow(ListingDraft):
    """Save the draft; a cancel ends it as long as it could not be saved."""

    @workflow.run
    async def run(self, draft: ListingDraftInput) -> ListingDraftResult:
        """Save the draft."""
        report_progress(Progress(step=ListingDraftStep.SAVING))
        await workflow.execute_activity_method(
            ListingActivities.save_draft,
            SaveDraft(tenant=draft.tenant, listing_id=draft.listing_id, details=draft.details),
            **activity_options.DATABASE_WRITE,
        )
        report_progress(Progress(step=ListingDraftStep.DRAFTED, cancellable=False))
        # Wherever the listing has gone since, this is what came of drafting it.
        return ListingDraftResult(listing_id=draft.listing_id, status=ListingStatus.DRAFT)
