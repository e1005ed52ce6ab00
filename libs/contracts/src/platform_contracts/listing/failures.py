"""Failures of the listing domain."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ListingFailure(StrEnum):
    """The failure types, as they stand in histories."""

    INVALID_LISTING = "listing.InvalidListing"
    LISTING_DIFFERS = "listing.ListingDiffers"
    """A listing of this id exists with other contents."""
    UNKNOWN_LISTING = "listing.UnknownListing"
    NOT_A_DRAFT = "listing.NotADraft"
    """Only a draft can be submitted."""
    PARTNER_MAY_NOT_SELL = "listing.PartnerMayNotSell"
    REVIEW_OVERDUE = "listing.ReviewOverdue"
    """Nobody decided before the deadline."""
    NOT_FOR_SALE = "listing.NotForSale"
    """The listing is not published."""
    MIXED_CURRENCIES = "listing.MixedCurrencies"
    SOLD_OUT = "listing.SoldOut"
    PURCHASE_DIFFERS = "listing.PurchaseDiffers"
    """A purchase of this id was made with other contents, longer ago than its workflow is remembered."""
    RESERVATION_EXPIRED = "listing.ReservationExpired"
    PURCHASE_ABANDONED = "listing.PurchaseAbandoned"
    """Its workflow was ended from outside before it was sold; what was reserved and charged has been given back."""
    PAYMENT_UNAVAILABLE = "listing.PaymentUnavailable"
    """No payment came about before the reservation was over."""


LISTING_FAILURE_TEXTS: Final[Mapping[str, str]] = {
    ListingFailure.INVALID_LISTING: "The listing is not valid.",
    ListingFailure.LISTING_DIFFERS: "There is a listing of this id with other contents.",
    ListingFailure.UNKNOWN_LISTING: "There is no such listing.",
    ListingFailure.NOT_A_DRAFT: "Only a draft can be submitted.",
    ListingFailure.PARTNER_MAY_NOT_SELL: "This partner may not sell.",
    ListingFailure.REVIEW_OVERDUE: "The review was not decided in time.",
    ListingFailure.NOT_FOR_SALE: "The listing is not for sale.",
    ListingFailure.MIXED_CURRENCIES: "A purchase has one currency.",
    ListingFailure.SOLD_OUT: "Sold out.",
    ListingFailure.PURCHASE_DIFFERS: "There is a purchase of this id with other contents.",
    ListingFailure.RESERVATION_EXPIRED: "The reservation ran out before the payment was there.",
    ListingFailure.PURCHASE_ABANDONED: "The purchase was ended by an operator.",
    ListingFailure.PAYMENT_UNAVAILABLE: "The payment could not be made in time. Nothing was charged.",
}
