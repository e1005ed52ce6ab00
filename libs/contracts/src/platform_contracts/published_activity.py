"""Activities that a domain offers to the others."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from temporalio.common import RetryPolicy

from platform_contracts.message import ContractModel
from platform_contracts.task_queues import TaskQueue

RequestT = TypeVar("RequestT", bound=ContractModel)
ResultT = TypeVar("ResultT", bound=ContractModel)


@dataclass(frozen=True)
class PublishedActivity(Generic[RequestT, ResultT]):
    """A short, idempotent command of one domain that the workflows of another may call.

    The deadlines belong to the contract: a caller knows how long a domain that is down can hold it up.
    """

    name: str
    task_queue: TaskQueue
    request_type: type[RequestT]
    result_type: type[ResultT]
    start_to_close: timedelta
    """How long one attempt may take."""
    schedule_to_close: timedelta
    """How long all attempts together may take."""
    schedule_to_start: timedelta | None
    """How long a worker may take to pick it up; None: as long as schedule_to_close allows."""
    retry_policy: RetryPolicy
