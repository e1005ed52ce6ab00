"""What a workflow's memo tells: readable without a worker, and after the workflow has closed."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from platform_contracts.message import ContractModel

FINGERPRINT: Final = "fingerprint"
"""Memo key: the hash of the canonical request that started the workflow."""

START: Final = "start"
"""Memo key: the random token of the one request whose start it was, by which a retry of that knows its own."""

TRACE_ID: Final = "trace_id"
"""Memo key: the OpenTelemetry trace of the request that started the workflow, 32 hex digits."""

RESOURCE_ID: Final = "resource_id"
"""Memo key: the id of what the workflow is about, where its own id does not tell: a submission's listing, a
notification's user."""

PROGRESS: Final = "progress"
"""Memo key: a `Progress`."""


class Compensation(StrEnum):
    """How far the undoing of a failed or cancelled workflow has come."""

    NONE = "none"
    RUNNING = "running"
    STUCK = "stuck"
    DONE = "done"
    RESOLVED_BY_OPERATOR = "resolved_by_operator"


class Progress(ContractModel):
    """Where a workflow stands."""

    step: str
    """What it does now, or did last: a word from the workflow's contract."""
    cancellable: bool = True
    """False once the workflow has passed its pivot: a cancel is refused from then on."""
    waiting_for: str | None = None
    """The person or event it waits for; None while it works."""
    deadline: datetime | None = None
    """When it stops waiting for it; None when it does not wait, or as long as it takes."""
    compensation: Compensation = Compensation.NONE
