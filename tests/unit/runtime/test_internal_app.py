"""The internal port tells whether a process is ready, to whom asks and to Prometheus."""

import asyncio
from collections.abc import Mapping

import httpx
import pytest
from prometheus_client import CollectorRegistry

from platform_runtime import internal_app
from platform_runtime.internal_app import Check


async def test_check_that_fails_makes_the_process_not_ready_and_is_named() -> None:
    answer = await _get("/readyz", {"worker": _passes, "database": _fails})

    assert answer.status_code == 503
    assert answer.json()["reasons"] == {"database": "it is away"}


async def test_readiness_is_a_metric_for_each_check() -> None:
    answer = await _get("/metrics", {"worker": _passes, "database": _fails})

    assert 'platform_ready{check="worker"} 1.0' in answer.text
    assert 'platform_ready{check="database"} 0.0' in answer.text


async def test_check_that_hangs_does_not_take_the_metrics_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(internal_app, "_CHECK_SECONDS", 0.05)

    async with asyncio.timeout(5):
        answer = await _get("/metrics", {"worker": _passes, "database": _hangs})

    assert 'platform_ready{check="worker"} 1.0' in answer.text
    assert 'platform_ready{check="database"} 0.0' in answer.text


async def _get(path: str, checks: Mapping[str, Check]) -> httpx.Response:
    app = internal_app.internal_app(registry=CollectorRegistry(), checks=checks)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://process") as http:
        return await http.get(path)


async def _passes() -> str | None:
    return None


async def _fails() -> str | None:
    return "it is away"


async def _hangs() -> str | None:
    await asyncio.Event().wait()
    return None
