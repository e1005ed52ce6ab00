"""Whatever is done to purchases in whatever order, the database does what the model does, and no unit is lost."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from listing_service.domain.listings import ListingDetails, ListingStatus
from listing_service.domain.purchases import OrderLine
from listing_service.persistence.listings import SqlListings
from listing_service.persistence.purchases import SqlPurchases
from listing_service.ports import Listings, Purchases
from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from tests.fakes.listing_database import FakeListings, FakePurchases
from tests.integration.listing.samples import HOLD, MIGRATIONS, NOON, TEAPOT, details, order

ResultT = TypeVar("ResultT")

_PURCHASE_IDS = st.sampled_from(["p-1", "p-2", "p-3"])
_LISTING_IDS = st.sampled_from(["cup", "teapot", "dollars", "draft", "nothing"])
_LINES = st.lists(st.builds(order, _LISTING_IDS, st.integers(1, 3)), min_size=1, max_size=3)
_MINUTES = st.integers(0, 12)
_FOR_SALE = {"cup": details(stock=4), "teapot": TEAPOT, "dollars": details(currency="USD")}


class StockMachine(RuleBasedStateMachine):
    """Does the same to the database and to the model."""

    def __init__(self) -> None:
        """Begin with a new database."""
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory()
        url = f"sqlite:///{Path(self._folder.name)}/listing.sqlite3"
        migrate(url, MIGRATIONS)
        self._database = Database(url)
        self._listings = SqlListings(self._database)
        self._purchases = SqlPurchases(self._database)
        self._model_listings = FakeListings()
        self._model_purchases = FakePurchases(self._model_listings)
        self._now = NOON

    @initialize()
    def offer(self) -> None:
        for listing_id, offered in _FOR_SALE.items():
            self._both_listings(lambda port, i=listing_id, o=offered: _publish(port, i, o))
        self._both_listings(lambda port: port.save_draft(tenant="acme", listing_id="draft", details=TEAPOT, now=NOON))

    @rule(minutes=_MINUTES)
    def wait(self, minutes: int) -> None:
        self._now += timedelta(minutes=minutes)

    @rule(purchase_id=_PURCHASE_IDS, lines=_LINES, buyer_id=st.sampled_from(["b-1", "b-1", "b-2"]))
    def reserve(self, purchase_id: str, lines: list[OrderLine], buyer_id: str) -> None:
        now = self._now
        self._both(
            lambda port: port.reserve(
                tenant="buyers",
                purchase_id=purchase_id,
                buyer_id=buyer_id,
                lines=lines,
                now=now,
                held_until=now + HOLD,
            )
        )

    @rule(purchase_id=_PURCHASE_IDS)
    def confirm(self, purchase_id: str) -> None:
        now = self._now
        self._both(lambda port: port.confirm(tenant="buyers", purchase_id=purchase_id, now=now))

    @rule(purchase_id=_PURCHASE_IDS)
    def unconfirm(self, purchase_id: str) -> None:
        self._both(lambda port: port.unconfirm(tenant="buyers", purchase_id=purchase_id))

    @rule(purchase_id=_PURCHASE_IDS)
    def sell(self, purchase_id: str) -> None:
        now = self._now
        self._both(lambda port: port.sell(tenant="buyers", purchase_id=purchase_id, now=now))

    @rule(purchase_id=_PURCHASE_IDS)
    def release(self, purchase_id: str) -> None:
        self._both(lambda port: port.release(tenant="buyers", purchase_id=purchase_id))

    @rule(listing_id=_LISTING_IDS)
    def archive(self, listing_id: str) -> None:
        self._both_listings(lambda port: port.archive(tenant="acme", listing_id=listing_id, now=NOON))

    @invariant()
    def every_unit_is_in_one_place_and_the_same_in_both(self) -> None:
        stored = self._run(self._listings.page(tenant="acme", status=None, limit=10, after=None))
        modelled = self._run(self._model_listings.page(tenant="acme", status=None, limit=10, after=None))

        assert stored == modelled
        for listing in stored:
            assert min(listing.available, listing.held, listing.sold) >= 0
            assert listing.available + listing.held + listing.sold == listing.details.stock
            assert listing.status is not ListingStatus.DRAFT or listing.available == listing.details.stock

    def teardown(self) -> None:
        self._run(self._database.dispose())
        self._loop.close()
        self._folder.cleanup()

    def _both(self, move: Callable[[Purchases], Awaitable[object]]) -> None:
        assert self._outcome(move(self._purchases)) == self._outcome(move(self._model_purchases))

    def _both_listings(self, move: Callable[[Listings], Awaitable[object]]) -> None:
        assert self._outcome(move(self._listings)) == self._outcome(move(self._model_listings))

    def _outcome(self, move: Awaitable[object]) -> object:
        try:
            return self._run(move)
        except Exception as failure:  # noqa: BLE001 - whatever one refuses, the other has to refuse in the same way
            return type(failure), str(failure)

    def _run(self, move: Awaitable[ResultT]) -> ResultT:
        async def wait() -> ResultT:
            return await move

        return self._loop.run_until_complete(wait())


async def _publish(listings: Listings, listing_id: str, offered: ListingDetails) -> None:
    of: dict[str, Any] = {"tenant": "acme", "listing_id": listing_id}
    await listings.save_draft(**of, details=offered, now=NOON)
    await listings.take_into_review(**of, submission_id="s-1")
    await listings.publish(**of, submission_id="s-1", now=NOON)


StockMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStock = StockMachine.TestCase
