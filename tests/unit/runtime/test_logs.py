"""The log: one line an event, with the ids of what it is about."""

import io
import json
import logging
import sys
from collections.abc import Callable, Generator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from platform_runtime.logs import configure_logs, get_logger
from platform_runtime.settings import LogSettings

ReadLines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Generator[ReadLines]:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logs(LogSettings(format="json"), service="user")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)


def test_event_carries_its_fields_and_the_service(lines: ReadLines) -> None:
    get_logger("mail").info("mail.sent", notification_id="n-1")

    (line,) = lines()
    assert line["event"] == "mail.sent"
    assert line["notification_id"] == "n-1"
    assert line["service"] == "user"
    assert line["level"] == "info"


def test_line_of_a_library_has_the_same_form(lines: ReadLines) -> None:
    logging.getLogger("some.library").warning("disk at %d %%", 90, extra={"disk": "a"})

    (line,) = lines()
    assert line["event"] == "disk at 90 %"
    assert line["disk"] == "a"
    assert line["logger"] == "some.library"


def test_line_of_the_sdk_tells_workflow_and_tenant(lines: ReadLines) -> None:
    ids = {"workflow_id": "acme:user:notification:n-1", "workflow_type": "user.Notification", "attempt": 2}

    logging.getLogger("temporalio.activity").warning("slow", extra={"temporal_activity": ids})

    (line,) = lines()
    assert line["workflow_id"] == "acme:user:notification:n-1"
    assert line["tenant"] == "acme"
    assert line["attempt"] == 2
    assert "temporal_activity" not in line


def test_line_within_a_trace_has_its_id(lines: ReadLines) -> None:
    context = SpanContext(trace_id=0xABC, span_id=1, is_remote=False, trace_flags=TraceFlags(1))

    with trace.use_span(NonRecordingSpan(context)):
        get_logger("mail").info("mail.sent")

    (line,) = lines()
    assert line["trace_id"] == "00000000000000000000000000000abc"


def test_exporter_without_a_backend_is_heard_once(lines: ReadLines) -> None:
    for _ in range(5):
        logging.getLogger("opentelemetry.exporter.otlp").error("UNAVAILABLE")

    assert len(lines()) == 1


def test_exception_is_part_of_its_line(lines: ReadLines) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        get_logger("mail").exception("mail.lost")

    (line,) = lines()
    assert "ValueError: broken" in line["exception"]
