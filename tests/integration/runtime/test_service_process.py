"""The life of a service's process, seen from outside."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.support.namespaces import new_namespace
from tests.support.platform import free_ports
from tests.support.waiting import eventually

# Three times the promised 3 s.
STOPPED_WITHIN_SECONDS = 9
READY_WITHIN_SECONDS = 30


@pytest.fixture
async def own_client(temporal_server: WorkflowEnvironment) -> Client:
    return await new_namespace(temporal_server)


@pytest.fixture
def environment(own_client: Client, tmp_path: Path) -> dict[str, str]:
    """What a user worker needs; nobody listens at its OTLP endpoint."""
    internal, nobody = free_ports(2)
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return inherited | {
        "TEMPORAL_ADDRESS": own_client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": own_client.namespace,
        "PARTNER_HOME": str(tmp_path / "home"),
        "USER_INTERNAL_PORT": str(internal),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{nobody}",
        "LOG_FORMAT": "json",
    }


async def test_sigterm_ends_a_worker_with_zero_though_no_trace_backend_listens(environment: dict[str, str]) -> None:
    await _run(environment, "prepare")
    async with _worker(environment) as worker:
        await _ready(environment)

        before = time.monotonic()
        worker.terminate()
        code = await asyncio.wait_for(worker.wait(), STOPPED_WITHIN_SECONDS)

    assert code == 0
    assert time.monotonic() - before < STOPPED_WITHIN_SECONDS


async def test_worker_refuses_to_start_before_prepare(environment: dict[str, str]) -> None:
    code, printed = await _run(environment, expected=None)

    assert code == 1
    assert printed.splitlines()[-1].startswith("USER_DATABASE_URL: ")
    assert "python -m user_service prepare" in printed


async def test_prepare_can_be_repeated(environment: dict[str, str]) -> None:
    await _run(environment, "prepare")

    code, _ = await _run(environment, "prepare")

    assert code == 0


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TEMPORAL_MAX_CONCURRENT_ACTIVITIES", "many"),
        ("USER_INTERNAL_PORT", "99999"),
        ("USER_SMTP_URL", "nonsense"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
async def test_wrong_value_ends_the_process_with_one_line_that_names_it(
    environment: dict[str, str], variable: str, value: str
) -> None:
    code, printed = await _run(environment | {variable: value}, expected=None)

    assert code == 2
    assert printed.count("\n") == 1
    assert printed.startswith(f"{variable}: ")


async def test_taken_port_ends_the_process_with_one_line_that_names_the_variable(environment: dict[str, str]) -> None:
    await _run(environment, "prepare")
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        taken = str(server.sockets[0].getsockname()[1])

        code, printed = await _run(environment | {"USER_INTERNAL_PORT": taken}, expected=None)

    assert code == 1
    assert printed.splitlines()[-1].startswith("USER_INTERNAL_PORT: ")


async def test_task_queue_variable_says_what_a_single_worker_polls(
    environment: dict[str, str], own_client: Client
) -> None:
    await _run(environment, "prepare")

    async with _worker(environment | {"TEMPORAL_TASK_QUEUE": "guide"}):
        await _ready(environment)

        assert await eventually(lambda: _pollers(own_client, "guide"), within_seconds=10)
        assert await _pollers(own_client, "user") == 0


async def test_worker_waits_for_a_temporal_that_is_not_there_yet(environment: dict[str, str]) -> None:
    await _run(environment, "prepare")
    (nobody,) = free_ports(1)

    async with _worker(environment | {"TEMPORAL_ADDRESS": f"127.0.0.1:{nobody}"}) as worker:

        async def says_why() -> bool:
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{environment['USER_INTERNAL_PORT']}/readyz")
            return answer.status_code == 503 and "Temporal" in answer.json()["reasons"]["worker"]

        assert await eventually(says_why, within_seconds=READY_WITHIN_SECONDS)
        worker.terminate()
        assert await asyncio.wait_for(worker.wait(), STOPPED_WITHIN_SECONDS) == 0


async def test_metrics_have_the_names_that_alerts_need(environment: dict[str, str], own_client: Client) -> None:
    await _run(environment, "prepare")
    async with _worker(environment):
        await _ready(environment)
        # An unknown type fails each of its tasks, as a bug does.
        await own_client.start_workflow("user.NoSuchType", id="no-such-type", task_queue="user")

        async def shown() -> bool:
            async with httpx.AsyncClient() as client:
                text = (await client.get(f"http://127.0.0.1:{environment['USER_INTERNAL_PORT']}/metrics")).text
            return all(
                name in text
                for name in (
                    "temporal_workflow_task_execution_failed_total",
                    "temporal_num_pollers",
                    "temporal_worker_task_slots_available",
                    "temporal_request_latency_seconds",
                )
            )

        assert await eventually(shown, within_seconds=20)


@asynccontextmanager
async def _worker(environment: Mapping[str, str]) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "user_service"),
        env=dict(environment),
        cwd=environment["PARTNER_HOME"],
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()


async def _run(environment: Mapping[str, str], *arguments: str, expected: int | None = 0) -> tuple[int | None, str]:
    """Run the service's process to its end and return its exit code and what it said on standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "user_service", *arguments),
        env=dict(environment),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), READY_WITHIN_SECONDS)
    if expected is not None:
        assert process.returncode == expected, said.decode()
    return process.returncode, said.decode()


async def _ready(environment: Mapping[str, str]) -> None:
    async def is_ready() -> bool:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{environment['USER_INTERNAL_PORT']}/readyz")
        return answer.status_code == 200

    await eventually(is_ready, within_seconds=READY_WITHIN_SECONDS)


async def _pollers(client: Client, queue: str) -> int:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    return len((await client.workflow_service.describe_task_queue(request)).pollers)
