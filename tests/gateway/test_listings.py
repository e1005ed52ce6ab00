"""Listings: drafted once, submitted, decided by one person once, archived."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from tests.gateway.api import closed_status, opened_api, status_when
from tests.gateway.listing_stubs import OVERDUE, WITHDRAWN, listing_stub_worker

WAIT = {"Prefer": "wait=10"}
APPROVED = {"reviewerId": "edsger", "approved": True, "reason": "fine"}
REJECTED = {"reviewerId": "barbara", "approved": False, "reason": "no"}


def listing(**changes: Any) -> dict[str, Any]:
    """Return the body of a listing."""
    return {
        "listingId": f"l-{uuid4().hex[:12]}",
        "title": "A lamp",
        "description": "It shines.",
        "price": {"minorUnits": 1250, "currency": "EUR"},
        "stock": 5,
        **changes,
    }


async def submitted(api: httpx.AsyncClient, *, prefix: str = "sub") -> str:
    """Submit a listing and return the path of its review, once it waits for that."""
    submission_id = f"{prefix}-{uuid4().hex[:12]}"
    answer = await api.post(
        "/v1/listings/lamp/submissions", json={"submissionId": submission_id, "submitterId": "grace"}
    )
    await status_when(
        api,
        answer.json()["workflowId"],
        lambda status: status["progress"] is not None or status["status"] == "FAILED",
    )
    return f"/v1/listings/lamp/submissions/{submission_id}/review"


def workflow_of(review: str) -> str:
    """Return the workflow that a review is about."""
    return f"demo:listing:publication:{review.split('/')[-2]}"


async def test_a_listing_is_drafted_once_by_its_id(selling_api: httpx.AsyncClient) -> None:
    body = listing()

    first = await selling_api.post("/v1/listings", json=body, headers=WAIT)
    again = await selling_api.post("/v1/listings", json=body)
    other = await selling_api.post("/v1/listings", json={**body, "title": "Another lamp"})

    assert first.status_code == 200
    assert first.json()["result"] == {"listingId": body["listingId"], "status": "draft"}
    assert again.status_code == 202
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == f"/v1/operations/demo:listing:listing-draft:{body['listingId']}"
    assert (other.status_code, other.json()["type"]) == (409, "different_details")


async def test_a_listing_that_was_refused_can_be_drafted_again(selling_api: httpx.AsyncClient) -> None:
    body = listing(title="Fails")

    refused = await selling_api.post("/v1/listings", json=body, headers=WAIT)
    again = await selling_api.post("/v1/listings", json={**body, "title": "A lamp"}, headers=WAIT)

    assert (refused.status_code, refused.json()["type"]) == (422, "invalid_listing")
    assert "db-7.internal" not in refused.text
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"listingId": "a:b"}, "listingId"),
        ({"title": " "}, "title"),
        ({"title": "a\x9fb"}, "title"),
        ({"title": "a\u2028b"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"description": "a\x00b"}, "description"),
        ({"stock": -1}, "stock"),
        ({"stock": 1.5}, "stock"),
        ({"stock": 2.0**60}, "stock"),
        ({"stock": "3"}, "stock"),
        ({"price": 12.5}, "price"),
        ({"price": {"minorUnits": 12.5, "currency": "EUR"}}, "price.minorUnits"),
        ({"price": {"minorUnits": True, "currency": "EUR"}}, "price.minorUnits"),
        ({"price": {"minorUnits": 1, "currency": "euro"}}, "price.currency"),
        ({"price": {"minorUnits": -1, "currency": "EUR"}}, "price.minorUnits"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_cannot_be_a_listing_names_the_field(
    api: httpx.AsyncClient, changes: dict[str, Any], field: str
) -> None:
    answer = await api.post("/v1/listings", json=listing(**changes))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_a_whole_number_is_the_same_integer_however_it_is_written(api: httpx.AsyncClient) -> None:
    body = listing(stock=3)

    as_integer = await api.post("/v1/listings", json=body)
    with_a_point = await api.post("/v1/listings", json={**body, "stock": 3.0})

    assert as_integer.status_code == with_a_point.status_code == 202
    assert with_a_point.headers["idempotent-replayed"] == "true"


async def test_a_submission_waits_for_its_review_and_says_so(selling_api: httpx.AsyncClient, client: Client) -> None:
    review = await submitted(selling_api)

    status = await selling_api.get(f"/v1/operations/{workflow_of(review)}")
    await client.get_workflow_handle(workflow_of(review)).terminate()

    assert status.json()["blockedBy"] == {"reason": "waiting_for", "what": "review", "deadline": "2027-01-01T00:00:00Z"}


async def test_a_submission_needs_a_name(api: httpx.AsyncClient) -> None:
    path, body, headers = "/v1/listings/lamp/submissions", {"submitterId": "grace"}, {"Idempotency-Key": uuid4().hex}

    nameless = await api.post(path, json=body)
    named = await api.post(path, json=body, headers=headers)
    again = await api.post(path, json=body, headers=headers)
    other = await api.post("/v1/listings/desk/submissions", json=body, headers=headers)

    assert nameless.status_code == 422
    assert nameless.json()["errors"][0]["field"] == "submissionId"
    assert named.status_code == again.status_code == 202
    assert named.json()["runId"] == again.json()["runId"]
    assert (other.status_code, other.json()["type"]) == (422, "idempotency_key_reused")


async def test_the_same_listing_is_submitted_again_under_another_id(selling_api: httpx.AsyncClient) -> None:
    path, decisions = "/v1/listings/lamp/submissions", [REJECTED, APPROVED]
    decided: list[dict[str, Any]] = []
    for decision in decisions:
        review = await submitted(selling_api)
        decided.append((await selling_api.post(review, json=decision)).json())

    repeated = [
        await selling_api.post(path, json={"submissionId": each["submissionId"], "submitterId": "grace"}, headers=WAIT)
        for each in decided
    ]

    assert [each["outcome"] for each in decided] == ["rejected", "published"]
    assert [answer.json()["workflowId"] for answer in repeated] == [
        f"demo:listing:publication:{each['submissionId']}" for each in decided
    ]
    assert [answer.json()["result"] for answer in repeated] == decided
    assert {answer.headers["idempotent-replayed"] for answer in repeated} == {"true"}


async def test_a_decision_is_answered_with_what_came_of_it(selling_api: httpx.AsyncClient) -> None:
    review = await submitted(selling_api)

    answer = await selling_api.post(review, json=APPROVED)

    assert answer.status_code == 200
    assert answer.json() == {
        "listingId": "lamp",
        "submissionId": review.split("/")[-2],
        "outcome": "published",
        "listingStatus": "published",
        "reviewerId": "edsger",
        "reason": "fine",
    }


async def test_the_same_decision_again_gets_the_same_answer_also_after_the_end(
    selling_api: httpx.AsyncClient,
) -> None:
    review = await submitted(selling_api)
    headers = {"Idempotency-Key": uuid4().hex}

    first, at_once = await asyncio.gather(*(selling_api.post(review, json=APPROVED, headers=headers) for _ in "12"))
    await closed_status(selling_api, workflow_of(review))
    later = await selling_api.post(review, json=APPROVED, headers=headers)
    without_the_key = await selling_api.post(review, json=APPROVED)

    assert {answer.status_code for answer in (first, at_once, later, without_the_key)} == {200}
    assert first.json() == at_once.json() == later.json() == without_the_key.json()


async def test_two_reviewers_at_once_are_one_decision_and_the_other_is_told_it(
    selling_api: httpx.AsyncClient,
) -> None:
    review = await submitted(selling_api)

    answers = await asyncio.gather(selling_api.post(review, json=APPROVED), selling_api.post(review, json=REJECTED))

    taken, refused = sorted(answers, key=lambda answer: answer.status_code)
    assert (taken.status_code, refused.status_code) == (200, 409)
    assert refused.json()["type"] == "already_decided"
    winner = APPROVED if taken.json()["reviewerId"] == "edsger" else REJECTED
    assert refused.json()["decided"] == winner


async def test_a_late_decision_is_told_what_was_decided(selling_api: httpx.AsyncClient) -> None:
    review = await submitted(selling_api)
    await selling_api.post(review, json=REJECTED)
    await closed_status(selling_api, workflow_of(review))

    late = await selling_api.post(review, json=APPROVED)

    assert (late.status_code, late.json()["type"]) == (409, "already_decided")
    assert late.json()["decided"] == REJECTED


async def test_a_key_that_comes_again_with_another_decision_is_not_answered_with_the_first(
    selling_api: httpx.AsyncClient,
) -> None:
    review = await submitted(selling_api)
    headers = {"Idempotency-Key": uuid4().hex}
    await selling_api.post(review, json=APPROVED, headers=headers)

    other = await selling_api.post(review, json=REJECTED, headers=headers)

    assert (other.status_code, other.json()["type"]) == (409, "already_decided")
    assert other.json()["decided"] == APPROVED


async def test_a_submission_that_ended_without_a_decision_takes_none(selling_api: httpx.AsyncClient) -> None:
    review = await submitted(selling_api, prefix=OVERDUE)

    answer = await selling_api.post(review, json=APPROVED)

    assert (answer.status_code, answer.json()["type"]) == (409, "not_in_review")
    assert answer.json().get("decided") is None


async def test_a_submission_that_was_cancelled_before_temporal_forgot_it_is_cancelled(
    selling_api: httpx.AsyncClient,
) -> None:
    body = {"submissionId": f"{WITHDRAWN}-{uuid4().hex[:12]}", "submitterId": "grace"}

    answer = await selling_api.post("/v1/listings/lamp/submissions", json=body, headers=WAIT)
    status = await closed_status(selling_api, answer.json()["workflowId"])

    assert (answer.status_code, answer.json()["type"]) == (409, "operation_canceled")
    assert status["failure"]["message"] == "The submission was cancelled."


async def test_a_submitter_does_not_review(selling_api: httpx.AsyncClient) -> None:
    review = await submitted(selling_api)

    own = await selling_api.post(review, json={**APPROVED, "reviewerId": "grace"})
    others = await selling_api.post(review, json=APPROVED)

    assert (own.status_code, own.json()["type"]) == (403, "reviewer_is_submitter")
    assert "db-7.internal" not in own.text
    assert others.status_code == 200


async def test_a_submission_is_one_of_its_listing_and_of_its_account(
    selling_api: httpx.AsyncClient, client: Client
) -> None:
    review = await submitted(selling_api)
    unknown = f"/v1/listings/lamp/submissions/{uuid4().hex}/review"

    async with opened_api(client, api_key="k", tenant="acme", headers={"X-API-Key": "k"}) as acme:
        answers = [
            await acme.post(review, json=APPROVED),
            await selling_api.post(review.replace("lamp", "desk"), json=APPROVED),
            await selling_api.post(unknown, json=APPROVED),
        ]
    await client.get_workflow_handle(workflow_of(review)).terminate()

    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(404, "unknown_submission")] * 3


async def test_without_a_worker_a_decision_is_503_with_the_reason_and_never_hangs(
    api: httpx.AsyncClient, client: Client
) -> None:
    submission = await api.post(
        "/v1/listings/lamp/submissions", json={"submissionId": uuid4().hex, "submitterId": "grace"}
    )
    review = f"/v1/listings/lamp/submissions/{submission.json()['workflowId'].split(':')[-1]}/review"
    asked_at = time.monotonic()

    answer = await api.post(review, json=APPROVED)

    assert time.monotonic() - asked_at < 5
    assert (answer.status_code, answer.json()["type"]) == (503, "no_worker")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["blockedBy"]["reason"] == "waiting_for_worker"
    assert answer.json()["blockedBy"]["queue"] == "listing"


async def test_a_worker_that_went_away_during_the_review_is_named_and_the_decision_taken_once_it_is_back(
    patient_api: httpx.AsyncClient, client: Client
) -> None:
    async with listing_stub_worker(client):
        review = await submitted(patient_api)

    away = await patient_api.post(review, json=APPROVED)
    async with listing_stub_worker(client):
        back = await patient_api.post(review, json=APPROVED)

    assert (away.status_code, away.json()["type"]) == (503, "no_worker")
    assert away.json()["blockedBy"]["queue"] == "listing"
    assert back.status_code == 200
    assert back.json()["outcome"] == "published"


@pytest.mark.parametrize(
    "body", [{}, {**APPROVED, "approved": "yes"}, {**APPROVED, "reviewerId": ""}, {**APPROVED, "score": 5}]
)
async def test_what_cannot_be_a_decision_is_refused(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await api.post("/v1/listings/lamp/submissions/s-1/review", json=body)

    assert answer.status_code == 422


async def test_a_listing_is_archived_once(selling_api: httpx.AsyncClient) -> None:
    listing_id = f"l-{uuid4().hex[:12]}"

    first = await selling_api.post(f"/v1/listings/{listing_id}/archive", headers=WAIT)
    again = await selling_api.post(f"/v1/listings/{listing_id}/archive")
    unknown = await selling_api.post(f"/v1/listings/unknown-{listing_id}/archive", headers=WAIT)

    assert first.status_code == 200
    assert first.json()["result"] == {"listingId": listing_id, "status": "archived"}
    assert again.headers["idempotent-replayed"] == "true"
    assert (unknown.status_code, unknown.json()["type"]) == (404, "unknown_listing")
