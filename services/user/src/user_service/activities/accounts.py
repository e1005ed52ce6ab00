"""Activities that create and activate accounts."""

from datetime import UTC, datetime

from temporalio import activity

from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.message import ContractModel
from platform_contracts.user.user_onboarding import UserPersonalDetails
from user_service.activities.failures import translated
from user_service.ports import Accounts, DetailsRule


class CreateAccount(ContractModel):
    """Which account, and whose."""

    tenant: Tenant
    user_id: ClientId
    details: UserPersonalDetails


class ActivateAccount(ContractModel):
    """Which account."""

    tenant: Tenant
    user_id: ClientId


class ActivatedAccount(ContractModel):
    """An active account."""

    onboarded_at: datetime
    """When it became active, the first time."""


class AccountActivities:
    """What is done to accounts."""

    def __init__(self, accounts: Accounts, checked_details: DetailsRule) -> None:
        """Work on the accounts, by the rule."""
        self._accounts = accounts
        self._checked_details = checked_details

    @activity.defn(name="user.create_account")
    async def create_account(self, request: CreateAccount) -> None:
        """Create the account, pending.

        A repeat finds its own account and changes nothing. A pending account with other details is what an onboarding
        that failed or was cancelled has left: it takes the new ones.

        Raises:
            ApplicationError: of type `INVALID_ACCOUNT_DETAILS`, or `ACCOUNT_DETAILS_DIFFER` for an active account.
        """
        with translated():
            await self._accounts.create(
                tenant=request.tenant,
                user_id=request.user_id,
                details=self._checked_details(email=request.details.email, name=request.details.name),
                now=datetime.now(UTC),
            )

    @activity.defn(name="user.activate_account")
    async def activate_account(self, request: ActivateAccount) -> ActivatedAccount:
        """Make the account active and give it default preferences, in one transaction.

        A repeat changes nothing and returns the moment of the first time.
        """
        onboarded_at = await self._accounts.activate(
            tenant=request.tenant, user_id=request.user_id, now=datetime.now(UTC)
        )
        return ActivatedAccount(onboarded_at=onboarded_at)
