"""Tell a user something: in the inbox and, where wanted and possible, by e-mail."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import StringConstraints, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel

WORKFLOW_TYPE: Final = "user.Notification"

MAX_MESSAGE_CHARACTERS: Final = 10_000
"""Long enough for a letter, and far below what Temporal takes in one payload."""


NOTIFICATION_CANCELLED: Final = "user.NotificationCancelled"
"""The failure type of a notification that was cancelled in an earlier run, which Temporal has forgotten since; a run
that is cancelled itself ends CANCELED."""


class NotificationStep(StrEnum):
    """What `progress.step` can say."""

    DELIVERING_IN_APP = "delivering_in_app"
    SENDING_EMAIL = "sending_email"
    NOTIFIED = "notified"


class Channel(StrEnum):
    """How a notification reaches its user."""

    IN_APP = "in_app"
    EMAIL = "email"


class DeliveryStatus(StrEnum):
    """What became of a notification on one channel."""

    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class DeliveryReason(StrEnum):
    """Why a channel was skipped or failed."""

    NO_ADDRESS = "no_address"
    """The user has no account, so there is no address."""
    PREFERENCE = "preference"
    """The user does not want it."""
    NOT_FOR_THIS_TYPE = "not_for_this_type"
    """Notifications of this type do not use the channel."""
    REJECTED = "rejected"
    """The mail server refused the message or the address for good."""
    DEADLINE = "deadline"
    """No attempt went through in time."""


class Delivery(ContractModel):
    """The outcome on one channel."""

    channel: Channel
    status: DeliveryStatus
    reason: DeliveryReason | None = None


class NotificationInput(ContractModel):
    """One notification. The notification id names it: the same id is never delivered twice."""

    tenant: Tenant
    notification_id: ClientId
    user_id: ClientId
    type: str
    message: Annotated[str, StringConstraints(max_length=MAX_MESSAGE_CHARACTERS)]


class NotificationResult(ContractModel):
    """What became of the notification, a line per channel."""

    notification_id: ClientId
    deliveries: tuple[Delivery, ...]


def notification_workflow_id(*, tenant: str, notification_id: str) -> str:
    """Return the workflow id of one notification."""
    return workflow_id(tenant=tenant, domain="user", kind="notification", key=notification_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class Notification:
    """Deliver one notification on every channel that its type, the user's preferences and the address allow."""

    @workflow.run
    async def run(self, notification: NotificationInput) -> NotificationResult:
        """Deliver in the app, then by e-mail; a channel that fails is in the result and fails nothing else.

        Raises:
            ApplicationError: of type `UserFailure.UNKNOWN_NOTIFICATION_TYPE`; of type `NOTIFICATION_CANCELLED` for one
                that was cancelled in an earlier run.
        """
        raise NotImplementedError
