"""What the API takes and gives, in camelCase; it stays as it is whatever becomes of the messages behind it."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal, cast

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from platform_contracts.identifiers import ClientId
from platform_contracts.user.notification import MAX_MESSAGE_CHARACTERS, Channel, DeliveryReason, DeliveryStatus
from platform_contracts.user.user_onboarding import AccountStatus

MAX_NAME_CHARACTERS: Final = 200
MAX_TYPE_CHARACTERS: Final = 64

_ENDS_A_LINE: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
"""Unicode's control characters and line separators: a name stands in the head of a mail."""


class RestModel(BaseModel):
    """The base: camelCase outside, snake_case inside, and no conversion of types."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True, frozen=True
    )


class AskedModel(RestModel):
    """A body of the asked routes, which stay as they are: members that we do not know are ignored."""

    model_config = ConfigDict(strict=True, validate_by_name=False)


class ResourceModel(RestModel):
    """A body of the resource API: members that we do not know are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(strict=True, validate_by_name=False, extra="forbid")


def _checked_email(address: str) -> str:
    try:
        # Whether the domain exists is not asked: an outage of the name service must not refuse a user.
        validate_email(address.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        # The library's text quotes the address.
        raise ValueError("not a valid e-mail address") from None
    return address


def _checked_line(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    if re.search(f"[{_ENDS_A_LINE}]", text):
        raise ValueError("must not hold control characters")
    return text


Email = Annotated[str, AfterValidator(_checked_email), Field(json_schema_extra={"format": "email"})]
Line = Annotated[
    str,
    AfterValidator(_checked_line),
    # What the check refuses, said to clients; the check itself says which of the two it is.
    Field(json_schema_extra={"pattern": rf"^[^{_ENDS_A_LINE}]*[^\s{_ENDS_A_LINE}][^{_ENDS_A_LINE}]*$"}),
]
"""A text of one line that is not blank."""

Name = Annotated[Line, StringConstraints(min_length=1, max_length=MAX_NAME_CHARACTERS)]
# NUL is valid JSON, but no text of a PostgreSQL database.
Message = Annotated[str, StringConstraints(min_length=1, max_length=MAX_MESSAGE_CHARACTERS, pattern=r"^[^\x00]*$")]
NotificationType = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TYPE_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]*$")
]


class NotificationRequest(AskedModel):
    """A notification for one user."""

    user_id: ClientId
    message: Message
    type: NotificationType


class OnboardingRequest(AskedModel):
    """A user to be onboarded."""

    user_id: ClientId
    email: Email
    name: Name


class UserNotificationRequest(ResourceModel):
    """A notification for the user of the path."""

    message: Message
    type: NotificationType


class UserOnboardingRequest(ResourceModel):
    """The details of the user of the path."""

    email: Email
    name: Name


class Accepted(RestModel):
    """An operation that goes on; `Location` says where to look."""

    workflow_id: str
    run_id: str
    status: str


class OnboardingResult(RestModel):
    """The account as it came out of onboarding."""

    user_id: str
    account_status: AccountStatus
    onboarded_at: datetime
    welcome_notification_id: str


class OnboardingDone(Accepted):
    """An onboarding that has completed."""

    result: OnboardingResult


class Delivery(RestModel):
    """The outcome of a notification on one channel."""

    channel: Channel
    status: DeliveryStatus
    reason: DeliveryReason | None


class NotificationResult(RestModel):
    """What became of a notification, a line per channel."""

    notification_id: str
    deliveries: tuple[Delivery, ...]


class NotificationDone(Accepted):
    """A notification that has completed."""

    result: NotificationResult


class Failure(RestModel):
    """Why an operation failed: a stable type, and a text that may be shown to anybody."""

    type: str | None
    message: str
    detail: str | None = Field(default=None, exclude_if=lambda detail: detail is None)
    """What the failure itself said, and its causes; there for callers who may operate alone."""


