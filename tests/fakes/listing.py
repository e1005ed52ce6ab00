"""All ports of the listing service in memory, a stand-in for the user service, and a worker that runs on them."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from listing_service.activities.listings import ListingActivities
from listing_service.activities.purchases import PurchaseActivities
from listing_service.workflows.archival import ArchivalWorkflow
from listing_service.workflows.listing_draft import ListingDraftWorkflow
from listing_service.workflows.publication import PublicationWorkflow
from listing_service.workflows.purchase import PurchaseWorkflow
from platform_contracts.analytics.record_events import RECORD_EVENTS
from platform_contracts.user.partner_capabilities import (
    PARTNER_CAPABILITIES,
    PartnerCapabilities,
    PartnerCapabilitiesRequest,
)
from platform_runtime.sandbox import workflow_runner
from tests.fakes.listing_database import FakeListings, FakePurchases
from tests.fakes.user import FakeAnalytics


class FakePartners:
    """The published activity of the user service; knows whom it forbids to sell."""

    def __init__(self, *, may_not_sell: Iterable[str] = ()) -> None:
        """Forbid these tenants to sell."""
        self._may_not_sell = frozenset(may_not_sell)

    @activity.defn(name=PARTNER_CAPABILITIES.name)
    async def partner_capabilities(self, request: PartnerCapabilitiesRequest) -> PartnerCapabilities:
        """Answer."""
        return PartnerCapabilities(can_sell=request.tenant not in self._may_not_sell, can_be_paid=True)


class ListingPorts:
    """All fakes of the listing service together."""

    def __init__(
        self,
        *,
        listings: FakeListings | None = None,
        purchases_away_for: dict[str, int] | None = None,
        hold: timedelta = timedelta(minutes=15),
        remind_after: timedelta = timedelta(days=1),
        overdue_after: timedelta = timedelta(days=7),
    ) -> None:
        """Begin with the settings' defaults and nothing for sale."""
        self.listings = listings or FakeListings()
        self.purchases = FakePurchases(self.listings, away_for=purchases_away_for)
        self.partners: FakePartners | None = FakePartners()
        """None: nobody works for the user service."""
        self.analytics: FakeAnalytics | None = FakeAnalytics()
        """None: nobody works for analytics."""
        self._hold = hold
        self._remind_after = remind_after
        self._overdue_after = overdue_after

    def listing_activities(self) -> ListingActivities:
        """Return the real activities on these ports."""
        return ListingActivities(self.listings, remind_after=self._remind_after, overdue_after=self._overdue_after)

    def purchase_activities(self) -> PurchaseActivities:
        """Return the real activities on these ports."""
        return PurchaseActivities(self.purchases, self._hold)


@asynccontextmanager
async def listing_worker(
    client: Client, ports: ListingPorts, *, task_queue: str, max_cached_workflows: int = 1000
) -> AsyncGenerator[None]:
    """Run the real workflows and activities on fake ports, and the stand-ins for user and analytics beside them.

    The queues of the stand-ins have one name each, so the client's namespace has to be the test's own. Notifications
    stay in their queue: nobody works on them.
    """
    of_listings, of_purchases = ports.listing_activities(), ports.purchase_activities()
    async with AsyncExitStack() as stack:
        if ports.analytics is not None:
            await stack.enter_async_context(
                Worker(client, task_queue=RECORD_EVENTS.task_queue, activities=[ports.analytics.record_events])
            )
        if ports.partners is not None:
            await stack.enter_async_context(
                Worker(
                    client,
                    task_queue=PARTNER_CAPABILITIES.task_queue,
                    activities=[ports.partners.partner_capabilities],
                )
            )
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=task_queue,
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
                workflow_runner=workflow_runner(),
                max_cached_workflows=max_cached_workflows,
                graceful_shutdown_timeout=timedelta(seconds=1),
            )
        )
        yield
