"""How activities are timed and retried, by intention."""

from datetime import timedelta
from typing import Final, TypedDict

from temporalio.common import RetryPolicy


class ActivityOptions(TypedDict):
    """The options of one kind of activity, to be spread into `workflow.execute_activity_method`."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy


_SOON = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=10)
)
_PATIENTLY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
_LESS_AND_LESS_OFTEN = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(hours=1)
)

DATABASE_WRITE: Final[ActivityOptions] = {
    # Above the 5 s that SQLite waits for its write lock; a worker that dies is noticed after this long.
    "start_to_close_timeout": timedelta(seconds=10),
    # A database that is away for a day is an incident somebody looks at: then the workflow says so and fails.
    "schedule_to_close_timeout": timedelta(days=1),
    "retry_policy": _SOON,
}
"""One transaction in the service's own database."""

UNTIL_DONE: Final[ActivityOptions] = {
    "start_to_close_timeout": timedelta(seconds=10),
    # There is no other way out than to get it done: an operator sees it long before this.
    "schedule_to_close_timeout": timedelta(days=30),
    "retry_policy": _SOON,
}
"""One transaction past the pivot, or one that undoes: it has to happen, however long the database is away."""

DELIVERY: Final[ActivityOptions] = {
    # A mail server may take its time to check a message; RFC 5321 allows minutes, in practice it is seconds.
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(days=1),
    "retry_policy": _PATIENTLY,
}
"""Hand a message to somebody else's server, which may be slow or away for hours."""

BATCH: Final[ActivityOptions] = {
    "start_to_close_timeout": timedelta(minutes=5),
    "schedule_to_close_timeout": timedelta(hours=1),
    "retry_policy": _PATIENTLY,
}
"""Work through many rows; the next run of its schedule makes up for one that ran out of time."""

UNTIL_TOLD: Final[ActivityOptions] = {
    # Two calls of somebody else's service, and one transaction.
    "start_to_close_timeout": timedelta(seconds=10),
    # There is no other way out than to be told: a person hears of it long before this.
    "schedule_to_close_timeout": timedelta(days=365),
    "retry_policy": _LESS_AND_LESS_OFTEN,
}
"""Ask somebody else's service what became of something: at once, after seconds, minutes, and then every hour."""
