"""`python -m deploy.rehearsal`: brings compose.yaml up for real, runs the demo against it, and takes all away again."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from rich.console import Console

from deploy.rehearsal import images
from deploy.rehearsal.engine import Docker, docker
from platform_cli.bound_process import CommandError
from platform_cli.demo.demo import tell
from platform_cli.errors import StackError

_UP_SECONDS = 300
_DOWN_SECONDS = 180
_SCRAPED_WITHIN_SECONDS = 60
# What compose.yaml publishes; the rehearsal takes free ports, so that it disturbs nothing that runs.
_PORTS = (
    "GATEWAY_PORT",
    "TEMPORAL_PORT",
    "TEMPORAL_UI_PORT",
    "MAILPIT_UI_PORT",
    "JAEGER_UI_PORT",
    "PROMETHEUS_PORT",
    "ACQUIRER_PORT",
)


def main() -> int:
    """Rehearse; return 0 when everything was as expected."""
    console = Console(soft_wrap=True, highlight=False)
    # Containers outlive their engine, so being told to end is a reason to take them down and not to die.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="partner-", ignore_cleanup_errors=True) as directory, ExitStack() as stack:
        scratch = Path(directory)
        try:
            engine = stack.enter_context(docker(scratch))
            variables = {**_free_ports(), "COMPOSE_PROJECT_NAME": f"partner-rehearsal-{uuid4().hex[:8]}"}
            variables |= _get_images(engine, scratch, console, tag=variables["COMPOSE_PROJECT_NAME"])
            console.print("Bringing up compose.yaml ...")
            stack.enter_context(_running(engine, variables, console))
            as_expected = _look(variables, console)
        except (StackError, CommandError) as failure:
            console.print(f"[red]{failure}[/red]")
            return 1
    console.print("\nEverything was as expected." if as_expected else "\n[red]Not everything was as expected.[/red]")
    return 0 if as_expected else 1


def _get_images(engine: Docker, scratch: Path, console: Console, *, tag: str) -> dict[str, str]:
    base = images.base_image()
    if not images.can_pull(engine):
        console.print("No image can be pulled here; making stand-ins, which takes some minutes ...")
        images.make_stand_ins(engine, scratch, console.print)
        base = images.PYTHON
    console.print("Building the platform's image ...")
    images.build_platform(engine, tag=f"partner-platform:{tag}", base=base)
    return {"PARTNER_IMAGE": f"partner-platform:{tag}"}


@contextmanager
def _running(engine: Docker, variables: Mapping[str, str], console: Console) -> Generator[None]:
    """Have everything in compose.yaml running, with the secrets of this checkout, while the block lasts."""
    subprocess.run(["sh", str(images.ROOT / "deploy/make-secrets.sh")], check=True, timeout=30)
    project = ("--project-directory", str(images.ROOT))
    started = time.monotonic()
    try:
        try:
            up = ("up", "--detach", "--wait", f"--wait-timeout={_UP_SECONDS}", "--no-build", "--quiet-pull")
            engine.compose(*project, *up, within_seconds=2 * _UP_SECONDS, **variables)
        except CommandError:
            console.print(engine.compose(*project, "logs", "--tail=20", within_seconds=30, **variables), markup=False)
            raise
        console.print(f"Up, and every process healthy, after {time.monotonic() - started:.0f} s.")
        yield
    finally:
        console.print("Taking it down ...")
        engine.compose(*project, "down", "--volumes", "--timeout=30", within_seconds=_DOWN_SECONDS, **variables)
        engine("image", "rm", "--force", variables["PARTNER_IMAGE"], within_seconds=_DOWN_SECONDS)


def _look(variables: Mapping[str, str], console: Console) -> bool:
    urls = {
        "gateway": f"http://127.0.0.1:{variables['GATEWAY_PORT']}",
        "mail": f"http://127.0.0.1:{variables['MAILPIT_UI_PORT']}",
        "traces": f"http://127.0.0.1:{variables['JAEGER_UI_PORT']}",
        "acquirer": f"http://127.0.0.1:{variables['ACQUIRER_PORT']}",
    }
    os.environ["TEMPORAL_ADDRESS"] = f"127.0.0.1:{variables['TEMPORAL_PORT']}"
    key = (images.ROOT / "deploy/secrets/gateway_api_key").read_text().strip()
    as_expected = asyncio.run(tell(urls, key, console))
    down = _not_scraped(f"http://127.0.0.1:{variables['PROMETHEUS_PORT']}")
    console.print(f"\nPrometheus cannot scrape {', '.join(down)}" if down else "\nPrometheus scrapes every process.")
    return as_expected and not down


def _not_scraped(prometheus: str) -> list[str]:
    """Return what Prometheus has no metrics of, once it has had the time to get some."""
    deadline = time.monotonic() + _SCRAPED_WITHIN_SECONDS
    while True:
        with urllib.request.urlopen(f"{prometheus}/api/v1/targets", timeout=10) as answer:  # noqa: S310 - our own
            targets = json.load(answer)["data"]["activeTargets"]
        healthy = {target["labels"]["job"] for target in targets if target["health"] == "up"}
        missing = sorted(_jobs() - healthy)
        if not missing or time.monotonic() > deadline:
            return missing
        time.sleep(1)


def _jobs() -> set[str]:
    text = (images.ROOT / "deploy/prometheus/prometheus.yaml").read_text()
    return {line.split()[-1] for line in text.splitlines() if line.strip().startswith("- job_name:")}


def _free_ports() -> dict[str, str]:
    with ExitStack() as stack:
        listening = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in _PORTS}
        return {name: str(listener.getsockname()[1]) for name, listener in listening.items()}


if __name__ == "__main__":
    sys.exit(main())
