"""The Temporal dev server, part of the `temporal` command line tool.

`executable()` is all that a test or the local stack needs: PARTNER_TEMPORAL_BIN, `temporal` on PATH, the cache, the
SDK's own download, a build from its Go module, in this order.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from platform_cli.bound_process import CommandError, run_to_end
from platform_cli.tools.finder import Tool, find_or_get
from platform_cli.tools.go_build import GoModule

VERSION = "1.5.1"

DYNAMIC_CONFIG = (
    # The dev server's defaults cost 50 ms a step and now and then 2 s; this removes the former, the next two the
    # latter.
    "history.transferProcessorMaxPollRPS=2000",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    # Without these two the server takes fairness keys and ignores them.
    "matching.useNewMatcher=true",
    "matching.enableFairness=true",
)
# With a database file the server is three to four times slower than in memory; these two give most of it back, and
# a kill -9 of the server still loses nothing.
SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")

_DOWNLOAD_TIMEOUT_SECONDS = 15 * 60


def tuning_arguments(*, database_file: bool) -> list[str]:
    """Return the arguments every dev server of ours is started with."""
    arguments = [argument for value in DYNAMIC_CONFIG for argument in ("--dynamic-config-value", value)]
    if database_file:
        arguments += [argument for pragma in SQLITE_PRAGMAS for argument in ("--sqlite-pragma", pragma)]
    return arguments


def executable() -> Path:
    """Return the `temporal` binary, fetching or building it the first time (one to three minutes).

    Raises:
        ToolUnavailableError: no way led to it; the text says what to install.
    """
    return find_or_get(TOOL)


def _download(directory: Path, report: Callable[[str], None]) -> Path:
    """Let the SDK fetch the server, in a process of its own that can be stopped.

    Raises:
        CommandError: the download failed or stalled, or brought something else than one program.
    """
    run_to_end(
        [sys.executable, "-m", "platform_cli.tools.sdk_download", str(directory), f"v{VERSION}"],
        timeout_seconds=_DOWNLOAD_TIMEOUT_SECONDS,
        on_line=report,
    )
    binaries = [path for path in directory.iterdir() if path.is_file()]
    if len(binaries) != 1:
        raise CommandError(f"the SDK left {len(binaries)} files where one program was expected", ())
    return binaries[0]


TOOL = Tool(
    name="temporal",
    version=VERSION,
    override_variable="PARTNER_TEMPORAL_BIN",
    version_arguments=("--version",),
    advice="`brew install temporal`, or see https://docs.temporal.io/cli, or install Go 1.25 or newer",
    download=_download,
    recipe=GoModule(
        module="github.com/temporalio/cli",
        version=f"v{VERSION}",
        checksum="h1:0RZMk14BWxz44Xg6ciDQvpfAMffoG3J7/K03ql80teY=",
        go_mod_checksum="h1:8lfULNGZ1Y2sobXSpY+2qQ4vgR4hYLuTLpqnCIl9Au4=",
        package="github.com/temporalio/cli/cmd/temporal",
        ldflags=f"-s -w -X github.com/temporalio/cli/temporalcli.Version={VERSION}",
    ),
)
