"""Temporal has forgotten an operation: the same request has the same outcome, and does nothing a second time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from platform_cli.demo.acquirer_api import AcquirerApi
from tests.support.platform import Platform, new_id
from tests.support.waiting import eventually

STOCK = 5
FORGOTTEN_WITHIN_SECONDS = 120
"""The server deletes in the order of its queues, which it looks at every half a minute."""

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Asked:
    """A request, what it is about, and how it was answered."""

    about: str
    path: str
    body: Mapping[str, Any] | None
    key: str | None
    first: httpx.Response

    async def again(self, platform: Platform) -> httpx.Response:
        """Send the same request; it has to be another run that answers."""
        answer = await _post(platform, self.path, self.body, key=self.key)
        assert answer.json()["workflowId"] == self.first.json()["workflowId"]
        assert answer.json()["runId"] != self.first.json()["runId"], "it was not forgotten"
        assert "idempotent-replayed" not in answer.headers
        await _closed(platform, answer.json()["workflowId"])
        return answer


async def _post(
    platform: Platform, path: str, body: Mapping[str, Any] | None, *, key: str | None = None
) -> httpx.Response:
    headers = {"Prefer": "wait=25"} | ({} if key is None else {"Idempotency-Key": f'"{key}"'})
    return await platform.http.post(path, json=body, headers=headers)


async def _ask(
    platform: Platform, about: str, path: str, body: Mapping[str, Any] | None, *, key: str | None = None
) -> Asked:
    return Asked(about, path, body, key, await _post(platform, path, body, key=key))


async def _closed(platform: Platform, workflow_id: str) -> None:
    async def closed() -> bool:
        return (await platform.temporal.get_workflow_handle(workflow_id).describe()).close_time is not None

    await eventually(closed, within_seconds=60, every_seconds=0.2)


async def _forget(platform: Platform, workflow_id: str) -> None:
    """Delete a workflow, as the end of its retention does."""
    await _closed(platform, workflow_id)
    await platform.temporal.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=platform.temporal.namespace, workflow_execution=WorkflowExecution(workflow_id=workflow_id)
        )
    )

    async def gone() -> bool:
        try:
            await platform.temporal.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return False

    await eventually(gone, within_seconds=FORGOTTEN_WITHIN_SECONDS, every_seconds=1)


async def _onboarding(platform: Platform) -> Asked:
    user = new_id("u")
    body = {"email": f"{user}@example.com", "name": "Ada"}
    asked = await _ask(platform, user, f"/v1/users/{user}/onboarding", body)
    await _closed(platform, f"demo:user:notification:welcome-{user}")
    return asked


async def _notification(platform: Platform) -> Asked:
    user = (await _onboarding(platform)).about
    body = {"message": "Hello", "type": "info"}
    return await _ask(platform, user, f"/v1/users/{user}/notifications", body, key=new_id("key"))


async def _skipped_mail(platform: Platform) -> Asked:
    user = new_id("u")
    body = {"message": "Hello", "type": "info"}
    return await _ask(platform, user, f"/v1/users/{user}/notifications", body, key=new_id("key"))


async def _draft(platform: Platform) -> Asked:
    listing = new_id("lamp")
    price = {"minorUnits": 1250, "currency": "EUR"}
    body = {"listingId": listing, "title": "A lamp", "price": price, "stock": STOCK}
    return await _ask(platform, listing, "/v1/listings", body)


async def _submission(platform: Platform, listing: str, *, approved: bool) -> Asked:
    path = f"/v1/listings/{listing}/submissions"
    body = {"submissionId": f"s-{listing}", "submitterId": "grace"}
    submitted = await platform.http.post(path, json=body)

    async def decided() -> bool:
        decision = {"reviewerId": "ada", "approved": approved, "reason": "Looked at it."}
        return (await platform.http.post(f"{path}/s-{listing}/review", json=decision)).status_code == 200

    await eventually(decided, within_seconds=60, every_seconds=0.5)
    await _closed(platform, submitted.json()["workflowId"])
    return await _ask(platform, listing, path, body)


async def _rejected_by_the_checks(platform: Platform) -> Asked:
    listing = new_id("lamp")
    price = {"minorUnits": 0, "currency": "EUR"}
    await _post(platform, "/v1/listings", {"listingId": listing, "title": "A lamp", "price": price, "stock": STOCK})
    body = {"submissionId": f"s-{listing}", "submitterId": "grace"}
    return await _ask(platform, listing, f"/v1/listings/{listing}/submissions", body)


async def _decided(platform: Platform, *, approved: bool) -> Asked:
    return await _submission(platform, (await _draft(platform)).about, approved=approved)


async def _cancelled(platform: Platform) -> Asked:
    listing = (await _draft(platform)).about
    path = f"/v1/listings/{listing}/submissions"
    body, key = {"submitterId": "grace"}, new_id("key")
    headers = {"Idempotency-Key": f'"{key}"'}
    operation = (await platform.http.post(path, json=body, headers=headers)).json()["workflowId"]
    await platform.http.post(f"/v1/operations/{operation}/cancel")
    await _closed(platform, operation)
    return await _ask(platform, listing, path, body, key=key)


async def _cancelled_before_a_worker_took_them_up(platform: Platform) -> dict[str, Asked]:
    user, listing = (await _onboarding(platform)).about, (await _decided(platform, approved=True)).about
    notification = (user, f"/v1/users/{user}/notifications", {"message": "Hello", "type": "info"})
    purchase = (listing, "/v1/purchases", _purchase_body(listing))
    key = new_id("key")
    await platform.partner("scale", "user=0", "listing=0")
    try:
        for _, path, body in (notification, purchase):
            taken = await platform.http.post(path, json=body, headers={"Idempotency-Key": key})
            await platform.http.post(f"/v1/operations/{taken.json()['workflowId']}/cancel")
    finally:
        await platform.partner("scale", "user=1", "listing=1")
    return {
        "cancelled notification": await _ask(platform, *notification, key=key),
        "cancelled purchase": await _ask(platform, *purchase, key=key),
    }


async def _archive(platform: Platform) -> Asked:
    listing = (await _draft(platform)).about
    return await _ask(platform, listing, f"/v1/listings/{listing}/archive", None)


async def _purchase(platform: Platform, *, token: str = "tok_ok", quantity: int = 2) -> Asked:
    listing = (await _decided(platform, approved=True)).about
    return await _ask(platform, listing, "/v1/purchases", _purchase_body(listing, token=token, quantity=quantity))


def _purchase_body(listing: str, *, token: str = "tok_ok", quantity: int = 2) -> dict[str, Any]:
    lines = [{"listingId": listing, "quantity": quantity}]
    return {"buyerId": "ada", "lines": lines, "paymentToken": token, "purchaseId": f"p-{listing}"}


@pytest.fixture(scope="module")
async def forgotten(platform: Platform) -> dict[str, Asked]:
    """Ask for one of each, and have Temporal forget them all; to forget one takes as long."""
    asking = {
        "onboarding": _onboarding(platform),
        "notification": _notification(platform),
        "skipped mail": _skipped_mail(platform),
        "draft": _draft(platform),
        "published": _decided(platform, approved=True),
        "rejected": _decided(platform, approved=False),
        "rejected by the checks": _rejected_by_the_checks(platform),
        "cancelled": _cancelled(platform),
        "archive": _archive(platform),
        "purchase": _purchase(platform),
        "declined": _purchase(platform, token="tok_declined"),
        "sold out": _purchase(platform, quantity=STOCK + 1),
    }
    asked = dict(zip(asking, await asyncio.gather(*asking.values()), strict=True))
    asked |= await _cancelled_before_a_worker_took_them_up(platform)
    workflow_ids = [each.first.json()["workflowId"] for each in asked.values()]
    welcome = f"demo:user:notification:welcome-{asked['onboarding'].about}"
    await asyncio.gather(*(_forget(platform, workflow_id) for workflow_id in (*workflow_ids, welcome)))
    return asked


def _lasting(answer: httpx.Response) -> dict[str, Any]:
    body = {name: value for name, value in answer.json().items() if name not in ("runId", "traceId")}
    return {"http": answer.status_code, **body}


async def _mails_to(platform: Platform, user: str) -> int:
    # A mail that should not be there needs time to arrive.
    await asyncio.sleep(1)
    return len(await platform.mail.mails_to(f"{user}@example.com"))


async def _inbox(platform: Platform, user: str) -> list[str]:
    page = (await platform.http.get(f"/v1/users/{user}/inbox", params={"limit": 200})).json()
    return [message["notificationId"] for message in page["messages"]]


async def _listing(platform: Platform, listing: str) -> dict[str, Any]:
    return (await platform.http.get(f"/v1/listings/{listing}")).json()


async def test_a_user_is_onboarded_and_welcomed_once(platform: Platform, forgotten: dict[str, Asked]) -> None:
    asked = forgotten["onboarding"]

    answer = await asked.again(platform)
    await _closed(platform, f"demo:user:notification:welcome-{asked.about}")

    assert asked.first.status_code == 200
    assert _lasting(answer) == _lasting(asked.first)
    assert await _mails_to(platform, asked.about) == 1
    assert await _inbox(platform, asked.about) == [f"welcome-{asked.about}"]


async def test_a_user_is_notified_once(platform: Platform, forgotten: dict[str, Asked]) -> None:
    asked = forgotten["notification"]

    answer = await asked.again(platform)

    assert asked.first.json()["result"]["deliveries"][1]["status"] == "sent"
    assert _lasting(answer) == _lasting(asked.first)
    assert await _mails_to(platform, asked.about) == 2
    assert len(await _inbox(platform, asked.about)) == 2


async def test_a_mail_that_was_skipped_is_not_sent_once_there_is_an_address(
    platform: Platform, forgotten: dict[str, Asked]
) -> None:
    asked = forgotten["skipped mail"]
    details = {"email": f"{asked.about}@example.com", "name": "Ada"}
    await _post(platform, f"/v1/users/{asked.about}/onboarding", details)
    await _closed(platform, f"demo:user:notification:welcome-{asked.about}")

    answer = await asked.again(platform)

    assert asked.first.json()["result"]["deliveries"][1]["reason"] == "no_address"
    assert _lasting(answer) == _lasting(asked.first)
    assert await _mails_to(platform, asked.about) == 1


async def test_a_purchase_is_charged_and_taken_from_the_stock_once(
    platform: Platform, forgotten: dict[str, Asked]
) -> None:
    asked = forgotten["purchase"]

    answer = await asked.again(platform)
    stock = (await _listing(platform, asked.about))["stock"]
    charge = (await AcquirerApi(platform.acquirer).book("demo"))[f"p-{asked.about}"]

    assert asked.first.status_code == 200
    assert _lasting(answer) == _lasting(asked.first)
    assert (stock["available"], stock["held"], stock["sold"]) == (STOCK - 2, 0, 2)
    assert (charge.captures, charge.captured) == (1, 2500)


@pytest.mark.parametrize(("name", "kind"), [("declined", "payment_declined"), ("sold out", "sold_out")])
async def test_a_purchase_that_failed_fails_alike_and_takes_nothing(
    platform: Platform, forgotten: dict[str, Asked], name: str, kind: str
) -> None:
    asked = forgotten[name]

    answer = await asked.again(platform)
    stock = (await _listing(platform, asked.about))["stock"]

    assert asked.first.json()["type"] == kind
    assert _lasting(answer) == _lasting(asked.first)
    assert (stock["available"], stock["held"], stock["sold"]) == (STOCK, 0, 0)


async def test_a_notification_that_was_cancelled_reaches_nobody(
    platform: Platform, forgotten: dict[str, Asked]
) -> None:
    asked = forgotten["cancelled notification"]

    answer = await asked.again(platform)

    assert (asked.first.status_code, asked.first.json()["type"]) == (409, "operation_canceled")
    assert _lasting(answer) == _lasting(asked.first)
    assert await _mails_to(platform, asked.about) == 1
    assert await _inbox(platform, asked.about) == [f"welcome-{asked.about}"]


async def test_a_purchase_that_was_cancelled_before_a_worker_took_it_up_is_not_made(
    platform: Platform, forgotten: dict[str, Asked]
) -> None:
    asked = forgotten["cancelled purchase"]

    answer = await asked.again(platform)
    stock = (await _listing(platform, asked.about))["stock"]

    assert (asked.first.status_code, asked.first.json()["type"]) == (409, "operation_canceled")
    assert _lasting(answer) == _lasting(asked.first)
    assert (stock["available"], stock["held"], stock["sold"]) == (STOCK, 0, 0)
    assert f"p-{asked.about}" not in await AcquirerApi(platform.acquirer).book("demo")


async def test_a_draft_is_drafted_once_wherever_it_has_gone_since(
    platform: Platform, forgotten: dict[str, Asked]
) -> None:
    asked = forgotten["draft"]
    await _submission(platform, asked.about, approved=True)

    answer = await asked.again(platform)

    assert asked.first.status_code == 200
    assert _lasting(answer) == _lasting(asked.first)
    assert (await _listing(platform, asked.about))["status"] == "published"


@pytest.mark.parametrize("name", ["published", "rejected", "rejected by the checks"])
async def test_a_submission_is_decided_and_told_once(
    platform: Platform, forgotten: dict[str, Asked], name: str
) -> None:
    asked = forgotten[name]

    answer = await asked.again(platform)
    told = [each for each in await _inbox(platform, "grace") if each == f"review-outcome-s-{asked.about}"]

    assert asked.first.json()["result"]["outcome"] == name.partition(" ")[0]
    assert _lasting(answer) == _lasting(asked.first)
    assert len(told) == 1


async def test_a_submission_that_was_cancelled_stays_so_whatever_became_of_its_listing(
    platform: Platform, forgotten: dict[str, Asked]
) -> None:
    asked = forgotten["cancelled"]
    await _submission(platform, asked.about, approved=True)

    answer = await asked.again(platform)

    assert (asked.first.status_code, asked.first.json()["type"]) == (409, "operation_canceled")
    assert _lasting(answer) == _lasting(asked.first)
    assert (await _listing(platform, asked.about))["status"] == "published"


async def test_a_listing_is_archived_once(platform: Platform, forgotten: dict[str, Asked]) -> None:
    asked = forgotten["archive"]

    answer = await asked.again(platform)

    assert asked.first.status_code == 200
    assert _lasting(answer) == _lasting(asked.first)
    assert (await _listing(platform, asked.about))["status"] == "archived"
