"""Where anticipated failures of the domain become failures of the contract, which no retry can mend."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from listing_service.domain.listings import (
    InvalidListingError,
    ListingDiffersError,
    NotADraftError,
    SubmissionFailedError,
    UnknownListingError,
)
from listing_service.domain.purchases import (
    MixedCurrenciesError,
    NotForSaleError,
    PurchaseDiffersError,
    PurchaseFailedError,
    ReservationExpiredError,
    SoldOutError,
)
from platform_contracts.listing.failures import ListingFailure

_TYPES: Final[dict[type[Exception], ListingFailure]] = {
    InvalidListingError: ListingFailure.INVALID_LISTING,
    ListingDiffersError: ListingFailure.LISTING_DIFFERS,
    UnknownListingError: ListingFailure.UNKNOWN_LISTING,
    NotADraftError: ListingFailure.NOT_A_DRAFT,
    NotForSaleError: ListingFailure.NOT_FOR_SALE,
    MixedCurrenciesError: ListingFailure.MIXED_CURRENCIES,
    SoldOutError: ListingFailure.SOLD_OUT,
    ReservationExpiredError: ListingFailure.RESERVATION_EXPIRED,
    PurchaseDiffersError: ListingFailure.PURCHASE_DIFFERS,
}


@contextmanager
def translated() -> Generator[None]:
    """Turn the domain's failures inside the block into failures of the contract; everything else is retried.

    Raises:
        ApplicationError: of a type of `ListingFailure`, not to be retried.
    """
    try:
        yield
    except (SubmissionFailedError, PurchaseFailedError) as failure:
        raise _failure(failure, failure.failure) from None
    except tuple(_TYPES) as failure:
        # Without its cause: the history needs no second text of the same failure.
        raise _failure(failure, _TYPES[type(failure)]) from None


def _failure(failure: Exception, failure_type: str) -> ApplicationError:
    return ApplicationError(
        str(failure),
        type=failure_type,
        non_retryable=True,
        # That something is sold out is no trouble of ours: no warning, no count of failures.
        category=ApplicationErrorCategory.BENIGN,
    )
