"""What a request starts: the workflow, its id, its queue, and what a second request of the same id means."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar
from uuid import uuid4

from temporalio.common import WorkflowIDReusePolicy
from temporalio.workflow import UpdateMethodMultiParam

from platform_contracts.identifiers import idempotency_key_id
from platform_contracts.message import ContractModel
from platform_contracts.task_queues import TaskQueue
from platform_contracts.user.notification import (
    Notification,
    NotificationInput,
    NotificationResult,
    notification_workflow_id,
)
from platform_contracts.user.user_onboarding import (
    UserOnboarding,
    UserOnboardingInput,
    UserOnboardingResult,
    UserPersonalDetails,
    user_onboarding_workflow_id,
)
from platform_gateway.fingerprint import fingerprint
from platform_gateway.problems import Kind, invalid_field
from platform_gateway.rest_models import (
    NotificationRequest,
    OnboardingRequest,
    UserNotificationRequest,
    UserOnboardingRequest,
)

RequestT = TypeVar("RequestT", bound=ContractModel)
ResultT = TypeVar("ResultT", bound=ContractModel)


class Repeat(Enum):
    """What a repeated id means: may it run again, and what another body is."""

    ONCE = (WorkflowIDReusePolicy.REJECT_DUPLICATE, Kind.IDEMPOTENCY_KEY_REUSED)
    """The client's key: it stands for one request for good."""
    ONCE_BY_ID = (WorkflowIDReusePolicy.REJECT_DUPLICATE, Kind.DIFFERENT_DETAILS)
    """The client's id of the one thing that it asks for: what failed is asked for again under another id."""
    AGAIN_AFTER_FAILURE = (WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, Kind.DIFFERENT_DETAILS)
    """The business key: what failed, was cancelled, terminated or timed out may run again."""

    def __init__(self, reuse_policy: WorkflowIDReusePolicy, other_body: Kind) -> None:
        self.reuse_policy = reuse_policy
        self.other_body = other_body


@dataclass(frozen=True)
class Command(Generic[RequestT, ResultT]):
    """One workflow to be started for a caller."""

    workflow: Callable[[Any, RequestT], Awaitable[ResultT]]
    request: RequestT
    workflow_id: str
    task_queue: str
    fingerprint: str
    repeat: Repeat
    outcome: UpdateMethodMultiParam[[Any], ResultT] | None = None
    """The update that has the result before the workflow ends; None: the workflow's end has it."""
    memo: Mapping[str, object] = field(default_factory=dict[str, object])
    """What it tells from the start on, beside what every workflow of ours tells."""
    resource_id: str | None = None
    """The id of what it is about; None: its own id tells."""


def named(own_id: str | None, idempotency_key: str | None, *, field: str) -> tuple[str, Repeat]:
    """Return the id of what is asked for, and what a repeat of it means: the client's own id, or its key.

    Raises:
        Problem: `INVALID_REQUEST` when there is neither; it names the field.
    """
    if own_id is not None:
        return own_id, Repeat.ONCE_BY_ID
    if idempotency_key is not None:
        return idempotency_key_id(idempotency_key), Repeat.ONCE
    raise invalid_field("body", field, "needed, unless an Idempotency-Key names it")


def notify(
    body: NotificationRequest | UserNotificationRequest, *, tenant: str, user_id: str, idempotency_key: str | None
) -> Command[NotificationInput, NotificationResult]:
    """Return the command that notifies a user; without an Idempotency-Key each one is new."""
    notification_id = str(uuid4()) if idempotency_key is None else idempotency_key_id(idempotency_key)
    return Command(
        workflow=Notification.run,
        request=NotificationInput(
            tenant=tenant, notification_id=notification_id, user_id=user_id, type=body.type, message=body.message
        ),
        workflow_id=notification_workflow_id(tenant=tenant, notification_id=notification_id),
        task_queue=TaskQueue.USER,
        fingerprint=fingerprint(body, userId=user_id),
        repeat=Repeat.ONCE,
        resource_id=user_id,
    )


def onboard(
    body: OnboardingRequest | UserOnboardingRequest, *, tenant: str, user_id: str
) -> Command[UserOnboardingInput, UserOnboardingResult]:
    """Return the command that onboards a user; the user's id is its key."""
    return Command(
        workflow=UserOnboarding.run,
        request=UserOnboardingInput(
            tenant=tenant, user_id=user_id, details=UserPersonalDetails(email=body.email, name=body.name)
        ),
        workflow_id=user_onboarding_workflow_id(tenant=tenant, user_id=user_id),
        task_queue=TaskQueue.USER,
        fingerprint=fingerprint(body, userId=user_id),
        repeat=Repeat.AGAIN_AFTER_FAILURE,
    )
