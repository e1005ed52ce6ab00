"""Golden histories: what a workflow did once, recorded; the code of today has to be able to go on from there.

A replay test module of a domain names its scenarios. `pytest tests/replay --regenerate` runs each without a history on
a real server with fake ports and writes tests/replay/histories/<domain>/<workflow>-<branch>.json; every file there is
replayed. One that is there is never written over: it is what the code of an earlier day did.
"""

import json
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast
from uuid import uuid4

import pytest
from opentelemetry import trace
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from platform_runtime.sandbox import workflow_runner

HISTORIES: Final = Path(__file__).parents[1] / "replay" / "histories"

Scenario = Callable[[Client, str], Awaitable[WorkflowHandle[Any, Any]]]
"""Drives a workflow on a task queue to its end, and returns its handle."""


@pytest.fixture
def traced() -> Generator[None]:
    """Trace the workflows of a test as those of a worker are; other tests of the same process are not touched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "_TRACER_PROVIDER", create_tracer_provider())
        yield


async def record(server: Client, *, domain: str, scenarios: Mapping[str, Scenario]) -> None:
    """Write the histories that are missing, and remove those of scenarios that are no more; use within `traced`."""
    directory = HISTORIES / domain
    directory.mkdir(parents=True, exist_ok=True)
    client = await Client.connect(
        server.service_client.config.target_host,
        namespace=server.namespace,
        data_converter=pydantic_data_converter,
        plugins=[OpenTelemetryPlugin(add_temporal_spans=True)],
        # The usual one names the machine.
        identity="recorder",
    )
    for name, scenario in scenarios.items():
        path = directory / f"{name}.json"
        if path.exists():
            continue
        handle = await scenario(client, f"{domain}-{uuid4().hex[:8]}")
        history = await handle.fetch_history()
        recorded = json.loads(history.to_json())
        text = json.dumps(
            {"workflowId": history.workflow_id, **_without_stack_traces(recorded)}, indent=1, ensure_ascii=False
        )
        path.write_text(text + "\n")
    for path in recorded_histories(domain):
        if path.stem not in scenarios:
            path.unlink()


def recorded_histories(domain: str) -> list[Path]:
    """Return the files of a domain."""
    return sorted((HISTORIES / domain).glob("*.json"))


async def replay(domain: str, name: str, *, workflows: Sequence[type]) -> str | None:
    """Replay a history in the sandbox, traced as a worker does it; use within `traced`.

    Returns:
        What is wrong, why it matters and what to do; None when the code of today does what the recorded run did.
    """
    recorded = json.loads((HISTORIES / domain / f"{name}.json").read_text())
    history = WorkflowHistory.from_json(recorded.pop("workflowId"), recorded)
    replayer = Replayer(
        workflows=workflows,
        data_converter=pydantic_data_converter,
        workflow_runner=workflow_runner(),
        plugins=[OpenTelemetryPlugin(add_temporal_spans=True)],
    )
    failure = (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure
    if failure is None:
        return None
    return (
        f"{domain}/{name}.json: the code of today does not do what the recorded run did: {failure}\n"
        "Runs that are open when this code is deployed would be stuck. Keep what they do behind\n"
        "`workflow.patched(…)`, with a name from the service's workflows/patches.py. Only where the old code\n"
        "was never deployed: delete the file and run `python3 noxfile.py regenerate`."
    )


def _without_stack_traces(value: Any) -> Any:
    """Leave out what names the files of the machine that recorded it."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {key: _without_stack_traces(member) for key, member in members.items() if key != "stackTrace"}
    if isinstance(value, list):
        return [_without_stack_traces(member) for member in cast("list[Any]", value)]
    return value
