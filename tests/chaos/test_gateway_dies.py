"""kill -9 of a gateway in the middle of a start: the client's retry finds the same operation or makes it, never two."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from platform_contracts.identifiers import idempotency_key_id
from platform_contracts.payment.provider_event import provider_event_workflow_id
from platform_contracts.user.notification import notification_workflow_id
from platform_contracts.user.user_onboarding import user_onboarding_workflow_id
from platform_gateway.identity.identity_settings import OPEN_TENANT
from tests.gateway.gateway_process import GatewayProcess, running_gateway
from tests.gateway.provider_signatures import ACQUIRER, ACQUIRER_SECRET, event_bytes, new_event_id, standard_headers
from tests.support.namespaces import new_namespace
from tests.support.platform import new_id
from tests.support.run_counts import runs_by_id
from tests.support.toxiproxy import Direction, FaultProxy, fault_proxy
from tests.support.waiting import eventually

# Each test starts a gateway of its own.
pytestmark = pytest.mark.timeout(180)

STEP_WITHIN_SECONDS = 20
LONGER_THAN_THE_TEST = "wait=30"


@dataclass(frozen=True)
class Post:
    """A request that its client sends, as it is, until it is answered."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    workflow_id: str


@dataclass(frozen=True)
class Scene:
    """A gateway that is about to die, one that goes on, and the requests of a client."""

    temporal: Client
    way: FaultProxy
    """How the one that dies reaches Temporal."""
    doomed: GatewayProcess
    survivor: httpx.AsyncClient
    posts: tuple[Post, ...]

    def sending(self, **headers: str) -> list[asyncio.Task[httpx.Response]]:
        """Begin to send the requests to the gateway that dies."""
        return [asyncio.create_task(_sent(self.doomed.url, post, **headers)) for post in self.posts]

    async def retried(self) -> list[httpx.Response]:
        """Send the requests again, to the gateway that goes on."""
        return [await _sent(str(self.survivor.base_url), post) for post in self.posts]

    async def kill(self, sending: list[asyncio.Task[httpx.Response]]) -> None:
        """Kill the gateway; none of the requests has been answered."""
        self.doomed.process.kill()
        await self.doomed.process.wait()
        for outcome in await asyncio.gather(*sending, return_exceptions=True):
            assert isinstance(outcome, httpx.TransportError), outcome

    async def eventually_counts(self, metric: str) -> None:
        """Wait until the gateway that dies counts each start in a metric of its Temporal client."""
        pattern = rf'^{metric}{{.*operation="StartWorkflowExecution".*}} {len(self.posts)}\.0$'

        async def counts() -> bool:
            async with httpx.AsyncClient(trust_env=False) as http:
                metrics = await http.get(f"{self.doomed.internal_url}/metrics")
            return re.search(pattern, metrics.text, re.MULTILINE) is not None

        await eventually(counts, within_seconds=STEP_WITHIN_SECONDS)

    async def runs(self) -> dict[str, int]:
        """Return how many runs there are of each workflow that the requests stand for."""
        counts = await runs_by_id(self.temporal)
        return {post.workflow_id: counts[post.workflow_id] for post in self.posts}

    @property
    def one_run_each(self) -> dict[str, int]:
        """What `runs` is to be at the end."""
        return {post.workflow_id: 1 for post in self.posts}


async def _sent(url: str, post: Post, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, timeout=40, trust_env=False) as client:
        return await client.post(post.path, content=post.body, headers={**post.headers, **headers})


def _posts() -> tuple[Post, ...]:
    """Return a request of a route whose key is natural, and one of a route whose key the client makes."""
    user, key = new_id("u"), new_id("key")
    return (
        Post(
            path=f"/v1/users/{user}/onboarding",
            body=json.dumps({"email": f"{user}@example.com", "name": "Ada"}).encode(),
            headers=_with_key(new_id("key")),
            workflow_id=user_onboarding_workflow_id(tenant=OPEN_TENANT, user_id=user),
        ),
        Post(
            path=f"/v1/users/{user}/notifications",
            body=json.dumps({"message": "Hello", "type": "info"}).encode(),
            headers=_with_key(key),
            workflow_id=notification_workflow_id(tenant=OPEN_TENANT, notification_id=idempotency_key_id(key)),
        ),
    )


def _with_key(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key, "Content-Type": "application/json"}


def _event() -> Post:
    """Return what a provider sends until it is told that we have it."""
    event_id = new_event_id()
    body = event_bytes(event_id)
    return Post(
        path=ACQUIRER,
        body=body,
        headers=standard_headers(event_id, body),
        workflow_id=provider_event_workflow_id(provider="acquirer", event_id=event_id),
    )


