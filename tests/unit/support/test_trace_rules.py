"""The check of traces sees what it is there to see."""

from dataclasses import replace

from platform_cli.jaeger_traces import Span, Trace
from tests.support.trace_rules import broken_rules


def _span(span_id: str, parent_id: str | None, name: str, attempt: int | None = None) -> Span:
    tags = {} if attempt is None else {"temporalActivityAttempt": attempt}
    return Span(span_id, parent_id, "user", name, start_microseconds=0, duration_microseconds=1, tags=tags)


ROOT = _span("1", None, "POST /x")
ACTIVITY = _span("2", "1", "RunActivity:a", attempt=1)


def test_tree_of_different_spans_is_as_it_should_be() -> None:
    second_attempt = _span("3", "1", "RunActivity:a", attempt=2)

    assert broken_rules(Trace("t", (ROOT, ACTIVITY, second_attempt))) == []


def test_empty_trace_is_none() -> None:
    assert len(broken_rules(Trace("t"))) == 1


def test_second_root_is_seen() -> None:
    assert len(broken_rules(Trace("t", (ROOT, _span("9", None, "POST /y"))))) == 1


def test_span_that_was_sent_twice_is_seen() -> None:
    assert len(broken_rules(Trace("t", (ROOT, ACTIVITY, replace(ACTIVITY, parent_id="2"))))) == 1


def test_step_that_is_told_twice_is_seen() -> None:
    assert len(broken_rules(Trace("t", (ROOT, ACTIVITY, replace(ACTIVITY, span_id="3"))))) == 1


def test_missing_parent_is_seen_unless_spans_may_be_lost() -> None:
    trace = Trace("t", (ROOT, _span("3", "gone", "RunActivity:b", attempt=1)))

    assert len(broken_rules(trace)) == 1
    assert broken_rules(trace, spans_may_be_lost=True) == []
