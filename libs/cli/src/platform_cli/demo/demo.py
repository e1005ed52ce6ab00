"""The main job, `partner demo`: bring up what does not run, tell the story, show what happened."""

import asyncio
import os
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console

from platform_cli.demo.gateway_api import GatewayApi
from platform_cli.demo.mailpit_api import MailpitApi
from platform_cli.demo.story import Story
from platform_cli.errors import StackError
from platform_cli.jaeger_traces import Trace, read_trace, span_tree
from platform_cli.settings import StackSettings
from platform_cli.stack.local_stack import LocalStack
from platform_runtime.settings import TemporalSettings, load_settings
from platform_runtime.temporal_client import connect

_EXPECTED_SERVICES: Final = {"gateway", "user", "analytics"}
_TRACED_WITHIN_SECONDS: Final = 30.0
_ANSWER_WITHIN_SECONDS: Final = 30.0


def run_demo(settings: StackSettings, console: Console, *, keep: bool) -> bool:
    """Run the demo and return whether everything was as expected.

    Args:
        settings: of the local stack.
        console: where to print.
        keep: leave the stack running that was started for the demo.

    Raises:
        StackError: the stack did not come up, or a part that the demo needs is not there.
    """
    stack = LocalStack(settings)
    try:
        console.print("Bringing up the platform ...")
        status = stack.ensure_running()
        missing = [name for name in ("gateway", "mail", "traces") if name not in status.urls]
        if missing:
            raise StackError(f"the demo reads {' and '.join(missing)} back, but there is no page of it to read")
        good = asyncio.run(_tell(status.urls, _api_key(), console))
        console.print("\n[bold]Where to look[/bold]" + ("" if keep or not stack.started else " (with --keep)"))
        for name, url in status.urls.items():
            console.print(f"  {name:<9} {url}")
        return good
    finally:
        if not keep:
            stack.stop_what_was_started()


async def _tell(urls: dict[str, str], api_key: str | None, console: Console) -> bool:
    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    async with (
        httpx.AsyncClient(base_url=urls["gateway"], headers=headers, timeout=_ANSWER_WITHIN_SECONDS) as gateway,
        httpx.AsyncClient(base_url=urls["mail"], timeout=_ANSWER_WITHIN_SECONDS) as mail,
        httpx.AsyncClient(base_url=urls["traces"], timeout=_ANSWER_WITHIN_SECONDS) as jaeger,
    ):
        temporal = await connect(load_settings(TemporalSettings))
        story = Story(GatewayApi(gateway), MailpitApi(mail), temporal)
        await story.tell()
        trace = await _read_the_trace(jaeger, story)
        console.print()
        console.print(story.outcomes.table())
        if trace is not None:
            console.print("\n[bold]The onboarding, as one trace[/bold]")
            console.print(span_tree(trace))
        return story.outcomes.all_as_expected


async def _read_the_trace(jaeger: httpx.AsyncClient, story: Story) -> Trace | None:
    expected = "one trace, one root, over analytics, gateway, user"
    trace = None
    if story.onboarding_trace_id is not None:
        trace = await read_trace(
            jaeger, story.onboarding_trace_id, until=_is_complete, within_seconds=_TRACED_WITHIN_SECONDS
        )
    story.outcomes.note(
        "read the trace of the onboarding back",
        expected=expected,
        seen=expected if trace is not None and _is_complete(trace) else _describe(trace),
    )
    return trace


def _is_complete(trace: Trace) -> bool:
    return trace.services >= _EXPECTED_SERVICES and len(trace.roots) == 1


def _describe(trace: Trace | None) -> str:
    if trace is None:
        return "no trace id"
    return f"{len(trace.spans)} spans, {len(trace.roots)} roots, over {', '.join(sorted(trace.services)) or 'nothing'}"


def _api_key() -> str | None:
    """Return the key that the gateway asks for, from where the gateway has it; None when it asks for none."""
    file = os.environ.get("GATEWAY_API_KEY_FILE")
    key = Path(file).read_text().strip() if file else os.environ.get("GATEWAY_API_KEY")
    return key or None
