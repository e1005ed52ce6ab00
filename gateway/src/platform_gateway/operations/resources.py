"""What an operation makes or is about, as a resource of the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from platform_contracts.listing import archival, listing_draft, publication, purchase
from platform_contracts.payment import escalation_resolution, partner_payout, refund
from platform_contracts.user import notification, user_onboarding
from platform_gateway.operations.describing import Execution

# The names of the routes that show a resource.
ACCOUNT_ROUTE: Final = "user_account"
INBOX_ROUTE: Final = "user_inbox"
LISTING_ROUTE: Final = "one_listing"
PURCHASE_ROUTE: Final = "one_purchase"
ESCALATION_ROUTE: Final = "one_escalation"
PAYOUT_ROUTE: Final = "one_payout"
REFUNDS_ROUTE: Final = "refunds_of_purchase"


@dataclass(frozen=True)
class Resource:
    """A resource by the route that shows it."""

    route: str
    parameter: str
    id: str


ResourcePath = Callable[[Resource], str | None]
"""Returns the path of a resource; None where the application around the routes does not show it."""

_SHOWN_BY: Final[Mapping[str, tuple[str, str]]] = {
    user_onboarding.WORKFLOW_TYPE: (ACCOUNT_ROUTE, "userId"),
    notification.WORKFLOW_TYPE: (INBOX_ROUTE, "userId"),
    listing_draft.WORKFLOW_TYPE: (LISTING_ROUTE, "listingId"),
    publication.WORKFLOW_TYPE: (LISTING_ROUTE, "listingId"),
    archival.WORKFLOW_TYPE: (LISTING_ROUTE, "listingId"),
    escalation_resolution.WORKFLOW_TYPE: (ESCALATION_ROUTE, "escalationId"),
    purchase.WORKFLOW_TYPE: (PURCHASE_ROUTE, "purchaseId"),
    partner_payout.WORKFLOW_TYPE: (PAYOUT_ROUTE, "payoutId"),
    refund.WORKFLOW_TYPE: (REFUNDS_ROUTE, "purchaseId"),
}

_NAMED_OTHERWISE: Final = frozenset({notification.WORKFLOW_TYPE, publication.WORKFLOW_TYPE, refund.WORKFLOW_TYPE})
"""The id of these is that of one message, submission or refund, not of the resource; their memo has that."""


async def resource_of(found: Execution) -> Resource | None:
    """Return what the operation makes or is about; None when it is nothing that can be read, or is not known."""
    shown_by = _SHOWN_BY.get(found.info.type.name)
    if shown_by is None:
        return None
    resource_id = await found.resource_id()
    if resource_id is None and found.info.type.name not in _NAMED_OTHERWISE:
        resource_id = found.workflow_id.rpartition(":")[2]
    return None if resource_id is None else Resource(*shown_by, resource_id)
