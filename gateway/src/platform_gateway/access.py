"""What each operation of the API asks of its caller: a route that is not named here does not come up at all."""

from collections.abc import Mapping
from typing import Final

from platform_gateway.identity.callers import Scope

PUBLIC: Final = frozenset({"livez", "readyz", "receiveProviderEvent"})
"""The operations that anybody may call; the last one believes nothing but a provider's signature."""

REQUIRED: Final[Mapping[str, Scope]] = {
    "startNotification": Scope.USERS_WRITE,
    "executeOnboarding": Scope.USERS_WRITE,
    "getWorkflowStatus": Scope.OPERATIONS_READ,
    "cancelWorkflow": Scope.OPERATIONS_CANCEL,
    "onboardUser": Scope.USERS_WRITE,
    "notifyUser": Scope.USERS_WRITE,
    "listInbox": Scope.USERS_READ,
    "getUser": Scope.USERS_READ,
    "draftListing": Scope.LISTINGS_WRITE,
    "listListings": Scope.LISTINGS_READ,
    "getListing": Scope.LISTINGS_READ,
    "submitListing": Scope.LISTINGS_WRITE,
    "reviewSubmission": Scope.LISTINGS_REVIEW,
    "archiveListing": Scope.LISTINGS_WRITE,
    "buy": Scope.PURCHASES_WRITE,
    "listPurchases": Scope.PURCHASES_READ,
    "getPurchase": Scope.PURCHASES_READ,
    "cancelPurchase": Scope.PURCHASES_WRITE,
    "listRefunds": Scope.PURCHASES_READ,
    "refundPurchase": Scope.REFUNDS_WRITE,
    "listSales": Scope.PURCHASES_READ,
    "listBalances": Scope.BALANCES_READ,
    "listEscalations": Scope.ESCALATIONS_READ,
    "getEscalation": Scope.ESCALATIONS_READ,
    "resolveEscalation": Scope.ESCALATIONS_RESOLVE,
    "listReconciliations": Scope.RECONCILIATIONS_READ,
    "getReconciliation": Scope.RECONCILIATIONS_READ,
    "payOut": Scope.PAYOUTS_WRITE,
    "listPayouts": Scope.PAYOUTS_READ,
    "getPayout": Scope.PAYOUTS_READ,
    "decidePayout": Scope.PAYOUTS_REVIEW,
    "cancelPayout": Scope.PAYOUTS_WRITE,
    "getPayoutPlan": Scope.PAYOUTS_READ,
    "changePayoutPlan": Scope.PAYOUTS_WRITE,
    "listEventCounts": Scope.ANALYTICS_READ,
    "listOperations": Scope.OPERATIONS_READ,
    "getOperation": Scope.OPERATIONS_READ,
    "streamOperationEvents": Scope.OPERATIONS_READ,
    "cancelOperation": Scope.OPERATIONS_CANCEL,
    "retryOperation": Scope.OPERATIONS_OPERATE,
    "resetOperation": Scope.OPERATIONS_OPERATE,
    "terminateOperation": Scope.OPERATIONS_TERMINATE,
    "pauseOperation": Scope.OPERATIONS_OPERATE,
    "resumeOperation": Scope.OPERATIONS_OPERATE,
    # The verb has a scope of its own beside it.
    "startBulkOperation": Scope.OPERATIONS_OPERATE,
    "getBulkOperation": Scope.OPERATIONS_OPERATE,
    "redriveProviderEvent": Scope.OPERATIONS_OPERATE,
    "createApiKey": Scope.API_KEYS_MANAGE,
    "listApiKeys": Scope.API_KEYS_MANAGE,
    "rotateApiKey": Scope.API_KEYS_MANAGE,
    "revokeApiKey": Scope.API_KEYS_MANAGE,
    "listAuditLog": Scope.AUDIT_READ,
    "listSchedules": Scope.SCHEDULES_READ,
    "getSchedule": Scope.SCHEDULES_READ,
    "pauseSchedule": Scope.SCHEDULES_OPERATE,
    "resumeSchedule": Scope.SCHEDULES_OPERATE,
    "triggerSchedule": Scope.SCHEDULES_OPERATE,
    "backfillSchedule": Scope.SCHEDULES_OPERATE,
}
"""The scope that a caller needs, by the operation's id."""

AUDITED: Final = frozenset(
    {
        "cancelWorkflow",
        "reviewSubmission",
        "cancelPurchase",
        "payOut",
        "decidePayout",
        "cancelPayout",
        "changePayoutPlan",
        "refundPurchase",
        "cancelOperation",
        "retryOperation",
        "resetOperation",
        "terminateOperation",
        "pauseOperation",
        "resumeOperation",
        "startBulkOperation",
        "resolveEscalation",
        "redriveProviderEvent",
        "createApiKey",
        "rotateApiKey",
        "revokeApiKey",
        "pauseSchedule",
        "resumeSchedule",
        "triggerSchedule",
        "backfillSchedule",
    }
)
"""The decisions: whoever takes one is in the audit log before it is taken. What staff do for another account, and what
they read of it, is there as well."""
