"""What the listing service shows to the gateway."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import SecretStr
from starlette.routing import BaseRoute

from listing_service.domain.listings import ListingStatus as StoredStatus
from listing_service.domain.listings import StoredListing
from listing_service.domain.purchases import PurchasePosition, SalePosition, StoredPurchase
from listing_service.ports import Listings, PurchaseReader
from platform_contracts.listing.listing_draft import ListingStatus
from platform_contracts.listing.views import (
    LISTING,
    LISTINGS,
    PURCHASE,
    PURCHASES,
    SALES,
    ListingAnswer,
    ListingQuery,
    ListingsQuery,
    ListingView,
    PurchaseAnswer,
    PurchaseLineView,
    PurchaseQuery,
    Purchases,
    PurchasesQuery,
    PurchaseState,
    PurchaseView,
    Sale,
    Sales,
    SalesQuery,
    Stock,
)
from platform_contracts.listing.views import Listings as ListingsPage
from platform_runtime.internal_app import view_route
from platform_runtime.page_cursor import InvalidCursorError, decode_cursor, encode_cursor


def views(*, listings: Listings, purchases: PurchaseReader, token: SecretStr | None) -> Sequence[BaseRoute]:
    """Return the routes of all views."""

    async def one_listing(tenant: str, query: ListingQuery) -> ListingAnswer:
        return await read_listing(listings, tenant, query)

    async def all_listings(tenant: str, query: ListingsQuery) -> ListingsPage:
        return await read_listings(listings, tenant, query)

    async def one_purchase(tenant: str, query: PurchaseQuery) -> PurchaseAnswer:
        return await read_purchase(purchases, tenant, query)

    async def all_purchases(tenant: str, query: PurchasesQuery) -> Purchases:
        return await read_purchases(purchases, tenant, query)

    async def all_sales(tenant: str, query: SalesQuery) -> Sales:
        return await read_sales(purchases, tenant, query)

    return [
        view_route(LISTING, one_listing, token=token),
        view_route(LISTINGS, all_listings, token=token),
        view_route(PURCHASE, one_purchase, token=token),
        view_route(PURCHASES, all_purchases, token=token),
        view_route(SALES, all_sales, token=token),
    ]


async def read_listing(listings: Listings, tenant: str, query: ListingQuery) -> ListingAnswer:
    """Return a listing of the tenant, or None where there is none."""
    found = await listings.find(tenant=tenant, listing_id=query.listing_id)
    return ListingAnswer(listing=None if found is None else _listing(found))


async def read_listings(listings: Listings, tenant: str, query: ListingsQuery) -> ListingsPage:
    """Return a page of the tenant's listings, by id.

    Raises:
        InvalidCursorError: when the cursor is none of this view.
    """
    # One more than asked for tells whether there is a next page; so it is in every view here.
    found = await listings.page(
        tenant=tenant,
        status=None if query.status is None else StoredStatus(query.status),
        limit=query.limit + 1,
        after=None if query.cursor is None else decode_cursor(query.cursor, parts=1)[0],
    )
    shown = found[: query.limit]
    return ListingsPage(
        listings=tuple(_listing(listing) for listing in shown),
        next_cursor=encode_cursor(shown[-1].listing_id) if len(found) > len(shown) else None,
    )


async def read_purchase(purchases: PurchaseReader, tenant: str, query: PurchaseQuery) -> PurchaseAnswer:
    """Return a purchase of the tenant, or None where nothing was ever reserved for it."""
    found = await purchases.find(tenant=tenant, purchase_id=query.purchase_id)
    return PurchaseAnswer(purchase=None if found is None else _purchase(found))


async def read_purchases(purchases: PurchaseReader, tenant: str, query: PurchasesQuery) -> Purchases:
    """Return a page of the tenant's purchases, newest first.

    Raises:
        InvalidCursorError: when the cursor is none of this view.
    """
    after = None
    if query.cursor is not None:
        reserved_at, purchase_id = decode_cursor(query.cursor, parts=2)
        after = PurchasePosition(reserved_at=_moment(reserved_at), purchase_id=purchase_id)
    found = await purchases.page(tenant=tenant, limit=query.limit + 1, after=after)
    shown = found[: query.limit]
    return Purchases(
        purchases=tuple(_purchase(purchase) for purchase in shown),
        next_cursor=encode_cursor(shown[-1].reserved_at.isoformat(), shown[-1].purchase_id)
        if len(found) > len(shown)
        else None,
    )


async def read_sales(purchases: PurchaseReader, tenant: str, query: SalesQuery) -> Sales:
    """Return a page of what the tenant has sold, newest first.

    Raises:
        InvalidCursorError: when the cursor is none of this view.
    """
    after = None
    if query.cursor is not None:
        sold_at, purchase_id, listing_id = decode_cursor(query.cursor, parts=3)
        after = SalePosition(sold_at=_moment(sold_at), purchase_id=purchase_id, listing_id=listing_id)
    found = await purchases.sales(seller=tenant, limit=query.limit + 1, after=after)
    shown = found[: query.limit]
    return Sales(
        sales=tuple(
            Sale(
                purchase_id=sale.purchase_id,
                listing_id=sale.listing_id,
                quantity=sale.quantity,
                price=sale.price,
                sold_at=sale.sold_at,
            )
            for sale in shown
        ),
        next_cursor=encode_cursor(shown[-1].sold_at.isoformat(), shown[-1].purchase_id, shown[-1].listing_id)
        if len(found) > len(shown)
        else None,
    )


def _listing(listing: StoredListing) -> ListingView:
    return ListingView(
        listing_id=listing.listing_id,
        title=listing.details.title,
        description=listing.details.description,
        price=listing.details.price,
        status=ListingStatus(listing.status),
        stock=Stock(available=listing.available, held=listing.held, sold=listing.sold),
    )


def _purchase(purchase: StoredPurchase) -> PurchaseView:
    return PurchaseView(
        purchase_id=purchase.purchase_id,
        buyer_id=purchase.buyer_id,
        state=PurchaseState(purchase.state),
        total=purchase.total,
        lines=tuple(
            PurchaseLineView(seller=line.seller, listing_id=line.listing_id, quantity=line.quantity, price=line.price)
            for line in purchase.lines
        ),
        reserved_at=purchase.reserved_at,
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidCursorError from None
    if moment.tzinfo is None:
        raise InvalidCursorError
    return moment
