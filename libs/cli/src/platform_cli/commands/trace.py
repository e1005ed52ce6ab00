"""`partner trace`: one trace, on the terminal."""

import asyncio

import httpx

from platform_cli.errors import StackError
from platform_cli.jaeger_traces import Trace, read_trace, span_tree
from platform_cli.settings import stack_settings
from platform_cli.stack.local_stack import LocalStack
from platform_cli.stack.report import console_for

_ANSWER_WITHIN_SECONDS = 10.0


def trace(trace_id: str) -> None:
    """Print the tree of a trace's spans.

    Raises:
        StackError: no stack runs, it has no Jaeger, or Jaeger has no such trace.
    """
    url = LocalStack(stack_settings()).status().urls.get("traces")
    if url is None:
        raise StackError("this stack sends its traces to a backend that cannot be read from here")
    try:
        found = asyncio.run(_read(url, trace_id))
    except httpx.HTTPError as error:
        raise StackError(f"{url} does not answer as Jaeger does: {error}") from error
    if not found.spans:
        raise StackError(f"there is no trace {trace_id}; the spans of a workflow come when it has ended")
    console_for().print(span_tree(found))


async def _read(url: str, trace_id: str) -> Trace:
    async with httpx.AsyncClient(base_url=url, timeout=_ANSWER_WITHIN_SECONDS) as client:
        return await read_trace(client, trace_id)
