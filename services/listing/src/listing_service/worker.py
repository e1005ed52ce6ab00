"""The composition root of the listing service: makes the parts and wires them."""

from datetime import timedelta

from listing_service.activities.listings import ListingActivities
from listing_service.activities.purchases import PurchaseActivities
from listing_service.persistence.listings import SqlListings
from listing_service.persistence.purchase_reader import SqlPurchaseReader
from listing_service.persistence.purchases import SqlPurchases
from listing_service.settings import ListingSettings
from listing_service.views import views
from listing_service.workflows.archival import ArchivalWorkflow
from listing_service.workflows.listing_draft import ListingDraftWorkflow
from listing_service.workflows.publication import PublicationWorkflow
from listing_service.workflows.purchase import PurchaseWorkflow
from platform_runtime.service_process import Registrations, Resources


async def build(resources: Resources[ListingSettings]) -> Registrations:
    """Return what the listing service's worker runs and shows."""
    settings = resources.settings
    listings = SqlListings(resources.database)
    of_listings = ListingActivities(
        listings,
        remind_after=timedelta(seconds=settings.review_reminder_seconds),
        overdue_after=timedelta(seconds=settings.review_deadline_seconds),
    )
    of_purchases = PurchaseActivities(SqlPurchases(resources.database), timedelta(seconds=settings.hold_seconds))
    return Registrations(
        workflows=[ListingDraftWorkflow, PublicationWorkflow, ArchivalWorkflow, PurchaseWorkflow],
        activities=[
            of_listings.save_draft,
            of_listings.find_end,
            of_listings.check_listing,
            of_listings.publish,
            of_listings.return_to_draft,
            of_listings.archive,
            of_purchases.reserve,
            of_purchases.confirm,
            of_purchases.unconfirm,
            of_purchases.sell,
            of_purchases.release,
            of_purchases.close_purchase,
        ],
        views=views(listings=listings, purchases=SqlPurchaseReader(resources.database), token=resources.service_token),
    )
