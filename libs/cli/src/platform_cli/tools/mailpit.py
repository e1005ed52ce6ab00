"""Mailpit, the mail server of the local stack: it takes every mail, delivers none, and shows them on a page.

`executable()` finds it: PARTNER_MAILPIT_BIN, `mailpit` on PATH, the cache, a build from its Go module, in this order.
"""

from pathlib import Path

from platform_cli.tools.finder import Tool, find_or_get
from platform_cli.tools.go_build import GoModule

VERSION = "1.27.11"


def executable() -> Path:
    """Return the `mailpit` binary, building it the first time (under a minute).

    Raises:
        ToolUnavailableError: no way led to it; the text says what to install.
    """
    return find_or_get(TOOL)


TOOL = Tool(
    name="mailpit",
    version=VERSION,
    override_variable="PARTNER_MAILPIT_BIN",
    # Without this option it would ask the network whether there is a newer one.
    version_arguments=("version", "--no-release-check"),
    advice="`brew install mailpit`, or see https://mailpit.axllent.org/docs/install, or install Go 1.25 or newer",
    recipe=GoModule(
        module="github.com/axllent/mailpit",
        version=f"v{VERSION}",
        checksum="h1:57cO1Tlekptm80OBxry0wW/9Nc1WxzEjh12SC2LCrx0=",
        go_mod_checksum="h1:FYW37Rx9083THrC/av7xTtMocuATESLI7FaGqMDkm0A=",
        package="github.com/axllent/mailpit",
        ldflags=f"-s -w -X github.com/axllent/mailpit/config.Version=v{VERSION}",
    ),
)
