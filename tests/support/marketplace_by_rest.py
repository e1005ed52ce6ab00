"""A listing brought on the market and sold, the way clients do it: over REST."""

from typing import Any

import httpx

from tests.support.platform import new_id
from tests.support.waiting import eventually

_PRICE = {"minorUnits": 1250, "currency": "EUR", "exponent": 2}
_ENOUGH_SECONDS = 60


async def submitted(api: httpx.AsyncClient, *, stock: int) -> str:
    """Draft a listing and submit it, and return its id, which is its submission's too."""
    listing_id = new_id("lamp")
    draft = {"listingId": listing_id, "title": "A lamp", "description": "", "price": _PRICE, "stock": stock}
    drafted = await api.post("/v1/listings", json=draft, headers={"Prefer": "wait=20"})
    assert drafted.status_code == httpx.codes.OK.value, drafted.text
    await api.post(f"/v1/listings/{listing_id}/submissions", json={"submissionId": listing_id, "submitterId": "grace"})
    return listing_id


async def in_review(api: httpx.AsyncClient) -> tuple[str, str]:
    """Bring a listing as far as a person's decision, and return its id and its submission's workflow id."""
    listing_id = await submitted(api, stock=1)
    workflow_id = f"demo:listing:publication:{listing_id}"

    async def waits_for_a_person() -> bool:
        status: dict[str, Any] = (await api.get(f"/v1/operations/{workflow_id}")).json()
        return status["progress"] is not None and status["progress"]["waitingFor"] == "review"

    await eventually(waits_for_a_person, within_seconds=_ENOUGH_SECONDS, every_seconds=0.2)
    return listing_id, workflow_id


async def published(api: httpx.AsyncClient, *, stock: int) -> str:
    """Bring a listing on the market the way a person does, and return its id, which is its submission's too."""
    listing_id = await submitted(api, stock=stock)

    async def approved() -> bool:
        decision = {"reviewerId": "edsger", "approved": True, "reason": ""}
        answer = await api.post(f"/v1/listings/{listing_id}/submissions/{listing_id}/review", json=decision)
        return answer.is_success

    assert await eventually(approved, within_seconds=_ENOUGH_SECONDS, every_seconds=0.3)
    return listing_id


async def bought(api: httpx.AsyncClient, listing_id: str, *, token: str = "tok_ok") -> str:
    """Buy one unit, wait until it is paid, and return the purchase's id."""
    purchase_id = new_id("p")
    order = {
        "purchaseId": purchase_id,
        "buyerId": "ada",
        "lines": [{"listingId": listing_id, "quantity": 1}],
        "paymentToken": token,
    }
    paid = await api.post("/v1/purchases", json=order, headers={"Prefer": "wait=30"})
    assert paid.status_code == httpx.codes.OK.value, paid.text
    return purchase_id
