"""The task queue of each domain."""

from enum import StrEnum


class TaskQueue(StrEnum):
    """One queue a domain; a domain's workers poll it and nobody else does."""

    USER = "user"
    PAYMENT = "payment"
    LISTING = "listing"
    ANALYTICS = "analytics"
