"""The saga: steps that run to their end, and what undoes them when the whole does not come about."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from types import TracebackType
from typing import Final, Self, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from platform_contracts.failures import TIMED_OUT
from platform_contracts.memo import Compensation, Progress
from platform_workflow_tools.progress import report_progress
from platform_workflow_tools.uninterrupted import uninterrupted

ResultT = TypeVar("ResultT")
Step = Callable[[], Coroutine[object, object, ResultT]]
"""Makes the coroutine of a step; called when the step starts, so a step that never starts leaves none behind."""

_STUCK_AFTER: Final = timedelta(minutes=1)
"""How long one compensation may be retried before a person should hear of it."""


class Saga:
    """The steps of one workflow, as an async context manager around them.

    A step is never interrupted: a cancel is a request, read between steps and honoured up to the pivot. When the
    block ends with a failure or a cancel, every step that was begun is undone, newest first, whatever is cancelled
    meanwhile; then the failure or the cancel goes on. An evicted workflow undoes nothing, for it has not ended.
    """

    def __init__(self, *, undoing: str, stuck_after: timedelta = _STUCK_AFTER) -> None:
        """Begin without steps.

        Args:
            undoing: what `progress.step` says during compensation.
            stuck_after: how long one compensation may take before it is reported as stuck.
        """
        self._undoing = undoing
        self._stuck_after = stuck_after
        self._undos: list[tuple[str, Step[object]]] = []
        self._past_pivot = False
        self._given_up: set[str] = set()
        self._resolved_by_operator = False
        self._stuck_step: str | None = None
        self._failure: BaseException | None = None

    async def step(self, name: str, do: Step[ResultT], *, undo: Step[object] | None = None) -> ResultT:
        """Run a step to its end and return what it returns.

        Its undo is registered first: a step that failed or timed out may have happened all the same, so an undo has to
        be safe when there is nothing to undo.

        Args:
            name: what `progress.step` says meanwhile.
            do: makes the step.
            undo: makes what undoes it.

        Raises:
            CancelledError: before or after the step, when a cancel has been asked for and the pivot is not passed.
            FailureError: whatever the step fails with.
        """
        self.stop_if_cancelled()
        if undo is not None:
            self._undos.append((name, undo))
        report_progress(Progress(step=name, cancellable=not self._past_pivot))
        outcome = await uninterrupted(do())
        # A cancel that came during the step was held back from it, so it reaches no wait that follows: it is read here.
        self.stop_if_cancelled()
        return outcome

    def pivot(self) -> None:
        """Pass the point of no return: from here on a cancel is refused, and one that arrives all the same is ignored.

        Raises:
            CancelledError: when a cancel was asked for before.
        """
        self.stop_if_cancelled()
        self._past_pivot = True

    def stop_if_cancelled(self) -> None:
        """Read whether a cancel was asked for.

        Raises:
            CancelledError: if so, and the pivot is not passed.
        """
        if not self._past_pivot and workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError

    @property
    def stuck_step(self) -> str | None:
        """The step whose compensation keeps failing and waits for an operator; None when there is none."""
        return self._stuck_step

    @property
    def failure_type(self) -> str | None:
        """The type of the failure that is being undone; None before that, after a cancel, and where it has none.

        What did not come about in time has one as well, so that also an end that no rule decided can be kept.
        """
        failure = self._failure
        while isinstance(failure, ActivityError | ChildWorkflowError):
            failure = failure.cause
        if isinstance(failure, ApplicationError):
            return failure.type
        return TIMED_OUT if isinstance(failure, TemporalTimeoutError) else None

    def resolve(self) -> str | None:
        """Take an operator's word that the stuck compensation has been seen to by hand, and go on with the others.

        Returns the step it was; None when nothing is stuck, and then nothing changes.
        """
        stuck = self._stuck_step
        if stuck is not None:
            self._given_up.add(stuck)
            self._resolved_by_operator = True
        return stuck

    async def __aenter__(self) -> Self:
        """Return the saga."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Undo what was begun when the block failed or was cancelled; what it ended with goes on."""
        if isinstance(failure, FailureError | asyncio.CancelledError):
            self._failure = failure
            await uninterrupted(self._compensate())

    async def _compensate(self) -> None:
        if not self._undos:
            return
        self._report(Compensation.RUNNING)
        for name, undo in reversed(self._undos):
            await self._undo(name, undo)
        self._report(Compensation.RESOLVED_BY_OPERATOR if self._resolved_by_operator else Compensation.DONE)

    async def _undo(self, name: str, undo: Step[object]) -> None:
        """Undo one step: tried until it is done, or until an operator says that it is seen to."""
        attempt = asyncio.ensure_future(undo())
        if await self._settled(attempt) and _went_well(attempt):
            return
        self._stuck_step = name
        self._report(Compensation.STUCK)
        # The alert on this line is the escalation; the memo and the Web UI show the same.
        workflow.logger.error("compensation.stuck", extra={"step": name})
        workflow.metric_meter().create_counter("saga_compensation_stuck", "Compensations that wait for a person").add(1)
        await workflow.wait_condition(lambda: name in self._given_up or (attempt.done() and _went_well(attempt)))
        if not attempt.done():
            attempt.cancel()
        self._stuck_step = None
        self._report(Compensation.RUNNING)

    async def _settled(self, attempt: "asyncio.Future[object]") -> bool:
        try:
            await workflow.wait_condition(attempt.done, timeout=self._stuck_after)
        except TimeoutError:
            return False
        return True

    def _report(self, compensation: Compensation) -> None:
        report_progress(Progress(step=self._undoing, cancellable=False, compensation=compensation))


def _went_well(attempt: "asyncio.Future[object]") -> bool:
    return not attempt.cancelled() and attempt.exception() is None
