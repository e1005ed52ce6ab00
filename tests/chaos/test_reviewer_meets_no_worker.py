"""A reviewer decides while no listing worker runs: they are told, nothing is decided, and the repeat decides once."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from temporalio.api.enums.v1 import EventType

from tests.support.marketplace_by_rest import in_review
from tests.support.platform import Platform, new_id
from tests.support.waiting import eventually

DECISION = {"reviewerId": "edsger", "approved": True, "reason": "fine"}
DECIDED_WITHIN_SECONDS = 60


@pytest.fixture
async def without_listing(platform: Platform) -> AsyncGenerator[tuple[str, str]]:
    """Stop the listing workers; return the ids of a listing that waits for a decision and of the workflow that does."""
    ids = await in_review(platform.http)
    try:
        await platform.partner("scale", "listing=0")
        yield ids
    finally:
        await platform.partner("scale", "listing=1")


@pytest.mark.timeout(180)
async def test_decision_without_a_worker_is_refused_and_its_repeat_decides_once(
    platform: Platform, without_listing: tuple[str, str]
) -> None:
    listing_id, workflow_id = without_listing
    key = new_id("key")

    refused = await _decide(platform, listing_id, key)
    accepted_meanwhile = await _accepted_decisions(platform, workflow_id)
    status = (await platform.http.get(f"/v1/operations/{workflow_id}")).json()
    await platform.partner("scale", "listing=1")

    async def decided() -> httpx.Response | None:
        answer = await _decide(platform, listing_id, key)
        return answer if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE.value else None

    answer = await eventually(decided, within_seconds=DECIDED_WITHIN_SECONDS, every_seconds=0.5)
    repeated = await _decide(platform, listing_id, key)
    listing = await platform.http.get(f"/v1/listings/{listing_id}")

    assert (refused.status_code, refused.json()["type"]) == (503, "no_worker")
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["blockedBy"]["reason"] == "waiting_for_worker"
    assert refused.json()["blockedBy"]["queue"] == "listing"
    assert accepted_meanwhile == 0
    assert (status["status"], status["progress"]["waitingFor"]) == ("RUNNING", "review")
    assert answer is not None
    assert answer.status_code == repeated.status_code == 200
    assert answer.json()["outcome"] == repeated.json()["outcome"] == "published"
    assert await _accepted_decisions(platform, workflow_id) == 1
    assert listing.json()["status"] == "published"


async def _decide(platform: Platform, listing_id: str, key: str) -> httpx.Response:
    path = f"/v1/listings/{listing_id}/submissions/{listing_id}/review"
    return await platform.http.post(path, json=DECISION, headers={"Idempotency-Key": key})


async def _accepted_decisions(platform: Platform, workflow_id: str) -> int:
    history = await platform.temporal.get_workflow_handle(workflow_id).fetch_history()
    accepted = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    return sum(event.event_type == accepted for event in history.events)
