"""Hold an activity of one purchase before or after its effect, so that a test knows where it stands."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Moment(StrEnum):
    """Where an activity is held."""

    BEFORE = "before"
    """A worker has it, and nothing has been done."""
    DURING = "during"
    """It is being done; nobody waits for it to be held."""
    AFTER = "after"
    """It is done, and Temporal does not know yet."""
    LOST = "lost"
    """It is done, and its worker dies before it can say so: Temporal will have it done again."""
    REFUSED = "refused"
    """It is done, and says that it has failed for good: nobody will try it again."""


@dataclass
class Gate:
    """One place where one workflow is held once."""

    activity_type: str
    moment: Moment
    workflow_id: str
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


class Gates(Interceptor):
    """Runs around every activity of the workers that have it."""

    def __init__(self) -> None:
        self._gates: list[Gate] = []

    def hold(self, activity_type: str, moment: Moment, *, workflow_id: str) -> Gate:
        """Hold the next such activity of the workflow until the gate is opened."""
        gate = Gate(activity_type, moment, workflow_id)
        self._gates.append(gate)
        return gate

    def take(self, holds: Callable[[Gate], bool]) -> Gate | None:
        """Return the gate that somebody stands at, which is then used up."""
        for gate in self._gates:
            if holds(gate):
                self._gates.remove(gate)
                return gate
        return None

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Put the gates around the activity."""
        return _Gated(next, self)


class _Gated(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, gates: Gates) -> None:
        super().__init__(following)
        self._gates = gates

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        await self._pass(Moment.BEFORE)
        during = self._gate(Moment.DURING)
        if during is not None:
            # The effect goes on while the test does what it wants to do meanwhile.
            during.reached.set()
        outcome = await super().execute_activity(input)
        await self._pass(Moment.AFTER)
        if self._gate(Moment.LOST) is not None:
            raise RuntimeError("the worker died")
        if self._gate(Moment.REFUSED) is not None:
            raise ApplicationError("not possible", type="test.Refused", non_retryable=True)
        return outcome

    async def _pass(self, moment: Moment) -> None:
        gate = self._gate(moment)
        if gate is not None:
            gate.reached.set()
            await gate.opened.wait()

    def _gate(self, moment: Moment) -> Gate | None:
        info = activity.info()
        return self._gates.take(
            lambda gate: (
                (gate.activity_type, gate.moment, gate.workflow_id) == (info.activity_type, moment, info.workflow_id)
            )
        )