@pytest.fixture(scope="module")
async def temporal(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of a namespace whose user queue nobody polls."""
    return await new_namespace(temporal_server)


@pytest.fixture(scope="module")
async def survivor(temporal: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[httpx.AsyncClient]:
    address = temporal.service_client.config.target_host
    async with (
        running_gateway(
            tmp_path_factory.mktemp("survivor"),
            TEMPORAL_ADDRESS=address,
            TEMPORAL_NAMESPACE=temporal.namespace,
            GATEWAY_ACQUIRER_WEBHOOK_SECRETS=ACQUIRER_SECRET,
        ) as gateway,
        httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
async def scene(
    temporal: Client, survivor: httpx.AsyncClient, toxiproxy: None, tmp_path: Path
) -> AsyncGenerator[Scene]:
    async with (
        fault_proxy(temporal.service_client.config.target_host) as way,
        running_gateway(
            tmp_path,
            TEMPORAL_ADDRESS=way.address,
            TEMPORAL_NAMESPACE=temporal.namespace,
            GATEWAY_ACQUIRER_WEBHOOK_SECRETS=ACQUIRER_SECRET,
        ) as doomed,
    ):

        async def ready() -> bool:
            async with httpx.AsyncClient(trust_env=False) as http:
                return (await http.get(f"{doomed.url}/readyz")).is_success

        await eventually(ready, within_seconds=STEP_WITHIN_SECONDS)
        yield Scene(temporal, way, doomed, survivor, _posts())


async def test_start_that_has_not_reached_temporal_is_made_by_the_retry(scene: Scene) -> None:
    await scene.way.hold("upstream")
    sending = scene.sending()
    await scene.eventually_counts("temporal_request_total")
    before = await scene.runs()

    await scene.kill(sending)
    retried = await scene.retried()
    # What the dead gateway sent may arrive only now.
    await scene.way.heal()
    again = await scene.retried()

    assert set(before.values()) == {0}
    assert [answer.status_code for answer in retried + again] == [202] * 4
    assert not any("idempotent-replayed" in answer.headers for answer in retried)
    assert [answer.json()["runId"] for answer in again] == [answer.json()["runId"] for answer in retried]
    assert await scene.runs() == scene.one_run_each


async def test_start_whose_response_is_held_is_found_by_the_retry(scene: Scene) -> None:
    await scene.way.hold("downstream")
    sending = scene.sending()
    started = await _run_ids_of_started(scene)

    await scene.kill(sending)
    retried = await scene.retried()

    _assert_found(retried, started)
    assert await scene.runs() == scene.one_run_each


async def test_start_that_was_not_answered_yet_is_found_by_the_retry(scene: Scene) -> None:
    sending = scene.sending(Prefer=LONGER_THAN_THE_TEST)
    started = await _run_ids_of_started(scene)
    await scene.eventually_counts("temporal_request_latency_seconds_count")

    await scene.kill(sending)
    retried = await scene.retried()

    _assert_found(retried, started)
    assert await scene.runs() == scene.one_run_each


@pytest.mark.parametrize("held", ["upstream", "downstream"], ids=["not started", "started"])
async def test_provider_that_was_told_nothing_sends_its_event_again_and_it_is_taken_in_once(
    scene: Scene, held: Direction
) -> None:
    scene = replace(scene, posts=(_event(),))
    await scene.way.hold(held)
    sending = scene.sending()
    await scene.eventually_counts("temporal_request_total")
    if held == "downstream":
        await _run_ids_of_started(scene)
    before = await scene.runs()

    await scene.kill(sending)
    retried = await scene.retried()
    # What the dead gateway sent may arrive only now.
    await scene.way.heal()
    again = await scene.retried()

    assert set(before.values()) == {0 if held == "upstream" else 1}
    assert [answer.status_code for answer in retried + again] == [202] * 2
    assert await scene.runs() == scene.one_run_each


async def _run_ids_of_started(scene: Scene) -> list[str]:
    """Return the runs once Temporal has started them."""

    async def run_ids() -> list[str]:
        handles = [scene.temporal.get_workflow_handle(post.workflow_id) for post in scene.posts]
        return [(await handle.describe()).run_id for handle in handles]

    return await eventually(run_ids, within_seconds=STEP_WITHIN_SECONDS)


def _assert_found(answers: list[httpx.Response], run_ids: list[str]) -> None:
    assert [answer.status_code for answer in answers] == [202] * len(run_ids)
    assert [answer.json()["runId"] for answer in answers] == run_ids
    assert all(answer.headers["idempotent-replayed"] == "true" for answer in answers)
