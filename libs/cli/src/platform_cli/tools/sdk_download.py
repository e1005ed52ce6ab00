"""Fetches the dev server the way the Temporal SDK does it, as a program of its own.

    python -m platform_cli.tools.sdk_download DIRECTORY VERSION

The SDK downloads only as a part of starting a server; so one is started on a free port, and stopped at once. A
process of its own can be bounded in time, and the SDK's native part cannot take the caller down with it.
"""

import asyncio
import os
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

# A download that brings no byte for so long is behind a firewall that drops packets.
_STALL_SECONDS = 30
_POLL_SECONDS = 1
_START_TIMEOUT_SECONDS = 30


async def _download(directory: Path, version: str) -> None:
    environment = await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType]
        download_dest_dir=str(directory),
        dev_server_download_version=version,
        dev_server_startup_timeout=timedelta(seconds=_START_TIMEOUT_SECONDS),
    )
    await environment.shutdown()


def _watch(directory: Path) -> None:
    """End the process when nothing arrives any more."""
    size, since = -1, time.monotonic()
    while True:
        arrived = sum(path.stat().st_size for path in directory.iterdir() if path.is_file())
        if arrived != size:
            size, since = arrived, time.monotonic()
        elif time.monotonic() - since > _STALL_SECONDS:
            _exit(f"nothing arrived for {_STALL_SECONDS} s")
        print(f"{arrived / 1024**2:.0f} MB", flush=True)
        time.sleep(_POLL_SECONDS)


def _exit(reason: str | None) -> None:
    if reason is not None:
        print(" ".join(reason.split()), flush=True)
    # Not sys.exit: the SDK's native threads may abort a normal exit, and the stalled thread would prevent it.
    os._exit(0 if reason is None else 1)


def main() -> None:
    """Download, then end with 0, or with 1 and the reason as the last line."""
    directory, version = Path(sys.argv[1]), sys.argv[2]
    threading.Thread(target=_watch, args=(directory,), daemon=True).start()
    try:
        asyncio.run(_download(directory, version))
    except RuntimeError as error:
        _exit(str(error))
    _exit(None)


if __name__ == "__main__":
    main()
