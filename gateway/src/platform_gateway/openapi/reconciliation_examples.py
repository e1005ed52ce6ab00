"""Examples of reconciliations."""

from collections.abc import Mapping
from typing import Any, Final

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

RECONCILIATION_EXAMPLES: Final[Mapping[str, Any]] = {
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
