"""An example of each body and answer, by the name of its model; tests hold each against its schema."""

from collections.abc import Mapping
from typing import Any, Final

from platform_gateway.openapi.oversight_examples import OVERSIGHT_EXAMPLES
from platform_gateway.openapi.payout_examples import PAYOUT_EXAMPLES
from platform_gateway.openapi.refund_examples import REFUND_EXAMPLES

_RUN: Final = "019a3e5c-6f0e-7b1a-9c55-1f2d3c4b5a69"
_TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
_ONBOARDING: Final = "acme:user:user-onboarding:u-1"
_NOTIFICATION: Final = "acme:user:notification:n-1"
_DRAFT: Final = "acme:listing:listing-draft:lamp"
_SUBMISSION: Final = "acme:listing:publication:lamp-1"
_PURCHASE: Final = "acme:listing:purchase:p-1"
_PRICE: Final = {"minorUnits": 1250, "currency": "EUR", "exponent": 2}
_PUBLISHED: Final = {
    "listingId": "lamp",
    "submissionId": "lamp-1",
    "outcome": "published",
    "listingStatus": "published",
    "reviewerId": "edsger",
    "reason": "",
}
_LISTING: Final = {
    "listingId": "lamp",
    "title": "A lamp",
    "description": "It gives light.",
    "price": _PRICE,
    "status": "published",
    "stock": {"available": 9, "held": 0, "sold": 1},
    "links": {"self": "/v1/listings/lamp", "operation": f"/v1/operations/{_DRAFT}"},
}
_BOUGHT: Final = {
    "purchaseId": "p-1",
    "buyerId": "ada",
    "state": "sold",
    "total": _PRICE,
    "lines": [{"seller": "acme", "listingId": "lamp", "quantity": 1, "price": _PRICE}],
    "reservedAt": "2026-11-23T12:00:00Z",
    "links": {"self": "/v1/purchases/p-1", "operation": f"/v1/operations/{_PURCHASE}"},
}


_SCHEDULE: Final = "platform:analytics:rollup:hour"
_ROLLUP: Final = f"{_SCHEDULE}-2026-11-23T12:05:00Z"
_SCHEDULED: Final = {
    "scheduleId": _SCHEDULE,
    "workflowType": "analytics.Rollup",
    "paused": False,
    "note": None,
    "nextRuns": ["2026-11-23T13:05:00Z", "2026-11-23T14:05:00Z"],
    "recentRuns": [
        {
            "workflowId": _ROLLUP,
            "runId": _RUN,
            "scheduledAt": "2026-11-23T12:05:00Z",
            "startedAt": "2026-11-23T12:05:00.02Z",
            "links": {"operation": f"/v1/operations/{_ROLLUP}"},
        }
    ],
    "links": {
        "self": f"/v1/schedules/{_SCHEDULE}",
        **{verb: f"/v1/schedules/{_SCHEDULE}/{verb}" for verb in ("pause", "resume", "trigger", "backfill")},
    },
}
_MISSED_HOURS: Final = {
    "startAt": "2026-11-23T08:00:00Z",
    "endAt": "2026-11-23T12:00:00Z",
    "overlapPolicy": "buffer_all",
}

_WHY: Final = "the acquirer answers again"
_PURCHASE_LINKS: Final = {
    "self": f"/v1/operations/{_PURCHASE}",
    "cancel": f"/v1/operations/{_PURCHASE}/cancel",
    "webUi": f"http://localhost:8233/namespaces/default/workflows/{_PURCHASE}/{_RUN}",
    "temporal": f"http://localhost:8233/namespaces/default/workflows/{_PURCHASE}/{_RUN}",
    "trace": f"http://localhost:16686/trace/{_TRACE}",
    "resource": "/v1/purchases/p-1",
}
_LINE: Final = {
    "workflowId": _PURCHASE,
    "runId": _RUN,
    "type": "listing.Purchase",
    "taskQueue": "listing",
    "status": "RUNNING",
    "startTime": "2026-11-23T12:00:00Z",
    "closeTime": None,
    "progress": {
        "step": "authorising",
        "cancellable": True,
        "waitingFor": None,
        "compensation": "none",
        "traceId": _TRACE,
    },
    "blockedBy": {"reason": "waiting_for_worker", "queue": "payment", "since": "2026-11-23T12:00:01Z"},
    "traceId": _TRACE,
    "links": _PURCHASE_LINKS,
}
_PREVIEW: Final[dict[str, Any]] = {"dryRun": True, "matched": 1, "isAll": True, "refused": {}, "sample": [_LINE]}


