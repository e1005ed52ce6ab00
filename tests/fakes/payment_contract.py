"""A stand-in for the payment service, as other services see it: its published activities and its workflows."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from platform_contracts.payment.charge import (
    AUTHORISE,
    CAPTURE,
    VOID,
    AuthoriseRequest,
    ChargeRequest,
    ChargeResult,
    ChargeStatus,
)
from platform_contracts.payment.charge_resolution import WORKFLOW_TYPE as RESOLUTION_TYPE
from platform_contracts.payment.charge_resolution import ChargeResolution, ChargeResolutionInput
from platform_contracts.payment.charge_void import WORKFLOW_TYPE as VOID_TYPE
from platform_contracts.payment.charge_void import ChargeVoid
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.task_queues import TaskQueue
from platform_runtime.sandbox import workflow_runner


@workflow.defn(name=RESOLUTION_TYPE)
class FakeChargeResolution(ChargeResolution):
    """Finds every charge authorised; one whose purchase is named `lost-…` is never known, `asked-…` asked for ever."""

    @workflow.run
    async def run(self, resolution: ChargeResolutionInput) -> ChargeResult:
        """Answer by the name of the operation."""
        if resolution.operation_id.startswith("asked-"):
            await workflow.wait_condition(lambda: False)
        lost = resolution.operation_id.startswith("lost-")
        status = ChargeStatus.UNKNOWN if lost else ChargeStatus.AUTHORISED
        return ChargeResult(operation_id=resolution.operation_id, status=status)


@workflow.defn(name=VOID_TYPE)
class FakeChargeVoid(ChargeVoid):
    """Voids at once."""

    @workflow.run
    async def run(self, charge: ChargeRequest) -> ChargeResult:
        """Say so."""
        return ChargeResult(operation_id=charge.operation_id, status=ChargeStatus.VOIDED)


class FakePayment:
    """Charges by token: `tok_declined`, `tok_unknown`, `tok_capture_refused`, `tok_captured`; others are fine."""

    def __init__(self) -> None:
        """Begin without charges."""
        self.authorised: list[AuthoriseRequest] = []
        self.done: list[str] = []
        self.away_for: Counter[str] = Counter()
        """How many calls of each verb fail before one works."""
        self._tokens: dict[str, str] = {}

    @activity.defn(name=AUTHORISE.name)
    async def authorise(self, request: AuthoriseRequest) -> ChargeResult:
        """Authorise, by the token."""
        self._arrive("authorise")
        self._tokens[request.operation_id] = request.payment_token
        if request.payment_token == "tok_declined":
            raise _failure(PaymentFailure.DECLINED)
        self.authorised.append(request)
        known = {"tok_unknown": ChargeStatus.UNKNOWN, "tok_captured": ChargeStatus.CAPTURED}
        return _charge(request.operation_id, known.get(request.payment_token, ChargeStatus.AUTHORISED))

    @activity.defn(name=CAPTURE.name)
    async def capture(self, request: ChargeRequest) -> ChargeResult:
        """Capture, by the token."""
        self._arrive("capture")
        if self._tokens[request.operation_id] == "tok_capture_refused":
            raise _failure(PaymentFailure.CAPTURE_REFUSED)
        return _charge(request.operation_id, ChargeStatus.CAPTURED)

    @activity.defn(name=VOID.name)
    async def void(self, request: ChargeRequest) -> ChargeResult:
        """Void."""
        self._arrive("void")
        return _charge(request.operation_id, ChargeStatus.VOIDED)

    def _arrive(self, verb: str) -> None:
        self.done.append(verb)
        if self.away_for[verb]:
            self.away_for[verb] -= 1
            raise RuntimeError("payment is away")


@asynccontextmanager
async def payment_worker(client: Client, payment: FakePayment) -> AsyncGenerator[None]:
    """Work for payment in the client's namespace."""
    async with Worker(
        client,
        task_queue=TaskQueue.PAYMENT,
        workflows=[FakeChargeResolution, FakeChargeVoid],
        activities=[payment.authorise, payment.capture, payment.void],
        workflow_runner=workflow_runner(),
        graceful_shutdown_timeout=timedelta(seconds=1),
    ):
        yield


def _charge(operation_id: str, status: ChargeStatus) -> ChargeResult:
    return ChargeResult(operation_id=operation_id, status=status)


def _failure(failure: PaymentFailure) -> ApplicationError:
    return ApplicationError(failure, type=failure, non_retryable=True)
