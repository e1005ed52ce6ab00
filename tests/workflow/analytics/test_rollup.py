from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

from analytics_service.domain.periods import Granularity as DomainGranularity
from analytics_service.domain.periods import Period
from platform_contracts import memo
from platform_contracts.analytics.rollup import Granularity, Rollup, RollupInput, RollupResult
from platform_contracts.memo import Progress
from platform_runtime.workflow_calls import execute_workflow, start_workflow
from tests.fakes.analytics import FakeCountBook, analytics_worker

WAIT = timedelta(seconds=30)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _book(*, hours: int, changed: int | None = None) -> FakeCountBook:
    periods = [Period("acme", NOON + timedelta(hours=number)) for number in range(hours)]
    return FakeCountBook(events=dict.fromkeys(periods, 2), changed=None if changed is None else set(periods[:changed]))


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
@pytest.mark.parametrize("granularity", Granularity)
async def test_rollup_counts_what_has_changed(
    client: Client, task_queue: str, granularity: Granularity, max_cached_workflows: int
) -> None:
    book = _book(hours=3, changed=2)

    async with analytics_worker(
        client, task_queue=task_queue, count_book=book, max_cached_workflows=max_cached_workflows
    ):
        handle = await start_workflow(client, Rollup.run, RollupInput(granularity=granularity), task_queue=task_queue)
        result = await handle.result()

    assert result == RollupResult(granularity=granularity, periods=2, events=4)
    assert set(book.as_of) == {DomainGranularity(granularity)}
    description = await handle.describe()
    progress = await description.memo_value(memo.PROGRESS, type_hint=Progress)
    assert progress == Progress(step="counted", cancellable=False)


async def test_full_rollup_counts_everything(client: Client, task_queue: str) -> None:
    book = _book(hours=3, changed=0)

    async with analytics_worker(client, task_queue=task_queue, count_book=book):
        result = await execute_workflow(
            client,
            Rollup.run,
            RollupInput(granularity=Granularity.HOUR, full=True),
            task_queue=task_queue,
            wait=WAIT,
        )

    assert (result.periods, result.events) == (3, 6)


async def test_rollup_of_a_large_backlog_resumes_after_a_failure(client: Client, task_queue: str) -> None:
    book = _book(hours=130)
    book.away_after_batches = 2

    async with analytics_worker(client, task_queue=task_queue, count_book=book):
        result = await execute_workflow(
            client, Rollup.run, RollupInput(granularity=Granularity.HOUR), task_queue=task_queue, wait=WAIT
        )

    assert (result.periods, result.events) == (130, 260)
    assert book.counted == sorted(book.events)


async def test_second_run_finds_nothing_to_do(client: Client, task_queue: str) -> None:
    book = _book(hours=3)
    hourly = RollupInput(granularity=Granularity.HOUR)

    async with analytics_worker(client, task_queue=task_queue, count_book=book):
        await execute_workflow(client, Rollup.run, hourly, task_queue=task_queue, wait=WAIT)
        again = await execute_workflow(client, Rollup.run, hourly, task_queue=task_queue, wait=WAIT)

    assert (again.periods, again.events) == (0, 0)
