"""The activity of bulk operations: one verb, one operation, by the same rules as when it is asked for by itself."""

from temporalio import activity
from temporalio.client import Client

from platform_gateway.bulk_contract import OPERATE, OperateInput, OperateResult, Task, Verb
from platform_gateway.operations.describing import Description, describe
from platform_gateway.operations.finding import closed, find
from platform_gateway.operations.operating import Order, cancel, pause, resume, retry, terminate
from platform_gateway.operations.resetting import reset
from platform_gateway.problems import Problem


class BulkActivities:
    """What is done to single operations."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name=OPERATE)
    async def operate(self, wanted: OperateInput) -> OperateResult:
        """Do it to the operation, unless that is refused, or the operation has gone on in another run.

        Done again it finds what was done before: an ended or paused operation, no attempt to wait for, or the new run
        of the same reset.
        """
        item = wanted.item
        try:
            found = await find(self._client, wanted.task.tenant, item.workflow_id)
            if found.run_id != item.run_id:
                if wanted.task.verb is Verb.RESET and await self._was_reset(found, item.run_id):
                    return OperateResult()
                raise closed(found, "It has gone on in another run.")
            await self._operate(found, wanted.task)
        except Problem as problem:
            return OperateResult(refused=problem.kind.type)
        return OperateResult()

    async def _operate(self, found: Description, task: Task) -> None:
        order = Order(identity=task.identity, reason=task.reason)
        match task.verb:
            case Verb.CANCEL:
                await cancel(self._client, found, order)
            case Verb.RETRY:
                await retry(self._client, found, order)
            case Verb.RESET:
                request_id = f"{task.bulk_id} {found.run_id}"
                await reset(self._client, found, order, to=task.to, request_id=request_id)
            case Verb.TERMINATE:
                await terminate(self._client, found, order)
            case Verb.PAUSE:
                await pause(self._client, found, order)
            case Verb.RESUME:
                await resume(self._client, found, order)

    async def _was_reset(self, found: Description, run_id: str) -> bool:
        earlier = await describe(self._client, found.workflow_id, run_id=run_id)
        return earlier.raw.workflow_extended_info.reset_run_id == found.run_id
