"""Where workers are short, tenants take turns: one that has asked for much waits for itself, not the others for it."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from platform_contracts.task_queues import TaskQueue
from platform_contracts.user import notification as contract
from platform_contracts.user.notification import NotificationInput, NotificationResult
from tests.gateway.api import notification, opened_api
from tests.support.namespaces import new_namespace
from tests.support.waiting import eventually

MANY, FEW = 40, 3
CHILD_TYPE = "user.Child"

_had_their_turn: list[str] = []


@workflow.defn(name=contract.WORKFLOW_TYPE)
class _NotesItsTurn:
    @workflow.run
    async def run(self, notification: NotificationInput) -> NotificationResult:
        _had_their_turn.append(notification.tenant)
        return NotificationResult(notification_id=notification.notification_id, deliveries=())


_keys_of_activities: list[str | None] = []


@activity.defn(name="user.notes_its_key")
async def _notes_its_key() -> None:
    _keys_of_activities.append(activity.info().priority.fairness_key)


@workflow.defn(name=contract.WORKFLOW_TYPE)
class _StartsAnActivityAndAChild:
    @workflow.run
    async def run(self, notification: NotificationInput) -> NotificationResult:
        await workflow.execute_activity(_notes_its_key, start_to_close_timeout=timedelta(seconds=5))
        await workflow.start_child_workflow(
            CHILD_TYPE,
            id=f"{workflow.info().workflow_id}:child",
            task_queue="queue-of-nobody",
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )
        return NotificationResult(notification_id=notification.notification_id, deliveries=())


def _worker(client: Client, of: type) -> Worker:
    return Worker(
        client,
        task_queue=TaskQueue.USER,
        workflows=[of],
        activities=[_notes_its_key],
        workflow_runner=UnsandboxedWorkflowRunner(),
        # One after the other, so that there is an order.
        max_concurrent_workflow_tasks=1,
        max_cached_workflows=0,
        build_id="stub",
    )


async def test_few_requests_of_one_tenant_do_not_wait_for_the_many_of_another(
    temporal_server: WorkflowEnvironment,
) -> None:
    client = await new_namespace(temporal_server)
    for tenant, count in (("acme", MANY), ("globex", FEW)):
        async with opened_api(client, tenant=tenant, api_key="key", headers={"X-API-Key": "key"}) as api:
            for _ in range(count):
                assert (await api.post("/api/temporal/notification/start", json=notification())).status_code == 202

    async def all_had() -> bool:
        return len(_had_their_turn) == MANY + FEW

    async with _worker(client, _NotesItsTurn):
        await eventually(all_had, within_seconds=60)

    last = max(place for place, tenant in enumerate(_had_their_turn) if tenant == "globex")
    assert last < MANY / 2, _had_their_turn


async def test_what_a_workflow_starts_has_its_tenant_as_fairness_key(temporal_server: WorkflowEnvironment) -> None:
    client = await new_namespace(temporal_server)
    async with opened_api(client) as api, _worker(client, _StartsAnActivityAndAChild):
        started = await api.post("/api/temporal/notification/start", json=notification())
        workflow_id = started.json()["workflowId"]
        async with asyncio.timeout(30):
            await client.get_workflow_handle(workflow_id).result()

    own, childs = [
        (await client.get_workflow_handle(each).describe()).raw_description.workflow_execution_info.priority
        for each in (workflow_id, f"{workflow_id}:child")
    ]
    assert [own.fairness_key, childs.fairness_key, *_keys_of_activities] == ["demo", "demo", "demo"]
