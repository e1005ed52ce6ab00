"""Transfers and payouts of Stripe Connect, made up: no counterpart has both of them and remembers."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

from payment_service.providers.stripe_provider import StripeProvider
from tests.integration.payment.providers.counterparts import STRIPE_KEY
from tests.support.local_http import Answer, Asked, local_http


@dataclass
class Connect:
    """A book of transfers and payouts, which can refuse, and lose an answer after it has done what was asked."""

    transfers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    payouts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    lines: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refuses: set[str] = field(default_factory=set[str])
    """Paths that are refused."""
    loses: set[str] = field(default_factory=set[str])
    """Paths whose next answer to a write is lost."""
    done: list[str] = field(default_factory=list[str])
    """The writes that moved money."""
    keys: dict[str, Answer] = field(default_factory=dict[str, Answer])
    page_size: int = 100

    async def answer(self, asked: Asked) -> Answer:
        """Answer as Stripe would."""
        path = asked.path.partition("?")[0]
        if asked.method == "GET":
            return self._listed(path, asked)
        if path in self.refuses:
            return Answer({"error": {"type": "invalid_request_error", "code": "balance_insufficient"}}, 400)
        key = asked.headers["idempotency-key"]
        if key not in self.keys:
            self.keys[key] = Answer(self._written(path, asked))
            self.done.append(path)
        if path in self.loses:
            self.loses.remove(path)
            return Answer({"error": {"type": "api_error"}}, 500)
        return self.keys[key]

    def _written(self, path: str, asked: Asked) -> dict[str, Any]:
        form = asked.form
        metadata = {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}
        if path.endswith("/reversals"):
            transfer = next(each for each in self.transfers if each["id"] in path)
            transfer["reversed"] = True
            return {"id": "trr_1", "object": "transfer_reversal"}
        made = {"metadata": metadata, "amount": int(form["amount"]), "currency": form["currency"], "created": 1_000}
        if path == "/v1/transfers":
            group = {"destination": form["destination"], "transfer_group": form["transfer_group"], "reversed": False}
            self.transfers.append({"id": f"tr_{len(self.transfers)}", "object": "transfer", **made, **group})
            return self.transfers[-1]
        account = asked.headers["stripe-account"]
        self.payouts.append(
            {"id": f"po_{len(self.payouts)}", "object": "payout", "status": "pending", "account": account, **made}
        )
        return self.payouts[-1]

    def _listed(self, path: str, asked: Asked) -> Answer:
        form = asked.form
        match path:
            case "/v1/transfers":
                rows = [each for each in self.transfers if each["transfer_group"] == form["transfer_group"]]
            case "/v1/payouts":
                rows = [each for each in self.payouts if each["account"] == asked.headers["stripe-account"]]
            case "/v1/balance_transactions":
                span = range(int(form["created[gte]"]), int(form["created[lt]"]))
                rows = [each for each in self.lines if each["created"] in span]
            case _:
                metadata = {"tenant": "buyers", "operation_id": "p-1"}
                intent = {
                    "id": "pi_1",
                    "object": "payment_intent",
                    "status": "succeeded",
                    "amount": 1,
                    "currency": "eur",
                }
                return Answer({**intent, "metadata": metadata})
        after = [each["id"] for each in rows].index(form["starting_after"]) + 1 if "starting_after" in form else 0
        page = rows[after : after + self.page_size]
        has_more = after + self.page_size < len(rows)
        return Answer({"object": "list", "url": path, "has_more": has_more, "data": page})


@asynccontextmanager
async def connect(**book: Any) -> AsyncGenerator[tuple[StripeProvider, Connect]]:
    """Return an adapter in front of such a book."""
    made_up = Connect(**book)
    async with local_http(made_up.answer) as server, httpx.AsyncClient(trust_env=False) as http:
        yield StripeProvider(http, api_key=SecretStr(STRIPE_KEY), url=server.url, timeout_seconds=2), made_up
