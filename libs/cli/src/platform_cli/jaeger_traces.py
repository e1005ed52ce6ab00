"""Read a trace back from Jaeger and draw it as a tree of spans."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import httpx
from rich.markup import escape
from rich.tree import Tree

_POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Span:
    """One span, as Jaeger stored it."""

    span_id: str
    parent_id: str | None
    service: str
    name: str
    start_microseconds: int
    duration_microseconds: int
    tags: Mapping[str, object]

    @property
    def failed(self) -> bool:
        """Whether the span ended with an error."""
        return self.tags.get("error") is True


@dataclass(frozen=True)
class Trace:
    """All spans of one trace that have arrived."""

    trace_id: str
    spans: tuple[Span, ...] = field(default=())

    @property
    def services(self) -> set[str]:
        """Which services took part."""
        return {span.service for span in self.spans}

    @property
    def roots(self) -> list[Span]:
        """The spans without a parent in this trace; a complete trace has one."""
        known = {span.span_id for span in self.spans}
        return sorted(
            (span for span in self.spans if span.parent_id not in known), key=lambda span: span.start_microseconds
        )

    def children_of(self, span: Span) -> Iterator[Span]:
        """Yield the spans below another one, first started first."""
        below = (child for child in self.spans if child.parent_id == span.span_id)
        yield from sorted(below, key=lambda child: child.start_microseconds)


async def read_trace(
    client: httpx.AsyncClient,
    trace_id: str,
    *,
    until: Callable[[Trace], bool] = lambda trace: bool(trace.spans),
    within_seconds: float = 0.0,
) -> Trace:
    """Return the trace as soon as `until` holds for it, or as it is when the time is up.

    Spans come in batches, some time after what they tell of; those of a workflow come when it has ended.

    Args:
        client: one whose base URL is Jaeger's.
        trace_id: 32 hex digits.
        until: what makes the trace complete enough.
        within_seconds: how long to wait for that.

    Raises:
        httpx.HTTPError: Jaeger does not answer.
    """
    deadline = time.monotonic() + within_seconds
    while True:
        response = await client.get(f"/api/traces/{trace_id}")
        if response.status_code not in {httpx.codes.OK, httpx.codes.NOT_FOUND}:
            response.raise_for_status()
        trace = _trace(trace_id, response.json() if response.is_success else {})
        if until(trace) or time.monotonic() > deadline:
            return trace
        await asyncio.sleep(_POLL_SECONDS)


def span_tree(trace: Trace) -> Tree:
    """Return the trace as a tree to print: service, name, duration, and what failed."""
    tree = Tree(f"trace [bold]{trace.trace_id}[/bold]: {len(trace.spans)} spans, {', '.join(sorted(trace.services))}")
    for root in trace.roots:
        _grow(tree, trace, root)
    return tree


def _grow(branch: Tree, trace: Trace, span: Span) -> None:
    mark = " [red]failed[/red]" if span.failed else ""
    attempt = span.tags.get("temporalActivityAttempt")
    again = f" [yellow]attempt {attempt}[/yellow]" if isinstance(attempt, int) and attempt > 1 else ""
    milliseconds = span.duration_microseconds / 1000
    twig = branch.add(
        f"[cyan]{escape(span.service)}[/cyan] {escape(span.name)} [dim]{milliseconds:.1f} ms[/dim]{again}{mark}"
    )
    for child in trace.children_of(span):
        _grow(twig, trace, child)


def _trace(trace_id: str, body: Mapping[str, list[dict[str, object]]]) -> Trace:
    found = body.get("data") or []
    if not found:
        return Trace(trace_id)
    processes: Mapping[str, Mapping[str, str]] = found[0]["processes"]  # pyright: ignore[reportAssignmentType]
    spans: list[dict[str, object]] = found[0]["spans"]  # pyright: ignore[reportAssignmentType]
    return Trace(trace_id, tuple(_span(span, processes) for span in spans))


def _span(span: Mapping[str, object], processes: Mapping[str, Mapping[str, str]]) -> Span:
    references: list[dict[str, str]] = span.get("references") or []  # pyright: ignore[reportAssignmentType]
    tags: list[dict[str, object]] = span.get("tags") or []  # pyright: ignore[reportAssignmentType]
    start, duration = span["startTime"], span["duration"]
    return Span(
        span_id=str(span["spanID"]),
        parent_id=next((each["spanID"] for each in references if each["refType"] == "CHILD_OF"), None),
        service=processes[str(span["processID"])]["serviceName"],
        name=str(span["operationName"]),
        start_microseconds=start if isinstance(start, int) else 0,
        duration_microseconds=duration if isinstance(duration, int) else 0,
        tags={str(tag["key"]): tag["value"] for tag in tags},
    )
