"""Hold a workflow where no activity can hold it: in one workflow task, or in a handler that has its answer."""

import asyncio
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.exceptions import FailureError
from temporalio.worker import (
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowInterceptorClassInput,
    WorkflowRunner,
)

SLOW: Final = "slow-"
"""What the id of an update begins with whose handler is held once it has its answer."""

HANDLERS_MAY_FINISH: Final = "test.handlers_may_finish"
"""The signal that lets the held handlers of a workflow finish."""

_LONGEST_HOLD_SECONDS: Final = 1.5
"""Below the 2 s after which the SDK takes a workflow that does not come back for stuck."""


@dataclass
class TaskGate:
    """One workflow task that is held once: its commands are made, and the server has not heard of them.

    What the server is told meanwhile comes behind these commands when the task is completed, and before them when it
    is lost: then the worker is given the task anew, with all that has come since.
    """

    workflow_id: str
    sends: str | None
    hears_start_of: str | None
    loop: asyncio.AbstractEventLoop
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False
    opened: threading.Event = field(default_factory=threading.Event)

    def complete(self) -> None:
        """Let the server have the commands."""
        self.opened.set()

    def lose(self) -> None:
        """Let the worker fail before the server has them."""
        self.lost = True
        self.opened.set()


class TaskGates(WorkflowRunner):
    """Runs workflows as another runner does, sees what they ask the server for, and holds them there."""

    def __init__(self, runner: WorkflowRunner) -> None:
        self.sent: defaultdict[str, set[str]] = defaultdict(set)
        """What each workflow has asked the server for: an activity by its type, a child by its `child_name`,
        a timer by its length, anything else by its kind."""
        self._runner = runner
        self._gates: list[TaskGate] = []

    def hold(self, workflow_id: str, *, sends: str | None = None, hears_start_of: str | None = None) -> TaskGate:
        """Hold the next task of the workflow in which this happens.

        Args:
            workflow_id: whose task.
            sends: the command that is made in it, by the name that `sent` has for it.
            hears_start_of: the child workflow of whose start the workflow learns in it, by the same name.
        """
        gate = TaskGate(workflow_id, sends, hears_start_of, asyncio.get_running_loop())
        self._gates.append(gate)
        return gate

    def prepare_workflow(self, defn: Any) -> None:
        """Prepare it as the other runner does."""
        self._runner.prepare_workflow(defn)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        """Tell the other runner."""
        self._runner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Create a workflow of the other runner, and stand between it and its worker."""
        instance = self._runner.create_instance(det)
        activate = instance.activate
        workflow_id = det.info.workflow_id
        children: dict[int, str] = {}

        def held(act: WorkflowActivation) -> WorkflowActivationCompletion:
            completion = activate(act)
            sent: set[str] = set()
            for command in completion.successful.commands:
                name = _name(command, parent_id=workflow_id)
                sent.add(name)
                if command.HasField("start_child_workflow_execution"):
                    children[command.start_child_workflow_execution.seq] = name
            self.sent[workflow_id] |= sent
            started = {
                children[job.resolve_child_workflow_execution_start.seq]
                for job in act.jobs
                if job.HasField("resolve_child_workflow_execution_start")
            }
            for gate in [] if act.is_replaying else list(self._gates):
                if gate.workflow_id == workflow_id and (gate.sends in sent or gate.hears_start_of in started):
                    self._gates.remove(gate)
                    gate.loop.call_soon_threadsafe(gate.reached.set)
                    gate.opened.wait(_LONGEST_HOLD_SECONDS)
                    if gate.lost:
                        completion = WorkflowActivationCompletion(run_id=act.run_id)
                        completion.failed.failure.message = "the worker died"
            return completion

        instance.activate = held
        return instance


def child_name(workflow_type: str, workflow_id: str, *, parent_id: str) -> str:
    """Return what tells the children of one workflow apart: the type, and what the id has behind the parent's key."""
    key = parent_id.rpartition(":")[2]
    return f"{workflow_type} {workflow_id.partition(f'{key}-')[2]}".rstrip()


def _name(command: WorkflowCommand, *, parent_id: str) -> str:
    if command.HasField("schedule_activity"):
        return command.schedule_activity.activity_type
    if command.HasField("start_child_workflow_execution"):
        child = command.start_child_workflow_execution
        return child_name(child.workflow_type, child.workflow_id, parent_id=parent_id)
    if command.HasField("start_timer"):
        return f"timer of {command.start_timer.start_to_fire_timeout.ToSeconds()} s"
    return command.WhichOneof("variant") or "nothing"


class SlowHandlers(Interceptor):
    """Holds the handlers of updates whose id asks for it, so that a workflow has to wait for them."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002
    ) -> type[WorkflowInboundInterceptor]:
        """Return what runs around the handlers."""
        return _SlowHandling


class _SlowHandling(WorkflowInboundInterceptor):
    _may_finish = False

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002
        if not input.id.startswith(SLOW):
            return await super().handle_update_handler(input)
        workflow.set_signal_handler(HANDLERS_MAY_FINISH, self._finish)  # pyright: ignore[reportUnknownMemberType]
        try:
            answer = await super().handle_update_handler(input)
        except FailureError:
            await workflow.wait_condition(lambda: self._may_finish)
            raise
        await workflow.wait_condition(lambda: self._may_finish)
        return answer

    def _finish(self) -> None:
        self._may_finish = True
