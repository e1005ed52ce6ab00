"""`python -m platform_gateway`: how it starts, what it tells, how it stops."""

import asyncio
import json
import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from tests.gateway.api import asked_until, notification, onboarding
from tests.gateway.gateway_process import (
    GatewayProcess,
    running_collector,
    running_gateway,
    start_command,
    start_gateway,
)
from tests.gateway.stubs import WAITS
from tests.support.network import free_port

STOPS_WITHIN_SECONDS = 9
"""Three times the three seconds that are promised."""


@pytest.fixture(scope="session")
def temporal_address(client: Client) -> str:
    return client.service_client.config.target_host


async def _stop(gateway: GatewayProcess) -> int:
    gateway.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(STOPS_WITHIN_SECONDS):
        return await gateway.process.wait()


def _log_lines(gateway: GatewayProcess, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in gateway.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


async def test_it_stops_with_zero_while_somebody_waits_and_no_otlp_backend_listens(
    temporal_address: str, tmp_path: Path
) -> None:
    async with (
        running_gateway(
            tmp_path,
            TEMPORAL_ADDRESS=temporal_address,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}",
            GATEWAY_EXECUTE_WAIT_SECONDS="60",
        ) as gateway,
        httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=60) as api,
    ):
        waiting = asyncio.create_task(api.post("/api/temporal/onboarding/execute", json=onboarding(name=WAITS)))
        await asyncio.sleep(0.5)
        code = await _stop(gateway)
        answer = await waiting

    assert code == 0, gateway.log.read_text()
    assert answer.status_code == 202
    assert _log_lines(gateway, "gateway.stopped")


@pytest.mark.parametrize("variable", ["GATEWAY_PORT", "GATEWAY_INTERNAL_PORT"])
async def test_a_taken_port_is_one_line_that_names_the_variable(tmp_path: Path, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"GATEWAY_PORT": "0", "GATEWAY_INTERNAL_PORT": "0", variable: str(taken.getsockname()[1])}
        process = await start_gateway(tmp_path, **ports)
        async with asyncio.timeout(STOPS_WITHIN_SECONDS * 3):
            code = await process.wait()

    said = (tmp_path / "log").read_text().splitlines()
    assert code == 1
    assert len(said) == 1
    assert said[0].startswith(f"{variable}: cannot listen on 127.0.0.1")


async def test_a_wrong_setting_is_one_line_that_names_the_variable(tmp_path: Path) -> None:
    process = await start_command(tmp_path, GATEWAY_HOST="0.0.0.0")
    async with asyncio.timeout(STOPS_WITHIN_SECONDS * 3):
        code = await process.wait()

    said = (tmp_path / "log").read_text().splitlines()
    assert code == 2
    assert len(said) == 1
    assert said[0].startswith("GATEWAY_HOST: Value error, 0.0.0.0 can be reached from other machines")


async def test_with_a_key_it_listens_on_every_address(temporal_address: str, tmp_path: Path) -> None:
    async with (
        running_gateway(
            tmp_path, TEMPORAL_ADDRESS=temporal_address, GATEWAY_HOST="0.0.0.0", GATEWAY_API_KEY="key"
        ) as gateway,
        httpx.AsyncClient(base_url=gateway.url, trust_env=False) as api,
    ):
        ready = await api.get("/readyz")
        refused = await api.get("/v1/users/u-1")

    assert (ready.status_code, refused.status_code) == (200, 401)


async def test_a_request_is_one_trace_a_line_in_the_log_and_a_count(
    client: Client, temporal_address: str, worker: None, tmp_path: Path
) -> None:
    async with (
        running_collector() as collector,
        running_gateway(
            tmp_path,
            TEMPORAL_ADDRESS=temporal_address,
            OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        ) as gateway,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        body = onboarding(name="A name that no log repeats")
        executed = await http.post(f"{gateway.url}/api/temporal/onboarding/execute", json=body)
        status = await http.get(f"{gateway.url}/v1/operations/{executed.json()['workflowId']}")
        traced = await http.post(
            f"{gateway.url}/api/temporal/notification/start",
            json=notification(),
            headers={"traceparent": traceparent},
        )
        await http.get(f"{gateway.url}/v1/nowhere")
        await http.get(f"{gateway.url}/readyz")
        # The SDK's are collected once a second.
        metrics = await asked_until(
            lambda: http.get(f"{gateway.internal_url}/metrics"), lambda answer: "temporal_request" in answer.text
        )
        ready = await http.get(f"{gateway.internal_url}/readyz")
        assert await _stop(gateway) == 0

    trace_id = status.json()["traceId"]
    spans = [span for span in collector.spans if span.trace_id.hex() == trace_id]
    assert [span.name for span in spans if not span.parent_span_id] == ["POST /api/temporal/onboarding/execute"]
    assert "StartWorkflow:user.UserOnboarding" in {span.name for span in spans}
    assert status.json()["links"]["trace"].endswith(f"/trace/{trace_id}")
    assert len({span.span_id for span in collector.spans}) == len(collector.spans)

    inbound = [span for span in collector.spans if span.trace_id.hex() == traceparent.split("-")[1]]
    assert {span.parent_span_id.hex() for span in inbound if span.name.startswith("POST ")} == {"00f067aa0ba902b7"}
    assert not any("readyz" in span.name for span in collector.spans)
    assert len([span for span in collector.spans if span.kind == span.SPAN_KIND_SERVER]) == 4
    memo = await (await client.get_workflow_handle(traced.json()["workflowId"]).describe()).memo()
    assert memo["trace_id"] == traceparent.split("-")[1]

    line, *_ = _log_lines(gateway, "request.served")
    assert line["route"] == "/api/temporal/onboarding/execute"
    assert line["status"] == 200
    assert line["trace_id"] == trace_id
    assert line["tenant"] == "demo"
    assert line["duration_ms"] > 0
    assert len(_log_lines(gateway, "request.served")) == 4
    assert "no log repeats" not in gateway.log.read_text()

    assert ready.status_code == 200
    counted = [
        each for each in metrics.text.splitlines() if each.startswith("http_server_request_duration_seconds_count")
    ]
    assert any('http_route="/api/temporal/onboarding/execute"' in each and '"200"' in each for each in counted)
    assert any('http_response_status_code="404"' in each for each in counted)
    assert not any("readyz" in each for each in counted)


async def test_requests_are_answered_while_temporal_is_away(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, TEMPORAL_ADDRESS=f"127.0.0.1:{free_port()}") as gateway,
        httpx.AsyncClient(base_url=gateway.url, trust_env=False) as api,
    ):
        asked_at = time.monotonic()
        answer = await api.post("/api/temporal/notification/start", json=notification())

    assert answer.status_code == 503
    assert time.monotonic() - asked_at < 15
