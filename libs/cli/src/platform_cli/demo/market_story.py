"""The demo's story of a sale: a listing is reviewed by a person and bought, and what may go wrong does."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from platform_cli.demo.acquirer_api import AcquirerApi
from platform_cli.demo.gateway_api import GatewayApi
from platform_cli.demo.outcomes import Outcomes

_PRICE_CENTS = 1250
_PRICE = {"minorUnits": _PRICE_CENTS, "currency": "EUR", "exponent": 2}
_STOCK = 10
_WAIT = {"Prefer": "wait=25"}
# Long enough to cancel in between, short enough to be watched.
_SLOW_SECONDS = 1.0


class MarketStory:
    """One run of it. Each run has listings and purchases of its own, so it can be told again on the same data."""

    def __init__(
        self, http: httpx.AsyncClient, gateway: GatewayApi, acquirer: AcquirerApi, outcomes: Outcomes, *, tenant: str
    ) -> None:
        self.purchase_trace_id: str | None = None
        self._http = http
        self._gateway = gateway
        self._acquirer = acquirer
        self._outcomes = outcomes
        self._tenant = tenant
        run = uuid4().hex[:8]
        self._listing_id = f"lamp-{run}"
        self._last_one_id = f"last-lamp-{run}"
        self._purchases = {
            name: f"{name}-{run}"
            for name in ("bought", "declined", "regretted", "too-late", "slow", "hanging", "first", "second")
        }

    async def tell(self) -> None:
        """Do everything and note what came of it.

        Raises:
            httpx.HTTPError: the gateway or the acquirer did not answer at all.
        """
        owed_before = await self._balance()
        await self._publish(self._listing_id, stock=_STOCK, watched=True)
        await self._buy()
        await self._pay_with_a_declined_card()
        await self._cancel_before_the_pivot()
        await self._cancel_after_the_pivot()
        await self._pay_at_a_slow_and_at_a_hanging_acquirer()
        await self._publish(self._last_one_id, stock=1, watched=False)
        await self._race_for_the_last_one()
        await self._count_the_stock()
        await self._count_the_money(owed_before)

    async def _publish(self, listing_id: str, *, stock: int, watched: bool) -> None:
        body = {"listingId": listing_id, "title": "A lamp", "description": "", "price": _PRICE, "stock": stock}
        drafted = await self._http.post("/v1/listings", json=body, headers=_WAIT)
        submission = f"sub-{listing_id}"
        submitted = await self._http.post(
            f"/v1/listings/{listing_id}/submissions", json={"submissionId": submission, "submitterId": "grace"}
        )
        await self._gateway.status_when(
            submitted.json()["workflowId"],
            lambda status: _step(status) == "in_review",
            within_seconds=20,
        )
        review = f"/v1/listings/{listing_id}/submissions/{submission}/review"
        own = await self._http.post(review, json={"reviewerId": "grace", "approved": True, "reason": ""})
        other = await self._http.post(review, json={"reviewerId": "edsger", "approved": True, "reason": "fine"})
        if watched:
            self._outcomes.note(
                f"drafted and submitted the listing {listing_id}",
                expected="200, 202",
                seen=f"{drafted.status_code}, {submitted.status_code}",
            )
            self._outcomes.note("reviewed it as its submitter", expected="403", seen=str(own.status_code))
            self._outcomes.note(
                "approved it as somebody else",
                expected="200 published",
                seen=f"{other.status_code} {other.json().get('outcome')}",
            )

    async def _buy(self) -> None:
        answer = await self._purchase("bought", token="tok_ok")  # noqa: S106 - a test card
        body = answer.json()
        self._outcomes.note(
            "bought one",
            expected="200 captured, 12.50 EUR",
            seen=f"{answer.status_code} {_result(body).get('status')}, {_amount(_result(body).get('total'))}",
        )
        status = await self._gateway.status_when_closed(self._workflow_id("bought"))
        self.purchase_trace_id = status["traceId"]

    async def _pay_with_a_declined_card(self) -> None:
        answer = await self._purchase("declined", token="tok_declined")  # noqa: S106 - a test card
        status = await self._gateway.status_when_closed(self._workflow_id("declined"))
        self._outcomes.note(
            "paid with a card that is declined",
            expected="402, FAILED: payment.Declined",
            seen=f"{answer.status_code}, {status['status']}: {_failure_type(status)}",
        )

    async def _cancel_before_the_pivot(self) -> None:
        await self._start("regretted", token="tok_slow")  # noqa: S106 - a test card
        await self._until_step("regretted", "authorising")
        cancelled = await self._cancel("regretted")
        status = await self._gateway.status_when_closed(self._workflow_id("regretted"))
        self._outcomes.note(
            "cancelled a purchase before its pivot",
            expected="202, CANCELED, compensation done",
            seen=f"{cancelled.status_code}, {status['status']}, compensation {status['progress']['compensation']}",
        )

    async def _cancel_after_the_pivot(self) -> None:
        async with self._acquirer.slowed(_SLOW_SECONDS):
            await self._start("too-late", token="tok_ok")  # noqa: S106 - a test card
            await self._until_step("too-late", "capturing")
            cancelled = await self._cancel("too-late")
        status = await self._gateway.status_when_closed(self._workflow_id("too-late"))
        self._outcomes.note(
            "cancelled a purchase after its pivot",
            expected="409 past_the_pivot, COMPLETED",
            seen=f"{cancelled.status_code} {cancelled.json().get('type')}, {status['status']}",
        )

    async def _pay_at_a_slow_and_at_a_hanging_acquirer(self) -> None:
        slow, hanging = await asyncio.gather(
            self._purchase("slow", token="tok_slow"),  # noqa: S106 - a test card
            self._purchase("hanging", token="tok_hang_after"),  # noqa: S106 - a test card
        )
        self._outcomes.note("paid at a slow acquirer", expected="200 captured", seen=_captured(slow))
        self._outcomes.note(
            "paid at an acquirer that charges and does not answer", expected="200 captured", seen=_captured(hanging)
        )

    async def _race_for_the_last_one(self) -> None:
        answers = await asyncio.gather(
            *(
                self._purchase(name, token="tok_ok", listing_id=self._last_one_id)  # noqa: S106 - a test card
                for name in ("first", "second")
            )
        )
        kinds = sorted(
            _captured(each) if each.is_success else f"{each.status_code} {each.json()['type']}" for each in answers
        )
        self._outcomes.note("two bought the last one", expected="200 captured, 409 sold_out", seen=", ".join(kinds))

    async def _count_the_stock(self) -> None:
        for listing_id, stock, sold in ((self._listing_id, _STOCK, 4), (self._last_one_id, 1, 1)):
            listing = (await self._http.get(f"/v1/listings/{listing_id}")).json()
            counts = listing["stock"]
            self._outcomes.note(
                f"counted the stock of {listing_id}",
                expected=f"{stock - sold} available, 0 held, {sold} sold",
                seen=f"{counts['available']} available, {counts['held']} held, {counts['sold']} sold",
            )

    async def _count_the_money(self, owed_before: int) -> None:
        book = await self._acquirer.book(self._tenant)
        mine = {name: book.get(purchase_id) for name, purchase_id in self._purchases.items()}
        captured = sum(operation.captured for operation in mine.values() if operation)
        open_ones = [name for name, operation in mine.items() if operation and operation.status == "authorised"]
        twice = [name for name, operation in mine.items() if operation and operation.captures > 1]
        sold = 5
        self._outcomes.note(
            "read the acquirer's own book",
            expected=f"{sold * _PRICE_CENTS} captured, nothing left open, nothing taken twice",
            seen=f"{captured} captured, {_or_nothing(open_ones)} left open, {_or_nothing(twice)} taken twice",
        )
        fee = sold * _PRICE_CENTS // 10
        owed = await self._balance() - owed_before
        self._outcomes.note(
            "read the ledger: what the seller is owed, after the fee",
            expected=f"{captured - fee} EUR cents",
            seen=f"{owed} EUR cents",
        )

    async def _purchase(self, name: str, *, token: str, listing_id: str | None = None) -> httpx.Response:
        return await self._http.post("/v1/purchases", json=self._order(name, token, listing_id), headers=_WAIT)

    async def _start(self, name: str, *, token: str) -> None:
        (await self._http.post("/v1/purchases", json=self._order(name, token, None))).raise_for_status()

    def _order(self, name: str, token: str, listing_id: str | None) -> dict[str, Any]:
        return {
            "purchaseId": self._purchases[name],
            "buyerId": "ada",
            "lines": [{"listingId": listing_id or self._listing_id, "quantity": 1}],
            "paymentToken": token,
        }

    async def _cancel(self, name: str) -> httpx.Response:
        return await self._http.post(f"/v1/purchases/{self._purchases[name]}/cancel")

    async def _until_step(self, name: str, step: str) -> None:
        def reached(status: dict[str, Any]) -> bool:
            return _step(status) == step

        await self._gateway.status_when(self._workflow_id(name), reached, within_seconds=20)

    async def _balance(self) -> int:
        response = await self._http.get("/v1/balances")
        response.raise_for_status()
        return sum(each["minorUnits"] for each in response.json()["balances"] if each["currency"] == "EUR")

    def _workflow_id(self, name: str) -> str:
        return f"{self._tenant}:listing:purchase:{self._purchases[name]}"


def _result(body: dict[str, Any]) -> dict[str, Any]:
    return body.get("result") or {}


def _step(status: dict[str, Any]) -> str | None:
    progress: dict[str, Any] = status["progress"] or {}
    return progress.get("step")


def _failure_type(status: dict[str, Any]) -> str | None:
    failure: dict[str, Any] = status["failure"] or {}
    return failure.get("type")


def _captured(answer: httpx.Response) -> str:
    return f"{answer.status_code} {_result(answer.json()).get('status')}"


def _amount(money: dict[str, Any] | None) -> str:
    return "no total" if money is None else f"{money['minorUnits'] / 100:.2f} {money['currency']}"


def _or_nothing(names: list[str]) -> str:
    return ", ".join(names) or "nothing"