def _done(workflow_id: str, result: Mapping[str, Any], *, status: str = "COMPLETED") -> dict[str, Any]:
    return {"workflowId": workflow_id, "runId": _RUN, "status": status, "result": result}


_KEY: Final = {
    "keyId": "3f9a1c07b2d4e865",
    "account": "acme",
    "name": "warehouse",
    "role": "partner",
    "scopes": ["purchases:read"],
    "createdAt": "2026-11-23T12:00:00Z",
    "createdBy": "key:a1b2c3d4e5f60718",
    "expiresAt": None,
    "revokedAt": None,
    "successor": None,
}
_ISSUED: Final = {**_KEY, "apiKey": f"pp_live_{_KEY['keyId']}_{'x' * 43}"}

EXAMPLES: Final[Mapping[str, Any]] = {
    **REFUND_EXAMPLES,
    **PAYOUT_EXAMPLES,
    "ApiKeyRequest": {"role": "partner", "scopes": ["purchases:read"], "name": "warehouse"},
    "ApiKeyState": {**_KEY, "revokedAt": "2026-11-24T08:00:00Z"},
    "ApiKeysPage": {"apiKeys": [_KEY], "nextCursor": None},
    "AuditLogPage": {
        "entries": [
            {
                "entryId": "42",
                "recordedAt": "2026-11-23T12:00:00Z",
                "account": "acme",
                "subject": "user:ada",
                "home": "platform",
                "action": "reviewSubmission",
                "target": "/v1/listings/lamp/submissions/lamp-1/review",
                "outcome": "done",
                "details": {"approved": True, "reviewerId": "edsger"},
                "traceId": _TRACE,
            }
        ],
        "nextCursor": None,
    },
    "IssuedApiKey": _ISSUED,
    "RotationRequest": {"overlapSeconds": 86400},
    "Accepted": {"workflowId": _PURCHASE, "runId": _RUN, "status": "RUNNING"},
    "BackfillAccepted": {"scheduleId": _SCHEDULE, **_MISSED_HOURS, "runs": 4},
    "BackfillRequest": _MISSED_HOURS,
    **OVERSIGHT_EXAMPLES,
    "Balances": {"balances": [{"minorUnits": 1125, "currency": "EUR", "exponent": 2}], "asOf": "2026-11-23T12:00:00Z"},
    "BulkOperation": {
        "bulkOperationId": "b-1",
        "workflowId": "acme:gateway:bulk-operation:b-1",
        "verb": "retry",
        "reason": _WHY,
        "status": "RUNNING",
        "counts": {"total": 12, "done": 9, "refused": {"nothing_to_retry": 1}, "failed": 0},
        "startTime": "2026-11-23T12:00:00Z",
        "closeTime": None,
    },
    "BulkPreview": _PREVIEW,
    "BulkRequest": {
        "verb": "retry",
        "filter": {"domain": "listing", "blocked": True},
        "reason": _WHY,
        "dryRun": False,
    },
    "EventCountsPage": {
        "granularity": "hour",
        "counts": [{"type": "listing.purchased", "periodStart": "2026-11-23T12:00:00Z", "count": 3}],
        "countedAt": "2026-11-23T13:00:04Z",
        "nextCursor": None,
    },
    "Health": {"status": "ready"},
    "InboxPage": {
        "userId": "u-1",
        "messages": [
            {
                "notificationId": "n-1",
                "type": "info",
                "subject": "Information",
                "body": "Your order is on its way.",
                "deliveredAt": "2026-11-23T12:00:00Z",
                "links": {"operation": f"/v1/operations/{_NOTIFICATION}"},
            }
        ],
        "nextCursor": None,
    },
    "Listing": _LISTING,
    "ListingDone": _done(_DRAFT, {"listingId": "lamp", "status": "draft"}),
    "ListingRequest": {
        "listingId": "lamp",
        "title": "A lamp",
        "description": "It gives light.",
        "price": _PRICE,
        "stock": 10,
    },
    "ListingsPage": {"listings": [_LISTING], "nextCursor": None},
    "NotificationDone": _done(
        _NOTIFICATION,
        {
            "notificationId": "n-1",
            "deliveries": [
                {"channel": "in_app", "status": "sent", "reason": None},
                {"channel": "email", "status": "skipped", "reason": "no_address"},
            ],
        },
    ),
    "NotificationRequest": {"userId": "u-1", "message": "Your order is on its way.", "type": "info"},
    "OnboardingDone": _done(
        _ONBOARDING,
        {
            "userId": "u-1",
            "accountStatus": "active",
            "onboardedAt": "2026-11-23T12:00:00Z",
            "welcomeNotificationId": "welcome-u-1",
        },
    ),
    "OnboardingRequest": {"userId": "u-1", "email": "ada@example.com", "name": "Ada"},
    "Operated": {
        "workflowId": _PURCHASE,
        "runId": _RUN,
        "status": "RUNNING",
        "activities": ["payment.authorise"],
    },
    "OperationsPage": {"operations": [_LINE], "nextCursor": None},
    "OperationStatus": {
        "workflowId": _PURCHASE,
        "runId": _RUN,
        "type": "listing.Purchase",
        "taskQueue": "listing",
        "status": "RUNNING",
        "startTime": "2026-11-23T12:00:00Z",
        "closeTime": None,
        "result": None,
        "failure": None,
        "progress": {
            "step": "authorising",
            "cancellable": True,
            "waitingFor": None,
            "compensation": "none",
            "traceId": _TRACE,
        },
        "blockedBy": {"reason": "waiting_for_worker", "queue": "payment", "since": "2026-11-23T12:00:01Z"},
        "traceId": _TRACE,
        "links": _PURCHASE_LINKS,
    },
    "PublicationDone": _done(_SUBMISSION, _PUBLISHED),
    "PublicationResult": _PUBLISHED,
    "Purchase": _BOUGHT,
    "PurchaseDone": _done(_PURCHASE, {"purchaseId": "p-1", "status": "captured", "total": _PRICE}, status="RUNNING"),
    "PurchaseRequest": {
        "purchaseId": "p-1",
        "buyerId": "ada",
        "lines": [{"listingId": "lamp", "quantity": 1}],
        "paymentToken": "tok_ok",
    },
    "PurchasesPage": {"purchases": [_BOUGHT], "nextCursor": None},
    "ReasonedRequest": {"reason": _WHY},
    "Reset": {
        "workflowId": _PURCHASE,
        "runId": _RUN,
        "status": "RUNNING",
        "previousRunId": "019a3e5c-0000-7b1a-9c55-1f2d3c4b5a69",
    },
    "ResetRequest": {"to": "lastWorkflowTask", "reason": _WHY},
    "ReviewRequest": {"reviewerId": "edsger", "approved": True, "reason": ""},
    "SalesPage": {
        "sales": [
            {
                "purchaseId": "p-1",
                "listingId": "lamp",
                "quantity": 1,
                "price": _PRICE,
                "soldAt": "2026-11-23T12:00:02Z",
            }
        ],
        "nextCursor": None,
    },
    "Schedule": {
        **_SCHEDULED,
        "taskQueue": "analytics",
        "overlapPolicy": "skip",
        "catchUpWindowSeconds": 3600.0,
        "running": [],
        "waitingRuns": 0,
        "missed": {"catchUp": 0, "overlap": 0, "buffer": 0},
        "runCount": 12,
        "createdAt": "2026-11-23T00:00:00Z",
        "updatedAt": None,
    },
    "SchedulesPage": {"schedules": [_SCHEDULED], "nextCursor": None},
    "SubmissionRequest": {"submitterId": "grace", "submissionId": "lamp-1"},
    "TriggerAccepted": {"scheduleId": _SCHEDULE, "links": _SCHEDULED["links"]},
    "Terminated": {
        "workflowId": _PURCHASE,
        "runId": _RUN,
        "status": "TERMINATED",
        "takenOverBy": "reconciliation",
    },
    "UserAccount": {
        "userId": "u-1",
        "status": "active",
        "createdAt": "2026-11-23T12:00:00Z",
        "preferences": {"emailEnabled": True},
        "links": {"self": "/v1/users/u-1", "operation": f"/v1/operations/{_ONBOARDING}"},
    },
    "UserNotificationRequest": {"message": "Your order is on its way.", "type": "info"},
    "UserOnboardingRequest": {"email": "ada@example.com", "name": "Ada"},
}

EVENTS: Final = f"""\
retry: 2000

event: progress
data: {{"time":"2026-11-23T12:00:00Z","step":"authorising","cancellable":true,"waitingFor":null,"compensation":"none"}}
id: {_RUN}:8

event: closed
data: {{"time":"2026-11-23T12:00:02Z","status":"COMPLETED","failure":null}}
id: {_RUN}:41

"""
"""A stream of events, as it is on the wire."""
