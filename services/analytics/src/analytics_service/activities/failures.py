"""Where anticipated failures of the domain become failures of the contract, which no retry can mend."""

from collections.abc import Generator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError

from analytics_service.domain.failures import InvalidEventError
from platform_contracts.analytics.failures import AnalyticsFailure


@contextmanager
def translated() -> Generator[None]:
    """Turn the domain's failures inside the block into failures of the contract; everything else is retried.

    Raises:
        ApplicationError: of a type of `AnalyticsFailure`, not to be retried.
    """
    try:
        yield
    except InvalidEventError as failure:
        # Without its cause: the history needs no second text of the same failure. And not called benign: events come
        # from our own services, so an invalid one is a mistake of ours that somebody has to see.
        raise ApplicationError(str(failure), type=AnalyticsFailure.INVALID_EVENT, non_retryable=True) from None
