"""Where a client goes from an answer: the links of the OpenAPI document, by operation."""

from collections.abc import Mapping
from typing import Any, Final

_STARTED: Final = "$response.body#/workflowId"
_OPERATION: Final = {"getOperation": {"workflowId": _STARTED}, "cancelOperation": {"workflowId": _STARTED}}
_WORKFLOW: Final = {"getWorkflowStatus": {"workflowId": _STARTED}, "cancelWorkflow": {"workflowId": _STARTED}}
_LISTING: Final = {"listingId": "$request.body#/listingId"}
_API_KEY: Final = {each: {"keyId": "$response.body#/keyId"} for each in ("rotateApiKey", "revokeApiKey")}
_PURCHASE: Final = {"purchaseId": "$request.body#/purchaseId"}
_PAYOUT: Final = {
    each: {"payoutId": "$request.body#/payoutId"} for each in ("getPayout", "decidePayout", "cancelPayout")
}
_OPERATED: Final = (
    "getOperation",
    "cancelOperation",
    "retryOperation",
    "resetOperation",
    "terminateOperation",
    "pauseOperation",
    "resumeOperation",
)

LINKS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "startNotification": _WORKFLOW,
    "executeOnboarding": _WORKFLOW,
    "onboardUser": {**_OPERATION, "getUser": {"userId": "$request.path.userId"}},
    "notifyUser": {**_OPERATION, "listInbox": {"userId": "$request.path.userId"}},
    "draftListing": {**_OPERATION, "getListing": _LISTING, "submitListing": _LISTING, "archiveListing": _LISTING},
    "submitListing": {
        **_OPERATION,
        "reviewSubmission": {
            "listingId": "$request.path.listingId",
            "submissionId": "$request.body#/submissionId",
        },
    },
    "archiveListing": _OPERATION,
    "listOperations": {target: {"workflowId": "$response.body#/operations/0/workflowId"} for target in _OPERATED},
    "resetOperation": _OPERATION,
    "startBulkOperation": {
        **_OPERATION,
        "getBulkOperation": {"bulkOperationId": "$response.body#/bulkOperationId"},
    },
    "listEscalations": {
        each: {"escalationId": "$response.body#/escalations/0/escalationId"}
        for each in ("getEscalation", "resolveEscalation")
    },
    "resolveEscalation": _OPERATION,
    "listReconciliations": {
        "getReconciliation": {"reconciliationId": "$response.body#/reconciliations/0/reconciliationId"}
    },
    "redriveProviderEvent": _OPERATION,
    "createApiKey": _API_KEY,
    "rotateApiKey": _API_KEY,
    "listSchedules": {"getSchedule": {"scheduleId": "$response.body#/schedules/0/scheduleId"}},
    "payOut": {**_OPERATION, **_PAYOUT},
    "changePayoutPlan": {**_OPERATION, "getPayoutPlan": {"currency": "$request.path.currency"}},
    "buy": {
        **_OPERATION,
        "getPurchase": _PURCHASE,
        "cancelPurchase": _PURCHASE,
        "listRefunds": _PURCHASE,
        "refundPurchase": _PURCHASE,
    },
    "refundPurchase": {**_OPERATION, "listRefunds": {"purchaseId": "$request.path.purchaseId"}},
}
"""For each operation the ones that its answer leads to, and where their parameters come from."""


def links_from(operation_id: str) -> dict[str, Any]:
    """Return the link objects of an operation's successful answers."""
    return {
        target: {"operationId": target, "parameters": dict(parameters)}
        for target, parameters in LINKS.get(operation_id, {}).items()
    }
