"""Where anticipated failures of the domain become failures of the contract, which no retry can mend."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from platform_contracts.user.failures import UserFailure
from platform_contracts.user.notification import NOTIFICATION_CANCELLED
from user_service.domain.accounts import AccountDetailsDifferError, InvalidAccountDetailsError
from user_service.domain.notifications import NotificationCancelledError, UnknownNotificationTypeError

_TYPES: Final[dict[type[Exception], str]] = {
    InvalidAccountDetailsError: UserFailure.INVALID_ACCOUNT_DETAILS,
    AccountDetailsDifferError: UserFailure.ACCOUNT_DETAILS_DIFFER,
    UnknownNotificationTypeError: UserFailure.UNKNOWN_NOTIFICATION_TYPE,
    NotificationCancelledError: NOTIFICATION_CANCELLED,
}


@contextmanager
def translated() -> Generator[None]:
    """Turn the domain's failures inside the block into failures of the contract; everything else is retried.

    Raises:
        ApplicationError: of a type of `UserFailure`, or `NOTIFICATION_CANCELLED`; not to be retried.
    """
    try:
        yield
    except tuple(_TYPES) as failure:
        # Without its cause: the history needs no second text of the same failure.
        raise ApplicationError(
            str(failure),
            type=_TYPES[type(failure)],
            non_retryable=True,
            # Somebody's wrong input is no trouble of ours: no warning, no count of failures.
            category=ApplicationErrorCategory.BENIGN,
        ) from None
