"""Examples of what the API answers about provider events."""

from collections.abc import Mapping
from typing import Any, Final

PROVIDER_EVENT_EXAMPLES: Final[Mapping[str, Any]] = {
    "ProviderEventReceived": {"eventId": "evt_1"},
    "ProviderEventDone": {
        "workflowId": "platform:payment:provider-event:acquirer-5f0c6dbd2f4c4a0b9d3e7c1a8b6f2e40-0d1e2f3a",
        "runId": "019a3e5c-6f0e-7b1a-9c55-1f2d3c4b5a69",
        "status": "COMPLETED",
        "result": {"provider": "acquirer", "eventId": "evt_1", "status": "applied", "reason": None},
    },
}
