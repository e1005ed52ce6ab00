"""Tell where a workflow stands, in its memo."""

from opentelemetry import trace
from temporalio import workflow

from platform_contracts import memo


def report_progress(progress: memo.Progress) -> None:
    """Put the progress into the memo, in the workflow task in which it changes; costs no activity.

    The trace id goes with it the first time, so that a workflow that no request started can be found in the traces.
    """
    changes: dict[str, object] = {memo.PROGRESS: progress}
    if memo.TRACE_ID not in workflow.memo():
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            changes[memo.TRACE_ID] = trace.format_trace_id(span.trace_id)
    workflow.upsert_memo(changes)
