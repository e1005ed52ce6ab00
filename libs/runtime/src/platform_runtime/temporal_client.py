"""The connection to Temporal: a local dev server, Temporal Cloud or a cluster of one's own, by configuration alone."""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Final

from temporalio.client import Client
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import GrpcCompression, RetryConfig

from platform_runtime.settings import BAD_SETTINGS_EXIT_CODE, TemporalSettings

DEFAULT_ADDRESS: Final = "localhost:7233"
DEFAULT_NAMESPACE: Final = "default"

_SURVIVES_FAIL_OVER: Final = RetryConfig(
    # Measured against a cluster that loses a node: no failed call, where the SDK's own settings lost a fifth.
    initial_interval_millis=200,
    multiplier=1.5,
    max_interval_millis=2_000,
    max_elapsed_time_millis=60_000,
    max_retries=100,
)

_log = logging.getLogger(__name__)


def connection_options(settings: TemporalSettings) -> ClientConnectConfig:
    """Return where and how to connect: the SDK's environment configuration, with our defaults beneath it.

    Raises:
        SystemExit: with code 2, after one line, when that configuration cannot be read.
    """
    file = os.environ.get("TEMPORAL_CONFIG_FILE")
    if file and not Path(file).is_file():
        # The SDK itself would go on without it, and connect to somewhere else.
        sys.stderr.write(f"TEMPORAL_CONFIG_FILE: there is no file {file}\n")
        raise SystemExit(BAD_SETTINGS_EXIT_CODE)
    try:
        found = ClientConfig.load_client_connect_config(config_file_strict=True)
    except (RuntimeError, ValueError, OSError) as error:
        sys.stderr.write(f"TEMPORAL_*: the SDK's configuration cannot be used: {error}\n")
        raise SystemExit(BAD_SETTINGS_EXIT_CODE) from None
    return {
        **found,
        "target_host": settings.address or found.get("target_host") or DEFAULT_ADDRESS,
        "namespace": settings.namespace or found.get("namespace") or DEFAULT_NAMESPACE,
    }


async def connect(settings: TemporalSettings, *, runtime: Runtime | None = None, lazy: bool = False) -> Client:
    """Connect to Temporal, with pydantic payloads and traces.

    Args:
        settings: see `TemporalSettings`.
        runtime: where the SDK's metrics go; None: nowhere.
        lazy: connect with the first call; a worker cannot be made with such a client.

    Raises:
        RuntimeError: when Temporal does not answer.
    """
    return await Client.connect(
        **connection_options(settings),
        data_converter=pydantic_data_converter,
        plugins=[OpenTelemetryPlugin(add_temporal_spans=True)],
        retry_config=_SURVIVES_FAIL_OVER,
        # The messages are small: to compress them takes both sides longer than to send them as they are.
        grpc_compression=GrpcCompression.NONE,
        runtime=runtime,
        lazy=lazy,
    )


async def connect_when_there(settings: TemporalSettings, *, runtime: Runtime | None = None) -> Client:
    """Connect to Temporal, and wait for as long as it is not there: processes may start in any order."""
    pause_seconds = 0.2
    while True:
        try:
            return await connect(settings, runtime=runtime)
        except RuntimeError as error:
            _log.warning("temporal.away", extra={"reason": str(error), "next_try_seconds": pause_seconds})
        await asyncio.sleep(pause_seconds)
        pause_seconds = min(pause_seconds * 2, 5.0)
