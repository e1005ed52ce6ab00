"""Onboard a user: the account, its preferences, the welcome."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel

WORKFLOW_TYPE: Final = "user.UserOnboarding"


class UserOnboardingStep(StrEnum):
    """What `progress.step` can say."""

    CREATING_ACCOUNT = "creating_account"
    ACTIVATING_ACCOUNT = "activating_account"
    WELCOMING = "welcoming"
    ONBOARDED = "onboarded"


class AccountStatus(StrEnum):
    """Whether an account can be used."""

    PENDING = "pending"
    ACTIVE = "active"


class UserPersonalDetails(ContractModel):
    """Who the user is. Personal data stays in this model, so that it is seen where it goes."""

    email: str
    name: str


class UserOnboardingInput(ContractModel):
    """What it takes to onboard a user."""

    tenant: Tenant
    user_id: ClientId
    details: UserPersonalDetails


class UserOnboardingResult(ContractModel):
    """The account as it came out of onboarding."""

    user_id: ClientId
    account_status: AccountStatus
    onboarded_at: datetime
    welcome_notification_id: ClientId


def user_onboarding_workflow_id(*, tenant: str, user_id: str) -> str:
    """Return the workflow id that onboards one user at most once at a time."""
    return workflow_id(tenant=tenant, domain="user", kind="user-onboarding", key=user_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class UserOnboarding:
    """Onboard a user: create the account, give it preferences, welcome the user."""

    @workflow.run
    async def run(self, onboarding: UserOnboardingInput) -> UserOnboardingResult:
        """Onboard the user; from `activating_account` on it is no longer cancellable.

        Raises:
            ApplicationError: of type `UserFailure.INVALID_ACCOUNT_DETAILS` for details no account can have, or
                `UserFailure.ACCOUNT_DETAILS_DIFFER` when the user was onboarded with other details before.
        """
        raise NotImplementedError
