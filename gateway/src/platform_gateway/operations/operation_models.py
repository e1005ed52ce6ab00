"""What the API takes and gives about operations and what operators do to them, in camelCase."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from platform_gateway.bulk_contract import ResetPoint, Verb
from platform_gateway.moments import Moment
from platform_gateway.operations.operation_filter import (
    MAX_TYPE_CHARACTERS,
    TYPE_PATTERN,
    Domain,
    OpenOrClosed,
    OperationFilter,
)
from platform_gateway.rest_models import Accepted, BlockedBy, Line, Links, Progress, ResourceModel, RestModel

Reason = Annotated[Line, StringConstraints(min_length=1, max_length=500)]
"""Why an operator does something; it stands in the audit log, and in an operation's history or a schedule's note."""


class OperationSummary(RestModel):
    """One line of a list of operations."""

    workflow_id: str
    run_id: str
    type: str
    task_queue: str
    status: str
    start_time: datetime
    close_time: datetime | None
    progress: Progress | None
    blocked_by: Annotated[
        BlockedBy | None,
        # Null would say that it moves, where nobody has looked.
        Field(description="Why it does not move; there with `blocked=true` alone.", exclude_if=lambda why: why is None),
    ] = None
    trace_id: str | None
    links: Links


class OperationsPage(RestModel):
    """A page of operations, open ones first, newest first."""

    operations: tuple[OperationSummary, ...]
    next_cursor: str | None
    """Null on the last page. A page may be short, or empty, and have one."""


class ReasonedRequest(ResourceModel):
    """An order to do something to an operation or a schedule, and why."""

    reason: Reason


class ResetRequest(ReasonedRequest):
    """An order to let an operation go on from an earlier point."""

    # Strict members take no text for an enumeration.
    to: Annotated[
        Annotated[ResetPoint, Field(strict=False)] | Annotated[int, Field(gt=1)],
        Field(description="A point, or the id of an event at which a workflow task ended."),
    ]


class Operated(Accepted):
    """What was done to an operation."""

    activities: tuple[str, ...] = ()
    """The types of the activities that it was done to; empty: to the operation as a whole."""


class Reset(Accepted):
    """An operation that goes on in a new run, whose id is `runId`."""

    previous_run_id: str


class Terminated(Accepted):
    """An operation that was ended at once."""

    taken_over_by: Literal["reconciliation"] | None
    """Who sees to what it leaves half done: for a purchase the reconciliation of money and stock; null: nobody."""


class BulkFilter(ResourceModel):
    """Which operations are meant, as in their list."""

    # Strict members take no text for an enumeration.
    domain: Annotated[Domain | None, Field(strict=False)] = None
    type: Annotated[str | None, Field(max_length=MAX_TYPE_CHARACTERS, pattern=TYPE_PATTERN)] = None
    status: Annotated[OpenOrClosed | None, Field(strict=False)] = None
    started_after: Moment | None = None
    started_before: Moment | None = None
    blocked: bool = False

    def operations(self) -> OperationFilter:
        """Return the filter."""
        return OperationFilter(**self.model_dump(by_alias=False))


class BulkRequest(ReasonedRequest):
    """An order to do the same thing to many operations, and why."""

    verb: Annotated[Verb, Field(strict=False)]
    filter: BulkFilter
    to: Annotated[
        ResetPoint | None, Field(strict=False, description="For `reset`; the last workflow task unless given.")
    ] = None
    dry_run: bool
    """Whether only to tell what would be done."""


class BulkPreview(RestModel):
    """What a bulk operation would do now."""

    dry_run: Literal[True] = True
    matched: int
    is_all: bool
    """False: more match than one bulk operation takes, or than could be looked at in time."""
    refused: dict[str, int]
    """How many would be refused as far as can be told, by the type of the problem."""
    sample: tuple[OperationSummary, ...]


class BulkCounts(RestModel):
    """How far a bulk operation has come."""

    total: int
    done: int
    refused: dict[str, int]
    """Operations to which it could not be done, by the type of the problem, such as `past_the_pivot`."""
    failed: int
    """Operations to which it may not have been done, because Temporal gave no answer."""


class BulkOperation(RestModel):
    """One thing that is done to many operations."""

    bulk_operation_id: str
    workflow_id: str
    """Its own operation; cancelling that one stops it."""
    verb: Verb
    reason: str
    status: str
    counts: BulkCounts
    start_time: datetime
    close_time: datetime | None