class Progress(RestModel):
    """Where an operation stands, as it says itself."""

    step: str
    cancellable: bool
    waiting_for: str | None
    compensation: str
    trace_id: str | None


class WaitingForWorker(RestModel):
    """A task that no worker has picked up for more than two seconds."""

    reason: Literal["waiting_for_worker"] = "waiting_for_worker"
    queue: str
    since: datetime


class WorkflowTaskFailing(RestModel):
    """The workflow's own code fails, and is tried again."""

    reason: Literal["workflow_task_failing"] = "workflow_task_failing"
    attempt: int
    cause: str | None


class ActivityRetrying(RestModel):
    """An activity failed, and is tried again."""

    reason: Literal["activity_retrying"] = "activity_retrying"
    name: str
    attempt: int
    last_error: Failure | None
    next_attempt_time: datetime | None
    """None: this attempt is running."""


class WaitingFor(RestModel):
    """A person or an event has to come first."""

    reason: Literal["waiting_for"] = "waiting_for"
    what: str
    deadline: datetime | None


class Paused(RestModel):
    """An operator has paused it."""

    reason: Literal["paused"] = "paused"


BlockedBy = Annotated[
    WaitingForWorker | WorkflowTaskFailing | ActivityRetrying | WaitingFor | Paused, Field(discriminator="reason")
]


class Links(RestModel):
    """Where to go from an operation."""

    self: str
    cancel: str | None
    """None once a cancel would be refused."""
    web_ui: str
    """Its page in Temporal's Web UI."""
    temporal: str
    """The same as `webUi`, under its earlier name."""
    trace: str | None
    """None when it has none; a run of a schedule may have a trace of its own, without a `traceId`."""
    resource: str | None = None
    """What it makes or is about, such as the purchase; there once it is made. None where nothing can be read."""


class OperationStatus(RestModel):
    """An operation: what it is, where it stands, and why it does not move."""

    workflow_id: str
    run_id: str
    type: str
    task_queue: str
    status: str
    start_time: datetime
    close_time: datetime | None
    result: Any
    """The result of the workflow's contract in camelCase; null unless it has completed."""
    failure: Failure | None
    progress: Progress | None
    blocked_by: BlockedBy | None
    """Null while it moves, and once it has ended."""
    trace_id: str | None
    """The trace of the request that started it; null for a run of a schedule."""
    links: Links


class OperationLink(RestModel):
    """Where something came from."""

    operation: str
    """The operation that made it; 404 once Temporal no longer keeps it."""


class ResourceLinks(OperationLink):
    """Where to go from a resource."""

    self: str


class InboxMessage(RestModel):
    """One message as the user reads it."""

    notification_id: str
    type: str
    subject: str
    body: str
    delivered_at: datetime
    links: OperationLink


class InboxPage(RestModel):
    """A page of an inbox, newest first; the inbox of an unknown user is empty."""

    user_id: str
    messages: tuple[InboxMessage, ...]
    next_cursor: str | None


class Preferences(RestModel):
    """What the user wants to receive."""

    email_enabled: bool


class UserAccount(RestModel):
    """An account, without its personal data."""

    user_id: str
    status: AccountStatus
    created_at: datetime
    preferences: Preferences | None
    links: ResourceLinks


class EventCount(RestModel):
    """How often something happened in one period."""

    type: str
    period_start: datetime
    count: int


class EventCountsPage(RestModel):
    """A page of counts, newest period first, as of the last rollup."""

    granularity: str
    counts: tuple[EventCount, ...]
    counted_at: datetime | None
    next_cursor: str | None


class Health(RestModel):
    """That the process works."""

    status: str


def camel_case(value: Any) -> Any:
    """Return JSON with its members' names in camelCase, at every depth."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {to_camel(name): camel_case(member) for name, member in members.items()}
    if isinstance(value, list):
        return [camel_case(item) for item in cast("list[Any]", value)]
    return value
