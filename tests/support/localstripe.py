"""localstripe, a Stripe that remembers: intents, refunds and signed webhooks, written by others.

It lives in an environment of its own in the cache of tools, and never in ours.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from platform_cli.bound_process import CommandError, run_to_end
from platform_cli.errors import ToolUnavailableError
from platform_cli.tools.cache import cache_directory, exclusive
from platform_cli.tools.progress import showing
from tests.support.network import free_port
from tests.support.waiting import eventually

_REQUIREMENTS: Final = Path(__file__).with_name("localstripe-requirements.txt")
_INSTALL_TIMEOUT_SECONDS: Final = 10 * 60

# Its own start would listen on every interface, and keep what it knows in a file that all of this machine share.
_LAUNCHER: Final = """
import builtins, sys
from aiohttp import web
from localstripe import resources
port, state = int(sys.argv[1]), sys.argv[2]
resources.open = lambda _path, mode: builtins.open(state, mode)
from localstripe.server import app
web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)
"""


def environment() -> Path:
    """Return the Python of localstripe's environment, making it the first time (seconds).

    A repeat finds it. Two processes at once: one works, the other waits for its result.

    Raises:
        ToolUnavailableError: it could not be installed; the text says why.
    """
    key = hashlib.sha256(_REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    directory = cache_directory() / f"localstripe-{key}"
    python, is_complete = directory / "bin" / "python", directory / "complete"
    try:
        with exclusive(directory.name, on_wait=lambda: None):
            if not is_complete.exists():
                _install(directory, python)
                is_complete.touch()
    except (CommandError, OSError) as failure:
        raise ToolUnavailableError(
            f"localstripe cannot be installed ({failure}): it needs {_REQUIREMENTS.name} from a package index"
        ) from failure
    return python


def _install(directory: Path, python: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    into = ("--python", str(python))
    # The certificates of the system, so that it works wherever git and pip do. Only this Python: never download one.
    variables = {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never", **os.environ}
    with showing("installing localstripe") as report:
        for arguments in (
            ("venv", "--clear", "--python", sys.executable, str(directory)),
            # Every version is named in the file; what it does not name is not installed.
            ("pip", "install", *into, "--no-deps", "--requirements", str(_REQUIREMENTS)),
            # So that one is missing at once, and not when localstripe comes to it.
            ("pip", "check", *into),
        ):
            command = [str(uv), *arguments]
            run_to_end(command, env=variables, timeout_seconds=_INSTALL_TIMEOUT_SECONDS, on_line=report)


@asynccontextmanager
async def running_localstripe(directory: Path) -> AsyncGenerator[str]:
    """Run a localstripe without a past while the block runs; its URL. What it knows is kept in the directory."""
    port = free_port()
    with (directory / "localstripe.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            environment(),
            *("-c", _LAUNCHER, str(port), str(directory / "localstripe.pickle")),
            cwd=directory,
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:

            async def is_ready() -> bool:
                return (await client.get(f"{url}/v1/balance", auth=("sk_test_ready", ""))).is_success

            await eventually(is_ready, within_seconds=40, every_seconds=0.1)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 10)
