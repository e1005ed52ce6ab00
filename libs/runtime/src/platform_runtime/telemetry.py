"""Traces and metrics of a process."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_metrics
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from prometheus_client import CollectorRegistry
from temporalio.contrib.opentelemetry import MetricsExporter, ReplaySafeTracerProvider, create_tracer_provider
from temporalio.runtime import MetricBuffer, MetricBufferDurationFormat, Runtime, TelemetryConfig

_EXPORT_TIMEOUT_SECONDS: Final = 2.0
"""An exporter without a backend holds up the end of the process by this much, not by its default of 10 s and more."""

_SHUTDOWN_SECONDS: Final = 2.5

_BUFFERED_METRICS: Final = 100_000
"""Measurements of the SDK between two drains, a second apart; more are dropped, and the SDK says so."""

_SECONDS_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""From a quick step to a workflow that waits for an hour; OpenTelemetry's own start at 5, which suits milliseconds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Telemetry:
    """What the parts of a process need to be seen."""

    runtime: Runtime
    """The SDK's runtime, to be handed to `connect`: its metrics go where ours go."""
    registry: CollectorRegistry
    """What the internal port shows as Prometheus text."""


@asynccontextmanager
async def telemetry(*, service: str) -> AsyncGenerator[Telemetry]:
    """Set up traces and metrics of this process by the standard `OTEL_*` variables; flush them at the end.

    Traces go to OTLP unless OTEL_TRACES_EXPORTER is `none`; metrics too when OTEL_METRICS_EXPORTER is `otlp`. A backend
    that is away costs no work, and at most 2.5 seconds at the end. May be used once in a process: the providers are
    global.
    """
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or service})
    registry = CollectorRegistry()
    tracer_provider = create_tracer_provider(resource=resource)
    readers: list[MetricReader] = [PrometheusMetricReader(registry=registry, scope_info_enabled=False)]
    if not _disabled():
        if _choice("OTEL_TRACES_EXPORTER", "otlp") == "otlp":
            tracer_provider.add_span_processor(BatchSpanProcessor(_span_exporter()))
        if _choice("OTEL_METRICS_EXPORTER", "none") == "otlp":
            readers.append(PeriodicExportingMetricReader(_metric_exporter()))
    in_seconds = View(
        instrument_unit="s", instrument_name="*", aggregation=ExplicitBucketHistogramAggregation(_SECONDS_BUCKETS)
    )
    meter_provider = MeterProvider(resource=resource, metric_readers=readers, views=[in_seconds])
    trace.set_tracer_provider(tracer_provider)
    metrics.set_meter_provider(meter_provider)
    buffer = MetricBuffer(_BUFFERED_METRICS, duration_format=MetricBufferDurationFormat.SECONDS)
    runtime = Runtime(
        telemetry=TelemetryConfig(
            metrics=buffer,
            # The resource says which service this is; the SDK would say `temporal-core-sdk` on each metric.
            attach_service_name=False,
        )
    )
    try:
        async with MetricsExporter(buffer, meter_provider):
            yield Telemetry(runtime=runtime, registry=registry)
    finally:
        await _shut_down(tracer_provider, meter_provider)


async def _shut_down(tracer_provider: ReplaySafeTracerProvider, meter_provider: MeterProvider) -> None:
    """Flush both at once, and leave behind what does not come to an end in time."""
    flushing = [asyncio.to_thread(tracer_provider.shutdown), asyncio.to_thread(meter_provider.shutdown)]
    try:
        async with asyncio.timeout(_SHUTDOWN_SECONDS):
            await asyncio.gather(*flushing, return_exceptions=True)
    except TimeoutError:
        _log.warning("telemetry.not_flushed")


def _disabled() -> bool:
    return os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"


def _choice(variable: str, default: str) -> str:
    return os.environ.get(variable, "").strip().lower() or default


def _timeout(signal: str) -> float:
    configured = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_TIMEOUT") or os.environ.get("OTEL_EXPORTER_OTLP_TIMEOUT")
    return float(configured) if configured else _EXPORT_TIMEOUT_SECONDS


def _over_http(signal: str) -> bool:
    general = _choice("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    return _choice(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", general) == "http/protobuf"


def _span_exporter() -> SpanExporter:
    if _over_http("TRACES"):
        return http_traces.OTLPSpanExporter(timeout=_timeout("TRACES"))
    return grpc_traces.OTLPSpanExporter(timeout=_timeout("TRACES"))


def _metric_exporter() -> MetricExporter:
    if _over_http("METRICS"):
        return http_metrics.OTLPMetricExporter(timeout=_timeout("METRICS"))
    return grpc_metrics.OTLPMetricExporter(timeout=_timeout("METRICS"))
