"""Examples of what staff sees of the money: escalations and reconciliations."""

from collections.abc import Mapping
from typing import Any, Final

_RUN: Final = "019a3e5c-6f0e-7b1a-9c55-1f2d3c4b5a69"
_ESCALATION_ID: Final = "charge_unresolved-5f2b8d1e9c4a7036"
_RESOLUTION: Final = f"platform:payment:escalation-resolution:{_ESCALATION_ID}"
_ESCALATION_STATE: Final = {
    "escalationId": _ESCALATION_ID,
    "account": "acme",
    "reason": "charge_unresolved",
    "subject": "charge:acme:p-1",
    "details": [{"name": "provider", "value": "acquirer"}],
    "openedAt": "2026-11-23T12:00:00Z",
    "resolvedAt": None,
    "resolvedBy": None,
    "resolution": None,
}
_RESOLVED: Final = {
    **_ESCALATION_STATE,
    "resolvedAt": "2026-11-23T13:00:00Z",
    "resolvedBy": "user:grace",
    "resolution": "The acquirer confirms by phone that nothing was charged.",
}
_ESCALATION: Final = {**_ESCALATION_STATE, "links": {"self": f"/v1/escalations/{_ESCALATION_ID}"}}

_RECONCILIATION_ID: Final = "acquirer-0f6e7b1c-2d3a-4b5c-8d9e-0a1b2c3d4e5f"
_RECONCILIATION: Final = {
    "reconciliationId": _RECONCILIATION_ID,
    "provider": "acquirer",
    "since": "2026-11-23T10:58:00Z",
    "until": "2026-11-23T11:58:00Z",
    "finishedAt": "2026-11-23T12:00:01Z",
    "matched": 418,
    "missing": 0,
    "extra": 1,
    "mismatched": 0,
    "escalated": 0,
    "links": {"self": f"/v1/reconciliations/{_RECONCILIATION_ID}"},
}

OVERSIGHT_EXAMPLES: Final[Mapping[str, Any]] = {
    "ResolutionRequest": {"resolution": _RESOLVED["resolution"]},
    "Escalation": _ESCALATION,
    "EscalationsPage": {"escalations": [_ESCALATION], "nextCursor": None},
    "EscalationResolved": {
        "workflowId": _RESOLUTION,
        "runId": _RUN,
        "status": "COMPLETED",
        "result": _RESOLVED,
    },
    "ReconciliationsPage": {"reconciliations": [_RECONCILIATION], "nextCursor": None},
    "ReconciliationReport": {
        **_RECONCILIATION,
        "findings": [
            {
                "kind": "capture",
                "account": "acme",
                "name": "p-1",
                "difference": "extra",
                "state": "open",
                "atProvider": {"minorUnits": 1250, "currency": "EUR", "exponent": 2},
                "statusAtProvider": "succeeded",
                "posted": 0,
                "pending": 0,
                "firstSeenAt": "2026-11-23T12:00:01Z",
                "lastSeenAt": "2026-11-23T12:00:01Z",
            }
        ],
    },
}
