"""What clients may read about a failure."""

from typing import Final

from platform_contracts.analytics.failures import ANALYTICS_FAILURE_TEXTS
from platform_contracts.listing.failures import LISTING_FAILURE_TEXTS
from platform_contracts.listing.publication import SUBMISSION_CANCELLED
from platform_contracts.listing.purchase import PURCHASE_CANCELLED
from platform_contracts.payment.failures import PAYMENT_FAILURE_TEXTS
from platform_contracts.user.failures import USER_FAILURE_TEXTS
from platform_contracts.user.notification import NOTIFICATION_CANCELLED

_TEXTS: Final = {
    **USER_FAILURE_TEXTS,
    **PAYMENT_FAILURE_TEXTS,
    **LISTING_FAILURE_TEXTS,
    **ANALYTICS_FAILURE_TEXTS,
    # What was cancelled in a run that Temporal has forgotten since ends with a failure in the next one.
    PURCHASE_CANCELLED: "The purchase was cancelled.",
    SUBMISSION_CANCELLED: "The submission was cancelled.",
    NOTIFICATION_CANCELLED: "The notification was cancelled.",
}

TIMED_OUT: Final = "TimedOut"
"""What is said in place of a type where something did not come about in time, for Temporal gives that none."""

UNKNOWN_FAILURE_TEXT: Final = "The operation failed. An operator can look it up by its trace id."


def safe_text(failure_type: str | None) -> str:
    """Return the text of a failure type that may be shown to a client.

    The raw message of a failure may name hosts, tables or people, so it never leaves the platform.
    """
    return _TEXTS.get(failure_type or "", UNKNOWN_FAILURE_TEXT)
