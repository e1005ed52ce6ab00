"""What the gateway tells Prometheus: requests and refusals, by route and reason, never by tenant."""

import re
from pathlib import Path

import httpx
from temporalio.client import Client

from tests.architecture.members import ROOT
from tests.gateway.api import asked_until, notification
from tests.gateway.gateway_process import running_gateway

START = "/api/temporal/notification/start"
KEY = {"X-API-Key": "key-of-acme"}


async def _metrics(internal_url: str) -> list[str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await asked_until(
            lambda: http.get(f"{internal_url}/metrics"), lambda answer: "gateway_refusals_total" in answer.text
        )
    return answer.text.splitlines()


async def test_refusals_are_counted_by_reason_and_requests_by_route_and_status(client: Client, tmp_path: Path) -> None:
    settings = {"GATEWAY_API_KEY": "key-of-acme", "GATEWAY_TENANT": "acme", "GATEWAY_RATE_LIMIT": "4/minute"}
    address = client.service_client.config.target_host
    async with (
        running_gateway(tmp_path, TEMPORAL_ADDRESS=address, OTEL_TRACES_EXPORTER="none", **settings) as gateway,
        httpx.AsyncClient(base_url=gateway.url, trust_env=False) as api,
    ):
        statuses = [
            (await api.post(START, json=notification())).status_code,
            (await api.post(START, json={}, headers=KEY)).status_code,
            (await api.post(START, content=b"{", headers={**KEY, "Content-Type": "application/json"})).status_code,
            (await api.post(START, content=b" " * 70_000, headers=KEY)).status_code,
            # Nobody serves the views: an error, and no refusal.
            (await api.get("/v1/users/u-1", headers=KEY)).status_code,
            (await api.get("/v1/users/u-1", headers=KEY)).status_code,
        ]
        lines = await _metrics(gateway.internal_url)

    assert statuses == [401, 422, 400, 413, 503, 429]
    refusals = {
        tuple(re.findall(r'(?:http_request_method|http_route|reason)="([^"]*)"', line)): float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("gateway_refusals_total")
    }
    assert refusals == {
        ("POST", START, "unauthenticated"): 1,
        ("POST", START, "invalid"): 2,
        ("POST", START, "too_large"): 1,
        ("GET", "/v1/users/{userId}", "rate_limited"): 1,
    }
    assert any(
        line.startswith("http_server_request_duration_seconds_bucket")
        and 'http_route="/v1/users/{userId}"' in line
        and 'http_response_status_code="503"' in line
        for line in lines
    )
    assert any(line.startswith("http_server_active_requests") for line in lines)
    assert not any("acme" in line or "u-1" in line for line in lines)

    asked_for = set(re.findall(r"\b(?:gateway|http)_[a-z_]+(?=\{|\[)", _alerts()))
    assert {"gateway_refusals_total", "http_server_request_duration_seconds_count"} <= asked_for
    assert asked_for <= {re.split(r"[{ ]", line)[0] for line in lines}
    labels = set(re.findall(r"(?:gateway|http)_[a-z_]+\{(\w+)", _alerts()))
    assert labels <= {label for line in lines for label in re.findall(r'(\w+)="', line)}


def _alerts() -> str:
    return (ROOT / "deploy/prometheus/alerts.yaml").read_text()
