"""Bulk operations as the gateway's own workflow has them: its messages, and what its memo tells."""

from enum import StrEnum
from typing import Final

from pydantic import Field

from platform_contracts.identifiers import workflow_id
from platform_contracts.message import ContractModel

WORKFLOW_TYPE: Final = "gateway.BulkOperation"
OPERATE: Final = "gateway.operate"
TASK_QUEUE: Final = "gateway"
"""Every gateway process works on it."""

MEMO: Final = "bulk"
"""Memo key: a `BulkState`."""

MOST_ITEMS: Final = 500
"""How many operations one bulk operation takes: its input and its history stay far below Temporal's limits, and nobody
ends more by a single mistake."""


class Verb(StrEnum):
    """What can be done to operations."""

    CANCEL = "cancel"
    RETRY = "retry"
    RESET = "reset"
    TERMINATE = "terminate"
    PAUSE = "pause"
    RESUME = "resume"


class ResetPoint(StrEnum):
    """Where a reset operation goes on from."""

    FIRST_WORKFLOW_TASK = "firstWorkflowTask"
    LAST_WORKFLOW_TASK = "lastWorkflowTask"


class Item(ContractModel):
    """One run of an operation."""

    workflow_id: str
    run_id: str


class Task(ContractModel):
    """What is to be done, by whom and why."""

    bulk_id: str
    tenant: str
    verb: Verb
    identity: str
    reason: str
    to: ResetPoint = ResetPoint.LAST_WORKFLOW_TASK


class BulkInput(ContractModel):
    """The task, and the operations that were chosen for it."""

    task: Task
    items: tuple[Item, ...]


class OperateInput(ContractModel):
    """The task, for one operation."""

    task: Task
    item: Item


class OperateResult(ContractModel):
    """What came of it for one operation."""

    refused: str | None = None
    """The type of the problem; None: it was done."""


class BulkState(ContractModel):
    """How far it has come."""

    verb: Verb
    reason: str
    total: int
    done: int = 0
    refused: dict[str, int] = Field(default_factory=dict[str, int])
    failed: int = 0


def bulk_workflow_id(*, tenant: str, bulk_id: str) -> str:
    """Return the workflow id of a bulk operation."""
    return workflow_id(tenant=tenant, domain="gateway", kind="bulk-operation", key=bulk_id)
