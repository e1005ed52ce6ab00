"""Name a part of a workflow in its trace."""

from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry import trace


@contextmanager
def part(name: str) -> Generator[None]:
    """Put what happens in the block under a span of its own; it is told once, however often the workflow is replayed.

    For things of one kind that are done several times: without it their spans would not differ.
    """
    with trace.get_tracer("platform_workflow_tools").start_as_current_span(name):
        yield
