"""One log format for workflows, activities, the gateway and libraries."""

import logging
import sys
import time
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, cast

import structlog
from opentelemetry import trace
from temporalio import activity, workflow

from platform_contracts.identifiers import tenant_of
from platform_runtime.settings import LogSettings

_QUIET_SECONDS: Final = 60.0
"""How often the same trouble of an exporter is worth a line."""

_SDK_FIELDS: Final = ("workflow_id", "run_id", "workflow_type", "task_queue", "activity_type", "activity_id", "attempt")


def configure_logs(settings: LogSettings, *, service: str) -> None:
    """Send every log line of the process to standard error, with the ids of what it is about."""
    pretty = settings.format == "pretty" or (settings.format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_temporal_ids,
        _add_trace_id,
    ]
    renderer: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if pretty
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            _Constant("service", service),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _drop_sdk_extras,
            *renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(_Quiet())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level)
    # These say at INFO what nobody acts on: every request, every start of a server, every look at a schema.
    for chatty in ("httpx", "uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    # The ids are fields of the line; the SDK would put them into its text as well.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose events carry fields: `log.info("mail.sent", notification_id=…)`."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(name))


class _Constant:
    def __init__(self, key: str, value: str) -> None:
        self._key = key
        self._value = value

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault(self._key, self._value)
        return event


def _add_temporal_ids(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Lift the ids that the SDK's workflow and activity loggers put on a record."""
    record = cast("logging.LogRecord | None", event.get("_record"))
    for extra in ("temporal_workflow", "temporal_activity"):
        ids = cast("Mapping[str, Any] | None", getattr(record, extra, None))
        for field in _SDK_FIELDS:
            if ids is not None and field in ids:
                event.setdefault(field, ids[field])
        if ids is not None and "workflow_run_id" in ids:
            event.setdefault("run_id", ids["workflow_run_id"])
    if "workflow_id" in event:
        event.setdefault("tenant", tenant_of(str(event["workflow_id"])))
    return event


def _drop_sdk_extras(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave out what `_add_temporal_ids` has lifted."""
    for extra in ("temporal_workflow", "temporal_activity", "__temporal_error_identifier", "color_message"):
        event.pop(extra, None)
    return event


def _add_trace_id(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event.setdefault("trace_id", trace.format_trace_id(span.trace_id))
    return event


class _Quiet(logging.Filter):
    """Say once a minute what an exporter without a backend would say every few seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "opentelemetry.context" and "Failed to detach context" in record.getMessage():
            # Logged when a worker lets go of an open workflow; the spans are right all the same.
            return False
        if not record.name.startswith("opentelemetry."):
            return True
        now = time.monotonic()
        if now - self._last.get(record.name, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return False
        self._last[record.name] = now
        return True
