"""What makes a trace readable: one root, every span once."""

from collections import Counter

from platform_cli.jaeger_traces import Trace


def broken_rules(trace: Trace, *, spans_may_be_lost: bool = False) -> list[str]:
    """Return what is wrong with a trace, a sentence each; nothing when it is as it should be.

    Args:
        trace: read back from the backend.
        spans_may_be_lost: after a process was killed, spans that it had not sent yet are missing, and those below them
            have no parent in the trace. Nothing else may be different.
    """
    known = {span.span_id for span in trace.spans}
    parentless = [span.name for span in trace.spans if span.parent_id is None]
    orphans = [span.name for span in trace.spans if span.parent_id is not None and span.parent_id not in known]
    ids = Counter(span.span_id for span in trace.spans)
    twins = Counter((span.parent_id, span.name, span.tags.get("temporalActivityAttempt")) for span in trace.spans)
    broken: list[str] = []
    if len(parentless) != 1:
        broken.append(f"{len(parentless)} spans without a parent: {parentless}")
    if orphans and not spans_may_be_lost:
        broken.append(f"spans whose parent is missing: {orphans}")
    broken.extend(f"span id {span_id} stands {count} times" for span_id, count in ids.items() if count > 1)
    broken.extend(f"{count} spans of equal parent, name, attempt: {key}" for key, count in twins.items() if count > 1)
    return broken
