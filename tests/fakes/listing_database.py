"""The database of the listing service in memory: listings, their stock, and what purchases do to it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from listing_service.domain.listings import (
    EndedSubmission,
    ListingDetails,
    ListingDiffersError,
    ListingStatus,
    NotADraftError,
    StoredListing,
    SubmissionEnd,
    UnknownListingError,
)
from listing_service.domain.purchases import (
    HOLDING,
    NotForSaleError,
    OrderLine,
    PurchaseDiffersError,
    PurchaseFailedError,
    PurchasePosition,
    PurchaseState,
    ReservationExpiredError,
    ReservedLine,
    Sale,
    SalePosition,
    SoldOutError,
    StoredPurchase,
    check_one_currency,
    merged,
)
from platform_contracts.money import Money

TEAPOT = ListingDetails(
    title="Teapot", description="Short and stout.", price=Money(minor_units=1250, currency="EUR"), stock=3
)


class _Database:
    """Counts the calls of each method, and is away for the first few of them when told so."""

    def __init__(self, away_for: dict[str, int] | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self._away_for = away_for or {}

    def _arrive(self, method: str) -> None:
        self.calls[method] += 1
        if self.calls[method] <= self._away_for.get(method, 0):
            raise ConnectionError("the database is away")


@dataclass
class FakeListing:
    """One listing in memory."""

    details: ListingDetails
    available: int
    status: ListingStatus = ListingStatus.DRAFT
    submission_id: str | None = None
    held: int = 0
    sold: int = 0


class FakeListings(_Database):
    """Keeps listings in a dictionary; by method name, each write can be away for some calls."""

    def __init__(self, *, away_for: dict[str, int] | None = None) -> None:
        """Begin without listings."""
        super().__init__(away_for)
        self.listings: dict[tuple[str, str], FakeListing] = {}
        self.submissions: dict[tuple[str, str], EndedSubmission] = {}

    def add(
        self,
        listing_id: str,
        *,
        tenant: str = "acme",
        details: ListingDetails = TEAPOT,
        status: ListingStatus = ListingStatus.PUBLISHED,
    ) -> FakeListing:
        """Have a listing."""
        listing = FakeListing(details, available=details.stock, status=status)
        self.listings[tenant, listing_id] = listing
        return listing

    async def save_draft(
        self, *, tenant: str, listing_id: str, details: ListingDetails, now: datetime
    ) -> ListingStatus:
        self._arrive("save_draft")
        listing = self.listings.setdefault((tenant, listing_id), FakeListing(details, available=details.stock))
        if listing.details != details:
            raise ListingDiffersError(listing_id)
        return listing.status

    async def take_into_review(self, *, tenant: str, listing_id: str, submission_id: str) -> None:
        self._arrive("take_into_review")
        listing = self._existing(tenant, listing_id)
        if listing.status is ListingStatus.DRAFT and listing.submission_id != submission_id:
            listing.status, listing.submission_id = ListingStatus.IN_REVIEW, submission_id
        if (listing.status, listing.submission_id) != (ListingStatus.IN_REVIEW, submission_id):
            raise NotADraftError(listing_id)

    async def ended(self, *, tenant: str, submission_id: str) -> EndedSubmission | None:
        return self.submissions.get((tenant, submission_id))

    async def publish(
        self, *, tenant: str, listing_id: str, submission_id: str, now: datetime, end: SubmissionEnd | None = None
    ) -> ListingStatus:
        self._arrive("publish")
        listing = self._existing(tenant, listing_id)
        if (listing.status, listing.submission_id) == (ListingStatus.IN_REVIEW, submission_id):
            listing.status = ListingStatus.PUBLISHED
        self._keep(tenant, listing_id, submission_id, listing.status, end)
        return listing.status

    async def return_to_draft(
        self, *, tenant: str, listing_id: str, submission_id: str, end: SubmissionEnd | None = None
    ) -> ListingStatus | None:
        self._arrive("return_to_draft")
        listing = self.listings.get((tenant, listing_id))
        if listing is None:
            self._keep(tenant, listing_id, submission_id, None, end)
            return None
        in_review = (listing.status, listing.submission_id) == (ListingStatus.IN_REVIEW, submission_id)
        has_ended = (tenant, submission_id) in self.submissions
        if in_review or (listing.status is ListingStatus.DRAFT and not has_ended):
            listing.status, listing.submission_id = ListingStatus.DRAFT, submission_id
        self._keep(tenant, listing_id, submission_id, listing.status, end)
        return listing.status

    async def archive(self, *, tenant: str, listing_id: str, now: datetime) -> None:
        self._arrive("archive")
        self._existing(tenant, listing_id).status = ListingStatus.ARCHIVED

    async def find(self, *, tenant: str, listing_id: str) -> StoredListing | None:
        listing = self.listings.get((tenant, listing_id))
        return None if listing is None else _stored(listing_id, listing)

    async def page(
        self, *, tenant: str, status: ListingStatus | None, limit: int, after: str | None
    ) -> Sequence[StoredListing]:
        found = [
            _stored(listing_id, listing)
            for (owner, listing_id), listing in sorted(self.listings.items(), key=lambda item: item[0])
            if owner == tenant and status in (None, listing.status) and (after is None or listing_id > after)
        ]
        return found[:limit]

    def _keep(
        self, tenant: str, listing_id: str, submission_id: str, status: ListingStatus | None, end: SubmissionEnd | None
    ) -> None:
        if end is not None:
            ended = EndedSubmission(listing_id=listing_id, listing_status=status, end=end)
            self.submissions.setdefault((tenant, submission_id), ended)

    def _existing(self, tenant: str, listing_id: str) -> FakeListing:
        listing = self.listings.get((tenant, listing_id))
        if listing is None:
            raise UnknownListingError(listing_id)
        return listing


@dataclass
class FakePurchase:
    """One purchase in memory; without `stored` it was released before it was reserved."""

    state: PurchaseState
    stored: StoredPurchase | None = None
    sold_at: datetime | None = None
    failure: str | None = None


class FakePurchases(_Database):
    """Moves the stock of fake listings; by method name, each move can be away for some calls."""

    def __init__(self, listings: FakeListings, *, away_for: dict[str, int] | None = None) -> None:
        """Begin without purchases."""
        super().__init__(away_for)
        self.purchases: dict[tuple[str, str], FakePurchase] = {}
        self._listings = listings.listings

    async def reserve(
        self,
        *,
        tenant: str,
        purchase_id: str,
        buyer_id: str,
        lines: Sequence[OrderLine],
        now: datetime,
        held_until: datetime,
    ) -> StoredPurchase:
        self._arrive("reserve")
        wanted = merged(lines)
        known = self.purchases.get((tenant, purchase_id))
        if known is not None:
            stored = known.stored
            order = () if stored is None else tuple(line.order for line in stored.lines)
            if stored is not None and (stored.buyer_id, order) != (buyer_id, wanted):
                raise PurchaseDiffersError(purchase_id)
            if known.failure is not None:
                raise PurchaseFailedError(purchase_id, known.failure)
            if known.state is PurchaseState.RELEASED or known.stored is None:
                raise ReservationExpiredError(purchase_id)
            return replace(known.stored, state=known.state)
        reserved = tuple(self._priced(line) for line in wanted)
        check_one_currency(purchase_id, [line.price for line in reserved])
        for line in reserved:
            self._move_units(line, available=-line.quantity, held=line.quantity)
        stored = StoredPurchase(
            purchase_id=purchase_id,
            buyer_id=buyer_id,
            state=PurchaseState.HELD,
            lines=reserved,
            reserved_at=now,
            held_until=held_until,
        )
        self.purchases[tenant, purchase_id] = FakePurchase(PurchaseState.HELD, stored)
        return stored

    async def confirm(self, *, tenant: str, purchase_id: str, now: datetime) -> None:
        self._arrive("confirm")
        known = self.purchases.get((tenant, purchase_id), FakePurchase(PurchaseState.RELEASED))
        if known.state is PurchaseState.HELD and known.stored is not None and known.stored.held_until > now:
            known.state = PurchaseState.CONFIRMED
        if known.state not in (PurchaseState.CONFIRMED, PurchaseState.SOLD):
            raise ReservationExpiredError(purchase_id)

    async def unconfirm(self, *, tenant: str, purchase_id: str) -> None:
        self._arrive("unconfirm")
        known = self.purchases.get((tenant, purchase_id))
        if known is not None and known.state is PurchaseState.CONFIRMED:
            known.state = PurchaseState.HELD

    async def sell(self, *, tenant: str, purchase_id: str, now: datetime) -> None:
        self._arrive("sell")
        known = self.purchases.get((tenant, purchase_id), FakePurchase(PurchaseState.RELEASED))
        if known.state is PurchaseState.SOLD:
            return
        if known.state is not PurchaseState.CONFIRMED:
            raise ReservationExpiredError(purchase_id)
        known.state, known.sold_at = PurchaseState.SOLD, now
        for line in _lines(known):
            self._move_units(line, held=-line.quantity, sold=line.quantity)

    async def release(self, *, tenant: str, purchase_id: str, failure: str | None = None) -> PurchaseState:
        self._arrive("release")
        new = FakePurchase(PurchaseState.RELEASED, failure=failure)
        known = self.purchases.setdefault((tenant, purchase_id), new)
        if known.state in HOLDING:
            known.state, known.failure = PurchaseState.RELEASED, failure
            for line in _lines(known):
                self._move_units(line, held=-line.quantity, available=line.quantity)
        return known.state

    async def find(self, *, tenant: str, purchase_id: str) -> StoredPurchase | None:
        known = self.purchases.get((tenant, purchase_id))
        return None if known is None or known.stored is None else replace(known.stored, state=known.state)

    async def page(self, *, tenant: str, limit: int, after: PurchasePosition | None) -> Sequence[StoredPurchase]:
        theirs = [
            replace(known.stored, state=known.state)
            for (owner, _), known in self.purchases.items()
            if owner == tenant and known.stored is not None
        ]
        theirs.sort(key=lambda each: (each.reserved_at, each.purchase_id), reverse=True)
        if after is not None:
            theirs = [each for each in theirs if (each.reserved_at, each.purchase_id) < _key(after)]
        return theirs[:limit]

    async def sales(self, *, seller: str, limit: int, after: SalePosition | None) -> Sequence[Sale]:
        theirs = [
            Sale(
                purchase_id=purchase_id,
                listing_id=line.listing_id,
                quantity=line.quantity,
                price=line.price,
                sold_at=known.sold_at,
            )
            for (_, purchase_id), known in self.purchases.items()
            for line in _lines(known)
            if known.sold_at is not None and line.seller == seller
        ]
        theirs.sort(key=lambda sale: (sale.sold_at, sale.purchase_id, sale.listing_id), reverse=True)
        if after is not None:
            end = (after.sold_at, after.purchase_id, after.listing_id)
            theirs = [sale for sale in theirs if (sale.sold_at, sale.purchase_id, sale.listing_id) < end]
        return theirs[:limit]

    def _priced(self, line: OrderLine) -> ReservedLine:
        listing = self._listings.get((line.seller, line.listing_id))
        if listing is None:
            raise UnknownListingError(line.listing_id)
        if listing.status is not ListingStatus.PUBLISHED:
            raise NotForSaleError(line.listing_id)
        if listing.available < line.quantity:
            raise SoldOutError(line.listing_id, line.quantity)
        return ReservedLine(
            seller=line.seller, listing_id=line.listing_id, quantity=line.quantity, price=listing.details.price
        )

    def _move_units(self, line: ReservedLine, *, held: int, available: int = 0, sold: int = 0) -> None:
        listing = self._listings[line.seller, line.listing_id]
        listing.available += available
        listing.held += held
        listing.sold += sold


def _key(position: PurchasePosition) -> tuple[datetime, str]:
    return position.reserved_at, position.purchase_id


def _lines(known: FakePurchase) -> Iterable[ReservedLine]:
    return () if known.stored is None else known.stored.lines


def _stored(listing_id: str, listing: FakeListing) -> StoredListing:
    return StoredListing(
        listing_id=listing_id,
        details=listing.details,
        status=listing.status,
        available=listing.available,
        held=listing.held,
        sold=listing.sold,
    )
