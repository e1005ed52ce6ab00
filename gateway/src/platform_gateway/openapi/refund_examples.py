"""The examples of refunds."""

from collections.abc import Mapping
from typing import Any, Final

_OPERATION: Final = "acme:payment:refund:r-1"
_AMOUNT: Final = {"minorUnits": 1250, "currency": "EUR", "exponent": 2}
_REFUND: Final = {"refundId": "r-1", "status": "succeeded", "amount": _AMOUNT}

REFUND_EXAMPLES: Final[Mapping[str, Any]] = {
    "RefundDone": {
        "workflowId": _OPERATION,
        "runId": "019a3e5c-6f0e-7b1a-9c55-1f2d3c4b5a69",
        "status": "COMPLETED",
        "result": _REFUND,
    },
    "RefundRequest": {"refundId": "r-1", "amount": _AMOUNT, "reason": "broken"},
    "Refunds": {
        "purchaseId": "p-1",
        "captured": _AMOUNT,
        "reversed": _AMOUNT,
        "refunds": [
            {
                **_REFUND,
                "reason": "broken",
                "requestedAt": "2026-11-23T12:00:00Z",
                "links": {"operation": f"/v1/operations/{_OPERATION}"},
            }
        ],
    },
}
