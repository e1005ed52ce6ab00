"""An example of each body and answer about payouts, by the name of its model."""

from collections.abc import Mapping
from typing import Any, Final

_RUN: Final = "019a3e5c-6f0e-7b1a-9c55-1f2d3c4b5a69"
_PAYOUT_RUN: Final = "acme:payment:partner-payout:po-1"
_PAID: Final = {
    "payoutId": "po-1",
    "status": "paid",
    "amount": {"minorUnits": 1125, "currency": "EUR", "exponent": 2},
    "withheld": {"minorUnits": 0, "currency": "EUR", "exponent": 2},
    "carried": None,
}
_PAYOUT: Final = {
    **_PAID,
    "cut": "2026-11-23T00:00:00Z",
    "needsReview": False,
    "createdAt": "2026-11-23T00:15:00Z",
    "changedAt": "2026-11-23T00:15:01Z",
    "reserveUntil": None,
    "links": {"self": "/v1/payouts/po-1", "operation": f"/v1/operations/{_PAYOUT_RUN}"},
}
_PLAN: Final = {
    "schedule": "weekly",
    "minimumMinorUnits": 1000,
    "delayDays": 7,
    "reserveBasisPoints": 500,
    "reserveDays": 90,
    "reviewAboveMinorUnits": 1000000,
    "destination": None,
}


def _done(workflow_id: str, result: Mapping[str, Any]) -> dict[str, Any]:
    return {"workflowId": workflow_id, "runId": _RUN, "status": "COMPLETED", "result": result}


PAYOUT_EXAMPLES: Final[Mapping[str, Any]] = {
    "Payout": _PAYOUT,
    "PayoutDecisionRequest": {"decision": "approve", "comment": "Looks right.", "reviewerId": "edsger"},
    "PayoutDone": _done(_PAYOUT_RUN, _PAID),
    "PayoutPlanDone": _done("acme:payment:payout-plan-change:c-1", {"currency": "EUR", "plan": _PLAN}),
    "PayoutPlanRequest": _PLAN,
    "PayoutPlanState": {"currency": "EUR", "plan": _PLAN, "isDefault": False},
    "PayoutRequest": {"payoutId": "po-1", "currency": "EUR", "exponent": 2, "requesterId": "grace"},
    "PayoutReview": {
        "payoutId": "po-1",
        "outcome": "waiting_for_second",
        "decisions": [{"reviewerId": "edsger", "decision": "approve", "comment": "Looks right."}],
    },
    "PayoutsPage": {"payouts": [_PAYOUT], "nextCursor": None},
}
