"""Onboard a user: the account, its preferences, the welcome."""

import hashlib
from typing import Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from platform_contracts.analytics.events import event_of
    from platform_contracts.memo import Progress
    from platform_contracts.user.notification import Notification, NotificationInput, notification_workflow_id
    from platform_contracts.user.user_onboarding import (
        WORKFLOW_TYPE,
        AccountStatus,
        UserOnboarding,
        UserOnboardingInput,
        UserOnboardingResult,
        UserOnboardingStep,
    )
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.events import report_events
    from platform_workflow_tools.progress import report_progress
    from platform_workflow_tools.uninterrupted import uninterrupted
    from user_service.activities.accounts import AccountActivities, ActivateAccount, ActivatedAccount, CreateAccount

_MAX_ID_CHARACTERS: Final = 64
"""What a `ClientId` may have."""


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class UserOnboardingWorkflow(UserOnboarding):
    """Create the account, activate it, then welcome the user and report it, which can neither fail nor be cancelled."""

    @workflow.run
    async def run(self, onboarding: UserOnboardingInput) -> UserOnboardingResult:
        """Onboard the user."""
        report_progress(Progress(step=UserOnboardingStep.CREATING_ACCOUNT))
        await self._create_account(onboarding)

        # The pivot: from here on a cancel comes too late, for the user has an account.
        report_progress(Progress(step=UserOnboardingStep.ACTIVATING_ACCOUNT, cancellable=False))
        account = await uninterrupted(self._activate_account(onboarding))

        report_progress(Progress(step=UserOnboardingStep.WELCOMING, cancellable=False))
        await uninterrupted(self._welcome(onboarding))
        await uninterrupted(self._report(onboarding, account))

        report_progress(Progress(step=UserOnboardingStep.ONBOARDED, cancellable=False))
        return UserOnboardingResult(
            user_id=onboarding.user_id,
            account_status=AccountStatus.ACTIVE,
            onboarded_at=account.onboarded_at,
            welcome_notification_id=welcome_notification_id(onboarding.user_id),
        )

    async def _create_account(self, onboarding: UserOnboardingInput) -> None:
        await workflow.execute_activity_method(
            AccountActivities.create_account,
            CreateAccount(tenant=onboarding.tenant, user_id=onboarding.user_id, details=onboarding.details),
            **activity_options.DATABASE_WRITE,
        )

    async def _activate_account(self, onboarding: UserOnboardingInput) -> ActivatedAccount:
        return await workflow.execute_activity_method(
            AccountActivities.activate_account,
            ActivateAccount(tenant=onboarding.tenant, user_id=onboarding.user_id),
            **activity_options.DATABASE_WRITE,
        )

    async def _welcome(self, onboarding: UserOnboardingInput) -> None:
        """Start the welcome and leave it to itself; a repeated onboarding finds that it was started before."""
        notification_id = welcome_notification_id(onboarding.user_id)
        try:
            await workflow.start_child_workflow(
                Notification.run,
                NotificationInput(
                    tenant=onboarding.tenant,
                    notification_id=notification_id,
                    user_id=onboarding.user_id,
                    type="welcome",
                    message="",
                ),
                id=notification_workflow_id(tenant=onboarding.tenant, notification_id=notification_id),
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
        except FailureError as failure:
            workflow.logger.info("welcome.not_started", extra={"reason": type(failure).__name__})

    async def _report(self, onboarding: UserOnboardingInput, account: ActivatedAccount) -> None:
        try:
            await report_events(
                event_of(
                    tenant=onboarding.tenant,
                    event_type="user.onboarded",
                    subject_id=onboarding.user_id,
                    occurred_at=account.onboarded_at,
                )
            )
        except FailureError as failure:
            workflow.logger.warning("event.not_reported", extra={"reason": type(failure).__name__})


def welcome_notification_id(user_id: str) -> str:
    """Return the id of the one welcome a user gets; a hash stands for a user id that would make it too long."""
    readable = f"welcome-{user_id}"
    if len(readable) <= _MAX_ID_CHARACTERS:
        return readable
    return f"welcome-{hashlib.sha256(user_id.encode()).hexdigest()[:32]}"
